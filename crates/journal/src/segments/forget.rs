//! The disk of records that nobody can open any more, given back.

use std::fs::{self, OpenOptions};
use std::ops::Range;
use std::path::Path;

use super::error::JournalError;
use super::file::{SegmentFile, header_of};
use super::format::FileHeader;
use super::names;
use crate::Day;
use crate::keys::SegmentKeys;

/// Which records the segments of these days hold, by their numbers: for the act that says, before it
/// is done, that they are no longer kept.
pub fn numbers_of(
    dir: &Path,
    keys: &dyn SegmentKeys,
    days: &[Day],
) -> Result<Vec<(Day, Range<u64>)>, JournalError> {
    let segments = names::list(&names::segments(dir))?;
    let mut numbers: Vec<(Day, Range<u64>)> = Vec::new();
    for (place, (first, path)) in segments.iter().enumerate() {
        // What cannot be read is of no day; whoever checks the record is told of it.
        let Some(day) = header_of(path).ok().map(|header| header.day) else {
            continue;
        };
        if !days.contains(&day) {
            continue;
        }
        let end = match segments.get(place + 1) {
            Some((next, _)) => *next,
            None => SegmentFile::open(path, keys)?.end()?,
        };
        match numbers.last_mut() {
            Some((last, range)) if *last == day && range.end == *first => range.end = end,
            _ => numbers.push((day, *first..end)),
        }
    }
    Ok(numbers)
}

/// Empties the segments of these days, whose keys are destroyed; gives the bytes that are free again.
///
/// Their headers stay, so that whoever checks the record sees which day is no longer there, and so
/// does the last segment, behind which the writer goes on.
pub fn forget_days(dir: &Path, days: &[Day]) -> Result<u64, JournalError> {
    let mut segments = names::list(&names::segments(dir))?;
    segments.pop();
    let mut freed = 0;
    for (_, path) in segments {
        if !days.contains(&header_of(&path)?.day) {
            continue;
        }
        let disk = JournalError::disk(&path);
        freed += empty(&path).map_err(disk)?;
        let index = path.with_extension("idx");
        match fs::remove_file(&index) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(JournalError::disk(&index)(error));
            }
            _ => {}
        }
    }
    Ok(freed)
}

fn empty(path: &Path) -> std::io::Result<u64> {
    let file = OpenOptions::new().write(true).open(path)?;
    let header = FileHeader::BYTES as u64;
    let freed = file.metadata()?.len().saturating_sub(header);
    if freed > 0 {
        file.set_len(header)?;
        file.sync_all()?;
    }
    Ok(freed)
}
