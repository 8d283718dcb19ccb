//! The tree's files, to be written: by one writer, and whole again after a crash.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::reader::length;
use super::{
    FILE_HASHES, TILE_HASHES, TILE_LEVELS, TILE_LEVELS_MAX, TileReader, folded, hashes_at,
};
use crate::proof::checkpoints;
use crate::proof::hash::Hash;
use crate::proof::{ProofError, Tree};

/// The tree on disk, to be continued. There is one writer.
pub struct Tiles {
    reader: TileReader,
    tree: Tree,
    // The last file of each level, and what has been written since the last sync.
    open: [Option<(u64, File)>; TILE_LEVELS_MAX],
    unsynced: Vec<(PathBuf, File)>,
    new_names: bool,
    // What one append adds to each level; kept, so that it need not be allocated again.
    added: [Vec<u8>; TILE_LEVELS_MAX],
}

impl Tiles {
    /// The tree in this directory, which is made if it is not there. What a killed process has left of
    /// the upper levels is made whole from the leaves.
    ///
    /// After a power failure leaves that were not synced may be anything: whoever cannot be sure goes
    /// back to the last checkpoint with [`Tiles::rewind`] and appends again what the segments hold.
    pub fn open(dir: &Path) -> Result<Tiles, ProofError> {
        fs::create_dir_all(dir).map_err(ProofError::file(dir))?;
        let reader = TileReader::new(dir);
        let size = match reader.size() {
            // A file that was full may have lost its end with the power, and the next one not its name.
            Err(hole @ ProofError::Hole { .. }) => {
                let whole = reader.whole(0)?;
                if whole < checkpoints::size_on_disk(dir)? {
                    return Err(hole);
                }
                whole
            }
            size => size?,
        };
        let mut tiles = Tiles {
            reader,
            tree: Tree::new(),
            open: Default::default(),
            unsynced: Vec::new(),
            new_names: false,
            added: Default::default(),
        };
        tiles.cut(size)?;
        Ok(tiles)
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The root of all of them.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Where the tree's hashes are read.
    pub fn reader(&self) -> &TileReader {
        &self.reader
    }

    /// Adds leaves. When it fails the tree is as before, and the same leaves can be added again.
    pub fn append(&mut self, leaves: &[Hash]) -> Result<(), ProofError> {
        let mut tree = self.tree.clone();
        for added in &mut self.added {
            added.clear();
        }
        for leaf in leaves {
            self.added[0].extend_from_slice(&leaf.0);
            let added = &mut self.added;
            tree.push_telling(*leaf, |level, hash| {
                if level % TILE_LEVELS as usize == 0
                    && let Some(added) = added.get_mut(level / TILE_LEVELS as usize)
                {
                    added.extend_from_slice(&hash.0);
                }
            });
        }
        for level in 0..TILE_LEVELS_MAX {
            let first = hashes_at(level, self.tree.size());
            let added = std::mem::take(&mut self.added[level]);
            let written = self.write(level, first, &added);
            self.added[level] = added;
            written?;
        }
        self.tree = tree;
        Ok(())
    }

    /// Makes everything that was appended last through a power failure.
    pub fn sync(&mut self) -> Result<(), ProofError> {
        for (level, open) in self.open.iter().enumerate() {
            if let Some((number, file)) = open {
                file.sync_data()
                    .map_err(ProofError::file(&self.reader.path(level, *number)))?;
            }
        }
        for (path, file) in &self.unsynced {
            file.sync_data().map_err(ProofError::file(path))?;
        }
        if self.new_names {
            self.sync_names()?;
        }
        self.unsynced.clear();
        self.new_names = false;
        Ok(())
    }

    /// Goes back to so many leaves, for what a crash has left beyond what the segments hold. Never to
    /// fewer than the last checkpoint was made of.
    pub fn rewind(&mut self, size: u64) -> Result<(), ProofError> {
        if size > self.size() {
            return Err(ProofError::Beyond {
                asked: size,
                size: self.size(),
            });
        }
        let signed = checkpoints::size_on_disk(&self.reader.dir)?;
        if size < signed {
            return Err(ProofError::BelowCheckpoint {
                asked: size,
                signed,
            });
        }
        self.cut(size)
    }

    /// Cuts every level to what `size` leaves need and adds what is missing above the leaves.
    fn cut(&mut self, size: u64) -> Result<(), ProofError> {
        self.open = Default::default();
        for level in 0..TILE_LEVELS_MAX {
            self.cut_level(level, hashes_at(level, size))?;
        }
        for level in 1..TILE_LEVELS_MAX {
            self.complete(level, hashes_at(level, size))?;
        }
        self.tree = Tree::resume(size, &self.reader)?;
        Ok(())
    }

    fn cut_level(&mut self, level: usize, hashes: u64) -> Result<(), ProofError> {
        let hashes = hashes.min(self.reader.whole(level)?);
        // From the end, so that a crash in between leaves no hole.
        while let Some(last) = self.reader.last_file(level)? {
            let path = self.reader.path(level, last);
            let keep = hashes.saturating_sub(last * FILE_HASHES);
            if keep == 0 {
                fs::remove_file(&path).map_err(ProofError::file(&path))?;
                self.new_names = true;
                continue;
            }
            if length(&path)? > keep * Hash::LEN as u64 {
                let file = File::options().write(true).open(&path);
                let file = file.map_err(ProofError::file(&path))?;
                file.set_len(keep * Hash::LEN as u64)
                    .map_err(ProofError::file(&path))?;
                self.unsynced.push((path, file));
            }
            break;
        }
        Ok(())
    }

    fn complete(&mut self, level: usize, hashes: u64) -> Result<(), ProofError> {
        let mut have = match self.reader.last_file(level)? {
            None => 0,
            Some(last) => last * FILE_HASHES + self.reader.hashes_in(level, last)?,
        };
        let mut below = [Hash::EMPTY; TILE_HASHES as usize];
        while have < hashes {
            let read = self
                .reader
                .read(level - 1, have * TILE_HASHES, &mut below)?;
            if read < below.len() {
                return Err(ProofError::Beyond {
                    asked: hashes,
                    size: have,
                });
            }
            let hash = folded(&mut below);
            self.write(level, have, &hash.0)?;
            have += 1;
        }
        Ok(())
    }

    /// Writes hashes of a level from the hash `first` on, over as many files as they need.
    fn write(&mut self, level: usize, first: u64, mut bytes: &[u8]) -> Result<(), ProofError> {
        let mut at = first;
        while !bytes.is_empty() {
            let room = (FILE_HASHES - at % FILE_HASHES) as usize * Hash::LEN;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let number = at / FILE_HASHES;
            let path = self.reader.path(level, number);
            let file = self.file(level, number, &path)?;
            file.write_all_at(now, at % FILE_HASHES * Hash::LEN as u64)
                .map_err(ProofError::file(&path))?;
            at += (now.len() / Hash::LEN) as u64;
            bytes = later;
        }
        Ok(())
    }

    fn file(&mut self, level: usize, number: u64, path: &Path) -> Result<&File, ProofError> {
        if self.open[level]
            .as_ref()
            .is_none_or(|open| open.0 != number)
        {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir).map_err(ProofError::file(dir))?;
            }
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .map_err(ProofError::file(path))?;
            self.new_names = true;
            if let Some((before, file)) = self.open[level].take() {
                let path = self.reader.path(level, before);
                self.unsynced.push((path, file));
            }
            self.open[level] = Some((number, file));
        }
        match &self.open[level] {
            Some((_, file)) => Ok(file),
            None => Err(ProofError::file(path)(std::io::ErrorKind::NotFound.into())),
        }
    }

    fn sync_names(&self) -> Result<(), ProofError> {
        let mut dirs = vec![self.reader.dir.clone()];
        dirs.extend(
            (0..TILE_LEVELS_MAX).map(|level| self.reader.dir.join(format!("level-{level}"))),
        );
        for dir in dirs.iter().filter(|dir| dir.exists()) {
            let handle = File::open(dir).map_err(ProofError::file(dir))?;
            handle.sync_all().map_err(ProofError::file(dir))?;
        }
        Ok(())
    }
}
