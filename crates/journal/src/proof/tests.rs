//! The tree against RFC 6962's vectors and against tools that are not ours.

mod foreign;
mod vectors;
mod watching;
mod writing;

use super::{Hash, leaf_hash};

/// Leaves that differ.
fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|number| leaf_hash(&[7; 16], &number.to_be_bytes()))
        .collect()
}
