//! The two trees that the pass builds: of the leaves on disk, and of the records as they are.

use super::marks::Marks;
use super::seen::{Seen, UpperMisfit};
use super::window::Window;
use crate::proof::tiles::{TILE_LEVELS, hashes_at};
use crate::proof::{Hash, ProofError, TileReader, Tree};

/// Both trees, and the marks that they must pass.
pub(super) struct Trees<'a> {
    upper: Vec<Window<'a>>,
    marks: Marks,
    // The tree of the leaves on disk, until one is missing.
    told: Option<Tree>,
    // The tree of the records as they are, where it is another one.
    made: Option<Tree>,
    made_lost: bool,
}

impl<'a> Trees<'a> {
    pub(super) fn new(tiles: &'a TileReader, marks: Marks) -> Trees<'a> {
        Trees {
            upper: (1..8).map(|level| Window::new(tiles, level)).collect(),
            marks,
            told: Some(Tree::new()),
            made: None,
            made_lost: false,
        }
    }

    /// Whether every leaf so far is on disk.
    pub(super) fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// From here on nobody knows what the records were.
    pub(super) fn lose_made(&mut self) {
        self.made_lost = true;
    }

    /// From here on nobody knows either tree.
    pub(super) fn lose_both(&mut self) {
        self.told = None;
        self.made_lost = true;
    }

    /// How they have met the marks.
    pub(super) fn into_marks(self) -> Marks {
        self.marks
    }

    /// Takes in record `number`: its leaf on disk, and the one it should have, where it can be read.
    pub(super) fn advance(
        &mut self,
        number: u64,
        (told, made): (Option<Hash>, Option<Hash>),
        seen: &mut Seen,
    ) -> Result<(), ProofError> {
        let differs = made.is_some() && told != made;
        if self.made.is_none() && !self.made_lost && (differs || told.is_none()) {
            self.made = self.told.clone();
        }
        self.advance_told(number, told, seen)?;
        if self.made_lost {
            self.made = None;
        } else if let Some(tree) = &mut self.made {
            match made.or(told) {
                Some(leaf) => {
                    tree.push(leaf);
                    self.marks.meet_records(tree);
                }
                None => self.made_lost = true,
            }
        } else if let Some(tree) = &self.told {
            self.marks.meet_records(tree);
        }
        Ok(())
    }

    fn advance_told(
        &mut self,
        number: u64,
        told: Option<Hash>,
        seen: &mut Seen,
    ) -> Result<(), ProofError> {
        let Some(leaf) = told else {
            // Behind the last checkpoint the tree may still be on its way.
            if number < seen.required {
                let from = seen.no_leaf.take().map_or(number, |range| range.start);
                seen.no_leaf = Some(from..number + 1);
            }
            self.told = None;
            return Ok(());
        };
        let Some(tree) = &mut self.told else {
            return Ok(());
        };
        let mut completed = [None; 7];
        tree.push_telling(leaf, |level, hash| {
            if level % TILE_LEVELS as usize == 0
                && let Some(place) = completed.get_mut(level / TILE_LEVELS as usize - 1)
            {
                *place = Some(*hash);
            }
        });
        self.marks.meet_tiles(tree);
        let size = tree.size();
        for (above, hash) in completed.iter().enumerate() {
            let Some(hash) = hash else { break };
            let level = above + 1;
            let index = hashes_at(level, size) - 1;
            let on_disk = self.upper[above].at(index)?;
            let missing = on_disk.is_none();
            let wrong = on_disk != Some(*hash) && !(missing && size > seen.required);
            // Above a leaf that does not fit, nothing can.
            let explained = seen
                .misfit
                .as_ref()
                .is_some_and(|misfit| misfit.records.end > index << (TILE_LEVELS * level as u32));
            if wrong && !explained && seen.upper.is_none() {
                seen.upper = Some(UpperMisfit {
                    level,
                    index,
                    missing,
                });
            }
        }
        Ok(())
    }
}
