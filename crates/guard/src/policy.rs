//! The rules a message must keep: `Policy::judge` reads them and gives the verdict. Nothing else
//! makes a [`Cleared`](crate::Cleared).

use std::sync::Arc;
use std::time::Duration;

use ocpp::{Limits, Message};

use crate::rates::Rates;
use crate::rules::{Patched, Rules};
use crate::scope::Ruling;
use crate::{
    BackendUrl, Control, Controls, Judgement, LimitsException, Mode, Moment, Scopes, StationState,
};

mod answer;
mod backend;
mod billing;
mod boot_identity;
mod call;
mod case;
mod connectors;
mod demand;
mod injection;
mod patches;
mod place;
mod rate;
mod registration;
mod release;
mod texts;
mod timestamps;
mod transactions;
mod unreadable;

pub(crate) use billing::is_billing;
pub(crate) use demand::Standing;
pub use release::NotReleased;
pub(crate) use timestamps::StationClock;
pub use timestamps::TimeWindow;

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
    /// How much of each kind a session may say.
    pub rates: Rates,
    /// Other modes for some stations, what they may do, and the way back.
    pub scopes: Scopes,
    /// How far from now a point in time may lie.
    pub times: TimeWindow,
    /// The CSMSs that a station may be pointed to.
    pub backends: Vec<BackendUrl>,
    /// What is looked for in texts, by rules that are data.
    pub rules: Arc<Rules>,
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
        if !state.ruling.is_of(&self.scopes) {
            state.ruling = self.ruling(state);
        }
        if !state.patched.is_of(&self.rules) {
            state.patched = Patched::of(&self.rules, state.model.as_deref());
        }
        state.clock.begin(now);
        if let Some(judgement) = demand::judge(&message, state) {
            return judgement;
        }
        match message {
            Message::Call(call) => self.judge_call(call, arrived, state, now),
            Message::Send(send) => self.judge_send(send, arrived, state, now),
            Message::Answer(answer) => self.judge_answer(answer, state, now),
            Message::Unreadable(unreadable) => self.judge_unreadable(unreadable, state, now),
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

    /// How strictly a control is kept for this session, but for messages of a transaction, which the
    /// fleet's own switch does not promote.
    pub fn mode(&self, control: Control, state: &StationState) -> Mode {
        self.mode_of(control, state, || false)
    }

    fn mode_of(
        &self,
        control: Control,
        state: &StationState,
        is_billing: impl FnOnce() -> bool,
    ) -> Mode {
        if state.ruling.is_of(&self.scopes) {
            return state.ruling.mode(control, &self.controls, is_billing);
        }
        let ruling = self.ruling(state);
        ruling.mode(control, &self.controls, is_billing)
    }

    fn ruling(&self, state: &StationState) -> Ruling {
        Ruling::of(
            &self.scopes,
            state.session.as_deref(),
            state.model.as_deref(),
        )
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
        self.mode(Control::Pipelining, state) != Mode::Off
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
            rates: Rates::default(),
            scopes: Scopes::default(),
            times: TimeWindow::default(),
            backends: Vec::new(),
            rules: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
