//! The guests of one source.

use std::collections::BTreeSet;

use super::{Guest, Standing};

/// A stranger's guest weighs as much as so many of a known source.
const STRANGER_WEIGHT: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) standing: Standing,
    pub(super) silent: BTreeSet<Guest>,
    pub(super) ready: BTreeSet<Guest>,
    pub(super) placed: usize,
}

impl Default for Group {
    fn default() -> Group {
        Group {
            standing: Standing::Stranger,
            silent: BTreeSet::new(),
            ready: BTreeSet::new(),
            placed: 0,
        }
    }
}

impl Group {
    pub(super) fn waiting(&self) -> usize {
        self.silent.len() + self.ready.len()
    }

    /// How heavily those who wait weigh when somebody has to give way.
    pub(super) fn burden(&self) -> usize {
        self.burden_of(self.waiting())
    }

    pub(super) fn burden_of(&self, waiting: usize) -> usize {
        match self.standing {
            Standing::Stranger => waiting * STRANGER_WEIGHT,
            Standing::Known | Standing::Exempt => waiting,
        }
    }

    /// Whether one more handshake may begin.
    pub(super) fn has_room(&self, max: usize) -> bool {
        self.standing == Standing::Exempt || self.placed < max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting() == 0 && self.placed == 0
    }
}
