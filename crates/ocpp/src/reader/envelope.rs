//! The OCPP-J envelope: `[2,"id","Action",{…}]` and its kin (OCPP-J 1.6, 4.2; 2.1 part 4, 4.2).
//!
//! What is JSON but no envelope is still walked to its end, so that "not an envelope" is said only of
//! what is JSON.

use super::facts::{ERROR_DESCRIPTION, ERROR_DETAILS};
use super::scan::{Scan, Span, Walk};
use crate::catalogue::{self, ActionFacts};
use crate::{
    ErrorCode, HardFault, Limits, Meaning, MessageType, OpenCalls, SchemaFaultKind, Side, Version,
};

/// A word of the envelope: where it stands, or that its escapes had to be undone elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    /// As it stands in the message.
    Plain(Span),
    /// Undone, in the reader's room for it.
    Undone,
}

/// The action, as far as the envelope told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Known(&'static ActionFacts),
    Unknown,
}

/// What the envelope said. Filled while it is read, so that a refusal knows what was readable.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) kind: Option<MessageType>,
    pub(super) id: Option<Word>,
    /// The action's name in a CALL or SEND, the error code in a CALLERROR or CALLRESULTERROR.
    pub(super) word: Option<Word>,
    pub(super) action: Option<Asked>,
}

/// What is read against: the conversation and its settings.
pub(super) struct Context<'c, O> {
    pub(super) from: Side,
    pub(super) version: Version,
    pub(super) limits: &'c Limits,
    pub(super) open: &'c O,
}

/// Where the envelope's words go when their escapes must be undone.
pub(super) struct Words<'r> {
    pub(super) id: &'r mut String,
    pub(super) word: &'r mut String,
}

/// Why what we read is no envelope, and where that showed. The walk goes on without a schema.
type Wrong = Option<(HardFault, usize)>;

/// Characters of an error description (OCPP-J, 4.2.3).
const DESCRIPTION_CHARS_MAX: usize = 255;

