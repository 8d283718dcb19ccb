//! The tree's files, to be read.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{FILE_BYTES, FILE_HASHES, TILE_HASHES, TILE_LEVELS, folded};
use crate::proof::ProofError;
use crate::proof::hash::Hash;
use crate::proof::paths::Nodes;

/// The tree's files: for proofs, and for who checks them.
#[derive(Clone, Debug)]
pub struct TileReader {
    pub(super) dir: PathBuf,
}

impl TileReader {
    /// The tree in this directory.
    pub fn new(dir: &Path) -> TileReader {
        TileReader {
            dir: dir.to_owned(),
        }
    }

    /// How many leaves there are, by the files' lengths. Every file but the last must be full.
    pub fn size(&self) -> Result<u64, ProofError> {
        let Some(last) = self.last_file(0)? else {
            return Ok(0);
        };
        for number in 0..last {
            let path = self.path(0, number);
            let bytes = length(&path)?;
            if bytes != FILE_BYTES {
                return Err(ProofError::Hole {
                    path,
                    bytes,
                    full: FILE_BYTES,
                });
            }
        }
        Ok(last * FILE_HASHES + self.hashes_in(0, last)?)
    }

    /// Fills `hashes` from hash `first` of a level of tiles on; says how many there were.
    pub fn read(&self, level: usize, first: u64, hashes: &mut [Hash]) -> Result<usize, ProofError> {
        let mut done = 0;
        while done < hashes.len() {
            let at = first + done as u64;
            let room = (FILE_HASHES - at % FILE_HASHES).min((hashes.len() - done) as u64) as usize;
            let read = self.read_file(level, at, &mut hashes[done..done + room])?;
            done += read;
            if read < room {
                break;
            }
        }
        Ok(done)
    }

    fn read_file(
        &self,
        level: usize,
        first: u64,
        hashes: &mut [Hash],
    ) -> Result<usize, ProofError> {
        let path = self.path(level, first / FILE_HASHES);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(ProofError::file(&path)(error)),
        };
        let mut bytes = vec![0; hashes.len() * Hash::LEN];
        let mut filled = 0;
        let begins = first % FILE_HASHES * Hash::LEN as u64;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], begins + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ProofError::file(&path)(error)),
            }
        }
        let (whole, _) = bytes[..filled].as_chunks::<{ Hash::LEN }>();
        for (hash, bytes) in hashes.iter_mut().zip(whole) {
            *hash = Hash(*bytes);
        }
        Ok(whole.len())
    }

    /// The file that holds hashes from `number` × 65,536 on.
    pub(super) fn path(&self, level: usize, number: u64) -> PathBuf {
        self.dir
            .join(format!("level-{level}"))
            .join(format!("{number:010}.tiles"))
    }

    /// The number of the last file of a level.
    pub(super) fn last_file(&self, level: usize) -> Result<Option<u64>, ProofError> {
        let dir = self.dir.join(format!("level-{level}"));
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ProofError::file(&dir)(error)),
        };
        let mut last = None;
        for entry in entries {
            let name = entry.map_err(ProofError::file(&dir))?.file_name();
            last = last.max(name.to_str().and_then(file_number));
        }
        Ok(last)
    }

    /// How many hashes of a level there are up to the first file that is not full.
    pub(super) fn whole(&self, level: usize) -> Result<u64, ProofError> {
        let Some(last) = self.last_file(level)? else {
            return Ok(0);
        };
        for number in 0..last {
            let hashes = self.hashes_in(level, number)?;
            if hashes < FILE_HASHES {
                return Ok(number * FILE_HASHES + hashes);
            }
        }
        Ok(last * FILE_HASHES + self.hashes_in(level, last)?)
    }

    pub(super) fn hashes_in(&self, level: usize, number: u64) -> Result<u64, ProofError> {
        Ok((length(&self.path(level, number))? / Hash::LEN as u64).min(FILE_HASHES))
    }
}

impl Nodes for TileReader {
    fn node(&self, level: u32, index: u64) -> Result<Hash, ProofError> {
        let inside = level % TILE_LEVELS;
        let tiles = (level / TILE_LEVELS) as usize;
        let mut hashes = [Hash::EMPTY; TILE_HASHES as usize];
        let wanted = &mut hashes[..1 << inside];
        let first = index << inside;
        let read = self.read(tiles, first, wanted)?;
        if read < wanted.len() {
            let leaves = |hashes: u64| hashes << (TILE_LEVELS * tiles as u32);
            return Err(ProofError::Beyond {
                asked: leaves(first + wanted.len() as u64),
                size: leaves(first + read as u64),
            });
        }
        Ok(folded(wanted))
    }
}

/// The number in the name of one of our files; others may lie beside them.
fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".tiles")?;
    let number = digits.parse().ok()?;
    (format!("{number:010}") == digits && number < u64::MAX / FILE_HASHES).then_some(number)
}

/// The length of a file; one that is not there has none.
pub(super) fn length(path: &Path) -> Result<u64, ProofError> {
    match fs::metadata(path) {
        Ok(data) => Ok(data.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(ProofError::file(path)(error)),
    }
}
