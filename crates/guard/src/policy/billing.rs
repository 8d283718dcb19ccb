//! Which messages money hangs on: those of a transaction, and their answers, without which a station
//! never learns its transaction's id.

use ocpp::{Action, Answer, Call, Meaning};

/// Start, Stop, TransactionEvent, and MeterValues that name a transaction (1.6).
pub(crate) fn is_billing(call: &Call<'_>) -> bool {
    match call.action {
        Action::Known(facts) => match facts.name {
            "StartTransaction" | "StopTransaction" | "TransactionEvent" => true,
            "MeterValues" => call.facts.first(Meaning::TransactionId).is_some(),
            _ => false,
        },
        Action::Unknown(_) => false,
    }
}

/// The answer to one of them.
pub(super) fn answers_billing(answer: &Answer<'_>) -> bool {
    matches!(
        answer.action,
        Some(Action::Known(facts)) if matches!(
            facts.name,
            "StartTransaction" | "StopTransaction" | "TransactionEvent"
        )
    )
}

/// Bytes of an unreadable message that are looked at for an action's name.
const OPENING_BYTES: usize = 512;

/// Whether a message that could not be read says in its first bytes that money hangs on it. A look,
/// no judgement: it is refused either way, and only kept.
pub(super) fn names_billing(bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 4] = [
        b"\"StartTransaction\"",
        b"\"StopTransaction\"",
        b"\"TransactionEvent\"",
        b"\"MeterValues\"",
    ];
    let opening = bytes.get(..OPENING_BYTES).unwrap_or(bytes);
    let is_call = ocpp::peek(opening) == Some(ocpp::MessageType::Call);
    is_call
        && NAMES
            .iter()
            .any(|name| opening.windows(name.len()).any(|window| window == *name))
}
