//! The tree that a writer's records become leaves of.

use std::path::Path;
use std::sync::Arc;

use crate::proof::{Checkpoint, Checkpoints, Hash, LogKey, ProofError, Tiles};

/// A tree of leaves, whose size and root are signed from time to time.
pub(crate) trait Leaves: Send {
    /// How many leaves the last signed checkpoint covers.
    fn sealed(&self) -> u64;
    /// How many leaves there are.
    fn size(&self) -> u64;
    /// Forgets leaves beyond this size, which is not below the last checkpoint's.
    fn rewind(&mut self, size: u64) -> Result<(), ProofError>;
    /// Adds leaves; all or none.
    fn append(&mut self, leaves: &[Hash]) -> Result<(), ProofError>;
    /// Makes all leaves durable and signs their root.
    fn seal(&mut self) -> Result<(), ProofError>;
}

/// The tree on disk, and the log's key.
pub(crate) struct SignedTiles {
    tiles: Tiles,
    checkpoints: Checkpoints,
    log: Arc<LogKey>,
}

impl SignedTiles {
    pub(crate) fn open(dir: &Path, log: Arc<LogKey>) -> Result<SignedTiles, ProofError> {
        Ok(SignedTiles {
            tiles: Tiles::open(dir)?,
            checkpoints: Checkpoints::open(dir, log.verifier())?,
            log,
        })
    }
}

impl Leaves for SignedTiles {
    fn sealed(&self) -> u64 {
        self.checkpoints.latest().map_or(0, Checkpoint::size)
    }

    fn size(&self) -> u64 {
        self.tiles.size()
    }

    fn rewind(&mut self, size: u64) -> Result<(), ProofError> {
        self.tiles.rewind(size)
    }

    fn append(&mut self, leaves: &[Hash]) -> Result<(), ProofError> {
        self.tiles.append(leaves)
    }

    fn seal(&mut self) -> Result<(), ProofError> {
        self.tiles.sync()?;
        let checkpoint = self.log.checkpoint(self.tiles.size(), self.tiles.root());
        self.checkpoints.write(checkpoint)
    }
}
