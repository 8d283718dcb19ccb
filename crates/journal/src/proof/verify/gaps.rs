//! Records that are not there, until the log itself has said what it no longer keeps.

use std::ops::Range;

use super::Broken;

/// Gaps that are remembered. What retention ends lies together, but for days on which a hold stood.
const GAPS_MAX: usize = 4096;

/// Records that are not there, or cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub(super) records: Range<u64>,
    /// Why they cannot be read; `None` when they are not there.
    pub(super) broken: Option<Broken>,
}

impl Gap {
    /// Records that cannot be read from here to where they should end.
    pub(super) fn of(records: Range<u64>, broken: Broken) -> Gap {
        Gap {
            records,
            broken: Some(broken),
        }
    }

    /// Whether there is nothing where they were, rather than something else.
    fn is_gone(&self) -> bool {
        let broken = self.broken.as_ref();
        broken.is_none_or(|broken| broken.without_key.is_some())
    }

    /// How many of them the log itself says that it no longer keeps.
    fn excused(&self, forgotten: &[Range<u64>]) -> u64 {
        let Range { start, end } = self.records;
        let ranges = forgotten.iter().filter(|_| self.is_gone());
        ranges
            .map(|range| range.end.min(end).saturating_sub(range.start.max(start)))
            .sum()
    }

    /// The first part of it that the log itself does not say it no longer keeps.
    fn unexcused(&self, forgotten: &[Range<u64>]) -> Option<Range<u64>> {
        if !self.is_gone() {
            return Some(self.records.clone());
        }
        let mut from = self.records.start;
        // In order, and none touches another.
        for range in forgotten {
            if range.start > from || from >= self.records.end {
                break;
            }
            from = from.max(range.end);
        }
        (from < self.records.end).then(|| {
            let later = forgotten.iter().find(|range| range.start > from);
            let until = later.map_or(u64::MAX, |later| later.start);
            from..until.min(self.records.end)
        })
    }
}

/// All of them, and what excuses them.
#[derive(Default)]
pub(super) struct Gaps {
    gaps: Vec<Gap>,
    /// The first one for which there was no room.
    beyond: Option<Gap>,
    excused: Vec<Range<u64>>,
}

impl Gaps {
    pub(super) fn push(&mut self, records: Range<u64>, broken: Option<Broken>) {
        let gap = Gap { records, broken };
        let full = self.gaps.len() >= GAPS_MAX;
        match self.gaps.last_mut() {
            // Of what is gone it is of no account in how many files it was.
            Some(last)
                if last.is_gone() && gap.is_gone() && last.records.end == gap.records.start =>
            {
                last.records.end = gap.records.end;
            }
            // Whether it is excused nobody will know, so it counts as one that is not.
            _ if full => self.beyond = self.beyond.take().or(Some(gap)),
            _ => self.gaps.push(gap),
        }
    }

    /// The log says that it no longer keeps these.
    pub(super) fn excuse(&mut self, records: Vec<Range<u64>>) {
        self.excused.extend(records);
    }

    /// How many records are excused, and the first gap that is not.
    pub(super) fn judged(self) -> (u64, Option<Gap>) {
        let excused = joined(self.excused);
        let (mut forgotten, mut first) = (0, None);
        for gap in &self.gaps {
            forgotten += gap.excused(&excused);
            if first.is_none()
                && let Some(records) = gap.unexcused(&excused)
            {
                // Behind records that are no longer kept, the next ones are not there, either.
                let broken = gap.broken.clone();
                let broken = broken.filter(|_| records.start == gap.records.start);
                first = Some(Gap { records, broken });
            }
        }
        (forgotten, first.or(self.beyond))
    }
}

/// The same numbers in order, and in as few ranges as it takes.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
