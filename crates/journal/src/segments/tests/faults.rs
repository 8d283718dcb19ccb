//! Disks that fail: one that is full, one that forgets what was not synced.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::super::disk::{Disk, DiskFile, RealDisk};
use super::super::leaves::{Leaves, SignedTiles};
use super::super::writer::Plan;
use super::{PlainKeys, log_key};
use crate::proof::{Hash, ProofError};
use crate::{Journal, JournalError};

/// A plan over this directory, on this disk.
pub(crate) fn plan(dir: &Path, disk: Box<dyn Disk>) -> Plan {
    let (tree, log) = (dir.join("tree"), Arc::new(log_key()));
    Plan {
        dir: super::super::directory(dir),
        commit: std::time::Duration::from_millis(2),
        closing: std::time::Duration::from_millis(300),
        retry: std::time::Duration::from_millis(20),
        segment_bytes_max: 40_000,
        keys: Arc::new(PlainKeys),
        disk,
        leaves: Box::new(move || Ok(Box::new(SignedTiles::open(&tree, Arc::clone(&log))?))),
    }
}

/// A journal on this disk.
pub(crate) fn start(
    dir: &Path,
    disk: impl Disk + 'static,
    queue: usize,
) -> Result<Journal, JournalError> {
    Journal::start(plan(dir, Box::new(disk)), queue)
}

/// A disk that has room for so many bytes more, and takes what fits before it says no.
#[derive(Clone)]
pub(crate) struct SmallDisk(pub(crate) Arc<AtomicU64>);

impl SmallDisk {
    pub(crate) fn new(bytes: u64) -> SmallDisk {
        SmallDisk(Arc::new(AtomicU64::new(bytes)))
    }

    pub(crate) fn has_room_for(&self, bytes: u64) {
        self.0.store(bytes, Ordering::SeqCst);
    }
}

impl Disk for SmallDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.create(path)?;
        Ok(Box::new(SmallFile(file, self.clone())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }
}

struct SmallFile(Box<dyn DiskFile>, SmallDisk);

impl DiskFile for SmallFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.1.0.load(Ordering::SeqCst);
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.0.append(&bytes[..fits])?;
        self.1.0.fetch_sub(fits as u64, Ordering::SeqCst);
        if fits < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

/// A disk whose power fails: what was not synced is there in part, or as rubbish, or not at all.
#[derive(Clone, Default)]
pub(crate) struct ForgetfulDisk(Arc<Memory>);

#[derive(Default)]
struct Memory {
    dead: AtomicBool,
    /// One in so many syncs fails; none, if it is 0.
    fails: AtomicU64,
    syncs: AtomicU64,
    /// What is certain of each file: so many bytes.
    synced: Mutex<HashMap<PathBuf, u64>>,
    /// Names that the directory may not have yet, and the names before.
    renamed: Mutex<Vec<(PathBuf, PathBuf)>>,
}

impl ForgetfulDisk {
    pub(crate) fn failing_one_sync_in(syncs: u64) -> ForgetfulDisk {
        let disk = ForgetfulDisk::default();
        disk.0.fails.store(syncs, Ordering::SeqCst);
        disk
    }

    fn alive(&self) -> io::Result<()> {
        match self.0.dead.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the power is off")),
            false => Ok(()),
        }
    }

    /// The power fails: nothing reaches the disk any more.
    pub(crate) fn fail(&self) {
        self.0.dead.store(true, Ordering::SeqCst);
    }

    /// What a start finds afterwards.
    pub(crate) fn forget(&self, random: &mut impl FnMut(u64) -> u64) {
        for (path, certain) in self.0.synced.lock().unwrap().iter() {
            blur(path, *certain, random);
        }
        for (from, to) in self.0.renamed.lock().unwrap().drain(..) {
            if random(2) == 0 {
                fs::rename(to, from).unwrap();
            }
        }
    }
}

