//! The tree's files: what is appended is there, whatever came in between.

use std::fs;

use proptest::prelude::*;

use super::leaves;
use crate::proof::{Checkpoints, LogKey, ProofError, Tiles, Tree, root_at};

fn tree_of(leaves: &[crate::proof::Hash]) -> Tree {
    let mut tree = Tree::new();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Appended in portions, opened anew, cut back and appended again: it is the same tree.
    #[test]
    fn portions_make_the_same_tree(
        portions in prop::collection::vec(0_u64..700, 1..8), back: prop::sample::Index,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let all = leaves(portions.iter().sum());
        let mut done = 0;
        for portion in &portions {
            let mut tiles = Tiles::open(dir.path()).unwrap();
            prop_assert_eq!(tiles.size(), done as u64);
            tiles.append(&all[done..done + *portion as usize]).unwrap();
            tiles.sync().unwrap();
            done += *portion as usize;
        }
        let mut tiles = Tiles::open(dir.path()).unwrap();
        prop_assert_eq!(tiles.root(), tree_of(&all).root());
        let less = back.index(all.len() + 1);
        tiles.rewind(less as u64).unwrap();
        prop_assert_eq!(tiles.root(), tree_of(&all[..less]).root());
        tiles.append(&all[less..]).unwrap();
        prop_assert_eq!(tiles.root(), tree_of(&all).root());
        prop_assert_eq!(root_at(tiles.reader(), less as u64).unwrap(), tree_of(&all[..less]).root());
    }
}

#[test]
fn a_torn_hash_and_lost_upper_levels_are_made_whole() {
    let dir = tempfile::tempdir().unwrap();
    let all = leaves(66_000);
    let mut tiles = Tiles::open(dir.path()).unwrap();
    tiles.append(&all).unwrap();
    drop(tiles);
    let last = dir.path().join("level-0/0000000001.tiles");
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 5]).unwrap();
    fs::remove_dir_all(dir.path().join("level-1")).unwrap();
    fs::write(dir.path().join("level-0/not-ours"), b"x").unwrap();
    let mut tiles = Tiles::open(dir.path()).unwrap();
    assert_eq!(tiles.size(), 65_999);
    tiles.append(&all[65_999..]).unwrap();
    assert_eq!(tiles.root(), tree_of(&all).root());
    assert_eq!(
        root_at(tiles.reader(), 65_536).unwrap(),
        tree_of(&all[..65_536]).root()
    );
}

#[test]
fn a_hole_among_the_files_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::new("gate.example/record", &[1; 32]).unwrap();
    let mut tiles = Tiles::open(dir.path()).unwrap();
    tiles.append(&leaves(66_000)).unwrap();
    let mut checkpoints = Checkpoints::open(dir.path(), key.verifier()).unwrap();
    checkpoints
        .write(key.checkpoint(66_000, tiles.root()))
        .unwrap();
    drop(tiles);
    fs::remove_file(dir.path().join("level-0/0000000000.tiles")).unwrap();
    let error = Tiles::open(dir.path()).err().unwrap();
    assert!(
        matches!(error, ProofError::Hole { bytes: 0, .. }),
        "{error}"
    );
}

/// A file was full and not synced when the next one was begun; the power failed, and took its end.
#[test]
fn what_was_not_signed_may_lose_its_end_in_an_earlier_file() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::new("gate.example/record", &[1; 32]).unwrap();
    let all = leaves(66_000);
    let mut tiles = Tiles::open(dir.path()).unwrap();
    let mut checkpoints = Checkpoints::open(dir.path(), key.verifier()).unwrap();
    tiles.append(&all[..50_000]).unwrap();
    checkpoints
        .write(key.checkpoint(50_000, tiles.root()))
        .unwrap();
    tiles.append(&all[50_000..]).unwrap();
    drop(tiles);
    let first = dir.path().join("level-0/0000000000.tiles");
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..60_000 * 32 + 7]).unwrap();
    let mut tiles = Tiles::open(dir.path()).unwrap();
    assert_eq!(tiles.size(), 60_000);
    tiles.append(&all[60_000..]).unwrap();
    assert_eq!(tiles.root(), tree_of(&all).root());
    assert_eq!(
        root_at(tiles.reader(), 66_000).unwrap(),
        tree_of(&all).root()
    );
    drop(tiles);
    fs::write(&first, &bytes[..49_999 * 32]).unwrap();
    let error = Tiles::open(dir.path()).err().unwrap();
    assert!(matches!(error, ProofError::Hole { .. }), "{error}");
}

#[test]
fn what_was_signed_is_not_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::new("gate.example/record", &[1; 32]).unwrap();
    let mut tiles = Tiles::open(dir.path()).unwrap();
    tiles.append(&leaves(300)).unwrap();
    let mut checkpoints = Checkpoints::open(dir.path(), key.verifier()).unwrap();
    checkpoints
        .write(key.checkpoint(300, tiles.root()))
        .unwrap();
    tiles.append(&leaves(10)).unwrap();
    tiles.rewind(300).unwrap();
    let error = tiles.rewind(299).unwrap_err();
    assert!(
        matches!(
            error,
            ProofError::BelowCheckpoint {
                asked: 299,
                signed: 300
            }
        ),
        "{error}"
    );
    assert_eq!(tiles.size(), 300);
}

#[test]
fn checkpoints_are_kept_now_and_then_and_a_torn_line_hides_none() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::new("gate.example/record", &[1; 32]).unwrap();
    let root = tree_of(&leaves(3)).root();
    let mut checkpoints = Checkpoints::open(dir.path(), key.verifier()).unwrap();
    for size in [10, 65_535, 65_536, 65_540, 200_000] {
        checkpoints.write(key.checkpoint(size, root)).unwrap();
    }
    let history = dir.path().join("history.jsonl");
    let torn = fs::read_to_string(&history).unwrap();
    let long = "x".repeat(1 << 20);
    fs::write(&history, format!("{long}\n{torn}\"gate.example/rec")).unwrap();
    let mut checkpoints = Checkpoints::open(dir.path(), key.verifier()).unwrap();
    assert_eq!(checkpoints.latest().unwrap().size(), 200_000);
    checkpoints.write(key.checkpoint(300_000, root)).unwrap();
    let sizes: Vec<_> = checkpoints
        .history()
        .unwrap()
        .map(|one| one.size())
        .collect();
    assert_eq!(sizes, [65_536, 200_000, 300_000]);
}
