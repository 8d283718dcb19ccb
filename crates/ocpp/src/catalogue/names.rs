//! A set of names with a perfect hash that `build.rs` found: one multiplication, one load and one
//! comparison tell whether a text is one of them, and which.

use super::words;

/// One name, with its words ready for comparison.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) words: (u64, u64),
    pub(crate) text: &'static str,
}

/// The names of an object's fields, an enumeration's values, or a version's actions.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) multiplier: u64,
    pub(crate) shift: u32,
    /// Slot to place; `u8::MAX` is an empty slot, and no set has that many names.
    pub(crate) slots: &'static [u8],
    pub(crate) names: &'static [Name],
}

impl Names {
    /// The place of the name that stands at `start..end` of `bytes`.
    pub(crate) fn find(&self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        let length = end.saturating_sub(start);
        let words = words::words(bytes, start, end);
        let slot = words::slot(words, length, self.multiplier, self.shift);
        let place = usize::from(*self.slots.get(slot)?);
        let name = self.names.get(place)?;
        let same = name.words == words
            && name.text.len() == length
            && (length <= 16 || bytes.get(start..end) == Some(name.text.as_bytes()));
        same.then_some(place)
    }

    /// The place of a name that stands by itself.
    pub(crate) fn find_text(&self, text: &str) -> Option<usize> {
        self.find(text.as_bytes(), 0, text.len())
    }
}
