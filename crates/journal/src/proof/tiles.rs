//! The tree on disk: its hashes as tiles, 256 tiles to a file, append-only.
//!
//! Level 0 holds the leaves; level L holds the roots of all full subtrees of 256^L leaves. A tile is
//! 256 hashes of a level, and a file 256 tiles (2 MiB), because files of 8 KiB each would be as many as
//! a day has blocks. [`Tiles::write_c2sp`] writes the layout that other people's tools read.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::checkpoints;
use super::hash::{Hash, node_hash};
use super::paths::Nodes;
use super::{ProofError, Tree};

/// Levels of the tree in one tile, and so the hashes of a full one, as a power of two.
pub(super) const TILE_LEVELS: u32 = 8;
/// Hashes of a full tile.
pub(super) const TILE_HASHES: u64 = 1 << TILE_LEVELS;
/// Hashes of a full file.
pub(super) const FILE_HASHES: u64 = 256 * TILE_HASHES;
/// Bytes of a full file.
const FILE_BYTES: u64 = FILE_HASHES * Hash::LEN as u64;
/// Levels of tiles that a tree of 2^64 leaves has.
const TILE_LEVELS_MAX: usize = 8;

/// The tree's files, to be read: for proofs, and for who checks them.
#[derive(Clone, Debug)]
pub struct TileReader {
    dir: PathBuf,
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
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(ProofError::file(&path)(error)),
        };
        let mut bytes = vec![0; hashes.len() * Hash::LEN];
        let mut filled = 0;
        let begins = first % FILE_HASHES * Hash::LEN as u64;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], begins + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
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
    fn last_file(&self, level: usize) -> Result<Option<u64>, ProofError> {
        let dir = self.dir.join(format!("level-{level}"));
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
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
    fn whole(&self, level: usize) -> Result<u64, ProofError> {
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

    fn hashes_in(&self, level: usize, number: u64) -> Result<u64, ProofError> {
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

/// The root of a full subtree, from as many of its hashes as a power of two; they are overwritten.
fn folded(hashes: &mut [Hash]) -> Hash {
    let mut count = hashes.len();
    while count > 1 {
        count /= 2;
        for at in 0..count {
            hashes[at] = node_hash(&hashes[2 * at], &hashes[2 * at + 1]);
        }
    }
    hashes[0]
}

/// The number in the name of one of our files; others may lie beside them.
fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".tiles")?;
    let number = digits.parse().ok()?;
    (format!("{number:010}") == digits && number < u64::MAX / FILE_HASHES).then_some(number)
}

/// The length of a file; one that is not there has none.
fn length(path: &Path) -> Result<u64, ProofError> {
    match fs::metadata(path) {
        Ok(data) => Ok(data.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(ProofError::file(path)(error)),
    }
}

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

/// How many hashes a level of tiles has in a tree of so many leaves.
pub(super) fn hashes_at(level: usize, size: u64) -> u64 {
    size >> (TILE_LEVELS * level as u32)
}