impl Scan<'_> {
    /// Reads the whole message.
    pub(super) fn message<O: OpenCalls>(
        &mut self,
        envelope: &mut Envelope,
        words: &mut Words<'_>,
        context: &Context<'_, O>,
    ) -> Walk<()> {
        let first = self.space(0);
        let mut wrong = None;
        let end = if self.byte(first) == b'[' {
            self.elements(first, envelope, words, context, &mut wrong)?
        } else {
            wrong = Some((HardFault::NotAnEnvelope, first));
            self.any(first, 0)?
        };
        let end = self.space(end);
        if end < self.bytes.len() {
            return Err(self.stop(HardFault::TrailingData, end));
        }
        match wrong {
            Some((fault, at)) => Err(self.stop(fault, at)),
            None => Ok(()),
        }
    }

    fn elements<O: OpenCalls>(
        &mut self,
        first: usize,
        envelope: &mut Envelope,
        words: &mut Words<'_>,
        context: &Context<'_, O>,
        wrong: &mut Wrong,
    ) -> Walk {
        let mut place = 0;
        let mut at = self.space(first + 1);
        if self.byte(at) != b']' {
            loop {
                let end = match (place, envelope.kind) {
                    _ if wrong.is_some() => self.any(at, 1)?,
                    (0, _) => self.message_type(at, envelope, context.version, wrong)?,
                    (1, _) => self.id(at, envelope, words, wrong)?,
                    (2, Some(MessageType::Call | MessageType::Send)) => {
                        self.action(at, envelope, words, context, wrong)?
                    }
                    (2, Some(MessageType::Result)) => self.answer(at, envelope, words, context)?,
                    (2, Some(_)) => self.error_code(at, envelope, words, context)?,
                    (3, Some(MessageType::Call | MessageType::Send)) => {
                        self.request(at, envelope)?
                    }
                    (3, Some(MessageType::Error | MessageType::ResultError)) => {
                        self.description(at)?
                    }
                    (4, Some(MessageType::Error | MessageType::ResultError)) => self.details(at)?,
                    _ => {
                        *wrong = Some((HardFault::NotAnEnvelope, at));
                        self.any(at, 1)?
                    }
                };
                place += 1;
                at = self.space(end);
                match self.byte(at) {
                    b',' => at = self.space(at + 1),
                    b']' => break,
                    _ => return Err(self.stop(HardFault::NotJson, at)),
                }
            }
        }
        if wrong.is_none() && envelope.kind.map(MessageType::elements) != Some(place) {
            *wrong = Some((HardFault::NotAnEnvelope, at));
        }
        Ok(at + 1)
    }

    /// The first element: an integer, written plainly.
    fn message_type(
        &mut self,
        at: usize,
        envelope: &mut Envelope,
        version: Version,
        wrong: &mut Wrong,
    ) -> Walk {
        if !matches!(self.byte(at), b'-' | b'0'..=b'9') {
            *wrong = Some((HardFault::NotAnEnvelope, at));
            return self.any(at, 1);
        }
        let number = self.number(at)?;
        match number.integer {
            Some(value) => {
                envelope.kind = MessageType::from_number(value, version);
                if envelope.kind.is_none() {
                    *wrong = Some((HardFault::UnknownMessageType, at));
                }
            }
            None => *wrong = Some((HardFault::NotAnEnvelope, at)),
        }
        Ok(number.end)
    }

    fn id(
        &mut self,
        at: usize,
        envelope: &mut Envelope,
        words: &mut Words<'_>,
        wrong: &mut Wrong,
    ) -> Walk {
        if self.byte(at) != b'"' {
            *wrong = Some((HardFault::NotAnEnvelope, at));
            return self.any(at, 1);
        }
        let span = self.string(at + 1)?;
        let (word, bytes) = self.word(span, words.id);
        if bytes > Limits::MESSAGE_ID_BYTES_MAX {
            *wrong = Some((HardFault::NotAnEnvelope, at));
            return Ok(span.end + 1);
        }
        if bytes > Limits::MESSAGE_ID_CHARS_MAX
            && self.characters(span) > Limits::MESSAGE_ID_CHARS_MAX
        {
            self.fault(SchemaFaultKind::MessageIdTooLong, Meaning::Plain, 1);
        }
        envelope.id = Some(word);
        Ok(span.end + 1)
    }

    fn action<O: OpenCalls>(
        &mut self,
        at: usize,
        envelope: &mut Envelope,
        words: &mut Words<'_>,
        context: &Context<'_, O>,
        wrong: &mut Wrong,
    ) -> Walk {
        if self.byte(at) != b'"' {
            *wrong = Some((HardFault::NotAnEnvelope, at));
            return self.any(at, 1);
        }
        let span = self.string(at + 1)?;
        let (word, bytes) = self.word(span, words.word);
        if bytes > Limits::ACTION_BYTES_MAX {
            *wrong = Some((HardFault::NotAnEnvelope, at));
            return Ok(span.end + 1);
        }
        let names = catalogue::action_names(context.version);
        let place = match word {
            Word::Plain(span) => names.find(self.bytes, span.start, span.end),
            Word::Undone => names.find_text(words.word),
        };
        let facts = place.and_then(|place| catalogue::actions(context.version).get(place));
        // A SEND of what must be answered, or a CALL of what never is, is no message of the version.
        let fits = facts.is_some_and(|facts| {
            facts.answer.is_none() == (envelope.kind == Some(MessageType::Send))
        });
        if !fits {
            self.fault(SchemaFaultKind::UnknownAction, Meaning::Plain, 1);
        }
        envelope.word = Some(word);
        envelope.action = Some(facts.map_or(Asked::Unknown, Asked::Known));
        self.check_size(envelope.action, context.limits);
        Ok(span.end + 1)
    }

    fn request(&mut self, at: usize, envelope: &Envelope) -> Walk {
        match (envelope.action, self.byte(at)) {
            (Some(Asked::Known(facts)), b'{') => self.object(facts.request, at, 1),
            (_, first) => self.unread_payload(at, first),
        }
    }

    /// A CALLRESULT's payload, by the schema of the CALL it answers.
    fn answer<O: OpenCalls>(
        &mut self,
        at: usize,
        envelope: &mut Envelope,
        words: &Words<'_>,
        context: &Context<'_, O>,
    ) -> Walk {
        self.find_call(envelope, words, context);
        let schema = match envelope.action {
            Some(Asked::Known(facts)) => facts.answer,
            _ => None,
        };
        match (schema, self.byte(at)) {
            (Some(schema), b'{') => self.object(schema, at, 1),
            (_, first) => self.unread_payload(at, first),
        }
    }

    fn unread_payload(&mut self, at: usize, first: u8) -> Walk {
        if first != b'{' {
            self.fault(SchemaFaultKind::WrongType, Meaning::Plain, 1);
        }
        let end = self.any(at, 1)?;
        self.unnamed_fact(at, end);
        Ok(end)
    }

    fn error_code<O: OpenCalls>(
        &mut self,
        at: usize,
        envelope: &mut Envelope,
        words: &mut Words<'_>,
        context: &Context<'_, O>,
    ) -> Walk {
        self.find_call(envelope, words, context);
        if self.byte(at) != b'"' {
            self.fault(SchemaFaultKind::UnknownErrorCode, Meaning::ErrorCode, 1);
            let end = self.any(at, 1)?;
            self.unnamed_fact(at, end);
            return Ok(end);
        }
        let span = self.string(at + 1)?;
        let (word, _) = self.word(span, words.word);
        let code = match word {
            Word::Plain(span) => self.inside(span.start, span.end),
            Word::Undone => words.word,
        };
        if ErrorCode::read(code).is_none() {
            self.fault(SchemaFaultKind::UnknownErrorCode, Meaning::ErrorCode, 1);
            self.unnamed_fact(at, span.end + 1);
        }
        envelope.word = Some(word);
        Ok(span.end + 1)
    }

    fn description(&mut self, at: usize) -> Walk {
        if self.byte(at) != b'"' {
            self.fault(SchemaFaultKind::BadErrorBody, Meaning::FreeText, 1);
            let end = self.any(at, 1)?;
            self.walked_fact(&ERROR_DESCRIPTION, at, end);
            return Ok(end);
        }
        let span = self.string(at + 1)?;
        if span.end - span.start > DESCRIPTION_CHARS_MAX
            && self.characters(span) > DESCRIPTION_CHARS_MAX
        {
            self.fault(SchemaFaultKind::BadErrorBody, Meaning::FreeText, 1);
        }
        Ok(self.string_fact(&ERROR_DESCRIPTION, span))
    }

    fn details(&mut self, at: usize) -> Walk {
        if self.byte(at) != b'{' {
            self.fault(SchemaFaultKind::BadErrorBody, Meaning::FreeText, 1);
        }
        let end = self.any(at, 1)?;
        self.walked_fact(&ERROR_DETAILS, at, end);
        Ok(end)
    }

    /// Looks up the CALL that an answer belongs to. A CALLRESULTERROR comes from the one who asked.
    fn find_call<O: OpenCalls>(
        &mut self,
        envelope: &mut Envelope,
        words: &Words<'_>,
        context: &Context<'_, O>,
    ) {
        let asker = match envelope.kind {
            Some(MessageType::ResultError) => context.from,
            _ => context.from.other(),
        };
        let id = match envelope.id {
            Some(Word::Plain(span)) => self.inside(span.start, span.end),
            Some(Word::Undone) => words.id,
            None => return,
        };
        let call = context.open.action_of(asker, id);
        envelope.action = call.map(|facts| facts.map_or(Asked::Unknown, Asked::Known));
        self.check_size(envelope.action, context.limits);
    }

    /// Holds the message to the cap of its action.
    fn check_size(&mut self, action: Option<Asked>, limits: &Limits) {
        if self.bytes.len() <= limits.message_bytes_max as usize {
            return;
        }
        let cap = match action {
            Some(Asked::Known(facts)) => limits.bytes_max_of(facts.name),
            _ => limits.message_bytes_max,
        };
        if self.bytes.len() > cap as usize {
            self.fault(SchemaFaultKind::MessageOverCap, Meaning::Plain, 1);
        }
    }

    /// A word of the envelope, and its length in bytes without escapes.
    fn word(&mut self, span: Span, room: &mut String) -> (Word, usize) {
        if !span.escaped {
            return (Word::Plain(span), span.end - span.start);
        }
        self.undo(span);
        room.clear();
        room.push_str(self.plain);
        (Word::Undone, room.len())
    }
}
