//! Is this session's station still there? Asked when somebody with its credential is at the door, and
//! answered by the station alone (threats A02, A03).
//!
//! Any byte it sends after the question is an answer. What the socket held before is none, since a
//! station that is gone may have left it there; so first everything is read that has arrived, also
//! where the conversation does not read on because a row of CALLs is full or the CSMS takes nothing:
//! it is kept undecoded, within a bound. A socket that was congested and now takes something again
//! has a station behind it, too, whose pong may come long after the megabyte that it is working on.

use std::task::{Context, Poll};
use std::time::Duration;

use guard::Closing;
use ocpp::Side;

use super::conversation::Desk;
use super::{Receipt, Relay};
use crate::live::Question;

/// What is kept of a station that is not read otherwise. More than this has no dead station left
/// behind in a socket: it lives.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// A question that waits for its answer.
pub(super) struct Probe {
    question: Question,
    deadline: Duration,
    /// The station's signs of life when all had been read that was there before; `None` until then.
    before: Option<u32>,
}

impl Relay {
    /// Takes up a question, if there is one: the station gets a ping, whatever else waits.
    pub(super) fn take_question(&mut self, desk: &mut Desk<'_>) {
        let Some(question) = self.seat.question() else {
            return;
        };
        if self.ending.is_some() {
            // Dropped: whoever asks waits for the end.
            return;
        }
        let gate = &self.conversation.gate;
        let deadline = desk.now.elapsed + gate.settings.limits.probe_deadline;
        let look_at = gate.clock.instant(deadline);
        if look_at < self.timer.deadline() {
            self.set_timer(look_at);
        }
        self.station.expect_pong();
        desk.outbox.ping(Side::Station);
        self.probe = Some(Box::new(Probe {
            question: *question,
            deadline,
            before: None,
        }));
    }

    /// Reads a station whose conversation is not read on, only to hear whether it is there.
    pub(super) fn listen(
        &mut self,
        context: &mut Context<'_>,
        input: &mut [u8],
        desk: &mut Desk<'_>,
    ) -> Receipt {
        if self.probe.is_none() || self.station.lost || self.station.close_received {
            return Receipt::NotAsked;
        }
        let hop = &mut self.station;
        if hop.unread.len() >= KEPT_BYTES_MAX {
            self.answer_probe();
            return Receipt::NotAsked;
        }
        let Poll::Ready(count) = hop.read(context, input, desk.now.elapsed) else {
            return Receipt::Nothing;
        };
        if count == 0 {
            hop.lost = true;
            let how = Closing::Lost(Side::Station);
            self.leave(Side::Station, how, Some(1001), desk);
        } else {
            let bytes = input.get(..count).unwrap_or_default();
            hop.unread.extend_from_slice(bytes);
        }
        Receipt::Something
    }

    /// Looks for a sign of life. To be called when the socket has been read as far as it goes, and
    /// written to.
    pub(super) fn look_for_life(&mut self) {
        let signs = self.station.signs();
        let Some(probe) = &mut self.probe else {
            return;
        };
        match probe.before {
            None => probe.before = Some(signs),
            Some(before) if before != signs => self.answer_probe(),
            Some(_) => {}
        }
    }

    fn answer_probe(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.seat.alive(probe.question);
        }
    }

    /// Ends the session when the time for a sign of life is over; when to look again.
    pub(super) fn watch_probe(&mut self, desk: &mut Desk<'_>) -> Option<Duration> {
        let probe = self
            .probe
            .take_if(|probe| desk.now.elapsed >= probe.deadline);
        let Some(probe) = probe else {
            return self.probe.as_ref().map(|probe| probe.deadline);
        };
        // Without a `before` it sent faster than we could read: nobody lives more than that.
        let signs = self.station.signs();
        if probe.before.is_none_or(|before| before != signs) {
            self.seat.alive(probe.question);
            return None;
        }
        self.station.lost = true;
        let how = Closing::Displaced(probe.question.newcomer);
        self.leave(Side::Station, how, Some(1001), desk);
        None
    }
}
