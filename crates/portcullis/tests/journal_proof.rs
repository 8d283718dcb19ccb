//! The record is checked, witnessed from another host, and shown to somebody who has neither.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use scene::Scene;
use scene::gate::eventually;
use scene::record::{TOKEN, durable, recording, station};
use serde_json::json;
use sim::Csms;

async fn begun() -> (Scene, Csms) {
    let (scene, csms) = recording("origin = \"gate.example/record\"\n").await;
    scene.run(&["journal", "init"]).is(0);
    (scene, csms)
}

/// The gate runs while a station says this much.
async fn say(scene: &Scene, calls: u64) {
    let gate = scene.serve();
    let before = durable(&gate);
    let talk = station(&gate).await;
    for _ in 0..calls {
        let answered = talk.call("Authorize", json!({ "idTag": TOKEN })).await;
        answered.unwrap();
    }
    eventually(
        || durable(&gate) >= before + 2 * calls,
        || "what was said is durable".to_owned(),
    );
    gate.stop().is(0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &name);
        } else {
            fs::copy(&path, name).unwrap();
        }
    }
}

fn segments(scene: &Scene) -> Vec<PathBuf> {
    let entries = fs::read_dir(scene.path("journal/segments")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect()
}

/// Another host, with a witness of this record.
fn witness(scene: &Scene) -> (Scene, String) {
    let host = Scene::empty();
    let log = scene.run(&["journal", "public-key"]);
    log.is(0).says("gate.example/record+");
    let begin = ["witness", "begin", "w", "--name", "hall", "--log"];
    let begun = host.run(&[&begin[..], &[log.out.trim()]].concat());
    begun.is(0).says("hall+");
    let key = begun.out.trim().to_owned();
    (host, key)
}

/// The pipe of the guide: the record asks, the witness signs, the record keeps it.
fn sign(scene: &Scene, host: &Scene, key: &str) {
    let asked = scene.run(&["journal", "ask-witness"]);
    let signed = host.run_with(&["witness", "sign", "w"], &asked.out);
    signed.is(0);
    let kept = scene.run_with(&["journal", "witnessed", "--witness", key], &signed.out);
    kept.is(0).says("hall has seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bit_on_the_disk_is_named() {
    let (scene, _csms) = begun().await;
    say(&scene, 5).await;
    scene
        .run(&["journal", "verify"])
        .is(0)
        .says("The record is whole.");
    let path = segments(&scene).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let told = scene.run(&["journal", "verify"]);
    told.is(4).says("The record is not whole. edit: record");
    let told = scene.run(&["journal", "verify", "--format", "json"]);
    assert_eq!(told.is(4).json()["finding"]["kind"], "edit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_put_back_is_seen_by_its_witness_alone() {
    let (scene, _csms) = begun().await;
    let (host, key) = witness(&scene);
    say(&scene, 3).await;
    sign(&scene, &host, &key);
    copy(&scene.path("journal"), &scene.path("earlier"));
    say(&scene, 3).await;
    sign(&scene, &host, &key);
    let seen = host.run(&["witness", "show", "w"]);
    scene.write("seen", &seen.is(0).out);
    let verify = [
        "journal",
        "verify",
        "--witnessed",
        "seen",
        "--witness",
        &key,
    ];
    scene
        .run(&verify)
        .is(0)
        .says("against what a witness has seen");

    // All of the directory, as it was: it is whole in itself, and the witness knows more.
    fs::remove_dir_all(scene.path("journal")).unwrap();
    fs::rename(scene.path("earlier"), scene.path("journal")).unwrap();
    let alone = scene.run(&["journal", "verify"]);
    alone.is(0).says("only a witness can tell");
    scene.run(&verify).is(4).says("roll-back: records");
    // Nor does the witness sign what the log says now.
    let asked = scene.run(&["journal", "ask-witness"]);
    let refused = host.run_with(&["witness", "sign", "w"], &asked.out);
    refused.is(4).complains("it was rolled back");
    assert_eq!(refused.out, "");
    let kept = scene.run_with(&["journal", "witnessed", "--witness", &key], &refused.out);
    kept.is(2).complains("Nothing is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_checked_without_the_record_and_names_nobody() {
    let (scene, _csms) = begun().await;
    let (host, key) = witness(&scene);
    say(&scene, 3).await;
    sign(&scene, &host, &key);
    let unsaid = ["journal", "evidence", "2", "4-5", "--into", "dispute"];
    scene.run(&unsaid).is(2).complains("--purpose");
    let nothing = [&unsaid[..], &["--purpose", " "]].concat();
    scene.run(&nothing).is(2).complains("no purpose is named");
    let bundle = [&unsaid[..], &["--purpose", "dispute 17"]].concat();
    scene
        .run(&[&bundle[..], &["--witness", &key]].concat())
        .is(0);
    let log = scene.run(&["journal", "public-key"]).out;
    let checked = Command::new("python3")
        .arg(scene.path("dispute/check.py"))
        .args(["--log-key", log.trim(), "--witness-key", &key])
        .output()
        .unwrap();
    let words = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{words}");
    assert_eq!(words.matches("stood in the log").count(), 3, "{words}");
    for (path, bytes) in Scene::files_but(&scene, &["portcullis.db"]) {
        let text = String::from_utf8_lossy(&bytes);
        let inside = path.starts_with(scene.path("dispute"));
        assert!(
            !inside || !text.contains("04A2B3C4D5E680"),
            "{}",
            path.display()
        );
    }
    scene.run(&bundle).is(1);
    let into = ["--into", "later", "--purpose", "dispute 17"];
    let later = [&["journal", "evidence", "999999"], &into[..]].concat();
    scene.run(&later).is(3);
    assert!(!scene.path("later").exists());
    let wrong = [&["journal", "evidence", "9-2"], &into[..]].concat();
    scene.run(&wrong).is(2);
    // The next gate records who has made it, and what for.
    let gate = scene.serve();
    let acts = || scene.run(&["--format", "json", "journal", "search"]).out;
    eventually(|| acts().contains(r#""evidence""#), acts);
    let said = acts();
    assert!(said.contains("records 2, 4-5; for: dispute 17"), "{said}");
    assert!(said.contains("uid "), "{said}");
    assert!(
        !said.contains("999999"),
        "what was not made is not recorded: {said}"
    );
    drop(gate);
}

#[test]
fn a_witness_that_has_lost_its_memory_signs_nothing() {
    let host = Scene::empty();
    let log = journal::proof::LogKey::new("gate.example/record", &[1; 32]).unwrap();
    let log_key = log.verifier().to_string();
    let begin = ["witness", "begin", "w", "--name", "hall", "--log", &log_key];
    host.run(&begin).is(0);
    host.run(&begin).is(4);
    host.run(&["witness", "show", "w"]).is(3);
    let request = journal::proof::Request {
        old: 0,
        proof: Vec::new(),
        checkpoint: log
            .checkpoint(7, journal::proof::Hash([1; 32]))
            .note()
            .to_string(),
    };
    fs::remove_file(host.path("w/seen")).unwrap();
    let refused = host.run_with(&["witness", "sign", "w"], &request.to_string());
    refused.is(3).complains("the witness's memory is not there");
    assert_eq!(refused.out, "");
}
