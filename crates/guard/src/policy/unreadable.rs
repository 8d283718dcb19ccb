//! A message with a hard fault: refused in every mode; policy only chooses answer or close.

use ocpp::{ErrorCode, HardFault, Side, Unreadable, Version};

use super::{OnUnreadable, Policy};
use crate::describe::UNKNOWN_ACTION;
use crate::verdict::Owed;
use crate::{Judgement, MessageKind, Reason, Refusal, StationState, Verdict};

/// What OCPP-J 2.x writes in place of a message id that could not be read (part 4, 4.2.3).
const NO_ID: &str = "-1";

impl Policy {
    /// An unreadable answer leaves its CALL open: another may still come, until the time-out.
    pub(super) fn judge_unreadable<'m>(
        &self,
        message: Unreadable<'m>,
        state: &StationState,
    ) -> Judgement<'m> {
        let verdict = match self.unreadable {
            OnUnreadable::Close => Verdict::Disconnect(Reason::Unreadable(message.fault)),
            OnUnreadable::Answer => Verdict::Refuse(Refusal {
                control: None,
                fault: Some(message.fault),
                code: ErrorCode::for_hard_fault(message.fault),
                owed: owed(&message, state),
            }),
        };
        Judgement {
            verdict,
            findings: Vec::new(),
            faults: Vec::new(),
            kind: MessageKind::Unreadable,
            action: UNKNOWN_ACTION,
            bytes: u32::try_from(message.frame.bytes().len()).unwrap_or(u32::MAX),
            latency: None,
            model: None,
        }
    }
}

/// A CALLERROR is owed to whoever may wait for an answer: to the sender of a CALL under its id, and in
/// 2.x also where the id or the type could not be read. 1.6 has no words for that and says nothing.
fn owed(message: &Unreadable<'_>, state: &StationState) -> Option<Owed> {
    let version = state.version();
    let tells_all = version != Version::V16;
    let unknown_type = message.fault == HardFault::UnknownMessageType;
    let id = match message.refused {
        Some(refused) if refused.wants_answer || (tells_all && unknown_type) => refused.id,
        Some(_) => return None,
        None if tells_all => NO_ID,
        None => return None,
    };
    let waits = !is_open(state, message.from, id);
    waits.then(|| Owed {
        to: message.from,
        version,
        id: id.to_owned(),
        description: message.fault.to_string(),
    })
}

/// Our error under the id of an open CALL would be taken for its answer.
fn is_open(state: &StationState, asker: Side, id: &str) -> bool {
    state.exchange.is_open(asker, id)
}
