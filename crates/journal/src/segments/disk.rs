//! What a segment asks of a disk: a seam, so that a test can be a disk that forgets or fills up.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Where segments are written.
pub(crate) trait Disk: Send + Sync {
    /// A new, empty file.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file its name; durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
}

/// A file that grows.
pub(crate) trait DiskFile: Send {
    /// Adds bytes at its end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything that was added durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The disk of this machine.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
