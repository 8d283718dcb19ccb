//! The tree as it grows: what must be remembered to know its root.

use super::ProofError;
use super::hash::{Hash, node_hash};
use super::paths::Nodes;

/// Levels of the largest tree: as many as a record's number has bits.
pub(super) const LEVELS: usize = 64;

/// The right edge of a tree: the roots of the full subtrees that its leaves make up, at most one of
/// each height.
#[derive(Clone)]
pub struct Tree {
    size: u64,
    // The full subtree of height h is there when bit h of the size is set.
    edge: [Hash; LEVELS],
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new()
    }
}

impl Tree {
    /// A tree without leaves.
    pub fn new() -> Tree {
        Tree {
            size: 0,
            edge: [Hash::EMPTY; LEVELS],
        }
    }

    /// The tree of the first `size` leaves of one whose nodes can be read.
    pub fn resume(size: u64, nodes: &dyn Nodes) -> Result<Tree, ProofError> {
        let mut tree = Tree::new();
        tree.size = size;
        for (level, hash) in tree.edge.iter_mut().enumerate() {
            let index = size >> level;
            if index & 1 == 1 {
                *hash = nodes.node(level as u32, index - 1)?;
            }
        }
        Ok(tree)
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_telling(leaf, |_, _| {});
    }

    /// Adds a leaf and tells the level and hash of each full subtree that this completes, above the
    /// leaf itself.
    pub(super) fn push_telling(&mut self, leaf: Hash, mut completed: impl FnMut(usize, &Hash)) {
        let mut hash = leaf;
        let mut level = 0;
        while self.size >> level & 1 == 1 {
            hash = node_hash(&self.edge[level], &hash);
            level += 1;
            completed(level, &hash);
        }
        self.edge[level] = hash;
        self.size += 1;
    }

    /// The hash of all its leaves.
    pub fn root(&self) -> Hash {
        let mut root = None;
        for (level, hash) in self.edge.iter().enumerate() {
            if self.size >> level & 1 == 1 {
                root = Some(match root {
                    None => *hash,
                    Some(right) => node_hash(hash, &right),
                });
            }
        }
        root.unwrap_or(Hash::EMPTY)
    }
}
