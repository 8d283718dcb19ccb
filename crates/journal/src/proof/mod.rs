//! That nothing was changed: a Merkle tree over the records, on disk as tiles, its root signed.
//!
//! Records are the leaves of one tree that only grows (RFC 6962). [`Tiles`] keeps its hashes,
//! [`Checkpoint`] is a signed statement of its size and root, and proofs tie one record, or an earlier
//! checkpoint, to a later one. What a leaf commits to is salted, so that hashes alone confirm no guess
//! about what a record says.

mod c2sp;
mod checkpoint;
mod checkpoints;
mod error;
pub mod evidence;
mod hash;
mod note;
mod paths;
mod tiles;
mod tree;
pub mod verify;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use checkpoints::Checkpoints;
pub use error::ProofError;
pub use hash::{Hash, SaltKey, leaf_hash};
pub use note::{KeyKind, LogKey, Note, NoteError, Signature, VerifierKey};
pub use paths::{Nodes, consistency, inclusion, root_at, verify_consistency, verify_inclusion};
pub use tiles::{TileReader, Tiles};
pub use tree::Tree;
pub use witness::{Refusal, Request, Witness, WitnessKey};

#[cfg(test)]
mod tests;
