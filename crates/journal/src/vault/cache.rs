//! Who was seen lately: from a keyed hash of an identifier to its handle, so that the same card costs
//! no look-up. Holds no identifier, and nothing that could be tested without this process's memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};

use crate::{Day, Handle};

/// A keyed hash of tenant, epoch and folded identifier: wide enough that two never meet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print(u64, u64);

/// What is remembered of one.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) handle: Handle,
    /// The last day for which its row says that it was seen.
    pub(crate) day: Day,
}

/// The two latest generations; when the younger one is full, the older one is forgotten.
pub(crate) struct Cache {
    keys: (RandomState, RandomState),
    young: Map,
    old: Map,
    generation_max: usize,
}

type Map = HashMap<Print, Seen, BuildHasherDefault<AsItIs>>;

impl Cache {
    /// Remembers as many at most.
    pub(crate) fn new(max: usize) -> Cache {
        Cache {
            keys: (RandomState::new(), RandomState::new()),
            young: Map::default(),
            old: Map::default(),
            generation_max: (max / 2).max(1),
        }
    }

    pub(crate) fn print(&self, tenant: &str, epoch: u32, folded: &[u8]) -> Print {
        let one = |key: &RandomState| {
            let mut hasher = key.build_hasher();
            hasher.write_u64((tenant.len() as u64) << 32 | u64::from(epoch));
            hasher.write(tenant.as_bytes());
            hasher.write(folded);
            hasher.finish()
        };
        Print(one(&self.keys.0), one(&self.keys.1))
    }

    pub(crate) fn find(&mut self, print: Print) -> Option<Seen> {
        if let Some(seen) = self.young.get(&print) {
            return Some(*seen);
        }
        let seen = self.old.remove(&print)?;
        self.keep(print, seen);
        Some(seen)
    }

    pub(crate) fn keep(&mut self, print: Print, seen: Seen) {
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(print, seen);
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

impl std::hash::Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// A print is a keyed hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_and_there_is_a_bound() {
        let mut cache = Cache::new(8);
        let seen = |number: u8| Seen {
            handle: Handle::from_random([number; 12]),
            day: Day(1),
        };
        let prints: Vec<_> = (0..100_u8)
            .map(|number| cache.print("t", 1, &[number]))
            .collect();
        for (number, print) in prints.iter().enumerate() {
            cache.keep(*print, seen(number as u8));
            assert!(cache.young.len() + cache.old.len() <= 8);
        }
        assert!(cache.find(prints[0]).is_none());
        let last = cache.find(prints[99]).unwrap();
        assert_eq!(last.handle, seen(99).handle);
        cache.clear();
        assert!(cache.find(prints[99]).is_none());
    }

    #[test]
    fn whoever_is_used_stays() {
        let mut cache = Cache::new(8);
        let regular = cache.print("t", 1, b"regular");
        let handle = Handle::from_random([1; 12]);
        cache.keep(
            regular,
            Seen {
                handle,
                day: Day(1),
            },
        );
        for number in 0..100_u8 {
            let passing = cache.print("t", 1, &[number]);
            cache.keep(
                passing,
                Seen {
                    handle,
                    day: Day(1),
                },
            );
            assert!(cache.find(regular).is_some(), "{number}");
        }
    }

    #[test]
    fn tenants_epochs_and_processes_have_their_own_prints() {
        let cache = Cache::new(8);
        let prints = [
            cache.print("t", 1, b"x"),
            cache.print("u", 1, b"x"),
            cache.print("t", 2, b"x"),
            cache.print("tx", 1, b""),
            Cache::new(8).print("t", 1, b"x"),
        ];
        for (place, print) in prints.iter().enumerate() {
            assert!(!prints[place + 1..].contains(print), "{place}");
        }
    }
}
