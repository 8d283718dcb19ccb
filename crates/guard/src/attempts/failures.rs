//! Failures not yet forgotten, by source and pair.
//!
//! When the memory is full, whoever is nearest to being forgotten anyway goes first: a flood of new
//! sources pushes out one another, not the one that has failed most. Pairs lie with their source, so
//! a source that tries every identity pushes out its own pairs and nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Source, Who};

/// Pairs remembered for one source.
const PAIRS_PER_SOURCE_MAX: usize = 64;
/// Failures beyond the limit that are still counted: after silence, everybody is forgiven within
/// so many refills more.
const BEYOND_MAX: u32 = 8;

/// How many failures are borne, and how fast they are forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) failures_max: u32,
    pub(super) refill: Duration,
}

/// A count that runs down by itself: it is kept as the moment when it reaches zero.
#[derive(Clone, Copy, Debug, Default)]
struct Count(Duration);

impl Count {
    /// Adds one; by how much the moment moved.
    fn add(&mut self, now: Duration, pace: Pace) -> Duration {
        let from = self.0.max(now);
        let last = now + pace.refill * pace.failures_max.saturating_add(BEYOND_MAX);
        self.0 = (from + pace.refill).min(last).max(from);
        self.0 - from
    }

    fn at(self, now: Duration, pace: Pace) -> u32 {
        let left = self.0.saturating_sub(now).as_nanos();
        let count = left.div_ceil(pace.refill.as_nanos().max(1));
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn take_back(&mut self, moved: Duration) {
        self.0 = self.0.saturating_sub(moved);
    }
}

#[derive(Debug, Default)]
struct Entry {
    count: Count,
    pairs: Vec<(Who, Count)>,
}

#[derive(Debug)]
pub(super) struct Failures {
    sources: BTreeMap<Source, Entry>,
    /// The same sources, those first that are forgotten first.
    order: BTreeSet<(Duration, Source)>,
    sources_max: usize,
}

impl Failures {
    pub(super) fn bounded(sources_max: usize) -> Failures {
        Failures {
            sources: BTreeMap::new(),
            order: BTreeSet::new(),
            sources_max: sources_max.max(1),
        }
    }

    pub(super) fn of_source(&self, now: Duration, source: Source, pace: Pace) -> u32 {
        let entry = self.sources.get(&source);
        entry.map_or(0, |entry| entry.count.at(now, pace))
    }

    pub(super) fn of_pair(&self, now: Duration, source: Source, who: Who, pace: Pace) -> u32 {
        let entry = self.sources.get(&source);
        let mut pairs = entry.iter().flat_map(|entry| &entry.pairs);
        pairs
            .find(|(known, _)| *known == who)
            .map_or(0, |(_, count)| count.at(now, pace))
    }

    /// Counts a failure of both; by how much the source's count moved.
    pub(super) fn add(
        &mut self,
        now: Duration,
        source: Source,
        who: Who,
        by_source: Pace,
        by_pair: Pace,
    ) -> Duration {
        if !self.sources.contains_key(&source)
            && self.sources.len() >= self.sources_max
            && let Some((_, first)) = self.order.pop_first()
        {
            self.sources.remove(&first);
        }
        let entry = self.sources.entry(source).or_default();
        self.order.remove(&(entry.count.0, source));
        let from_source = entry.count.add(now, by_source);
        self.order.insert((entry.count.0, source));
        entry.pair(who).add(now, by_pair);
        from_source
    }

    /// Takes back what [`Failures::add`] added to the source, and forgets the pair.
    pub(super) fn forgive(
        &mut self,
        now: Duration,
        source: Source,
        who: Who,
        from_source: Duration,
    ) {
        let Some(entry) = self.sources.get_mut(&source) else {
            return;
        };
        self.order.remove(&(entry.count.0, source));
        entry.count.take_back(from_source);
        self.order.insert((entry.count.0, source));
        // Nearly every source is a good one, and leaves nothing behind.
        entry
            .pairs
            .retain(|(pair, count)| *pair != who && count.0 > now);
        if entry.pairs.is_empty() && entry.count.0 <= now {
            self.order.remove(&(entry.count.0, source));
            self.sources.remove(&source);
        }
    }

    /// How many sources are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.sources.len(), self.order.len());
        self.sources.len()
    }
}

impl Entry {
    /// The count of a pair; where there is no room, in the stead of the one nearest to zero.
    fn pair(&mut self, who: Who) -> &mut Count {
        let place = self.pairs.iter().position(|(known, _)| *known == who);
        let place = place.unwrap_or_else(|| {
            if self.pairs.len() < PAIRS_PER_SOURCE_MAX {
                self.pairs.push((who, Count::default()));
                return self.pairs.len() - 1;
            }
            let nearest = (0..self.pairs.len()).min_by_key(|place| self.pairs[*place].1.0);
            let place = nearest.unwrap_or_default();
            self.pairs[place] = (who, Count::default());
            place
        });
        &mut self.pairs[place].1
    }
}