/// Leaves of a file what is certain, and of the rest whatever chance leaves.
pub(crate) fn blur(path: &Path, certain: u64, random: &mut impl FnMut(u64) -> u64) {
    let Ok(mut bytes) = fs::read(path) else {
        return;
    };
    let certain = (certain as usize).min(bytes.len());
    let kept = certain + random((bytes.len() - certain) as u64 + 1) as usize;
    match random(3) {
        0 => bytes.truncate(kept),
        1 => bytes[kept..].fill(0),
        _ => bytes[certain..kept].fill(0),
    }
    fs::write(path, bytes).unwrap();
}

impl Disk for ForgetfulDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.alive()?;
        let file = RealDisk.create(path)?;
        self.0.synced.lock().unwrap().insert(path.to_path_buf(), 0);
        Ok(Box::new(ForgetfulFile {
            file,
            disk: self.clone(),
            path: path.to_path_buf(),
            bytes: 0,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.alive()?;
        RealDisk.rename(from, to)?;
        let mut synced = self.0.synced.lock().unwrap();
        let certain = synced.remove(from).unwrap_or(0);
        synced.insert(to.to_path_buf(), certain);
        let names = (from.to_path_buf(), to.to_path_buf());
        self.0.renamed.lock().unwrap().push(names);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        RealDisk.sync_dir(path)?;
        self.0.renamed.lock().unwrap().clear();
        Ok(())
    }
}

struct ForgetfulFile {
    file: Box<dyn DiskFile>,
    disk: ForgetfulDisk,
    path: PathBuf,
    bytes: u64,
}

impl DiskFile for ForgetfulFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.alive()?;
        self.bytes += bytes.len() as u64;
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.alive()?;
        let memory = &self.disk.0;
        let fails = memory.fails.load(Ordering::SeqCst);
        if fails > 0 && memory.syncs.fetch_add(1, Ordering::SeqCst) % fails == fails - 1 {
            // The kernel has told it once, and forgets the pages.
            return Err(io::Error::other("the disk did not take it"));
        }
        let mut synced = memory.synced.lock().unwrap();
        // Its name may have changed since it was made.
        let path = match synced.contains_key(&self.path) {
            true => self.path.clone(),
            false => self.path.with_extension("seg"),
        };
        synced.insert(path, self.bytes);
        Ok(())
    }
}

/// The tree of a machine whose power fails: what was appended since the last seal is uncertain.
pub(crate) struct ForgetfulLeaves {
    tiles: SignedTiles,
    disk: ForgetfulDisk,
    certain: Certain,
    tree: PathBuf,
}

/// The bytes of each file of the tree that are certain.
pub(crate) type Certain = Arc<Mutex<HashMap<PathBuf, u64>>>;

impl ForgetfulLeaves {
    pub(crate) fn open(
        dir: &Path,
        disk: &ForgetfulDisk,
        certain: &Certain,
    ) -> Result<ForgetfulLeaves, JournalError> {
        let tree = dir.join("tree");
        Ok(ForgetfulLeaves {
            tiles: SignedTiles::open(&tree, Arc::new(log_key()))?,
            disk: disk.clone(),
            certain: Arc::clone(certain),
            tree,
        })
    }

    fn alive(&self) -> Result<(), ProofError> {
        self.disk.alive().map_err(|source| ProofError::File {
            path: self.tree.clone(),
            source,
        })
    }
}

/// Every file under a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

impl Leaves for ForgetfulLeaves {
    fn sealed(&self) -> u64 {
        self.tiles.sealed()
    }

    fn size(&self) -> u64 {
        self.tiles.size()
    }

    fn rewind(&mut self, size: u64) -> Result<(), ProofError> {
        self.tiles.rewind(size)
    }

    fn append(&mut self, leaves: &[Hash]) -> Result<(), ProofError> {
        self.alive()?;
        self.tiles.append(leaves)
    }

    fn seal(&mut self) -> Result<(), ProofError> {
        self.alive()?;
        self.tiles.seal()?;
        let lengths = files(&self.tree).into_iter().map(|path| {
            let bytes = fs::metadata(&path).unwrap().len();
            (path, bytes)
        });
        *self.certain.lock().unwrap() = lengths.collect();
        Ok(())
    }
}
