//! The tree on disk: its hashes as tiles, 256 tiles to a file, append-only.
//!
//! Level 0 holds the leaves; level L holds the roots of all full subtrees of 256^L leaves. A tile is
//! 256 hashes of a level, and a file 256 tiles (2 MiB), because files of 8 KiB each would be as many as
//! a day has blocks. [`Tiles::write_c2sp`] writes the layout that other people's tools read.

mod reader;
mod writer;

use super::hash::{Hash, node_hash};

pub use self::reader::TileReader;
pub use self::writer::Tiles;

/// Levels of the tree in one tile, and so the hashes of a full one, as a power of two.
pub(super) const TILE_LEVELS: u32 = 8;
/// Hashes of a full tile.
pub(super) const TILE_HASHES: u64 = 1 << TILE_LEVELS;
/// Hashes of a full file.
const FILE_HASHES: u64 = 256 * TILE_HASHES;
/// Bytes of a full file.
const FILE_BYTES: u64 = FILE_HASHES * Hash::LEN as u64;
/// Levels of tiles that a tree of 2^64 leaves has.
const TILE_LEVELS_MAX: usize = 8;

/// How many hashes a level of tiles has in a tree of so many leaves.
pub(super) fn hashes_at(level: usize, size: u64) -> u64 {
    size >> (TILE_LEVELS * level as u32)
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
