//! Pairs that succeeded. Only successes write here, so no flood of failures pushes anybody out; and
//! a station has few places, so that whoever holds one credential pushes out nobody but itself.

use std::collections::BTreeMap;

use super::{Source, Who};

/// Sources remembered for one station: a mobile network gives it several addresses in turn.
pub(super) const SOURCES_PER_STATION_MAX: usize = 4;

type Pair = (Who, Source);

#[derive(Debug)]
pub(super) struct Known {
    /// When each was last seen, by a count of successes.
    pairs: BTreeMap<Pair, u64>,
    /// The same, longest unseen first.
    order: BTreeMap<u64, Pair>,
    pairs_max: usize,
    successes: u64,
}

impl Known {
    pub(super) fn bounded(pairs_max: usize) -> Known {
        Known {
            pairs: BTreeMap::new(),
            order: BTreeMap::new(),
            pairs_max,
            successes: 0,
        }
    }

    pub(super) fn contains(&self, who: Who, source: Source) -> bool {
        self.pairs.contains_key(&(who, source))
    }

    pub(super) fn learn(&mut self, who: Who, source: Source) {
        if self.pairs_max == 0 {
            return;
        }
        self.successes += 1;
        let pair = (who, source);
        if let Some(seen) = self.pairs.insert(pair, self.successes) {
            self.order.remove(&seen);
        }
        self.order.insert(self.successes, pair);
        let own = self
            .pairs
            .range((who, Source::V4(0))..=(who, Source::V6(u64::MAX)));
        let mut own: Vec<u64> = own.map(|(_, seen)| *seen).collect();
        if own.len() > SOURCES_PER_STATION_MAX {
            own.sort_unstable();
            self.forget(own.first().copied());
        } else if self.pairs.len() > self.pairs_max {
            self.forget(self.order.keys().next().copied());
        }
    }

    fn forget(&mut self, seen: Option<u64>) {
        if let Some(pair) = seen.and_then(|seen| self.order.remove(&seen)) {
            self.pairs.remove(&pair);
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.pairs.len(), self.order.len());
        self.pairs.len()
    }
}
