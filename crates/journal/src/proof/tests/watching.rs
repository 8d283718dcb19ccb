//! A witness: what it signs, and what it does not.

use signed_note::Verifier as _;

use super::leaves;
use crate::proof::{Checkpoint, LogKey, Refusal, Request, Tiles, VerifierKey, Witness, WitnessKey};

const NOW: u64 = 1_795_305_600;

struct Scene {
    dir: tempfile::TempDir,
    tiles: Tiles,
    key: LogKey,
}

impl Scene {
    fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let tiles = Tiles::open(&dir.path().join("tree")).unwrap();
        Witness::begin(&dir.path().join("seen")).unwrap();
        let key = LogKey::new("gate.example/record", &[42; 32]).unwrap();
        Scene { dir, tiles, key }
    }

    fn witness(&self) -> Result<Witness, Refusal> {
        let key = WitnessKey::new("witness.example/hall", &[7; 32]).unwrap();
        Witness::open(
            &self.dir.path().join("seen"),
            key,
            self.key.verifier().clone(),
        )
    }

    fn grow(&mut self, size: u64) -> Checkpoint {
        let all = leaves(size);
        self.tiles
            .append(&all[self.tiles.size() as usize..])
            .unwrap();
        self.key.checkpoint(size, self.tiles.root())
    }

    fn ask(&self, old: u64, checkpoint: &Checkpoint) -> Result<Checkpoint, Refusal> {
        let request = Request::new(self.tiles.reader(), old, checkpoint)?;
        let sent: Request = request.to_string().parse().unwrap();
        assert_eq!(sent, request);
        self.witness()?.cosign(&sent, NOW)
    }
}

fn witness_key() -> VerifierKey {
    WitnessKey::new("witness.example/hall", &[7; 32])
        .unwrap()
        .verifier()
        .clone()
}

#[test]
fn a_log_that_grows_is_signed_and_remembered() {
    let mut scene = Scene::new();
    let mut old = 0;
    for size in [1, 300, 300, 66_000] {
        let checkpoint = scene.grow(size);
        let signed = scene.ask(old, &checkpoint).unwrap();
        assert_eq!(signed.witnessed(&witness_key()), Some(NOW));
        // Whoever reads it anew finds both signatures.
        let text = signed.note().to_string();
        let read = Checkpoint::verified(&text, scene.key.verifier()).unwrap();
        assert_eq!(read.witnessed(&witness_key()), Some(NOW));
        assert_eq!(scene.witness().unwrap().seen().unwrap().size(), size);
        old = size;
    }
}

#[test]
fn a_shorter_log_is_a_roll_back() {
    let mut scene = Scene::new();
    let early = scene.grow(200);
    let late = scene.grow(300);
    scene.ask(0, &late).unwrap();
    let refusal = scene.ask(0, &early).unwrap_err();
    assert!(
        matches!(
            refusal,
            Refusal::RolledBack {
                size: 200,
                seen: 300
            }
        ),
        "{refusal}"
    );
    assert_eq!(scene.witness().unwrap().seen().unwrap().size(), 300);
}

#[test]
fn another_history_is_a_fork_however_it_is_proved() {
    let mut scene = Scene::new();
    let checkpoint = scene.grow(300);
    scene.ask(0, &checkpoint).unwrap();
    // The log's key signs a history with another first record.
    let other = tempfile::tempdir().unwrap();
    let mut tiles = Tiles::open(other.path()).unwrap();
    let mut all = leaves(400);
    all.swap(0, 1);
    for size in [300, 400] {
        tiles.append(&all[tiles.size() as usize..size]).unwrap();
        let forked = scene.key.checkpoint(size as u64, tiles.root());
        let request = Request::new(tiles.reader(), 300, &forked).unwrap();
        let refusal = scene.witness().unwrap().cosign(&request, NOW).unwrap_err();
        assert!(matches!(refusal, Refusal::Forked { .. }), "{refusal}");
    }
    assert_eq!(
        scene.witness().unwrap().seen().unwrap().root(),
        checkpoint.root()
    );
}

#[test]
fn a_proof_from_elsewhere_is_asked_for_again() {
    let mut scene = Scene::new();
    let first = scene.grow(100);
    scene.ask(0, &first).unwrap();
    let second = scene.grow(200);
    let refusal = scene.ask(50, &second).unwrap_err();
    assert!(
        matches!(
            refusal,
            Refusal::Conflict {
                seen: 100,
                asked: 50
            }
        ),
        "{refusal}"
    );
    scene.ask(100, &second).unwrap();
}

#[test]
fn a_lost_memory_is_not_begun_anew() {
    let mut scene = Scene::new();
    let checkpoint = scene.grow(10);
    scene.ask(0, &checkpoint).unwrap();
    let memory = scene.dir.path().join("seen");
    assert!(Witness::begin(&memory).is_err());
    let kept = std::fs::read_to_string(&memory).unwrap();
    std::fs::write(&memory, kept.replacen("\n10\n", "\n11\n", 1)).unwrap();
    assert!(matches!(scene.witness(), Err(Refusal::Checkpoint(_))));
    std::fs::remove_file(&memory).unwrap();
    assert!(matches!(scene.witness(), Err(Refusal::NoMemory(_))));
}

#[test]
fn rubbish_is_no_request() {
    for rubbish in [
        "",
        "old 1",
        "old x\n\nnote",
        "old 1\nno hash\n\nnote",
        "new 1\n\nnote",
    ] {
        assert!(rubbish.parse::<Request>().is_err(), "{rubbish:?}");
    }
    let long = format!(
        "old 1\n{}\nnote",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(64)
    );
    assert!(long.parse::<Request>().is_err());
}

/// What the witness signs, by the definition of C2SP tlog-cosignature, checked by a key of another's.
#[test]
fn a_cosignature_is_as_it_is_defined() {
    let mut scene = Scene::new();
    let checkpoint = scene.grow(5);
    let signed = scene.ask(0, &checkpoint).unwrap();
    let line = &signed.note().signatures()[1];
    let stated = format!("cosignature/v1\ntime {NOW}\n{}", signed.note().text());
    assert_eq!(line.bytes[..8], NOW.to_be_bytes());
    // The same public key, as one of plain notes, so that their verifier takes it.
    let plain = LogKey::new("witness.example/hall", &[7; 32]).unwrap();
    let theirs = signed_note::StandardVerifier::new(&plain.verifier().to_string()).unwrap();
    assert!(theirs.verify(stated.as_bytes(), &line.bytes[8..]));
    assert!(!theirs.verify(signed.note().text().as_bytes(), &line.bytes[8..]));
}
