//! The facts a message states, as spans into its bytes: collected while reading, so that policy,
//! privacy and detection need no second look.

use crate::Meaning;
use crate::catalogue::Field;

/// One field that means something to us, and where its value stands in the message.
///
/// A list of strings or numbers gives a fact for each item; a list of objects one, for the whole. A
/// value of another type than the schema asks for is a fact too.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// The field, with its name and meaning.
    pub field: &'static Field,
    /// First byte of the value; for a string, the first one after the quote.
    pub start: u32,
    /// One past the value's last byte; for a string, the closing quote.
    pub end: u32,
    /// Which object of the message it stands in, counted as they open: facts with the same number
    /// are siblings.
    pub object: u32,
    /// The string holds escapes: unescape before comparing.
    pub escaped: bool,
}

/// All facts of one message, in the order they were said.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'m> {
    bytes: &'m [u8],
    facts: &'m [Fact],
    dropped: u32,
}

impl<'m> Facts<'m> {
    /// No facts at all.
    pub const NONE: Facts<'static> = Facts {
        bytes: &[],
        facts: &[],
        dropped: 0,
    };

    /// Facts with the message they point into; `dropped` counts those beyond the limit.
    pub fn new(bytes: &'m [u8], facts: &'m [Fact], dropped: u32) -> Facts<'m> {
        Facts {
            bytes,
            facts,
            dropped,
        }
    }

    /// Every fact, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'m Fact> + use<'m> {
        self.facts.iter()
    }

    /// How many were beyond [`crate::Limits::FACTS_MAX`].
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// The first value of that meaning, as it stands in the message (still escaped).
    pub fn first(&self, meaning: Meaning) -> Option<&'m str> {
        self.facts
            .iter()
            .find(|fact| fact.field.meaning == meaning)
            .map(|fact| self.text(fact))
    }

    /// A fact's value as it stands in the message: a string without its quotes, still escaped, or a
    /// number, boolean, object or array as written.
    pub fn text(&self, fact: &Fact) -> &'m str {
        let span = self
            .bytes
            .get(fact.start as usize..fact.end as usize)
            .unwrap_or_default();
        // The reader made the span inside a text it had found to be UTF-8, at character borders.
        std::str::from_utf8(span).unwrap_or_default()
    }
}
