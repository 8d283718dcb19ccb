//! The tree in the layout of C2SP tlog-tiles, for other people's tools.

use std::fs;
use std::path::Path;

use super::tiles::{TILE_HASHES, hashes_at};
use super::{Hash, ProofError, TileReader, Tiles};

impl Tiles {
    /// Writes the tiles of the tree's first `size` leaves below `dir`, as `tile/<level>/<number>`, with
    /// the last one of a level as `<number>.p/<width>`. The checkpoint of that size belongs beside
    /// them as `checkpoint`.
    pub fn write_c2sp(&self, size: u64, dir: &Path) -> Result<(), ProofError> {
        self.reader().write_c2sp(size, dir)
    }
}

impl TileReader {
    /// The same for a tree that is only read: see [`Tiles::write_c2sp`].
    pub fn write_c2sp(&self, size: u64, dir: &Path) -> Result<(), ProofError> {
        let mut hashes = [Hash::EMPTY; TILE_HASHES as usize];
        let mut level = 0;
        while hashes_at(level, size) > 0 {
            let count = hashes_at(level, size);
            for tile in 0..count.div_ceil(TILE_HASHES) {
                let width = (count - tile * TILE_HASHES).min(TILE_HASHES) as usize;
                let read = self.read(level, tile * TILE_HASHES, &mut hashes[..width])?;
                if read < width {
                    let leaves = |hashes: u64| hashes << (8 * level);
                    return Err(ProofError::Beyond {
                        asked: size,
                        size: leaves(tile * TILE_HASHES + read as u64),
                    });
                }
                let bytes: Vec<u8> = hashes[..width].iter().flat_map(|hash| hash.0).collect();
                let path = dir.join(tile_path(level, tile, width));
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(ProofError::file(parent))?;
                }
                fs::write(&path, bytes).map_err(ProofError::file(&path))?;
            }
            level += 1;
            if level >= 8 {
                break;
            }
        }
        Ok(())
    }
}

/// `tile/0/x001/x234/067`, with `.p/<width>` where the tile is not full.
fn tile_path(level: usize, tile: u64, width: usize) -> String {
    let mut path = format!("{:03}", tile % 1000);
    let mut rest = tile / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_HASHES as usize {
        path = format!("{path}.p/{width}");
    }
    format!("tile/{level}/{path}")
}
