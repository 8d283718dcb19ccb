//! Events in the order they were told, and the words of those that have any in one room for all.

use std::collections::VecDeque;

use guard::{Event, Heard, matters_to_record};
use ocpp::{Fact, Facts};

use super::Ordinal;

/// Events with their words.
#[derive(Default)]
pub struct Batch {
    told: VecDeque<Told>,
    words: Vec<u8>,
    facts: Vec<Fact>,
    /// The place of the last event among all that were ever told.
    through: Ordinal,
}

struct Told {
    event: Event,
    words: Option<Place>,
}

/// Where a message's words and facts end; they begin where those of the one before ended.
struct Place {
    words_from: u32,
    words_to: u32,
    facts_from: u32,
    facts_to: u32,
    facts_dropped: u32,
}

impl Place {
    fn of<'b>(&self, words: &'b [u8], facts: &'b [Fact]) -> Heard<'b> {
        let text = words.get(self.words_from as usize..self.words_to as usize);
        let text = text.unwrap_or_default();
        let facts = facts.get(self.facts_from as usize..self.facts_to as usize);
        Heard {
            text,
            facts: Facts::new(text, facts.unwrap_or_default(), self.facts_dropped),
        }
    }
}

/// Growing new room for each batch would cost more than filling it, so that much of it is kept.
const EVENTS_KEPT_MAX: usize = 8192;
const WORDS_KEPT_MAX: usize = 4 << 20;

impl Batch {
    /// Bytes of words in a batch: at 100,000 messages a second of 400 bytes, what comes between two
    /// visits of the reader, eight times over.
    pub const WORDS_BYTES_MAX: usize = 16 << 20;
    /// Facts of those words.
    pub const FACTS_MAX: usize = 1 << 18;

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.told.len()
    }

    /// Nothing was told.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The place among all that were told up to which this batch tells, whatever of it was kept.
    pub fn through(&self) -> Ordinal {
        self.through
    }

    /// The next event has the place behind this one.
    pub(super) fn begin_after(&mut self, through: Ordinal) {
        self.through = through;
    }

    /// Every event in order, with its words where they are there.
    pub fn iter(&self) -> impl Iterator<Item = (&Event, Option<Heard<'_>>)> {
        self.told.iter().map(|told| {
            let words = told.words.as_ref();
            let heard = words.map(|place| place.of(&self.words, &self.facts));
            (&told.event, heard)
        })
    }

    /// What it takes in memory, roughly.
    pub fn bytes(&self) -> usize {
        self.words.len()
            + self.facts.len() * size_of::<Fact>()
            + self.told.len() * size_of::<Told>()
    }

    /// Keeps the events that are wanted, with their words; gives how many went.
    pub fn keep(&mut self, wanted: impl Fn(&Event) -> bool) -> usize {
        let before = std::mem::take(self);
        let count = before.len();
        let (words, facts) = (&before.words, &before.facts);
        for told in before.told {
            if wanted(&told.event) {
                let heard = told.words.map(|place| place.of(words, facts));
                self.push(told.event, heard);
            }
        }
        self.through = before.through;
        count - self.len()
    }

    /// Takes an event in, and its words if they find room; gives whether they did.
    pub(super) fn push(&mut self, event: Event, heard: Option<Heard<'_>>) -> bool {
        let has_words = heard.is_some();
        let words = heard.and_then(|heard| self.lay_down(heard));
        let is_whole = words.is_some() || !has_words;
        self.told.push_back(Told { event, words });
        self.through.0 += 1;
        is_whole
    }

    fn lay_down(&mut self, heard: Heard<'_>) -> Option<Place> {
        let (words_from, facts_from) = (self.words.len(), self.facts.len());
        if words_from + heard.text.len() > Self::WORDS_BYTES_MAX || facts_from >= Self::FACTS_MAX {
            return None;
        }
        self.words.extend_from_slice(heard.text);
        let delicate = heard.facts.iter().filter(|fact| matters_to_record(fact));
        self.facts.extend(delicate);
        // Both rooms are far smaller than 4 GiB.
        Some(Place {
            words_from: words_from as u32,
            words_to: self.words.len() as u32,
            facts_from: facts_from as u32,
            facts_to: self.facts.len() as u32,
            facts_dropped: heard.facts.dropped(),
        })
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.told.capacity() <= EVENTS_KEPT_MAX && self.words.capacity() <= WORDS_KEPT_MAX
    }

    pub(super) fn clear(&mut self) {
        self.told.clear();
        self.words.clear();
        self.facts.clear();
    }
}
