//! Upgrade in place: another process takes the gate's place, and nobody who knocks is turned away.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ocpp::Version;
use scene::gate::{Gate, Successor, eventually};
use scene::{Outcome, Scene};
use serde_json::json;
use sim::{Conversation, Csms, Ended, Reply, Station};

const PASSWORD: &str = "correct horse battery";
/// Everybody comes from one address here.
const EXEMPT: &str = "exempt_sources = [\"127.0.0.0/8\"]\n";

fn station(gate: &Gate, identity: &str) -> Station {
    let station = Station::new(gate.plain(), identity).version(Version::V16);
    station.password(PASSWORD)
}

async fn run(scene: &Scene, arguments: &[&str]) -> Outcome {
    tokio::task::block_in_place(|| scene.run(arguments))
}

async fn upgrade(scene: &Scene) -> Successor {
    tokio::task::block_in_place(|| Successor::of(scene))
}

fn register(scene: &Scene, stations: usize) {
    scene.register_all(
        (1..=stations).map(|number| format!("CP-{number}")),
        PASSWORD,
    );
}

/// One who knocks every few milliseconds, each time on a connection of its own, at a door that
/// answers 404.
fn knock(address: &str) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(told)?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .map_err(told)?;
    let request = "GET /nowhere/CP-1 HTTP/1.1\r\nHost: gate\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).map_err(told)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(told)?;
    match answer.starts_with("HTTP/1.1 404") {
        true => Ok(()),
        false => Err(answer),
    }
}

/// Connects, and when it is sent away comes back at once, until it is told to stop; how often it came
/// in, and the longest that it was away.
async fn faithful(station: Station, stop: Arc<AtomicBool>) -> (usize, Duration) {
    let (mut came, mut longest) = (0, Duration::ZERO);
    let mut away = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let Ok(talk) = station.connect().await else {
            continue;
        };
        if came > 0 {
            longest = longest.max(away.elapsed());
        }
        came += 1;
        while talk.ended().is_none() && !stop.load(Ordering::Relaxed) {
            let _ = talk.call("Heartbeat", json!({})).await;
        }
        away = Instant::now();
    }
    (came, longest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_who_knocks_during_an_upgrade_is_turned_away_and_the_fleet_comes_back() {
    const FLEET: usize = 20;
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", EXEMPT);
    register(&scene, FLEET);
    let mut gate = scene.serve();
    let stop = Arc::new(AtomicBool::new(false));
    let fleet: Vec<_> = (1..=FLEET)
        .map(|number| station(&gate, &format!("CP-{number}")))
        .map(|station| tokio::spawn(faithful(station, Arc::clone(&stop))))
        .collect();
    gate.expect_metric(&format!("portcullis_sessions_live {FLEET}"));

    let knocks = Arc::new(AtomicUsize::new(0));
    let (address, stopped, counted) = (
        gate.listening[1].clone(),
        Arc::clone(&stop),
        Arc::clone(&knocks),
    );
    let knocking = std::thread::spawn(move || {
        let mut refused = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            refused.extend(knock(&address).err());
            counted.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(2));
        }
        refused
    });
    eventually(|| knocks.load(Ordering::Relaxed) > 20, || gate.log());
    let _successor = upgrade(&scene).await;
    eventually(|| gate.lines_with("closed") > 0, || gate.log());
    assert_eq!(until_ended(&mut gate), 0);
    gate.expect_metric(&format!("portcullis_sessions_live {FLEET}"));
    let after = knocks.load(Ordering::Relaxed);
    eventually(
        || knocks.load(Ordering::Relaxed) > after + 20,
        || gate.log(),
    );
    for number in 1..=FLEET {
        let sessions = csms.sessions(&format!("CP-{number}"));
        let live = sessions.iter().filter(|one| one.ended().is_none()).count();
        assert_eq!(live, 1, "CP-{number} has {live} connections at the CSMS");
    }
    stop.store(true, Ordering::Relaxed);
    let refused = knocking.join().unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    let mut longest = Duration::ZERO;
    for one in fleet {
        let (came, away) = one.await.unwrap();
        assert_eq!(came, 2, "once to each process");
        longest = longest.max(away);
    }
    println!(
        "{} knocks, none refused; the longest that one of {FLEET} was away: {longest:?}",
        knocks.load(Ordering::Relaxed)
    );
    // What an operator had in hand before the upgrade is good after it.
    run(&scene, &["session", "list"]).await.is(0);
}

