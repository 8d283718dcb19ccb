//! How the gate stops.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::time::{Duration, Instant};

use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually};
use serde_json::json;
use sim::{Conversation, Ended};
use sim::{Csms, Reply, Station};

const PASSWORD: &str = "correct horse battery";

async fn connect(gate: &Gate, identity: &str) -> Conversation {
    let station = Station::new(gate.plain(), identity).version(Version::V16);
    station.password(PASSWORD).connect().await.unwrap()
}

/// A CSMS that leaves Heartbeats to us.
async fn silent_csms() -> Csms {
    let builder = Csms::builder().on("Heartbeat", |_| Reply::Nothing);
    builder.start("127.0.0.1:0").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_closes_the_doors_answers_what_was_asked_and_leaves_room_for_the_next() {
    let scene = Scene::new();
    let csms = silent_csms().await;
    scene.configure(
        csms.url(),
        "",
        "takeover_deadline_seconds = 60\n[session]\nclose_deadline_seconds = 20",
    );
    scene.register("CP-1", PASSWORD, &[]);
    scene.register("CP-2", PASSWORD, &[]);
    let gate = scene.serve();
    let (busy, quiet) = (connect(&gate, "CP-1").await, connect(&gate, "CP-2").await);
    busy.begin("h-1", "Heartbeat", json!({})).unwrap();
    let ours = csms.station("CP-1").await.unwrap();
    let called = ours.expect_call("Heartbeat").await.unwrap();

    gate.signal("-TERM");
    assert_eq!(quiet.over().await, Ended::Closed(Some(1001), String::new()));
    // Nobody is accepted any more, and the addresses are free while the last one waits.
    let refused = |address: &str| {
        let error = std::net::TcpStream::connect(address).unwrap_err();
        error.kind() == std::io::ErrorKind::ConnectionRefused
    };
    for address in &gate.listening {
        assert!(refused(address), "{address}");
    }
    let config = scene.read("portcullis.toml");
    let address = "[[listener]]\naddress = \"127.0.0.1:0\"\nplain";
    let taken = format!("[[listener]]\naddress = \"{}\"\nplain", gate.listening[1]);
    scene.write("portcullis.toml", config.replace(address, &taken));
    let next = tokio::task::block_in_place(|| scene.serve());
    assert_eq!(next.listening[1], gate.listening[1]);
    assert_eq!(
        busy.ended(),
        None,
        "it still waits for its answer\n{}",
        gate.log()
    );

    ours.answer(&called, json!({ "currentTime": "2026-11-22T12:00:00Z" }))
        .unwrap();
    busy.expect_answer("h-1").await.unwrap();
    assert_eq!(busy.over().await, Ended::Closed(Some(1001), String::new()));
    let stopped = tokio::task::block_in_place(|| gate.stop());
    stopped.is(0).complains("closed");
    // What it left is the other one's ticket.
    scene.run(&["session", "list"]).is(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sigterm_closes_at_once() {
    let scene = Scene::new();
    let csms = silent_csms().await;
    let more = "takeover_deadline_seconds = 600\n[session]\nclose_deadline_seconds = 300\ndrain_seconds = 600";
    scene.configure(csms.url(), "", more);
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    let busy = connect(&gate, "CP-1").await;
    busy.begin("h-1", "Heartbeat", json!({})).unwrap();
    let ours = csms.station("CP-1").await.unwrap();
    ours.expect_call("Heartbeat").await.unwrap();
    gate.signal("-TERM");
    gate.expect_line("saying goodbye to 1 stations");
    assert!(busy.ended().is_none(), "it waits for its answer");
    let begin = Instant::now();
    let stopped = tokio::task::block_in_place(|| gate.stop());
    stopped
        .is(0)
        .complains("closing at once")
        .complains("closed");
    assert!(begin.elapsed() < Duration::from_secs(60));
    assert_eq!(busy.over().await, Ended::Closed(Some(1001), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_sent_away_over_a_while_and_not_in_one_second() {
    const STATIONS: usize = 150;
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "");
    scene.register_all(
        (1..=STATIONS).map(|number| format!("CP-{number}")),
        PASSWORD,
    );
    let gate = scene.serve();
    let mut talks = Vec::new();
    for number in 1..=STATIONS {
        talks.push(connect(&gate, &format!("CP-{number}")).await);
    }
    gate.expect_metric(&format!("portcullis_sessions_live {STATIONS}"));
    gate.signal("-TERM");
    gate.expect_line("saying goodbye to 150 stations over 1.5 s");
    let begin = Instant::now();
    let left = || talks.iter().filter(|talk| talk.ended().is_none()).count();
    eventually(|| left() < STATIONS, || gate.log());
    assert!(left() > STATIONS / 2, "all of them went at once");
    eventually(|| left() == 0, || gate.log());
    assert!(
        begin.elapsed() > Duration::from_secs(1),
        "{:?}",
        begin.elapsed()
    );
    let stopped = tokio::task::block_in_place(|| gate.stop());
    stopped.is(0);
}
