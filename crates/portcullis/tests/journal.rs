//! The record as an operator meets it: its keys, its commands, and what the gate writes into it.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use scene::Scene;
use scene::gate::{Successor, eventually};
use scene::record::{TOKEN, durable, recording, ring, station};
use serde_json::json;
use sim::Csms;

/// A scene with a record, whose keys are not made yet.
fn with_journal(more: &str) -> Scene {
    let scene = Scene::new();
    let text = scene.read("portcullis.toml");
    scene.write("portcullis.toml", format!("{text}\n[journal]\n{more}"));
    scene
}

#[test]
fn the_root_is_drawn_once_and_for_its_owner_alone() {
    let scene = with_journal("");
    let made = scene.run(&["journal", "init"]);
    made.is(0)
        .says("keys/journal.age")
        .says("keys/journal.passphrase");
    let root = scene.read("keys/journal.age");
    assert!(root.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    for secret in ["keys/journal.age", "keys/journal.passphrase"] {
        let mode = fs::metadata(scene.path(secret))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{secret}");
    }
    scene.run(&["journal", "init"]).is(0);
    assert_eq!(scene.read("keys/journal.age"), root, "what is there stays");
    assert!(scene.path("journal/keys/log.key").exists());
}

#[test]
fn each_thing_wrong_with_the_root_says_what_helps() {
    let scene = with_journal("");
    scene.run(&["journal", "init"]).is(0);
    let passphrase = scene.read("keys/journal.passphrase");
    scene.write("keys/journal.passphrase", "another one\n");
    let wrong = scene.run(&["journal", "init"]);
    wrong.is(1).complains("the passphrase does not open");
    scene.write("keys/journal.passphrase", passphrase);
    // Another root would seal what the first one's owner could never open.
    fs::rename(scene.path("keys/journal.age"), scene.path("kept.age")).unwrap();
    scene.run(&["journal", "init"]).is(1);
    assert!(scene.path("journal/keys/log.key").exists());
}

#[test]
fn without_a_section_there_is_no_record() {
    let scene = Scene::new();
    let told = scene.run(&["journal", "init"]);
    told.is(2).complains("has no [journal] section");
}

#[test]
fn settings_at_odds_with_one_another_are_told_by_their_line() {
    for (more, what) in [
        (
            "subject_keys = \"journal/keks\"",
            "would be backed up with it",
        ),
        (
            "root = \"env:ROOT\"\nroot_identity = \"me\"",
            "holds the root itself",
        ),
        (
            "root_passphrase = \"a\"\nroot_identity = \"b\"",
            "are named",
        ),
        ("origin = \"two words\"", "`origin` is"),
        ("commit_ms = 5", "`commit_ms` is 5"),
        (
            "wait_for_disk = true\nwait_patience_ms = 200\ncommit_ms = 500",
            "no message would be durable within `wait_patience_ms`",
        ),
        ("wait_patience_ms = 5", "`wait_patience_ms` is 5"),
        ("texts_days = 0", "`texts_days` is 0"),
    ] {
        let told = with_journal(more).run(&["journal", "init"]);
        told.is(2).complains(what).complains("portcullis.toml:");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_recorded_and_nobody_is_named() {
    let (scene, _csms) = recording("").await;
    scene.run(&["journal", "init"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate).await;
    let before = durable(&gate);
    let told = talk.call("Authorize", json!({ "idTag": TOKEN })).await;
    told.unwrap();
    // The CALL and its answer, after the connection.
    eventually(
        || durable(&gate) >= before + 2,
        || "two more records".to_owned(),
    );
    scene.run(&["session", "end", "CP-1"]).is(0);
    gate.stop();
    let said = read(&scene);
    for part in [
        r#""what":"record-begins""#,
        r#""kind":"connected","tenant":"default","station":"CP-1""#,
        r#""from":"station","action":"Authorize","message":[2,"#,
        r#""from":"csms","action":"Authorize","latency_us""#,
        r#""kind":"disconnected""#,
        r#""what":"session-end","by":"operator""#,
        r#""what":"record-ends""#,
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(said.contains("[2,"), "what was said is there, too:\n{said}");
    assert!(!said.contains(TOKEN), "{said}");
    let files = scene.files_but(&["portcullis.db"]);
    assert!(
        files
            .iter()
            .any(|(path, _)| path.extension().is_some_and(|end| end == "seg"))
    );
    for (path, bytes) in files {
        let named = bytes
            .windows(TOKEN.len())
            .any(|window| window == TOKEN.as_bytes());
        assert!(!named, "{} names the token", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_root_the_road_runs_and_the_record_catches_up() {
    let (scene, _csms) = recording("").await;
    let gate = scene.serve();
    let talk = station(&gate).await;
    for _ in 0..5 {
        talk.call("Heartbeat", json!({})).await.unwrap();
    }
    gate.expect_line("no record is written");
    assert_eq!(durable(&gate), 0);
    scene.run(&["journal", "init"]).is(0);
    // It begins, the station, and five times two messages: what waited is there.
    eventually(
        || durable(&gate) >= 12,
        || format!("{} records", durable(&gate)),
    );
    gate.expect_metric("portcullis_record_missed_total 0");
}

/// The names and values of what the record's files, opened by their owner, say.
fn read(scene: &Scene) -> String {
    read_with(scene, ring(scene))
}

/// The same for whoever reads again and again: the root behind its passphrase takes a second of work.
fn read_with(scene: &Scene, ring: Arc<journal::KeyRing>) -> String {
    let reader = journal::Reader::new(&scene.path("journal"), ring);
    let found = reader.search(journal::Query::default()).unwrap();
    found
        .map(|record| String::from_utf8(record.unwrap().json).unwrap() + "\n")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_at_somebodys_home_is_recorded_under_a_pseudonym() {
    let (scene, _csms) = recording("private_stations = [\"CP-*\"]").await;
    scene.run(&["journal", "init"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate).await;
    talk.call("Heartbeat", json!({})).await.unwrap();
    eventually(|| durable(&gate) >= 4, || "four records".to_owned());
    gate.stop();
    let said = read(&scene);
    assert!(said.contains(r#""action":"Heartbeat""#), "{said}");
    assert!(!said.contains("CP-1"), "{said}");
    assert!(!said.contains("127.0.0.1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_leaves_no_gap() {
    let (scene, _csms) = recording("").await;
    scene.run(&["journal", "init"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate).await;
    talk.call("Heartbeat", json!({})).await.unwrap();
    let successor = Successor::of(&scene);
    drop(talk);
    gate.expect_line("closed");
    // The new process comes into the record when the old one has left it.
    let ring = ring(&scene);
    let said = || read_with(&scene, Arc::clone(&ring));
    eventually(|| said().matches("record-begins").count() == 2, said);
    let said = said();
    let order: Vec<_> = ["record-begins", "Heartbeat", "record-ends", "record-begins"]
        .iter()
        .scan(0, |from, what| {
            let place = said[*from..].find(what).map(|place| place + *from)?;
            *from = place + what.len();
            Some(place)
        })
        .collect();
    assert_eq!(order.len(), 4, "{said}");
    assert!(!said.contains(r#""kind":"gap""#), "{said}");
    drop(successor);
}

/// The gate has recorded something then.
fn recorded_at(scene: &Scene, at: i64) {
    use journal::Append as _;
    let ring = ring(scene);
    let log = journal::proof::LogKey::new("portcullis", ring.log_key()).unwrap();
    let settings = journal::Settings::new(&scene.path("journal"));
    let record = journal::Journal::open(&settings, ring, log).unwrap();
    record.appender().append(&journal::Entry {
        at: guard::UnixMillis(at),
        weight: journal::Weight::Kept,
        json: format!(r#"{{"at":{at},"kind":"act"}}"#).as_bytes(),
        station: None,
        action: None,
        refused: false,
        handles: &[],
    });
    record.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_has_gone_back_is_told_and_recorded() {
    let (scene, _csms) = recording("").await;
    scene.run(&["journal", "init"]).is(0);
    recorded_at(&scene, jiff::Timestamp::now().as_millisecond() + 3_600_000);
    let gate = scene.serve();
    gate.expect_line("the clock has gone back");
    gate.stop();
    let said = read(&scene);
    assert!(
        said.contains(r#""what":"clock-back","by":"gate""#),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_that_nobody_can_resolve_are_told_and_counted() {
    use journal::vault::Class;
    let (scene, _csms) = recording("").await;
    scene.run(&["journal", "init"]).is(0);
    // Somebody was seen three days ago, and the key of that day is gone.
    let then = guard::UnixMillis(jiff::Timestamp::now().as_millisecond() - 3 * 86_400_000);
    let rows = scene.path("journal/subjects.db");
    let mut vault = journal::Vault::open(&rows, ring(&scene), Default::default()).unwrap();
    vault
        .handle_of("default", Class::Token, TOKEN, then)
        .unwrap();
    vault.settle().unwrap();
    drop(vault);
    let day = journal::Day::of(then);
    fs::remove_file(scene.path(&format!("journal-keys/kek-{day}.key"))).unwrap();

    let gate = scene.serve();
    gate.expect_metric("portcullis_record_subjects_lost 1");
    gate.expect_metric("portcullis_record_subjects_damaged 0");
    gate.expect_metric("portcullis_record_withheld_total 0");
    gate.expect_metric(r#"portcullis_condition{subject="record subjects"} 1"#);
    let ready = gate.ask("/readyz");
    assert_eq!(ready.status, 200, "stations come and go all the same");
    let told = format!("{day} to {day}: nobody can say whom");
    assert!(ready.body.contains(&told), "{}", ready.body);
}

/// A record with two entries of a day whose time is over; and that day.
async fn kept_too_long() -> (Scene, Csms, journal::Day) {
    let (scene, csms) = recording("records_days = 1\ntexts_days = 1").await;
    scene.run(&["journal", "init"]).is(0);
    let then = jiff::Timestamp::now().as_millisecond() - 3 * 86_400_000;
    recorded_at(&scene, then);
    recorded_at(&scene, then + 1);
    (scene, csms, journal::Day::of(guard::UnixMillis(then)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_has_ended_is_whole_and_who_reads_on_is_told_since_when_records_are_kept() {
    let (scene, _csms, day) = kept_too_long().await;
    let gate = scene.serve();
    let act = format!("records of {day} (0-1)");
    // Two of then, its own beginning, and the act.
    eventually(|| durable(&gate) >= 4, || "the act".to_owned());
    gate.stop();
    let said = read(&scene);
    assert!(said.contains(&act), "{said}");
    let checked = scene.run(&["journal", "verify"]);
    checked.is(0).says("2 are no longer kept");
    let today = journal::Day(day.0 + 3);
    let since = format!("Records are kept since {today} (record 2)");
    let purpose = ["--purpose", "audit"];
    let export = [
        &["journal", "export", "--to", "-", "--as", "jsonl"][..],
        &purpose,
    ]
    .concat();
    for command in [
        &["journal", "search"][..],
        &["journal", "search", "--oldest-first", "--limit", "1"],
        &["journal", "tail"],
        &export,
    ] {
        let told = scene.run(command);
        told.is(0).says("act").complains(&since);
    }
    let newest = scene.run(&["journal", "search", "--limit", "1"]);
    assert!(
        !newest.is(0).err.contains(&since),
        "nobody has asked how far back it goes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_ended_by_hand_gives_its_disk_back() {
    let (scene, _csms, day) = kept_too_long().await;
    let ended = scene.run(&["journal", "retention", "--now"]);
    ended.is(0).says(&day.to_string());
    // But for the header, and the last one, behind which the writer goes on.
    let first = scene.path("journal/segments/00000000000000000000.seg");
    assert_eq!(fs::metadata(first).unwrap().len(), 40);
    // The next gate records it, and what it leaves is whole.
    let gate = scene.serve();
    let act = format!("records of {day} (0-1)");
    // Two of then, its own beginning, and the act.
    eventually(|| durable(&gate) >= 4, || "the act".to_owned());
    gate.stop();
    let said = read(&scene);
    assert!(said.contains(&act), "{said}");
    scene.run(&["journal", "verify"]).is(0);
}
