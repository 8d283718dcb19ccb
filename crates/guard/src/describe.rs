//! What an event tells of a message: its kind and its action, never its content.

use ocpp::{Action, AnswerOutcome, Message, SchemaFaultKind};

use crate::MessageKind;

/// What kind of message that is, and the action it is about; `?` where we do not know it, since the
/// name would be the peer's own words.
pub fn describe(message: &Message<'_>) -> (MessageKind, &'static str) {
    match message {
        Message::Call(call) => (MessageKind::Call, known(Some(call.action))),
        Message::Send(send) => (MessageKind::Send, known(Some(send.action))),
        Message::Answer(answer) => {
            let kind = match answer.outcome {
                AnswerOutcome::Result => MessageKind::Result,
                AnswerOutcome::Error => MessageKind::Error,
                AnswerOutcome::ResultError => MessageKind::ResultError,
            };
            (kind, known(answer.action))
        }
        Message::Unreadable(_) => (MessageKind::Unreadable, UNKNOWN_ACTION),
    }
}

/// Stands for an action we do not know.
pub(crate) const UNKNOWN_ACTION: &str = "?";

pub(crate) fn known(action: Option<Action<'_>>) -> &'static str {
    match action {
        Some(Action::Known(facts)) => facts.name,
        Some(Action::Unknown(_)) | None => UNKNOWN_ACTION,
    }
}

/// A schema fault in words that hold nothing of the message.
pub(crate) const fn in_words(kind: SchemaFaultKind) -> &'static str {
    match kind {
        SchemaFaultKind::UnknownAction => "this OCPP version knows no such action",
        SchemaFaultKind::MissingField => "a required field is missing",
        SchemaFaultKind::UnknownField => "a field that the schema does not know",
        SchemaFaultKind::WrongType => "a value of the wrong type",
        SchemaFaultKind::TooLong => "a text longer than the schema allows",
        SchemaFaultKind::NotInEnumeration => "none of the values that the schema lists",
        SchemaFaultKind::OutOfRange => "a number outside the schema's bounds",
        SchemaFaultKind::TooFewItems => "fewer items than the schema asks for",
        SchemaFaultKind::TooManyItems => "more items than the schema allows",
        SchemaFaultKind::BadTimestamp => "not an RFC 3339 date-time",
        SchemaFaultKind::ListOverCap => "more items than the gateway allows",
        SchemaFaultKind::MessageOverCap => "longer than the gateway allows for this action",
        SchemaFaultKind::MessageIdTooLong => "a message id longer than 36 characters",
        SchemaFaultKind::UnknownErrorCode => "an error code that this OCPP version does not know",
        SchemaFaultKind::BadErrorBody => "an error's description or details out of form",
    }
}

/// The same in one word, for tolerances and reports.
pub(crate) const fn short(kind: SchemaFaultKind) -> &'static str {
    match kind {
        SchemaFaultKind::UnknownAction => "unknown-action",
        SchemaFaultKind::MissingField => "missing-field",
        SchemaFaultKind::UnknownField => "unknown-field",
        SchemaFaultKind::WrongType => "wrong-type",
        SchemaFaultKind::TooLong => "too-long",
        SchemaFaultKind::NotInEnumeration => "not-in-enumeration",
        SchemaFaultKind::OutOfRange => "out-of-range",
        SchemaFaultKind::TooFewItems => "too-few-items",
        SchemaFaultKind::TooManyItems => "too-many-items",
        SchemaFaultKind::BadTimestamp => "bad-timestamp",
        SchemaFaultKind::ListOverCap => "list-over-cap",
        SchemaFaultKind::MessageOverCap => "message-over-cap",
        SchemaFaultKind::MessageIdTooLong => "message-id-too-long",
        SchemaFaultKind::UnknownErrorCode => "unknown-error-code",
        SchemaFaultKind::BadErrorBody => "bad-error-body",
    }
}
