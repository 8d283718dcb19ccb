//! One level of tiles, read from its beginning to its end in portions.

use std::ops::Range;

use crate::proof::{Hash, ProofError, TileReader};

/// Hashes that are read at once.
const PORTION: u64 = 2048;

/// A view on one level of tiles that moves forwards.
pub(super) struct Window<'a> {
    tiles: &'a TileReader,
    level: usize,
    first: u64,
    hashes: Vec<Hash>,
    filled: usize,
    // The portions of the last hole, so that a missing file is not asked for each of its hashes.
    hole: Range<u64>,
}

impl<'a> Window<'a> {
    pub(super) fn new(tiles: &'a TileReader, level: usize) -> Window<'a> {
        Window {
            tiles,
            level,
            first: 0,
            hashes: Vec::new(),
            filled: 0,
            hole: 0..0,
        }
    }

    /// The hash at this place. `None`: it is not there.
    pub(super) fn at(&mut self, index: u64) -> Result<Option<Hash>, ProofError> {
        let portion = index - index % PORTION;
        if self.hashes.is_empty() || self.first != portion {
            if self.hole.contains(&portion) {
                return Ok(None);
            }
            self.hashes.resize(PORTION as usize, Hash::EMPTY);
            self.first = portion;
            self.filled = self.tiles.read(self.level, portion, &mut self.hashes)?;
            if self.filled == 0 {
                self.hashes.clear();
                let joined = self.hole.end == portion;
                let start = if joined { self.hole.start } else { portion };
                self.hole = start..portion + PORTION;
            }
        }
        let place = (index - self.first) as usize;
        Ok((place < self.filled).then(|| self.hashes[place]))
    }
}
