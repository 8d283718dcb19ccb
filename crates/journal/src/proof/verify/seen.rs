//! What the pass over the records has seen, to be judged.

use std::ops::Range;

use super::Broken;
use super::gaps::Gap;
use super::marks::Meeting;
use crate::proof::tiles::TILE_HASHES;

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

impl Seen {
    /// Nothing yet, of a log that must hold so many records.
    pub(super) fn of(required: u64) -> Seen {
        Seen {
            compared: 0,
            end: 0,
            required,
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
        }
    }
}

/// The tile that holds this hash of a level.
pub(super) fn tile_of(index: u64) -> u64 {
    index / TILE_HASHES
}
