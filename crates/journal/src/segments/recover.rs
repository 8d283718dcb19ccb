//! What a start finds: the last segment may be torn, and the tree may know more or less than it.
//!
//! What was acknowledged was synced before, so a whole file is torn only behind it. What does not open
//! behind the last signed checkpoint is moved aside, never deleted; below the checkpoint it is an error.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::block::Opener;
use super::error::JournalError;
use super::file::{GroupText, Position, SegmentFile, header_of};
use super::leaves::Leaves;
use super::{names, sidecar};
use crate::keys::{KeyError, SegmentKeys};
use crate::proof::{Hash, leaf_hash};

/// Leaves that are handed to the tree at once.
const LEAVES_AT_ONCE: usize = 64 * 1024;

/// What a start has found.
pub(crate) struct Recovered {
    /// The number of the next record.
    pub(crate) next: u64,
    /// What was moved aside.
    pub(crate) aside: Vec<PathBuf>,
}

/// Makes the segments of a directory whole, and the tree fit them.
pub(crate) fn recover(
    dir: &Path,
    keys: &dyn SegmentKeys,
    leaves: &mut dyn Leaves,
) -> Result<Recovered, JournalError> {
    let mut aside = Vec::new();
    for leftover in names::leftovers(dir)? {
        aside.push(move_aside(&leftover)?);
    }
    let sealed = leaves.sealed();
    let next = loop {
        let Some((first, path)) = names::list(dir)?.pop() else {
            break 0;
        };
        let end = whole_until(&path, keys, sealed, &mut aside)?;
        if end > first {
            break end;
        }
        // Not one record of it can be read: what precedes it is the last segment.
        if sealed > first {
            break first;
        }
        aside.push(move_aside(&path)?);
    };
    if next < sealed {
        return Err(JournalError::Hole {
            dir: dir.to_path_buf(),
            from: next,
            until: sealed - 1,
        });
    }
    regrow(dir, keys, leaves, next)?;
    Ok(Recovered { next, aside })
}

/// The number behind the last record of the last segment. What is torn is moved aside.
fn whole_until(
    path: &Path,
    keys: &dyn SegmentKeys,
    sealed: u64,
    aside: &mut Vec<PathBuf>,
) -> Result<u64, JournalError> {
    let segment = match SegmentFile::open(path, keys) {
        Ok(segment) => segment,
        Err(JournalError::Key(error @ KeyError::Missing { .. })) => {
            return without_key(path, sealed).ok_or(error.into());
        }
        // The header was never written, and so nothing behind it was acknowledged.
        Err(JournalError::NotASegment(_)) if names::first(path) >= Some(sealed) => {
            return Ok(names::first(path).unwrap_or(sealed));
        }
        Err(error) => return Err(error),
    };
    if let Some(sidecar) = sidecar::read(path, &segment.ciphers)
        && sidecar.covers == segment.bytes()?
    {
        return Ok(sidecar.next);
    }
    let start = start_of(&segment, sealed)?;
    let mut opener = Opener::new().map_err(JournalError::disk(path))?;
    let mut group = GroupText::default();
    let mut at = start;
    loop {
        match segment.group(at, u64::MAX, &mut opener, &mut group) {
            Ok(Some(next)) => at = next,
            Ok(None) => return Ok(at.record),
            Err(JournalError::Corrupt { offset, first, .. }) if first >= sealed => {
                aside.push(cut_off(path, offset)?);
                return Ok(first);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The end of a segment whose key is gone with its retention: its headers say it, and it is believed
/// when the checkpoint says the same.
fn without_key(path: &Path, sealed: u64) -> Option<u64> {
    (header_of(path).ok()?.first < sealed).then_some(sealed)
}

/// The group that record `wanted` is in, or the end; by headers alone.
pub(crate) fn start_of(segment: &SegmentFile, wanted: u64) -> Result<Position, JournalError> {
    let mut at = segment.start();
    let mut start = at;
    loop {
        let header = match segment.header_at(at) {
            Ok(Some(header)) => header,
            // Whoever reads from the start of the group finds it again and says what it is.
            Ok(None) | Err(JournalError::Corrupt { .. }) => return Ok(start),
            Err(error) => return Err(error),
        };
        if header.begins_group {
            start = at;
        }
        if header.first != at.record || header.number != at.block || header.end() > wanted {
            return Ok(start);
        }
        at = SegmentFile::after(at, &header);
    }
}

/// Makes the tree hold exactly the records below `next`. What it has beyond the last checkpoint was
/// perhaps never synced, so those leaves are made again.
fn regrow(
    dir: &Path,
    keys: &dyn SegmentKeys,
    leaves: &mut dyn Leaves,
    next: u64,
) -> Result<(), JournalError> {
    let known = leaves.sealed().min(leaves.size());
    leaves.rewind(known)?;
    let segments = names::list(dir)?;
    let mut hashes: Vec<Hash> = Vec::new();
    for (place, (first, path)) in segments.iter().enumerate() {
        // A later segment says what its records are, also where an earlier one has begun to.
        let until = segments
            .get(place + 1)
            .map_or(next, |later| later.0)
            .min(next);
        let have = leaves.size() + hashes.len() as u64;
        if have >= until {
            continue;
        }
        if *first > have {
            return Err(hole(dir, have, *first));
        }
        let segment = SegmentFile::open(path, keys)?;
        let mut opener = Opener::new().map_err(JournalError::disk(path))?;
        let mut group = GroupText::default();
        let mut at = start_of(&segment, have)?;
        while let Some(after) = segment.group(at, until, &mut opener, &mut group)? {
            let missing = group
                .records()
                .filter(|(number, _)| (have..until).contains(number));
            hashes.extend(
                missing.map(|(number, record)| leaf_hash(&segment.ciphers.salt(number), record)),
            );
            at = after;
            if hashes.len() >= LEAVES_AT_ONCE {
                leaves.append(&hashes)?;
                hashes.clear();
            }
        }
    }
    leaves.append(&hashes)?;
    if leaves.size() < next {
        return Err(hole(dir, leaves.size(), next));
    }
    Ok(())
}

fn hole(dir: &Path, from: u64, behind: u64) -> JournalError {
    JournalError::Hole {
        dir: dir.to_path_buf(),
        from,
        until: behind.saturating_sub(1),
    }
}

/// Gives a file that is of no use a name that says so.
fn move_aside(path: &Path) -> Result<PathBuf, JournalError> {
    let aside = names::aside(path);
    fs::rename(path, &aside).map_err(JournalError::disk(path))?;
    Ok(aside)
}

/// Moves what stands behind `offset` into a file of its own.
fn cut_off(path: &Path, offset: u64) -> Result<PathBuf, JournalError> {
    let aside = names::aside(path);
    let moved = || -> io::Result<()> {
        let mut torn = File::options().read(true).write(true).open(path)?;
        torn.seek(SeekFrom::Start(offset))?;
        let mut copy = File::create_new(&aside)?;
        io::copy(&mut torn, &mut copy)?;
        copy.sync_all()?;
        torn.set_len(offset)?;
        torn.sync_all()
    };
    moved().map_err(JournalError::disk(path))?;
    Ok(aside)
}
