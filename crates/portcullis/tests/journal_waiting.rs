//! `wait_for_disk`: nothing leaves the gate that a loss of power could erase from its record, and a disk
//! that hangs does not hold up the road for longer than the gate is told to be patient.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use journal::{Query, Reader};
use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, Successor, eventually};
use scene::record::{PASSWORD, durable, ring};
use serde_json::{Value, json};
use sim::{Asked, Chance, Conversation, Csms, Reply, Station, answers};

/// The record, as its owner reads it while the gate writes.
#[derive(Clone)]
struct Record {
    reader: Arc<Reader>,
}

impl Record {
    fn of(scene: &Scene) -> Record {
        let reader = Reader::new(&scene.path("journal"), ring(scene));
        Record {
            reader: Arc::new(reader),
        }
    }

    /// What the record holds, a line each.
    fn lines(&self) -> Vec<String> {
        let found = self.reader.search(Query::default()).unwrap();
        found
            .map(|record| String::from_utf8(record.unwrap().json).unwrap())
            .collect()
    }

    /// The messages in it: type and id of each.
    fn messages(&self) -> BTreeSet<(u64, String)> {
        let of = |line: &String| {
            let record: Value = serde_json::from_str(line).unwrap();
            key(&record["message"])
        };
        self.lines().iter().filter_map(of).collect()
    }
}

/// A message's type and id.
fn key(message: &Value) -> Option<(u64, String)> {
    let id = message.get(1)?.as_str()?;
    Some((message.get(0)?.as_u64()?, id.to_owned()))
}

fn key_of(text: &str) -> (u64, String) {
    key(&serde_json::from_str(text).unwrap()).unwrap()
}

/// A gate that waits for its record, a CSMS behind it, and stations.
fn waiting(csms: &Csms, stations: usize, more: &str) -> Scene {
    let scene = Scene::new();
    // Patience is never more than half of the time for a goodbye.
    let session = "takeover_deadline_seconds = 60\n[session]\nclose_deadline_seconds = 30";
    let journal = format!("{session}\n[journal]\nwait_for_disk = true\n{more}");
    scene.configure(csms.url(), "", &journal);
    scene.register_all((0..stations).map(identity), PASSWORD);
    scene
}

fn identity(number: usize) -> String {
    format!("CP-{number}")
}

fn station(gate: &Gate, number: usize) -> Station {
    let station = Station::new(gate.plain(), identity(number));
    station.version(Version::V16).password(PASSWORD)
}

async fn fleet(gate: &Gate, stations: usize) -> Vec<Conversation> {
    let stations = (0..stations).map(|number| station(gate, number).recording(100_000));
    let connecting = stations.map(|station| async move { station.connect().await.unwrap() });
    together(connecting).await
}

/// What all of them come to, in order.
async fn together<T: Send + 'static>(
    doing: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = doing.map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// A gate whose record is open: until then messages wait for its root key, too.
fn serve(scene: &Scene) -> Gate {
    let gate = scene.serve();
    eventually(|| durable(&gate) > 0, || "the record is open".to_owned());
    gate
}

/// Since the gate began, nothing has passed before its record.
fn expect_all_awaited(gate: &Gate) {
    gate.expect_metric("portcullis_record_not_awaited_total 0");
}

/// A token that nobody has seen: its pseudonym has to become durable, too.
fn token(number: usize) -> Value {
    json!({ "idTag": format!("04A2B3C4{number:06X}") })
}

/// The messages that somebody has received and the record did not hold at that moment.
#[derive(Clone, Default)]
struct Looks {
    record: Arc<OnceLock<Record>>,
    missing: Arc<Mutex<Vec<String>>>,
    calls: Arc<Mutex<usize>>,
}

impl Looks {
    /// Looks for a call in the record before it is answered.
    fn then(&self, answer: sim::Handler) -> impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static {
        let looks = self.clone();
        move |asked| {
            *looks.calls.lock().unwrap() += 1;
            looks.at(2, &asked.call.id);
            answer(asked)
        }
    }

