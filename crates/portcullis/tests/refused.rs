//! A transaction message that is refused is kept until somebody has looked at it, whatever becomes of
//! the program in between.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually};
use serde_json::{Value, json};
use sim::{Csms, Station};

const PASSWORD: &str = "correct horse battery";
const STRICT: &str = "[[scope]]\nstations = \"CP-*\"\ncontrols = { schema = \"enforce\" }";

async fn station(gate: &Gate) -> sim::Conversation {
    named(gate, "CP-1").await
}

async fn named(gate: &Gate, identity: &str) -> sim::Conversation {
    let station = Station::new(gate.plain(), identity)
        .version(Version::V16)
        .password(PASSWORD);
    station.connect().await.unwrap()
}

fn stop() -> Value {
    json!({"meterStop": "7", "timestamp": "2026-01-01T00:00:00Z", "transactionId": 5, "idTag": "04A2B3C4"})
}

fn list(scene: &Scene, all: &[&str]) -> Vec<Value> {
    let arguments = [&["refused", "list", "--format", "json"], all].concat();
    let told = scene.run(&arguments);
    told.is(0);
    serde_json::from_str(&told.out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_stop_survives_a_kill_and_reaches_the_csms_when_it_is_released() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", STRICT);
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    let talk = station(&gate).await;
    talk.call("StopTransaction", stop()).await.unwrap_err();
    gate.expect_metric("portcullis_refused_open 1");
    let page = gate.ask("/readyz");
    assert!(
        page.body.contains("1 wait to be looked at"),
        "{}",
        page.body
    );
    drop((talk, gate));

    let rows = list(&scene, &[]);
    let [row] = rows.as_slice() else {
        unreachable!("{rows:?}");
    };
    assert_eq!(
        (&row["action"], &row["refused_by"]),
        (&json!("StopTransaction"), &json!("schema"))
    );
    let number = row["number"].to_string();
    let shown = scene.run(&["refused", "show", &number]);
    shown.is(0).says("StopTransaction").says("transactionId");
    assert!(!shown.out.contains("04A2B3C4"), "{}", shown.out);
    scene
        .run(&["refused", "show", &number, "--reveal"])
        .is(0)
        .says("04A2B3C4");

    let gate = scene.serve();
    scene
        .run(&["refused", "release", &number])
        .is(1)
        .complains("not connected");
    let talk = station(&gate).await;
    let scene = std::sync::Arc::new(scene);
    let (there, which) = (std::sync::Arc::clone(&scene), number.clone());
    let released = tokio::task::spawn_blocking(move || {
        there.run(&["refused", "release", &which]).is(0).out.clone()
    });
    let said = released.await.unwrap();
    assert!(said.contains("the CSMS has taken it"), "{said}");
    let heard = csms.station("CP-1").await.unwrap().received();
    let stops = heard.iter().filter(|text| text.contains("04A2B3C4"));
    assert_eq!(stops.count(), 1, "{heard:?}");
    talk.call("Heartbeat", json!({})).await.unwrap();

    assert!(list(&scene, &[]).is_empty());
    assert_eq!(list(&scene, &["--all"])[0]["state"], json!("released"));
    scene.run(&["refused", "drop", &number]).is(3);
    eventually(
        || gate.lines_with("the CSMS has taken it") == 1,
        || gate.log(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_one_stations_refusals_leave_the_others_their_room() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let share = "[refused]\nstation_messages_max = 2\n";
    scene.configure(csms.url(), "", &format!("{share}{STRICT}"));
    for identity in ["CP-LOUD", "CP-1"] {
        scene.register(identity, PASSWORD, &[]);
    }
    let gate = scene.serve();
    let loud = named(&gate, "CP-LOUD").await;
    for _ in 0..4 {
        loud.call("StopTransaction", stop()).await.unwrap_err();
    }
    gate.expect_metric("portcullis_refused_lost_total 2");
    let quiet = station(&gate).await;
    quiet.call("StopTransaction", stop()).await.unwrap_err();
    gate.expect_metric("portcullis_refused_open 3");
    let whose: Vec<_> = list(&scene, &[])
        .iter()
        .map(|row| row["identity"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(whose, ["CP-LOUD", "CP-LOUD", "CP-1"]);
    let page = gate.ask("/readyz");
    assert!(
        page.body.contains("2 found no room since the start"),
        "{}",
        page.body
    );
}
