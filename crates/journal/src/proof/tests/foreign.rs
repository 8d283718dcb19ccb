//! Checkpoints and tiles as read by `signed_note` and `tlog_tiles`, which are Cloudflare's and not ours.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::{HashReader as _, Tile, TileHashReader, TileReader};

use super::leaves;
use crate::proof::{Checkpoint, CheckpointError, Checkpoints, LogKey, Tiles, VerifierKey};

/// A C2SP directory, as their reader wants it. Ours has tiles of height 8, which C2SP leaves unsaid in
/// the path and this crate says.
struct Directory(PathBuf);

impl TileReader for Directory {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(path)).map_err(|_| tlog_tiles::Error::InvalidTile)
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn others_read_our_checkpoint_and_tiles() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::new("gate.example/record", &[42; 32]).unwrap();
    let size = 66_000;
    let ours = leaves(size);
    let mut tiles = Tiles::open(&dir.path().join("tree")).unwrap();
    tiles.append(&ours).unwrap();
    tiles.sync().unwrap();
    let mut checkpoints = Checkpoints::open(&dir.path().join("tree"), key.verifier()).unwrap();
    checkpoints
        .write(key.checkpoint(size, tiles.root()))
        .unwrap();
    let public = dir.path().join("public");
    tiles.write_c2sp(size, &public).unwrap();

    // Who has signed it, by signed_note.
    let text = fs::read(dir.path().join("tree/checkpoint")).unwrap();
    let verifier = StandardVerifier::new(&key.verifier().to_string()).unwrap();
    let note = signed_note::Note::from_bytes(&text).unwrap();
    let (signed, _) = note
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .unwrap();
    assert_eq!(signed.len(), 1);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(checkpoint.origin(), "gate.example/record");
    assert_eq!(checkpoint.size(), size);
    assert_eq!(checkpoint.hash().0, tiles.root().0);

    // Tiles and proofs, by tlog_tiles: its reader checks every tile against the root.
    let directory = Directory(public);
    let reader = TileHashReader::new(size, *checkpoint.hash(), &directory);
    for index in [0, 255, 256, 65_535, 65_536, size - 1] {
        let stored = tlog_tiles::stored_hash_index(0, index);
        let leaf = reader.read_hashes(&[stored]).unwrap()[0];
        assert_eq!(leaf.0, ours[index as usize].0);
        let proof = tlog_tiles::prove_record(size, index, &reader).unwrap();
        tlog_tiles::check_record(&proof, size, *checkpoint.hash(), index, leaf).unwrap();
        let mine = crate::proof::inclusion(tiles.reader(), index, size).unwrap();
        let theirs: Vec<_> = proof.iter().map(|hash| hash.0).collect();
        assert_eq!(mine.iter().map(|hash| hash.0).collect::<Vec<_>>(), theirs);
    }
    for old in [1, 255, 256, 40_000, 65_536] {
        let theirs = tlog_tiles::prove_tree(size, old, &reader).unwrap();
        let mine = crate::proof::consistency(tiles.reader(), old, size).unwrap();
        let theirs: Vec<_> = theirs.iter().map(|hash| hash.0).collect();
        assert_eq!(mine.iter().map(|hash| hash.0).collect::<Vec<_>>(), theirs);
    }
}

#[test]
fn we_read_what_others_sign() {
    // A key and note of the C2SP signed-note specification's own example.
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let key: VerifierKey = vkey.parse().unwrap();
    assert_eq!(key.to_string(), vkey);
    assert!(key.signed(&note.parse().unwrap()).is_some());
    let bent = note.replacen("answer", "Answer", 1);
    assert_eq!(key.signed(&bent.parse().unwrap()), None);
}

#[test]
fn a_checkpoint_is_read_only_with_its_logs_signature() {
    let key = LogKey::new("gate.example/record", &[42; 32]).unwrap();
    let other = LogKey::new("gate.example/record", &[43; 32]).unwrap();
    let elsewhere = LogKey::new("other.example/record", &[42; 32]).unwrap();
    let mut tree = crate::proof::Tree::new();
    tree.push(leaves(1)[0]);
    let text = key.checkpoint(1, tree.root()).note().to_string();
    let read = |text: &str| Checkpoint::verified(text, key.verifier());
    assert_eq!(read(&text).unwrap().size(), 1);
    for forged in [
        other.checkpoint(1, tree.root()).note().to_string(),
        text.replacen("\n1\n", "\n2\n", 1),
    ] {
        let error = read(&forged).unwrap_err();
        assert!(matches!(error, CheckpointError::Unsigned { .. }), "{error}");
    }
    let error = read(&elsewhere.checkpoint(1, tree.root()).note().to_string()).unwrap_err();
    assert!(matches!(error, CheckpointError::Origin { .. }), "{error}");
    for rubbish in ["", "\n\n", "a\n1\n", "a\n01\nx\n\n\u{2014} a AAAAAAAA\n"] {
        assert!(read(rubbish).is_err(), "{rubbish:?}");
    }
}

proptest! {
    /// Whoever writes them, notes and keys are read without a panic, and what is read is written again.
    #[test]
    fn rubbish_is_no_note(text in "(gate\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]{44}|.{0,40}\n){0,6}\n?(\u{2014} [a-z]{0,3} [A-Za-z0-9+/=]{0,12}\n){0,3}") {
        if let Ok(note) = text.parse::<crate::proof::Note>() {
            prop_assert_eq!(note.to_string().parse::<crate::proof::Note>(), Ok(note));
        }
        if let Ok(key) = text.parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string().parse::<VerifierKey>(), Ok(key));
        }
        let key = LogKey::new("gate.example/record", &[42; 32]).unwrap();
        prop_assert!(Checkpoint::verified(&text, key.verifier()).is_err());
    }
}
