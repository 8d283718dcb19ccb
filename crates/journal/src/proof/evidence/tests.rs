//! A bundle, checked by the script that is in it.

use std::path::Path;
use std::process::{Command, Output};

use super::*;
use crate::proof::{LogKey, Request, SaltKey, TileReader, Tiles, Witness, WitnessKey};

const SIZE: u64 = 700;

fn record(number: u64) -> Vec<u8> {
    format!(r#"{{"at":{number},"kind":"call","message":"<script>alert(\"{number} & Grüße\")</script>{{SCRIPT}}"}}"#)
        .into_bytes()
}

struct Scene {
    dir: tempfile::TempDir,
    log: LogKey,
    checkpoint: Checkpoint,
    witness: VerifierKey,
}

impl Scene {
    fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let mut tiles = Tiles::open(&dir.path().join("tree")).unwrap();
        let salts = SaltKey([3; 32]);
        let leaf = |number| leaf_hash(&salts.salt(number), &record(number));
        tiles
            .append(&(0..SIZE).map(leaf).collect::<Vec<_>>())
            .unwrap();
        let log = LogKey::new("gate.example/record", &[42; 32]).unwrap();
        let checkpoint = log.checkpoint(SIZE, tiles.root());
        let memory = dir.path().join("seen");
        Witness::begin(&memory).unwrap();
        let key = WitnessKey::new("witness.example", &[7; 32]).unwrap();
        let witness = key.verifier().clone();
        let request = Request::new(tiles.reader(), 0, &checkpoint).unwrap();
        let mut watching = Witness::open(&memory, key, log.verifier().clone()).unwrap();
        Scene {
            checkpoint: watching.cosign(&request, 1_795_305_600).unwrap(),
            dir,
            log,
            witness,
        }
    }

    fn bundle(&self) -> Evidence {
        let tiles = TileReader::new(&self.dir.path().join("tree"));
        let witness = Some(&self.witness);
        let mut evidence = Evidence::new(self.log.verifier(), witness, &self.checkpoint);
        for number in [0, 1, 255, 256, 511, SIZE - 1] {
            let salt = SaltKey([3; 32]).salt(number);
            evidence
                .add(&tiles, number, &salt, &record(number))
                .unwrap();
        }
        evidence
    }

    fn written(&self) -> std::path::PathBuf {
        let dir = self.dir.path().join("evidence");
        self.bundle().write(&dir).unwrap();
        dir
    }
}

fn check(bundle: &Path, arguments: &[&str]) -> Output {
    Command::new("python3")
        .arg(bundle.join("check.py"))
        .args(arguments)
        .output()
        .expect("python3, which the bundle's script is for")
}

#[test]
fn the_script_of_a_bundle_finds_it_whole() {
    let scene = Scene::new();
    let bundle = scene.written();
    let keys = [scene.log.verifier().to_string(), scene.witness.to_string()];
    let told = check(&bundle, &["--log-key", &keys[0], "--witness-key", &keys[1]]);
    let words = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success(), "{words}");
    assert!(words.contains("Everything holds."), "{words}");
    assert!(words.contains("2026-11-22T"), "{words}");
    assert_eq!(words.matches("stood in the log").count(), 6, "{words}");
}

#[test]
fn the_script_of_a_bundle_finds_each_change() {
    let scene = Scene::new();
    let bundle = scene.written();
    let file = bundle.join("evidence.json");
    let whole = fs::read_to_string(&file).unwrap();
    let salt = STANDARD.encode(SaltKey([3; 32]).salt(255));
    let last = whole.rfind("\"path\"").unwrap();
    let node = last + whole[last..].find("[\n").unwrap() + 10;
    let bent = match whole.as_bytes()[node] {
        b'A' => 'B',
        _ => 'A',
    };
    for (what, changed) in [
        ("a record", whole.replacen("Grüße", "Grusse", 1)),
        (
            "a number",
            whole.replacen("\"number\": 256", "\"number\": 257", 1),
        ),
        (
            "a salt",
            whole.replacen(&salt, &STANDARD.encode([0; 16]), 1),
        ),
        ("the size", whole.replacen("\\n700\\n", "\\n701\\n", 1)),
        (
            "a path",
            format!("{}{bent}{}", &whole[..node], &whole[node + 1..]),
        ),
        ("the end", whole[..whole.len() / 2].to_owned()),
        ("all of it", "[]".to_owned()),
    ] {
        assert_ne!(changed, whole, "{what}");
        fs::write(&file, changed).unwrap();
        let told = check(&bundle, &[]);
        let words = String::from_utf8_lossy(&told.stdout).into_owned();
        assert_eq!(told.status.code(), Some(1), "{what}: {words}");
        assert!(words.contains("DOES NOT"), "{what}: {words}");
    }
    // A bundle that holds in itself and was made with another key.
    fs::write(&file, whole).unwrap();
    let other = LogKey::new("gate.example/record", &[43; 32]).unwrap();
    let told = check(&bundle, &["--log-key", &other.verifier().to_string()]);
    assert_eq!(told.status.code(), Some(1));
}

#[test]
fn a_page_holds_what_was_said_as_data_only() {
    let scene = Scene::new();
    let page = fs::read_to_string(scene.written().join("index.html")).unwrap();
    assert!(
        !page.contains("<script>alert"),
        "what a station said is markup"
    );
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
    for outside in ["http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    // The hash that the page's policy allows is that of the script that is in it.
    let begin = page.rfind("<script>").unwrap() + "<script>".len();
    let script = &page[begin..page.rfind("</script>").unwrap()];
    let hash = STANDARD.encode(Sha256::digest(script));
    assert!(page.contains(&format!("script-src 'sha256-{hash}'")));
    let begin = page.find("id=\"evidence\">").unwrap() + "id=\"evidence\">".len();
    let data = &page[begin..begin + page[begin..].find("</script>").unwrap()];
    let read: serde_json::Value = serde_json::from_str(data).unwrap();
    let said = read["records"][2]["record"].as_str().unwrap();
    assert_eq!(said.as_bytes(), record(255));
}

#[test]
fn what_was_not_recorded_or_not_signed_is_no_evidence() {
    let scene = Scene::new();
    let tiles = TileReader::new(&scene.dir.path().join("tree"));
    let mut evidence = Evidence::new(scene.log.verifier(), None, &scene.checkpoint);
    let salt = SaltKey([3; 32]).salt(5);
    let error = evidence.add(&tiles, 5, &salt, &record(6)).unwrap_err();
    assert!(matches!(error, EvidenceError::NotRecorded(5)), "{error}");
    let error = evidence.add(&tiles, SIZE, &salt, &record(5)).unwrap_err();
    assert!(matches!(error, EvidenceError::Unsigned { .. }), "{error}");
}
