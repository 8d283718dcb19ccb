//! The pass over the records: what is there, what is not, and what does not fit its leaf.

use std::ops::Range;

use super::marks::{Marks, Meeting};
use super::window::Window;
use super::{Block, Broken};
use crate::proof::tiles::{TILE_HASHES, TILE_LEVELS, hashes_at};
use crate::proof::{Hash, ProofError, TileReader, Tree, leaf_hash};

/// Records between two words of progress.
const TOLD_EVERY: u64 = 65_536;
/// How many records' shift is recognised as records that were taken out or put in.
const SHIFT_MAX: usize = 1024;
/// Gaps that are remembered until the log itself has said what it no longer keeps. What retention ends
/// lies together, but for days on which a hold stood.
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

/// The first records that do not fit their leaves.
#[derive(Clone, Debug)]
pub(super) struct Misfit {
    pub(super) records: Range<u64>,
    /// Records behind them fit again, or there are none behind them.
    pub(super) over: bool,
    pub(super) shift: Option<Shift>,
}

/// What a row of records that do not fit turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// So many records are missing before them.
    Missing(u64),
    /// So many records stand before them that the tree does not know.
    Added(u64),
}

/// A hash of an upper level that does not follow from the leaves below it.
#[derive(Clone, Debug)]
pub(super) struct UpperMisfit {
    pub(super) level: usize,
    pub(super) index: u64,
    /// It is not there at all.
    pub(super) missing: bool,
}

/// What the pass has seen.
pub(super) struct Seen {
    pub(super) compared: u64,
    pub(super) end: u64,
    pub(super) required: u64,
    pub(super) forgotten: u64,
    pub(super) gap: Option<Gap>,
    /// The records end in the middle of something.
    pub(super) torn_end: Option<Broken>,
    /// A record's number that stands a second time.
    pub(super) twice: Option<Range<u64>>,
    pub(super) misfit: Option<Misfit>,
    /// Leaves that must be there and are not, from this one on.
    pub(super) no_leaf: Option<Range<u64>>,
    pub(super) upper: Option<UpperMisfit>,
    pub(super) latest: Option<Meeting>,
    pub(super) witnessed: Option<Meeting>,
    pub(super) good: u64,
    pub(super) bad: Option<u64>,
}

