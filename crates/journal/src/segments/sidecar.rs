//! The index file beside a sealed segment. It can always be made again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use super::ciphers::Ciphers;
use super::error::JournalError;
use super::index::{OpenIndex, SealedIndex};

/// An index begins so; the last byte is the version of the format.
const MAGIC: [u8; 8] = *b"portidx\x02";
/// Magic, nonce, bytes of the segment that it covers, the number behind its last record.
const HEADER: usize = 8 + 12 + 8 + 8;
/// Bytes of an index file: far more than the entries of a full segment take.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The index file of a segment.
pub(crate) fn beside(segment: &Path) -> PathBuf {
    segment.with_extension("idx")
}

/// What an index file says.
pub(crate) struct Sidecar {
    pub(crate) index: SealedIndex,
    /// Bytes of the segment that it covers.
    pub(crate) covers: u64,
    /// The number behind the segment's last record.
    pub(crate) next: u64,
}

/// Writes the index of a segment beside it, whole or not at all.
pub(crate) fn write(
    segment: &Path,
    ciphers: &Ciphers,
    covers: u64,
    next: u64,
    index: &mut OpenIndex,
) -> Result<(), JournalError> {
    let mut nonce = [0; 12];
    rand::fill(&mut nonce).map_err(|_| JournalError::Derivation)?;
    let mut bytes = Vec::from(MAGIC);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&covers.to_le_bytes());
    bytes.extend_from_slice(&next.to_le_bytes());
    let mut text = index.encode();
    ciphers
        .seal_index(nonce, &bytes, &mut text)
        .map_err(|_| JournalError::Derivation)?;
    let path = beside(segment);
    let unfinished = path.with_extension("idx.new");
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.write_all(&text)?;
        file.sync_data()?;
        fs::rename(&unfinished, &path)
    });
    written.map_err(JournalError::disk(&path))
}

/// Reads the index of a segment. `None`: there is none that can be used, so it is made again.
pub(crate) fn read(segment: &Path, ciphers: &Ciphers) -> Option<Sidecar> {
    let path = beside(segment);
    if fs::metadata(&path).ok()?.len() > BYTES_MAX {
        return None;
    }
    let mut bytes = fs::read(&path).ok()?;
    let (header, sealed) = bytes.split_at_mut_checked(HEADER)?;
    if header[..8] != MAGIC {
        return None;
    }
    let nonce = header[8..20].try_into().ok()?;
    let covers = u64::from_le_bytes(header[20..28].try_into().ok()?);
    let next = u64::from_le_bytes(header[28..36].try_into().ok()?);
    let text = ciphers.open_index(nonce, header, sealed).ok()?;
    Some(Sidecar {
        index: SealedIndex::parse(text)?,
        covers,
        next,
    })
}
