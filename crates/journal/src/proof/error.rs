//! What can go wrong with the tree's files.

use std::io;
use std::path::{Path, PathBuf};

use super::{CheckpointError, NoteError};

/// Why the tree could not be read, written or proved from.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The system says no.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of tiles ends before the next one begins.
    #[error("{}: {bytes} bytes where a full file of tiles has {full}; the tree has a hole, to be built again from the segments", path.display())]
    Hole {
        /// Which file.
        path: PathBuf,
        /// What it has.
        bytes: u64,
        /// What it should have.
        full: u64,
    },
    /// A leaf or a size that the tree does not have.
    #[error("the tree has {size} leaves, and {asked} was asked for")]
    Beyond {
        /// What was asked for.
        asked: u64,
        /// What there is.
        size: u64,
    },
    /// What a checkpoint was made of stays.
    #[error("the tree cannot go back to {asked} leaves: a checkpoint was signed at {signed}")]
    BelowCheckpoint {
        /// What was asked for.
        asked: u64,
        /// What was signed.
        signed: u64,
    },
    /// A key or a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A checkpoint.
    #[error("{}: {source}", path.display())]
    Checkpoint {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
}

impl ProofError {
    /// For `map_err`: the system's error, with the file's name.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> ProofError + '_ {
        move |source| ProofError::File {
            path: path.to_owned(),
            source,
        }
    }
}