    fn at(&self, kind: u64, id: &str) {
        let held = self.record.get().unwrap().messages();
        if !held.contains(&(kind, id.to_owned())) {
            self.missing.lock().unwrap().push(format!("[{kind},{id}]"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_receives_a_message_finds_it_in_the_record() {
    let looks = Looks::default();
    let csms = Csms::builder().answering(looks.then(answers::csms()));
    let csms = csms.start("127.0.0.1:0").await.unwrap();
    let scene = waiting(&csms, 1, "wait_patience_ms = 10000");
    scene.run(&["journal", "init"]).is(0);
    let gate = serve(&scene);
    looks.record.set(Record::of(&scene)).ok().unwrap();
    let knocking = station(&gate, 0).answering(looks.then(answers::station()));
    let talk = knocking.connect().await.unwrap();
    let ordering = csms.station("CP-0").await.unwrap();
    for number in 0..25 {
        talk.call("Authorize", token(number)).await.unwrap();
        let (_, answered) = key_of(talk.received().last().unwrap());
        looks.at(3, &answered);
        let asked = ordering.call("GetConfiguration", json!({ "key": [] }));
        asked.await.unwrap();
        let (_, answered) = key_of(ordering.received().last().unwrap());
        looks.at(3, &answered);
    }
    let missing = looks.missing.lock().unwrap();
    assert!(missing.is_empty(), "not yet recorded: {missing:?}");
    assert_eq!(*looks.calls.lock().unwrap(), 50, "in both directions");
    expect_all_awaited(&gate);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_killed_gate_had_passed_on_is_in_its_record() {
    const STATIONS: usize = 8;
    let csms = Csms::builder().recording(100_000);
    let csms = csms.start("127.0.0.1:0").await.unwrap();
    let scene = waiting(&csms, STATIONS, "wait_patience_ms = 10000");
    scene.run(&["journal", "init"]).is(0);
    let mut received = BTreeSet::new();
    for round in 0..4 {
        let gate = serve(&scene);
        let talks = fleet(&gate, STATIONS).await;
        let enough = Arc::new(Mutex::new(0));
        // Each asks until its connection is gone.
        let asking = talks.iter().cloned().map(|talk| {
            let enough = Arc::clone(&enough);
            tokio::spawn(async move {
                while talk.call("Heartbeat", json!({})).await.is_ok() {
                    *enough.lock().unwrap() += 1;
                }
            })
        });
        let asking: Vec<_> = asking.collect();
        let aim = 40 + Chance::new().usize(0..150) * (round + 1);
        eventually(
            || *enough.lock().unwrap() >= aim,
            || format!("{aim} calls before the kill"),
        );
        expect_all_awaited(&gate);
        // Without a word: SIGKILL.
        drop(gate);
        for asked in asking {
            asked.await.unwrap();
        }
        received.extend(talks.iter().flat_map(Conversation::received));
    }
    for number in 0..STATIONS {
        let sessions = csms.sessions(&identity(number));
        received.extend(sessions.iter().flat_map(Conversation::received));
    }
    let recorded = Record::of(&scene).messages();
    let lost: Vec<_> = received
        .iter()
        .filter(|text| !recorded.contains(&key_of(text)))
        .collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    assert!(received.len() > 4 * 2 * 40, "{} came", received.len());
    scene.run(&["journal", "verify"]).is(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_its_root_the_road_goes_on_after_one_wait_and_waits_when_it_is_there() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = waiting(&csms, 2, "wait_patience_ms = 400");
    let gate = scene.serve();
    let talks = fleet(&gate, 2).await;
    let began = Instant::now();
    talks[0].call("Heartbeat", json!({})).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(400), "it waited");
    let began = Instant::now();
    for talk in talks.iter().cycle().take(40) {
        talk.call("Heartbeat", json!({})).await.unwrap();
    }
    // Forty calls and answers that each waited would take half a minute.
    assert!(began.elapsed() < Duration::from_secs(10), "it waited again");
    gate.expect_line("messages pass before their records are durable");
    gate.expect_ready(false);
    gate.expect_metric("portcullis_record_not_awaited_total 82");
    scene.run(&["journal", "init"]).is(0);
    gate.expect_line("messages wait for their records again");
    gate.expect_ready(true);
    let before = gate.figure("portcullis_record_not_awaited_total");
    for talk in talks.iter().cycle().take(10) {
        talk.call("Heartbeat", json!({})).await.unwrap();
    }
    let after = gate.figure("portcullis_record_not_awaited_total");
    assert_eq!(after, before, "they wait again");
    gate.stop();
    let said = Record::of(&scene).lines().join("\n");
    for part in [
        r#""what":"record-not-awaited","by":"gate""#,
        r#""what":"record-awaited","by":"gate","details":"82 messages had passed"#,
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_hangs_in_the_middle_is_told_and_waited_for_again() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = waiting(&csms, 2, "wait_patience_ms = 1000");
    scene.run(&["journal", "init"]).is(0);
    let gate = serve(&scene);
    let talks = fleet(&gate, 2).await;
    gate.expect_ready(true);
    let before = gate.figure("portcullis_record_not_awaited_total");
    talks[0].call("Authorize", token(1)).await.unwrap();
    // Nobody can write the pseudonym of a token that is new.
    let subjects = rusqlite::Connection::open(scene.path("journal/subjects.db")).unwrap();
    subjects.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    talks[0].call("Authorize", token(2)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "it waited");
    // The other station has nothing to do with it, and does not wait for it either.
    for _ in 0..20 {
        talks[1].call("Heartbeat", json!({})).await.unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(15), "it waited once");
    gate.expect_line("messages pass before their records are durable");
    gate.expect_ready(false);
    gate.expect_metric(&format!(
        "portcullis_record_not_awaited_total {}",
        before + 42
    ));
    subjects.execute_batch("ROLLBACK").unwrap();
    gate.expect_line("messages wait for their records again");
    gate.expect_ready(true);
    let record = Record::of(&scene);
    for number in 3..6 {
        talks[0].call("Authorize", token(number)).await.unwrap();
        let (_, answered) = key_of(talks[0].received().last().unwrap());
        assert!(record.messages().contains(&(3, answered)), "it is recorded");
    }
    gate.expect_metric("portcullis_record_missed_total 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_an_upgrade_messages_wait_for_the_new_process_s_record() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = waiting(&csms, 2, "wait_patience_ms = 1000");
    scene.run(&["journal", "init"]).is(0);
    let gate = serve(&scene);
    let old = station(&gate, 0).connect().await.unwrap();
    old.call("Heartbeat", json!({})).await.unwrap();
    let _successor = Successor::of(&scene);
    // The record is still the old process's, perhaps: this one waits for as long as it is borne.
    let talk = station(&gate, 1).connect().await.unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
    gate.expect_line("closed");
    gate.expect_ready(true);
    let before = gate.figure("portcullis_record_not_awaited_total");
    let record = Record::of(&scene);
    for _ in 0..5 {
        talk.call("Heartbeat", json!({})).await.unwrap();
        let answer = key_of(talk.received().last().unwrap());
        assert!(record.messages().contains(&answer), "it is recorded");
    }
    let after = gate.figure("portcullis_record_not_awaited_total");
    assert_eq!(after, before, "all of them waited");
    let recorded = record.messages();
    for text in old.received().iter().chain(&talk.received()) {
        assert!(recorded.contains(&key_of(text)), "{text} is recorded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fleet_shares_the_disks_time() {
    const STATIONS: usize = 100;
    const CALLS: usize = 10;
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = waiting(&csms, STATIONS, "wait_patience_ms = 10000");
    scene.run(&["journal", "init"]).is(0);
    let gate = serve(&scene);
    let talks = fleet(&gate, STATIONS).await;
    eventually(
        || durable(&gate) > STATIONS as u64,
        || "everybody's arrival is recorded".to_owned(),
    );
    let alone = half_of(&mut ask(talks[0].clone(), 50).await);
    let blocks_before = blocks(&scene);
    let began = Instant::now();
    let asking = talks.iter().cloned().map(|talk| ask(talk, CALLS));
    let mut took: Vec<Duration> = together(asking).await.into_iter().flatten().collect();
    let all = began.elapsed();
    let half = half_of(&mut took);
    let most = took[took.len() * 99 / 100];
    let commits = blocks(&scene) - blocks_before;
    println!(
        "{STATIONS} × {CALLS} calls in {all:?}: p50 {half:?}, p99 {most:?}, {commits} commits; \
         one station alone: p50 {alone:?}"
    );
    assert_eq!(took.len(), STATIONS * CALLS);
    assert!(most < Duration::from_secs(5), "99 % within {most:?}");
    // A commit each would be two thousand.
    assert!(commits < STATIONS * CALLS / 2, "{commits} commits");
    expect_all_awaited(&gate);
}

/// How long each of so many calls and its answer take, one after the other.
async fn ask(talk: Conversation, calls: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..calls {
        let began = Instant::now();
        talk.call("Heartbeat", json!({})).await.unwrap();
        took.push(began.elapsed());
    }
    took
}

/// What half of them are below; sorts them.
fn half_of(took: &mut [Duration]) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

/// Commits so far: a block each.
fn blocks(scene: &Scene) -> usize {
    let segments = scene.files_but(&[]).into_iter();
    let segments = segments.filter(|(path, _)| path.extension().is_some_and(|end| end == "seg"));
    let count = |bytes: Vec<u8>| bytes.windows(4).filter(|four| *four == b"blk1").count();
    segments.map(|(_, bytes)| count(bytes)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_recorded_waits_for_nothing_of_its_own() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let more = "wait_patience_ms = 10000\nnot_for_tenants = [\"default\"]";
    let scene = waiting(&csms, 1, more);
    scene.run(&["journal", "init"]).is(0);
    let gate = serve(&scene);
    let talk = station(&gate, 0).connect().await.unwrap();
    for number in 0..5 {
        talk.call("Authorize", token(number)).await.unwrap();
    }
    expect_all_awaited(&gate);
    gate.stop();
    let said = Record::of(&scene).lines().join("\n");
    assert!(!said.contains("Authorize"), "{said}");
}
