//! A message with a hard fault: refused in every mode; policy only chooses answer or close.

use ocpp::{ErrorCode, HardFault, MessageType, Side, Unreadable, Version};

use super::answer::InPlace;
use super::billing::names_billing;
use super::{OnUnreadable, Policy};
use crate::describe::UNKNOWN_ACTION;
use crate::verdict::Owed;
use crate::{Judgement, MessageKind, Moment, Reason, Refusal, StationState, Verdict};

/// What OCPP-J 2.x writes in place of a message id that could not be read (part 4, 4.2.3).
const NO_ID: &str = "-1";

impl Policy {
    /// An unreadable answer closes the CALL whose id it bears: whoever asked hears our error in its
    /// place, and no second answer is heard.
    pub(super) fn judge_unreadable<'m>(
        &self,
        message: Unreadable<'m>,
        state: &mut StationState,
        now: Moment,
    ) -> Judgement<'m> {
        let verdict = match self.unreadable {
            OnUnreadable::Close => Verdict::Disconnect(Reason::Unreadable(message.fault)),
            OnUnreadable::Answer => Verdict::Refuse(refusal(&message, state, now)),
        };
        let bytes = message.frame.bytes();
        Judgement {
            verdict,
            findings: Vec::new(),
            faults: Vec::new(),
            kind: MessageKind::Unreadable,
            action: UNKNOWN_ACTION,
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            latency: None,
            model: None,
            change: None,
            to_keep: message.from == Side::Station && names_billing(bytes),
        }
    }
}

fn refusal(message: &Unreadable<'_>, state: &mut StationState, now: Moment) -> Refusal {
    let code = ErrorCode::for_hard_fault(message.fault);
    let refusal = Refusal {
        control: None,
        fault: Some(message.fault),
        code,
        owed: None,
        rejects: None,
    };
    let Some((id, was_result)) = answer_to_open_call(message, state) else {
        return Refusal {
            owed: owed(message, state, code),
            ..refusal
        };
    };
    let asker = message.from.other();
    state.exchange.close(asker, id, false, now.elapsed);
    let in_place = InPlace {
        to: asker,
        version: state.version(),
        id,
        code,
        description: &format!("in the answer, {}", message.fault),
        was_result,
    };
    Refusal {
        owed: Some(in_place.error()),
        rejects: in_place.rejection(),
        ..refusal
    }
}

/// The id of the open CALL that this answers, and whether by a CALLRESULT.
fn answer_to_open_call<'m>(
    message: &Unreadable<'m>,
    state: &StationState,
) -> Option<(&'m str, bool)> {
    let was_result = match ocpp::peek(message.frame.bytes())? {
        MessageType::Result => true,
        MessageType::Error => false,
        _ => return None,
    };
    let id = message.refused.filter(|refused| !refused.wants_answer)?.id;
    is_open(state, message.from.other(), id).then_some((id, was_result))
}

/// A CALLERROR is owed to whoever may wait for an answer: to the sender of a CALL under its id, and in
/// 2.x also where the id or the type could not be read. 1.6 has no words for that and says nothing.
fn owed(message: &Unreadable<'_>, state: &StationState, code: ErrorCode) -> Option<Owed> {
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
        is_answer: true,
        code,
        version,
        id: id.to_owned(),
        description: message.fault.to_string(),
    })
}

/// Our error under the id of an open CALL would be taken for its answer.
fn is_open(state: &StationState, asker: Side, id: &str) -> bool {
    state.exchange.is_open(asker, id)
}
