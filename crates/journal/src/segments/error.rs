//! What can go wrong with segments, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::keys::KeyError;
use crate::proof::ProofError;

/// Why the record cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk said no: full, read-only, gone.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Which file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Another process writes this record.
    #[error("{}: another process writes this record", .0.display())]
    Busy(PathBuf),
    /// A file in the segments' directory is none, or one of a later version.
    #[error("{}: not a segment that this version can read", .0.display())]
    NotASegment(PathBuf),
    /// A block does not open.
    #[error("{}: the block at byte {offset} (records from {first}) {fault}", path.display())]
    Corrupt {
        /// Which segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// The number of the first record that cannot be read.
        first: u64,
        /// What is wrong with it.
        fault: BlockFault,
    },
    /// Records below the last checkpoint are not there.
    #[error(
        "records {from} to {until} are missing from {}, and a signed checkpoint covers them; put the segments \
         back from a backup, or begin a new record in an empty directory", dir.display()
    )]
    Hole {
        /// Where they should be.
        dir: PathBuf,
        /// The first that is missing.
        from: u64,
        /// The last that is missing.
        until: u64,
    },
    /// There is no such record.
    #[error("there is no record {0}")]
    NoRecord(u64),
    /// The tree or its checkpoints.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The crypto library refused.
    #[error("the segment's key cannot be derived")]
    Derivation,
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// It ends in the middle.
    #[error("is cut off")]
    CutOff,
    /// Its header is none, or says what cannot be.
    #[error("has no header that could be ours")]
    Header,
    /// Its number, or the number of its first record, does not follow on the block before it.
    #[error("does not follow on the one before it")]
    Order,
    /// Its bytes are not those that were sealed, or the day's key is another.
    #[error("is not what was sealed there")]
    Sealed,
}

impl JournalError {
    pub(crate) fn disk(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
        move |source| JournalError::Disk {
            path: path.to_path_buf(),
            source,
        }
    }

    /// Whether it may pass, so that a start does not fail and records wait for it: another process,
    /// a disk, a key that is not there.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            JournalError::Disk { .. }
                | JournalError::Key(_)
                | JournalError::Busy(_)
                | JournalError::Proof(ProofError::File { .. })
        )
    }
}
