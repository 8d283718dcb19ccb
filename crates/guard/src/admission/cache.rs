//! What spares a station the slow hash when it comes again.

use std::collections::{BTreeSet, VecDeque};

use super::{Admitted, Prepared};

/// Passwords that passed a slow check, as keyed tags over station, verifier and password.
///
/// When a verifier changes, its old tags fit nothing any more; they leave as the oldest do. Nothing
/// about a wrong password is remembered: a guess costs its full hash every time.
#[derive(Debug)]
pub struct VerifierCache {
    tags: BTreeSet<[u8; 32]>,
    /// Oldest first.
    order: VecDeque<[u8; 32]>,
    tags_max: usize,
}

impl VerifierCache {
    /// Stations remembered unless said otherwise.
    pub const STATIONS_MAX: usize = 65_536;

    /// An empty cache for [`VerifierCache::STATIONS_MAX`] stations.
    pub fn new() -> VerifierCache {
        VerifierCache::bounded(VerifierCache::STATIONS_MAX)
    }

    /// An empty cache for at most that many stations; it grows as it is used, some 80 bytes a station.
    pub fn bounded(stations_max: usize) -> VerifierCache {
        VerifierCache {
            tags: BTreeSet::new(),
            order: VecDeque::new(),
            tags_max: stations_max,
        }
    }

    /// Spares a claim its slow hash if the same password passed it before.
    pub fn recall(&self, prepared: &mut Prepared) {
        // Finding a tag in a tree takes a time that depends on the tag; it is a keyed hash, so that
        // tells a guesser nothing.
        if prepared.tag().is_some_and(|tag| self.tags.contains(&tag)) {
            prepared.remembered();
        }
    }

    /// Remembers a station that passed a slow check.
    pub fn learn(&mut self, admitted: &Admitted) {
        let Some(tag) = admitted.slow_tag else {
            return;
        };
        if self.tags_max == 0 || !self.tags.insert(tag) {
            return;
        }
        self.order.push_back(tag);
        if self.order.len() > self.tags_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.tags.remove(&oldest);
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }
}

impl Default for VerifierCache {
    fn default() -> VerifierCache {
        VerifierCache::new()
    }
}