/// Waits for the old process.
fn until_ended(gate: &mut Gate) -> i32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(code) = gate.ended() {
            return code;
        }
        assert!(Instant::now() < deadline, "{}", gate.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_process_that_does_not_get_ready_changes_nothing() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", EXEMPT);
    register(&scene, 2);
    let gate = scene.serve();
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    let config = scene.read("portcullis.toml");
    scene.write("portcullis.toml", format!("{config}\n[limits"));
    let failed = run(&scene, &["upgrade"]).await;
    failed.is(1).complains("portcullis.toml:");
    gate.expect_line("not upgraded, this process goes on");
    talk.call("Heartbeat", json!({})).await.unwrap();
    let _other = station(&gate, "CP-2").connect().await.unwrap();
    run(&scene, &["session", "list"]).await.is(0).says("CP-1");

    // What waits to be confirmed does not come into force by the way.
    scene.write("portcullis.toml", config);
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    store
        .execute_batch(
            "BEGIN; UPDATE station SET enabled = 0; UPDATE revision SET number = number + 1; COMMIT",
        )
        .unwrap();
    gate.expect_line("is held back");
    let held = run(&scene, &["upgrade"]).await;
    held.is(4).complains("2 of 2 sessions");
    store
        .execute_batch(
            "BEGIN; UPDATE station SET enabled = 1; UPDATE revision SET number = number + 1; COMMIT",
        )
        .unwrap();
    gate.expect_metric("portcullis_condition{subject=\"store portcullis.db\"} 0");
    let _successor = upgrade(&scene).await;
    talk.expect_close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_is_still_connected_to_the_old_process_waits_for_its_end() {
    let scene = Scene::new();
    let builder = Csms::builder().on("Heartbeat", |_| Reply::Nothing);
    let csms = builder.start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", EXEMPT);
    register(&scene, 1);
    let mut gate = scene.serve();
    let busy: Conversation = station(&gate, "CP-1").connect().await.unwrap();
    busy.begin("h-1", "Heartbeat", json!({})).unwrap();
    let ours = csms.station("CP-1").await.unwrap();
    let called = ours.expect_call("Heartbeat").await.unwrap();
    // SIGUSR2 is an upgrade, too.
    gate.signal("-USR2");
    gate.expect_line("this process has taken the place of the one before it");
    let process = gate.line_with("upgraded: whoever comes");
    let process = process.split("process=").nth(1).unwrap();
    let _successor = Successor(process.trim().parse().unwrap());

    // Its credential opens the new process's door only when the old one has let go of it.
    let again = station(&gate, "CP-1");
    let again = tokio::spawn(async move { again.connect().await });
    ours.answer(&called, json!({ "currentTime": "2026-11-22T12:00:00Z" }))
        .unwrap();
    busy.expect_answer("h-1").await.unwrap();
    assert_eq!(busy.over().await, Ended::Closed(Some(1001), String::new()));
    let again = again.await.unwrap().unwrap();
    let first = ours.over().await;
    assert!(matches!(first, Ended::Closed(Some(1001), _)), "{first:?}");
    assert!(again.ended().is_none());
    assert_eq!(until_ended(&mut gate), 0);
    gate.expect_line("the process before this one has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_given_while_the_old_process_goes_is_not_forgotten() {
    let scene = Scene::new();
    let builder = Csms::builder().on("Heartbeat", |_| Reply::Nothing);
    let csms = builder.start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", EXEMPT);
    register(&scene, 1);
    let mut gate = scene.serve();
    let silent = station(&gate, "CP-1").answering(|_| Reply::Nothing);
    let busy: Conversation = silent.connect().await.unwrap();
    busy.begin("h-1", "Heartbeat", json!({})).unwrap();
    let ours = csms.station("CP-1").await.unwrap();
    ours.expect_call("Heartbeat").await.unwrap();
    let _successor = upgrade(&scene).await;

    let value = json!({ "key": "AuthorizationKey", "value": "Kestrel-over-the-harbour-7" });
    let id = ours.fresh_id();
    let _asked = ours.begin(&id, "ChangeConfiguration", value).unwrap();
    busy.expect_call("ChangeConfiguration").await.unwrap();
    busy.die().unwrap();
    assert_eq!(until_ended(&mut gate), 0);
    let shown = run(&scene, &["station", "show", "CP-1", "--format", "json"]).await;
    let record = shown.is(0).json();
    assert_eq!(record["is_changing"], true, "{record}");
}
