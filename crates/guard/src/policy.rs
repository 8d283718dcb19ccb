//! The rules a message must keep: `Policy::judge` reads them and gives the verdict. Nothing else
//! makes a [`Cleared`](crate::Cleared).

use std::time::Duration;

use ocpp::{Limits, Message};

use crate::{Judgement, LimitsException, Mode, Moment, StationState};

mod answer;
mod call;
mod case;
mod unreadable;

/// How strictly each control is kept.
///
/// Hard faults are refused in every mode, since two parsers could read such a message differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controls {
    /// Payloads keep their schema and our caps. By default observed: many real stations send
    /// messages that break the schema in harmless ways and go on working, and a gate that refuses
    /// them is switched off in its first week. Enforced once the report is clean.
    pub schema: Mode,
    /// Each side sends only what is its to send. Enforced by default: no honest station sends a
    /// Reset, and no honest CSMS a BootNotification.
    pub direction: Mode,
    /// An answer belongs to one open CALL, once, and an id to one body. Enforced by default: an
    /// answer nobody asked for helps only an attacker. `Off` and `Observe` also pass on a repeated
    /// CALL that is still open, since joining it to the first is not observing.
    pub correlation: Mode,
    /// One CALL in flight for each side. Enforced by default, which refuses nobody who is served in
    /// time: a CALL waits its turn, and only one whose time-out has passed is refused. `Observe`
    /// passes it on even then; `Off` lets no CALL wait.
    pub pipelining: Mode,
}

impl Default for Controls {
    fn default() -> Controls {
        Controls {
            schema: Mode::Observe,
            direction: Mode::Enforce,
            correlation: Mode::Enforce,
            pipelining: Mode::Enforce,
        }
    }
}

/// What to do after a message that could not be read; it is refused either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnreadable {
    /// Answer with a CALLERROR, where one is owed, and go on.
    #[default]
    Answer,
    /// End the session.
    Close,
}

/// The rules for a fleet: an immutable snapshot, to be shared in an `Arc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How strictly each control is kept.
    pub controls: Controls,
    /// How long a CALL is in flight; its peer's own time-out should be no longer.
    pub call_timeout: Duration,
    /// What to do after a message that could not be read.
    pub unreadable: OnUnreadable,
    /// What a message may cost us.
    pub limits: Limits,
    /// Models with caps of their own; the first that fits holds.
    pub limits_exceptions: Vec<LimitsException>,
}

impl Policy {
    /// How long a CALL is in flight unless set otherwise.
    pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);

    /// Judges a message that came in at `arrived` and whose turn it is now. A forwarded CALL is open
    /// from here on, and a forwarded answer closes its CALL; a refused CALL leaves no trace.
    ///
    /// Nearly every message is forwarded without a finding, and then nothing here allocates.
    pub fn judge<'m>(
        &self,
        message: Message<'m>,
        arrived: Moment,
        state: &mut StationState,
        now: Moment,
    ) -> Judgement<'m> {
        match message {
            Message::Call(call) => self.judge_call(call, arrived, state, now),
            Message::Send(send) => self.judge_send(send, state),
            Message::Answer(answer) => self.judge_answer(answer, state, now),
            Message::Unreadable(unreadable) => self.judge_unreadable(unreadable, state),
        }
    }

    /// The caps for this session's messages, in both directions: those of its model, once a
    /// BootNotification has been passed on that names one with an exception. For the reader.
    pub fn limits_for<'p>(&'p self, state: &StationState) -> &'p Limits {
        let Some(model) = &state.model else {
            return &self.limits;
        };
        let mut exceptions = self.limits_exceptions.iter();
        exceptions
            .find(|exception| exception.is_for(model))
            .map_or(&self.limits, |exception| &exception.limits)
    }

    /// Whether a message has to wait: it is a CALL, and its sender has another one in flight. A
    /// repetition of that very CALL does not wait, since it goes no further.
    ///
    /// Whoever keeps the queue asks again when an answer was forwarded
    /// and at [`StationState::next_deadline`].
    pub fn must_wait(&self, message: &Message<'_>, state: &StationState, now: Moment) -> bool {
        let Message::Call(call) = message else {
            return false;
        };
        self.controls.pipelining != Mode::Off
            && state.call_in_flight(call.from, now)
            && !self.joins(call, state, now)
    }
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            controls: Controls::default(),
            call_timeout: Policy::CALL_TIMEOUT,
            unreadable: OnUnreadable::default(),
            limits: Limits::default(),
            limits_exceptions: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
