//! A message that was refused and kept, sent after all because an operator says so.

use ocpp::{Call, Message, Recall, Side};

use super::Policy;
use crate::{Judgement, Moment, StationState};

/// Why a kept message cannot be sent in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReleased {
    /// It is no CALL that can be read: what two parsers could read differently never passes.
    #[error("it cannot be read without doubt, so it never passes")]
    Unreadable,
    /// The station uses that id for another CALL of this session.
    #[error("the station has used its message id for another CALL of this session")]
    IdInUse,
}

impl Policy {
    /// Judges a kept CALL of the station once more, with every control observing at most: an operator
    /// has looked at it. It opens like any other CALL, so that the CSMS's answer belongs to it.
    pub fn release<'m>(
        &self,
        message: Message<'m>,
        state: &mut StationState,
        now: Moment,
    ) -> Result<Judgement<'m>, NotReleased> {
        let Message::Call(call) = message else {
            return Err(NotReleased::Unreadable);
        };
        if self.uses(&call, state, now) {
            return Err(NotReleased::IdInUse);
        }
        if !state.ruling.is_of(&self.scopes) {
            state.ruling = self.ruling(state);
        }
        let was_relaxed = state.ruling.relax(true);
        let judgement = self.judge_call(call, now, state, now);
        state.ruling.relax(was_relaxed);
        Ok(judgement)
    }

    fn uses(&self, call: &Call<'_>, state: &StationState, now: Moment) -> bool {
        let key = state.exchange.key(call.id, call.frame.bytes());
        let recall = state.exchange.recall(Side::Station, key, now.elapsed);
        recall != Recall::New
    }
}