pub(super) struct Pass<'a> {
    leaves: Window<'a>,
    upper: Vec<Window<'a>>,
    marks: Marks,
    // The tree of the leaves on disk, until one is missing.
    told: Option<Tree>,
    // The tree of the records as they are, where it is another one.
    made: Option<Tree>,
    made_lost: bool,
    next: u64,
    gaps: Vec<Gap>,
    excused: Vec<Range<u64>>,
    forgotten: &'a dyn Fn(&[u8]) -> Vec<Range<u64>>,
    pending: Option<Broken>,
    said: u64,
    seen: Seen,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        tiles: &'a TileReader,
        marks: Marks,
        forgotten: &'a dyn Fn(&[u8]) -> Vec<Range<u64>>,
    ) -> Result<Pass<'a>, ProofError> {
        Ok(Pass {
            leaves: Window::new(tiles, 0),
            upper: (1..8).map(|level| Window::new(tiles, level)).collect(),
            told: Some(Tree::new()),
            made: None,
            made_lost: false,
            next: 0,
            gaps: Vec::new(),
            excused: Vec::new(),
            forgotten,
            pending: None,
            said: 0,
            seen: Seen {
                compared: 0,
                end: 0,
                required: marks.required(),
                forgotten: 0,
                gap: None,
                torn_end: None,
                twice: None,
                misfit: None,
                no_leaf: None,
                upper: None,
                latest: None,
                witnessed: None,
                good: 0,
                bad: None,
            },
            marks,
        })
    }

    pub(super) fn tell(&mut self, progress: &mut dyn FnMut(u64, u64)) {
        if self.next / TOLD_EVERY > self.said {
            self.said = self.next / TOLD_EVERY;
            progress(self.next, self.next.max(self.seen.required));
        }
    }

    pub(super) fn block(&mut self, block: &Block<'_>) -> Result<(), ProofError> {
        self.gap_until(block.first)?;
        let records = || records(block.text);
        for (place, record) in records().enumerate() {
            let number = block.first.saturating_add(place as u64);
            if number < self.next {
                let twice = number..number + 1;
                let twice = self.seen.twice.take().map_or(twice.clone(), |before| {
                    before.start.min(twice.start)..before.end.max(twice.end)
                });
                self.seen.twice = Some(twice);
                continue;
            }
            let leaf = leaf_hash(&block.salts.salt(number), record);
            let told = self.leaves.at(number)?;
            // Behind what is signed whoever has the disk can write such a record and its leaf.
            let signed = number < self.seen.required || self.seen.required == 0;
            if signed && told == Some(leaf) {
                self.excused.extend((self.forgotten)(record));
            }
            if told.is_some_and(|told| told != leaf) {
                self.misfit(number, block, place)?;
            } else if told.is_some()
                && let Some(misfit) = &mut self.seen.misfit
            {
                misfit.over = true;
            }
            self.advance(told, Some(leaf))?;
            self.seen.compared += 1;
        }
        Ok(())
    }

    pub(super) fn broken(&mut self, broken: Broken) -> Result<(), ProofError> {
        self.gap_until(broken.first)?;
        match broken.end {
            Some(end) if end > self.next => {
                self.gap(self.next..end, Some(broken));
                self.skip_to(end)?;
            }
            // Bytes that are none of the log's stand between records that are all there.
            Some(_) => self.gap(self.next..self.next, Some(broken)),
            // How much it held, the next block tells; when there is none, the log ends torn.
            None => self.pending = Some(broken),
        }
        Ok(())
    }

    /// The end of the records: the rest of the tree, up to what must be there.
    pub(super) fn finish(mut self) -> Result<Seen, ProofError> {
        self.seen.end = self.next;
        self.seen.torn_end = self.pending.take();
        if let Some(misfit) = &mut self.seen.misfit
            && misfit.records.end - misfit.records.start == 1
        {
            misfit.over = true;
        }
        while self.next < self.seen.required && self.told.is_some() {
            let told = self.leaves.at(self.next)?;
            self.made_lost = true;
            self.advance(told, None)?;
        }
        let forgotten = joined(std::mem::take(&mut self.excused));
        let mut first = None;
        for gap in &self.gaps {
            self.seen.forgotten += gap.excused(&forgotten);
            if first.is_none()
                && let Some(records) = gap.unexcused(&forgotten)
            {
                // Behind records that are no longer kept, the next ones are not there, either.
                let broken = gap.broken.clone();
                let broken = broken.filter(|_| records.start == gap.records.start);
                first = Some(Gap { records, broken });
            }
        }
        self.seen.gap = first.or(self.seen.gap.take());
        self.seen.latest = self.marks.latest;
        self.seen.witnessed = self.marks.witnessed;
        self.seen.good = self.marks.good;
        self.seen.bad = self.marks.bad;
        Ok(self.seen)
    }

    fn gap_until(&mut self, first: u64) -> Result<(), ProofError> {
        let broken = self.pending.take();
        if first > self.next {
            self.gap(self.next..first, broken.filter(|broken| !broken.torn));
            self.skip_to(first)?;
        }
        Ok(())
    }

    fn gap(&mut self, records: Range<u64>, broken: Option<Broken>) {
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
            _ if full => self.seen.gap = self.seen.gap.take().or(Some(gap)),
            _ => self.gaps.push(gap),
        }
    }

    /// Goes on behind records that are not there: their leaves stand for them. A number far beyond
    /// the tree is not walked to.
    fn skip_to(&mut self, number: u64) -> Result<(), ProofError> {
        while self.next < number {
            let told = self.leaves.at(self.next)?;
            if told.is_none() && self.next >= self.seen.required {
                self.told = None;
                self.made_lost = true;
                self.next = number;
                return Ok(());
            }
            self.advance(told, None)?;
        }
        Ok(())
    }

    fn advance(&mut self, told: Option<Hash>, made: Option<Hash>) -> Result<(), ProofError> {
        let number = self.next;
        self.next += 1;
        let differs = made.is_some() && told != made;
        if self.made.is_none() && !self.made_lost && (differs || told.is_none()) {
            self.made = self.told.clone();
        }
        self.advance_told(number, told)?;
        if self.made_lost {
            self.made = None;
        } else if let Some(tree) = &mut self.made {
            match made.or(told) {
                Some(leaf) => {
                    tree.push(leaf);
                    self.marks.meet_records(tree);
                }
                None => self.made_lost = true,
            }
        } else if let Some(tree) = &self.told {
            self.marks.meet_records(tree);
        }
        Ok(())
    }

    fn advance_told(&mut self, number: u64, told: Option<Hash>) -> Result<(), ProofError> {
        let Some(leaf) = told else {
            // Behind the last checkpoint the tree may still be on its way.
            if number < self.seen.required {
                let from = self.seen.no_leaf.take().map_or(number, |range| range.start);
                self.seen.no_leaf = Some(from..number + 1);
            }
            self.told = None;
            return Ok(());
        };
        let Some(tree) = &mut self.told else {
            return Ok(());
        };
        let mut completed = [None; 7];
        tree.push_telling(leaf, |level, hash| {
            if level % TILE_LEVELS as usize == 0
                && let Some(place) = completed.get_mut(level / TILE_LEVELS as usize - 1)
            {
                *place = Some(*hash);
            }
        });
        self.marks.meet_tiles(tree);
        let size = tree.size();
        for (above, hash) in completed.iter().enumerate() {
            let Some(hash) = hash else { break };
            let level = above + 1;
            let index = hashes_at(level, size) - 1;
            let on_disk = self.upper[above].at(index)?;
            let missing = on_disk.is_none();
            let wrong = on_disk != Some(*hash) && !(missing && size > self.seen.required);
            // Above a leaf that does not fit, nothing can.
            let explained =
                self.seen.misfit.as_ref().is_some_and(|misfit| {
                    misfit.records.end > index << (TILE_LEVELS * level as u32)
                });
            if wrong && !explained && self.seen.upper.is_none() {
                self.seen.upper = Some(UpperMisfit {
                    level,
                    index,
                    missing,
                });
            }
        }
        Ok(())
    }

    /// A record that does not fit its leaf: the first one, or one more of the first row.
    fn misfit(&mut self, number: u64, block: &Block<'_>, place: usize) -> Result<(), ProofError> {
        match &mut self.seen.misfit {
            Some(misfit) if misfit.over => {}
            Some(misfit) if misfit.records.end == number => misfit.records.end += 1,
            Some(misfit) => misfit.over = true,
            None => {
                let shift = self.shift(number, block, place)?;
                self.seen.misfit = Some(Misfit {
                    records: number..number + 1,
                    over: false,
                    shift,
                });
            }
        }
        Ok(())
    }

    /// Whether the rest of this block fits when it is moved: the salts are made from the number that a
    /// record once had, so each number is tried.
    fn shift(
        &mut self,
        number: u64,
        block: &Block<'_>,
        place: usize,
    ) -> Result<Option<Shift>, ProofError> {
        let rest: Vec<&[u8]> = records(block.text).skip(place).collect();
        for by in 1..=SHIFT_MAX {
            if self.fits(number + by as u64, block, &rest)? {
                return Ok(Some(Shift::Missing(by as u64)));
            }
            if by < rest.len() && self.fits(number, block, &rest[by..])? {
                return Ok(Some(Shift::Added(by as u64)));
            }
        }
        Ok(None)
    }

    /// Whether these records fit the leaves from this number on.
    fn fits(
        &mut self,
        number: u64,
        block: &Block<'_>,
        records: &[&[u8]],
    ) -> Result<bool, ProofError> {
        let mut looked = 0;
        for (at, record) in (number..).zip(records) {
            let Some(told) = self.leaves.at(at)? else {
                break;
            };
            if leaf_hash(&block.salts.salt(at), record) != told {
                return Ok(false);
            }
            looked += 1;
        }
        Ok(looked > 0)
    }
}

/// The tile that holds this hash of a level.
pub(super) fn tile_of(index: u64) -> u64 {
    index / TILE_HASHES
}

fn records(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let ends = memchr::memchr_iter(b'\n', text).chain((!text.is_empty()).then_some(text.len()));
    let mut begin = 0;
    ends.map(move |end| {
        let record = &text[begin..end];
        begin = end + 1;
        record
    })
}
