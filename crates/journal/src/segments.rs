//! Records on disk: segments that only grow, of blocks that are compressed and encrypted together.

mod audit;
mod batch;
mod block;
mod ciphers;
mod disk;
mod error;
mod file;
mod forget;
mod format;
mod index;
mod leaves;
mod names;
mod open;
mod queue;
mod recover;
mod reindex;
mod scan;
mod sidecar;
mod writer;

pub use audit::Audit;
pub use batch::HANDLES_MAX;
pub use block::{GROUP_BYTES, RECORD_BYTES_MAX, ZSTD_LEVEL};
pub use error::{BlockFault, JournalError};
pub use forget::{forget_days, numbers_of};
pub use index::INDEX_ENTRIES_MAX;
pub use scan::{Scan, Sealed};
pub use writer::{CHECKPOINT, CLOSING, RETRY};

pub(crate) use batch::{Batch, is_fit, terms};
pub(crate) use block::Opener;
pub(crate) use disk::RealDisk;
pub(crate) use file::{GroupText, Position, SegmentFile, header_of};
pub(crate) use index::{Group, SealedIndex, TermKind, term};
pub(crate) use leaves::SignedTiles;
pub(crate) use names::{list, segments as directory};
pub(crate) use open::Live;
pub(crate) use queue::Queue;
pub(crate) use sidecar::read as read_sidecar;
pub(crate) use writer::{Plan, Shared, write};

#[cfg(test)]
pub(crate) mod tests;
