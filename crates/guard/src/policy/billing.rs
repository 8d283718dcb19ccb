//! Which messages money hangs on: those of a transaction, and their answers, without which a station
//! never learns its transaction's id.

use ocpp::{Action, Answer, Call, Meaning};

/// Start, Stop, TransactionEvent, and MeterValues that name a transaction (1.6).
pub(super) fn is_billing(call: &Call<'_>) -> bool {
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
