//! A set of names with a perfect hash that `build.rs` found: one multiplication, one load and one
//! comparison tell whether a text is one of them, and which.

use super::words::{self, WHOLE_BYTES_MAX, Words};

/// One name, with its words ready for comparison.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) words: Words,
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
    #[inline(always)]
    pub(crate) fn find(&self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        let words = words::words(bytes, start, end);
        let place = *self
            .slots
            .get(words::slot(words, self.multiplier, self.shift))?;
        let name = self.names.get(usize::from(place))?;
        // In registers: `==` on the whole would go through memory, and wait for it.
        let other = name.words;
        let differ = (words.0 ^ other.0) | (words.1 ^ other.1) | (words.2 ^ other.2);
        let long = end.wrapping_sub(start) > WHOLE_BYTES_MAX;
        if differ != 0 || (long && bytes.get(start..end) != Some(name.text.as_bytes())) {
            return None;
        }
        Some(usize::from(place))
    }

    /// The place of a name that stands by itself. It may hold a zero byte, which no name does.
    pub(crate) fn find_text(&self, text: &str) -> Option<usize> {
        let place = self.find(text.as_bytes(), 0, text.len())?;
        (self.names.get(place)?.text == text).then_some(place)
    }
}
