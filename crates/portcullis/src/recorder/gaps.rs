//! What was lost on its way to the record, and is a record itself since.

use gateway::EventReceiver;
use guard::UnixMillis;
use journal::record::Gap;

use super::row::Row;

/// Losses, as far as they have been recorded.
pub(super) struct Gaps {
    missed: u64,
    dropped: u64,
    words: u64,
    since: UnixMillis,
}

impl Gaps {
    /// None yet; the first one begins now.
    pub(super) fn new(now: UnixMillis) -> Gaps {
        Gaps {
            missed: 0,
            dropped: 0,
            words: 0,
            since: now,
        }
    }

    /// What has been lost since the last look, to be recorded now.
    pub(super) fn since_last(
        &mut self,
        row: &Row,
        events: &EventReceiver,
        now: UnixMillis,
    ) -> Option<Gap> {
        let seen = Gaps {
            missed: row.missed().events,
            dropped: events.dropped(),
            words: events.words_dropped(),
            since: now,
        };
        let gap = Gap {
            at: now,
            since: self.since,
            events: seen.events() - self.events(),
            words: seen.words - self.words,
            why: "queue-full",
        };
        if (gap.events, gap.words) == (0, 0) {
            return None;
        }
        *self = seen;
        Some(gap)
    }

    /// Events that are not recorded, and never will be.
    pub(super) fn events(&self) -> u64 {
        self.missed + self.dropped
    }

    /// Those of them that never came as far as the recorder's row.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}
