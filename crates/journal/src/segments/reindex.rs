//! The index of a segment, made again from its records.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::block::Opener;
use super::error::JournalError;
use super::file::{GroupText, Position, SegmentFile};
use super::index::{OpenIndex, TermKind, term};
use super::{names, sidecar};
use crate::keys::SegmentKeys;
use crate::reading::{Facts, handles_in};

/// Segments that have no index beside them, and the record that each is read up to.
pub(crate) fn unindexed(dir: &Path) -> Result<Vec<(PathBuf, u64)>, JournalError> {
    let segments = names::list(dir)?;
    let ends = segments
        .iter()
        .skip(1)
        .map(|later| later.0)
        .chain([u64::MAX]);
    let found = segments.iter().zip(ends);
    let found = found.filter(|((_, path), _)| !sidecar::beside(path).exists());
    Ok(found
        .map(|((_, path), until)| (path.clone(), until))
        .collect())
}

/// Reads a segment and writes its index beside it.
pub(crate) fn reindex(
    path: &Path,
    until: u64,
    keys: &dyn SegmentKeys,
    stop: &AtomicBool,
) -> Result<(), JournalError> {
    let file = SegmentFile::open(path, keys)?;
    let mut index = OpenIndex::default();
    let mut opener = Opener::new().map_err(JournalError::disk(path))?;
    let mut text = GroupText::default();
    let mut terms = Vec::new();
    let mut end = file.start();
    for group in file.groups(until, false)? {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let at = Position {
            offset: group.offset,
            block: group.block,
            record: group.first,
        };
        end = file.group(at, until, &mut opener, &mut text)?.unwrap_or(at);
        for (_, record) in text.records() {
            add_terms(record, &mut terms);
        }
        index.groups.push(group);
        index.finish(&mut terms);
    }
    sidecar::write(path, &file.ciphers, end.offset, end.record, &mut index)
}

/// What a record is found by, from its own words.
fn add_terms(record: &[u8], terms: &mut Vec<u32>) {
    let facts = Facts::read(record);
    for (kind, text) in [
        (TermKind::Station, &facts.station),
        (TermKind::Action, &facts.action),
    ] {
        if !text.is_empty() {
            terms.push(term(kind, text.as_bytes()));
        }
    }
    if facts.is_refused() {
        terms.push(term(TermKind::Refused, b""));
    }
    terms.extend(handles_in(record).map(|handle| term(TermKind::Handle, handle.bytes())));
}
