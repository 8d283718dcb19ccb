//! Proofs through the tree: that a record is in it, and that an earlier tree is its beginning.

use super::ProofError;
use super::hash::{Hash, node_hash};

/// Where the hashes of a tree can be read.
pub trait Nodes {
    /// The hash of the full subtree of 2^`level` leaves that begins at leaf `index` × 2^`level`.
    fn node(&self, level: u32, index: u64) -> Result<Hash, ProofError>;
}

/// The root of the tree's first `size` leaves.
pub fn root_at(nodes: &dyn Nodes, size: u64) -> Result<Hash, ProofError> {
    if size == 0 {
        return Ok(Hash::EMPTY);
    }
    range(nodes, 0, size)
}

/// The hashes that lead from leaf `index` to the root of the first `size` leaves (RFC 6962, 2.1.1).
pub fn inclusion(nodes: &dyn Nodes, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::Beyond { asked: index, size });
    }
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range(nodes, middle, high)?);
            high = middle;
        } else {
            path.push(range(nodes, low, middle)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes that show that the first `old` leaves are the beginning of the first `new` ones (RFC
/// 6962, 2.1.2). Nothing has to be shown for an empty beginning, or for the same tree.
pub fn consistency(nodes: &dyn Nodes, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
    if old > new {
        return Err(ProofError::Beyond {
            asked: old,
            size: new,
        });
    }
    let mut path = Vec::new();
    if old == 0 {
        return Ok(path);
    }
    let (mut low, mut high) = (0, new);
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(range(nodes, middle, high)?);
            high = middle;
        } else {
            path.push(range(nodes, low, middle)?);
            low = middle;
        }
    }
    // A beginning that is one full subtree from the first leaf on is known to whoever checks.
    if low != 0 {
        path.push(range(nodes, low, high)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether this leaf is the tree's leaf `index`, by a path that [`inclusion`] has made.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for beside in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(beside, &hash);
            // The last node of a level has nothing to its right, and rises until it has to its left.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the tree of `old` is the beginning of that of `new`, each a size and a root, by a path that
/// [`consistency`] has made.
pub fn verify_consistency(old: (u64, &Hash), new: (u64, &Hash), path: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return path.is_empty() && *old_root == Hash::EMPTY;
    }
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    let begins_full = old_size.is_power_of_two();
    let (begin, rest) = match path.split_first() {
        Some(_) if begins_full => (old_root, path),
        Some((first, rest)) => (first, rest),
        None => return false,
    };
    if old_size > new_size {
        return false;
    }
    let (mut place, mut last) = (old_size - 1, new_size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut of_old, mut of_new) = (*begin, *begin);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            of_old = node_hash(beside, &of_old);
            of_new = node_hash(beside, &of_new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node_hash(&of_new, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}

/// The hash of the leaves from `low` to before `high`, where `low` is a place at which RFC 6962 cuts.
fn range(nodes: &dyn Nodes, low: u64, high: u64) -> Result<Hash, ProofError> {
    let mut parts = Vec::new();
    let mut from = low;
    while from < high {
        let level = (high - from).ilog2();
        parts.push(nodes.node(level, from >> level)?);
        from += 1 << level;
    }
    let mut parts = parts.into_iter().rev();
    let last = parts.next().unwrap_or(Hash::EMPTY);
    Ok(parts.fold(last, |right, left| node_hash(&left, &right)))
}

/// Where RFC 6962 cuts so many leaves in two: after the largest power of two below.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
