//! The whole log, checked: every record against its leaf, the tree against what was signed.
//!
//! One pass over the records in constant memory collects what does not fit ([`pass`]); what that
//! means, and what of it comes first, is judged afterwards ([`judge`]).

mod forgotten;
mod gaps;
mod judge;
mod marks;
mod pass;
mod seen;
mod trees;
mod window;

use std::fmt;
use std::ops::Range;
use std::path::Path;

pub use self::forgotten::Forgotten;
pub(crate) use self::forgotten::details as forgotten_details;
use self::marks::Marks;
use self::pass::Pass;
use super::checkpoints::Stated;
use super::{Checkpoint, Checkpoints, ProofError, SaltKey, TileReader, VerifierKey};
use crate::Day;

/// Records that stand together, opened.
pub struct Block<'a> {
    /// The number of the first one.
    pub first: u64,
    /// Each followed by a newline; the last one may do without.
    pub text: &'a [u8],
    /// What their leaves are salted with.
    pub salts: &'a SaltKey,
}

/// A part of the record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number of the first record in it.
    pub first: u64,
    /// The number behind its last one, where the bytes around it tell.
    pub end: Option<u64>,
    /// It ends too early, rather than being something else.
    pub torn: bool,
    /// The day's key that it wants and that is not there.
    pub without_key: Option<Day>,
    /// Where: the file, and the byte in it.
    pub place: String,
}

/// The records of a log in their order, from the first that is kept.
pub trait Blocks {
    /// The next block. After a broken part comes what can be read behind it.
    fn next(&mut self) -> Option<Result<Block<'_>, Broken>>;
}

/// What was done to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something says other than it said.
    Edit,
    /// Something in the middle is gone.
    Drop,
    /// Its end is gone: there is less than its own checkpoint says.
    Truncation,
    /// It is whole in itself, and not the log that was signed.
    Fork,
    /// It is an earlier state of itself.
    RollBack,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kind::Edit => "edit",
            Kind::Drop => "drop",
            Kind::Truncation => "truncation",
            Kind::Fork => "fork",
            Kind::RollBack => "roll-back",
        })
    }
}

/// What of the log is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Records.
    Records,
    /// Hashes of the tree: what they were made of is there, so they can be made again.
    Tiles {
        /// The level of tiles.
        level: usize,
        /// Which tile of it.
        tile: u64,
    },
    /// The signed statement itself.
    Checkpoint,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was done.
    pub kind: Kind,
    /// To what.
    pub part: Part,
    /// The records that it concerns: exactly, or within which it lies.
    pub records: Range<u64>,
    /// What was seen, in a sentence.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.kind)?;
        match self.part {
            Part::Tiles { level, tile } => write!(out, "tile {tile} of level {level}, over ")?,
            Part::Checkpoint => write!(out, "checkpoint, over ")?,
            Part::Records => {}
        }
        let Range { start, end } = self.records;
        match end.saturating_sub(start) {
            0 | 1 => write!(out, "record {start}")?,
            _ => write!(out, "records {start} to {}", end - 1)?,
        }
        write!(out, ": {}", self.why)
    }
}

/// What a check has found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Records that were read and compared with their leaves.
    pub compared: u64,
    /// The number behind the last record.
    pub end: u64,
    /// Records that are no longer kept, by the log's own word.
    pub forgotten: u64,
    /// How many records the log's latest checkpoint covers.
    pub signed: u64,
    /// How many the checkpoint covers that a witness has seen; 0 without one.
    pub witnessed: u64,
    /// The first thing that is wrong, if anything is.
    pub finding: Option<Finding>,
}

/// What the log is held against.
pub struct Against<'a> {
    /// The log's public key, from wherever it is kept besides this disk.
    pub log: &'a VerifierKey,
    /// The last checkpoint that a witness has signed, as the witness has it.
    pub witnessed: Option<&'a Checkpoint>,
    /// Of which records this one says that they are no longer kept, as [`Forgotten`] reads it: how
    /// retention is told from a drop. A record is believed where it fits its leaf and is signed.
    pub forgotten: &'a dyn Fn(&[u8]) -> Vec<Range<u64>>,
}

/// Checks a whole log: its records, the tree in `dir`, and the checkpoints beside it. `progress` hears
/// now and then how many records are done, and of how many.
///
/// An error is a disk that cannot be read; all that is wrong with the log is in the report.
pub fn verify(
    blocks: &mut dyn Blocks,
    dir: &Path,
    against: &Against<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, ProofError> {
    // The checkpoint first: whoever still writes the log only adds to what it covers.
    let stated = Checkpoints::stated(dir, against.log)?;
    let signed = match &stated {
        Stated::Signed(checkpoint) => Some(checkpoint),
        Stated::Missing | Stated::Refused { .. } => None,
    };
    let marks = Marks::new(dir, against, signed)?;
    let tiles = TileReader::new(dir);
    let mut pass = Pass::new(&tiles, marks, against.forgotten);
    while let Some(block) = blocks.next() {
        match block {
            Ok(block) => pass.block(&block)?,
            Err(broken) => pass.broken(broken)?,
        }
        pass.tell(progress);
    }
    let seen = pass.finish()?;
    progress(seen.end, seen.end.max(seen.required));
    let finding = judge::first(&seen, &stated, against.witnessed);
    Ok(Report {
        compared: seen.compared,
        end: seen.end,
        forgotten: seen.forgotten,
        signed: signed.map_or(0, Checkpoint::size),
        witnessed: against.witnessed.map_or(0, Checkpoint::size),
        finding,
    })
}
