//! How many connections each source has, sessions included.

use std::collections::BTreeMap;

use crate::attempts::Source;

/// A count for each source that has a connection; as large as there are connections, at most.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<Source, usize>);

impl Tally {
    /// Counts one more, unless the source has `max` already.
    pub fn add(&mut self, source: Source, max: usize) -> bool {
        let count = self.0.entry(source).or_default();
        let has_room = *count < max;
        *count += usize::from(has_room);
        if *count == 0 {
            self.0.remove(&source);
        }
        has_room
    }

    /// One of them is gone.
    pub fn remove(&mut self, source: Source) {
        let Some(count) = self.0.get_mut(&source) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.0.remove(&source);
        }
    }

    /// Sources that have any.
    pub fn sources(&self) -> usize {
        self.0.len()
    }
}
