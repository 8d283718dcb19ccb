//! The pass over the records: what is there, what is not, and what does not fit its leaf.

use std::ops::Range;

use super::gaps::Gaps;
use super::marks::Marks;
use super::seen::{Misfit, Seen, Shift};
use super::trees::Trees;
use super::window::Window;
use super::{Block, Broken};
use crate::proof::{Hash, ProofError, TileReader, leaf_hash};

/// Records between two words of progress.
const TOLD_EVERY: u64 = 65_536;
/// How many records' shift is recognised as records that were taken out or put in.
const SHIFT_MAX: usize = 1024;

pub(super) struct Pass<'a> {
    leaves: Window<'a>,
    trees: Trees<'a>,
    next: u64,
    gaps: Gaps,
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
    ) -> Pass<'a> {
        Pass {
            leaves: Window::new(tiles, 0),
            next: 0,
            gaps: Gaps::default(),
            forgotten,
            pending: None,
            said: 0,
            seen: Seen::of(marks.required()),
            trees: Trees::new(tiles, marks),
        }
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
        let salts = block.salts.salts(block.first);
        for ((place, record), salt) in records().enumerate().zip(salts) {
            let number = block.first.saturating_add(place as u64);
            if number < self.next {
                let twice = number..number + 1;
                let twice = self.seen.twice.take().map_or(twice.clone(), |before| {
                    before.start.min(twice.start)..before.end.max(twice.end)
                });
                self.seen.twice = Some(twice);
                continue;
            }
            let leaf = leaf_hash(&salt, record);
            let told = self.leaves.at(number)?;
            // Behind what is signed whoever has the disk can write such a record and its leaf.
            let signed = number < self.seen.required || self.seen.required == 0;
            if signed && told == Some(leaf) {
                self.gaps.excuse((self.forgotten)(record));
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
                self.gaps.push(self.next..end, Some(broken));
                self.skip_to(end)?;
            }
            // Bytes that are none of the log's stand between records that are all there.
            Some(_) => self.gaps.push(self.next..self.next, Some(broken)),
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
        while self.next < self.seen.required && self.trees.is_told() {
            let told = self.leaves.at(self.next)?;
            self.trees.lose_made();
            self.advance(told, None)?;
        }
        (self.seen.forgotten, self.seen.gap) = self.gaps.judged();
        let marks = self.trees.into_marks();
        self.seen.latest = marks.latest;
        self.seen.witnessed = marks.witnessed;
        self.seen.good = marks.good;
        self.seen.bad = marks.bad;
        Ok(self.seen)
    }

    fn gap_until(&mut self, first: u64) -> Result<(), ProofError> {
        let broken = self.pending.take();
        if first > self.next {
            self.gaps
                .push(self.next..first, broken.filter(|broken| !broken.torn));
            self.skip_to(first)?;
        }
        Ok(())
    }

    /// Goes on behind records that are not there: their leaves stand for them. A number far beyond
    /// the tree is not walked to.
    fn skip_to(&mut self, number: u64) -> Result<(), ProofError> {
        while self.next < number {
            let told = self.leaves.at(self.next)?;
            if told.is_none() && self.next >= self.seen.required {
                self.trees.lose_both();
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
        self.trees.advance(number, (told, made), &mut self.seen)
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
