//! From a frame to a message, in one pass over the bytes: envelope, grammar, schema and facts, without
//! a document in between.
//!
//! Two classes of fault come out. A *hard* one ends the reading: it makes the message
//! [`Message::Unreadable`], whoever sent it. A departure from the *schema* is noted and the reading
//! goes on, for policy to judge.

mod envelope;
mod facts;
mod keys;
mod leaf;
mod number;
mod scan;
mod schema;
mod stops;
mod trail;

use envelope::{Asked, Context, Envelope, Word, Words};
use keys::UnknownKey;
use scan::{Scan, Stopped};
use stops::Stops;
use trail::Trail;

use crate::{
    Action, Answer, AnswerOutcome, Call, Fact, Facts, Frame, HardFault, Limits, Message,
    MessageType, OpenCalls, Payload, Refused, SchemaFault, Side, Unreadable, Version,
};

/// Reads messages, one after the other, and keeps the memory that one leaves for the next.
///
/// One for each worker thread is enough: a message borrows its reader only while it is judged.
#[derive(Debug, Default)]
pub struct Reader {
    stops: Stops,
    facts: Vec<Fact>,
    faults: Vec<SchemaFault>,
    keys: Vec<UnknownKey>,
    plain: String,
    id: String,
    word: String,
}

impl Reader {
    /// A reader that holds no memory yet.
    pub fn new() -> Reader {
        Reader::default()
    }

    /// Reads one message of the version that the session speaks. `open` tells which CALLs wait for
    /// an answer: an answer's payload is read by the action of its CALL.
    pub fn read<'m>(
        &'m mut self,
        frame: Frame<'m>,
        from: Side,
        version: Version,
        limits: &Limits,
        open: &impl OpenCalls,
    ) -> Message<'m> {
        let mut envelope = Envelope::default();
        let context = Context {
            from,
            version,
            limits,
            open,
        };
        let walked = self.walk(frame, &mut envelope, &context);
        let reader: &'m Reader = self;
        let told = Told {
            reader,
            frame,
            from,
            envelope,
        };
        match walked {
            Ok(walked) => told.message(walked),
            Err((fault, at)) => Message::Unreadable(told.unreadable(fault, at)),
        }
    }

    fn walk<'m, O: OpenCalls>(
        &mut self,
        frame: Frame<'m>,
        envelope: &mut Envelope,
        context: &Context<'_, O>,
    ) -> Result<Walked<'m>, (HardFault, usize)> {
        let text = text(frame)?;
        let bytes = text.as_bytes();
        self.stops.map(bytes);
        self.facts.clear();
        self.faults.clear();
        self.keys.clear();
        let mut scan = Scan {
            text,
            bytes,
            stops: &self.stops,
            list_items_max: context.limits.list_items_max,
            stopped_by: HardFault::NotJson,
            facts: &mut self.facts,
            facts_dropped: 0,
            faults: &mut self.faults,
            keys: &mut self.keys,
            plain: &mut self.plain,
            trail: Trail::EMPTY,
            objects: 0,
            object: 0,
        };
        let mut words = Words {
            id: &mut self.id,
            word: &mut self.word,
        };
        match scan.message(envelope, &mut words, context) {
            Ok(()) => Ok(Walked {
                text,
                facts_dropped: scan.facts_dropped,
            }),
            Err(Stopped(at)) => Err((scan.stopped_by, at)),
        }
    }
}

/// What must hold before a byte is looked at: text, not too long, UTF-8 throughout.
fn text(frame: Frame<'_>) -> Result<&str, (HardFault, usize)> {
    let bytes = frame.bytes();
    if frame.payload() == Payload::Binary {
        return Err((HardFault::BinaryFrame, 0));
    }
    if bytes.len() > Limits::MESSAGE_BYTES_MAX as usize {
        return Err((HardFault::Oversize, Limits::MESSAGE_BYTES_MAX as usize));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err((HardFault::ByteOrderMark, 0));
    }
    simdutf8::basic::from_utf8(bytes).map_err(|_| {
        // Only now does the place matter, so only now is it looked for.
        let at = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        (HardFault::InvalidUtf8, at)
    })
}

/// A message walked to its end.
struct Walked<'m> {
    text: &'m str,
    facts_dropped: u32,
}

/// All that a message is made of, once its bytes have been walked.
struct Told<'m> {
    reader: &'m Reader,
    frame: Frame<'m>,
    from: Side,
    envelope: Envelope,
}

impl<'m> Told<'m> {
    fn message(self, walked: Walked<'m>) -> Message<'m> {
        let Told {
            reader,
            frame,
            from,
            envelope,
        } = self;
        let word = |word: Option<Word>, undone: &'m str| match word? {
            Word::Plain(span) => walked.text.get(span.start..span.end),
            Word::Undone => Some(undone),
        };
        let (Some(kind), Some(id)) = (envelope.kind, word(envelope.id, &reader.id)) else {
            // Not reached: an envelope without type and id has not been walked to its end.
            let told = Told {
                reader,
                frame,
                from,
                envelope,
            };
            return Message::Unreadable(told.unreadable(HardFault::NotAnEnvelope, 0));
        };
        let name = word(envelope.word, &reader.word);
        let faults = reader.faults.as_slice();
        let facts = Facts::new(frame.bytes(), &reader.facts, walked.facts_dropped);
        let outcome = match kind {
            MessageType::Call | MessageType::Send => {
                let action = match envelope.action {
                    Some(Asked::Known(facts)) => Action::Known(facts),
                    _ => Action::Unknown(name.unwrap_or_default()),
                };
                let call = Call {
                    frame,
                    from,
                    id,
                    action,
                    faults,
                    facts,
                };
                return match kind {
                    MessageType::Send => Message::Send(call),
                    _ => Message::Call(call),
                };
            }
            MessageType::Result => AnswerOutcome::Result,
            MessageType::Error => AnswerOutcome::Error,
            MessageType::ResultError => AnswerOutcome::ResultError,
        };
        let action = envelope.action.map(|action| match action {
            Asked::Known(facts) => Action::Known(facts),
            // The CALL's own words are gone by now.
            Asked::Unknown => Action::Unknown(""),
        });
        Message::Answer(Answer {
            frame,
            from,
            id,
            outcome,
            action,
            error_code: name,
            faults,
            facts,
        })
    }

    fn unreadable(self, fault: HardFault, at: usize) -> Unreadable<'m> {
        let id = match self.envelope.id {
            Some(Word::Plain(span)) => {
                let bytes = self.frame.bytes().get(span.start..span.end);
                bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())
            }
            Some(Word::Undone) => Some(self.reader.id.as_str()),
            None => None,
        };
        Unreadable {
            frame: self.frame,
            from: self.from,
            fault,
            at,
            refused: id.map(|id| Refused {
                id,
                wants_answer: self.envelope.kind == Some(MessageType::Call),
            }),
        }
    }
}
