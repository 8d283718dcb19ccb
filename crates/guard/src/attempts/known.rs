//! Pairs that succeeded. Only successes write here, so no flood of failures pushes anybody out; and
//! a station has few places, so that whoever holds one credential pushes out nobody but itself.

use std::collections::BTreeMap;

use super::{Source, Who};

/// Sources remembered for one station: a mobile network gives it several addresses in turn.
pub(super) const SOURCES_PER_STATION_MAX: usize = 4;

type Pair = (Who, Source);

#[derive(Debug)]
pub(super) struct Known {
    /// When each was last seen, by a count of successes.
    pairs: BTreeMap<Pair, u64>,
    /// The same, longest unseen first.
    order: BTreeMap<u64, Pair>,
    /// How many pairs each source has.
    sources: BTreeMap<Source, u32>,
    pairs_max: usize,
    successes: u64,
}

impl Known {
    pub(super) fn bounded(pairs_max: usize) -> Known {
        Known {
            pairs: BTreeMap::new(),
            order: BTreeMap::new(),
            sources: BTreeMap::new(),
            pairs_max,
            successes: 0,
        }
    }

    pub(super) fn contains(&self, who: Who, source: Source) -> bool {
        self.pairs.contains_key(&(who, source))
    }

    pub(super) fn has_source(&self, source: Source) -> bool {
        self.sources.contains_key(&source)
    }

    pub(super) fn learn(&mut self, who: Who, source: Source) {
        if self.pairs_max == 0 {
            return;
        }
        self.successes += 1;
        let pair = (who, source);
        match self.pairs.insert(pair, self.successes) {
            Some(seen) => {
                self.order.remove(&seen);
            }
            None => *self.sources.entry(source).or_default() += 1,
        }
        self.order.insert(self.successes, pair);
        let own = self
            .pairs
            .range((who, Source::V4(0))..=(who, Source::V6(u64::MAX)));
        let mut own: Vec<u64> = own.map(|(_, seen)| *seen).collect();
        if own.len() > SOURCES_PER_STATION_MAX {
            own.sort_unstable();
            self.forget(own.first().copied());
        } else if self.pairs.len() > self.pairs_max {
            self.forget(self.order.keys().next().copied());
        }
    }

    fn forget(&mut self, seen: Option<u64>) {
        if let Some(pair) = seen.and_then(|seen| self.order.remove(&seen)) {
            self.pairs.remove(&pair);
            let (_, source) = pair;
            if let Some(pairs) = self.sources.get_mut(&source) {
                *pairs -= 1;
                if *pairs == 0 {
                    self.sources.remove(&source);
                }
            }
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.pairs.len(), self.order.len());
        let by_source: u32 = self.sources.values().sum();
        assert_eq!(self.pairs.len(), by_source as usize);
        self.pairs.len()
    }
}
