//! Fail modes: the store goes away while the gate runs. Stations come and go as before, changes stop,
//! the operator hears of it, and when the store is back so is everything else.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually};
use serde_json::json;
use sim::Conversation;
use sim::{Csms, Station};

const PASSWORD: &str = "correct horse battery";
const CONDITION: &str = "portcullis_condition{subject=\"store portcullis.db\"}";

async fn connect(gate: &Gate, identity: &str) -> Option<Conversation> {
    let station = Station::new(gate.plain(), identity).version(Version::V16);
    station.password(PASSWORD).connect().await.ok()
}

/// One station that stays and one that comes and goes.
async fn gate(scene: &Scene) -> (Csms, Gate, Conversation) {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "[controls]\nschema = \"observe\"");
    for name in ["STAYS", "COMES"] {
        scene.register(name, PASSWORD, &[]);
    }
    let gate = scene.serve();
    gate.expect_ready(true);
    let stays = connect(&gate, "STAYS").await.unwrap();
    (csms, gate, stays)
}

/// Stations are served as if nothing had happened.
async fn works(gate: &Gate, stays: &Conversation) {
    stays.call("Heartbeat", json!({})).await.unwrap();
    let comes = connect(gate, "COMES").await.unwrap();
    comes.call("Heartbeat", json!({})).await.unwrap();
    comes.close(Some(1000)).unwrap();
    comes.over().await;
    gate.expect_metric("portcullis_sessions_live 1");
    assert!(connect(gate, "STRANGER").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_removed_stops_changes_and_is_read_again_when_it_is_back() {
    let scene = Scene::new();
    let (_csms, gate, stays) = gate(&scene).await;
    std::fs::create_dir(scene.path("away")).unwrap();
    let names = ["portcullis.db", "portcullis.db-wal", "portcullis.db-shm"];
    let moved = |from: &str, to: &str| {
        for name in names {
            let _ = std::fs::rename(scene.path(from).join(name), scene.path(to).join(name));
        }
    };
    moved(".", "away");
    gate.expect_line("the gate goes on with what it knew");
    gate.expect_metric(&format!("{CONDITION} 2"));
    works(&gate, &stays).await;
    // The configuration can change all the same.
    let config = scene.read("portcullis.toml");
    scene.write(
        "portcullis.toml",
        config.replace("\"observe\"", "\"enforce\""),
    );
    tokio::task::block_in_place(|| scene.run(&["reload"])).is(0);
    let faulty = json!({ "idTag": "longer than twenty characters" });
    assert!(stays.call("Authorize", faulty).await.is_err());
    works(&gate, &stays).await;

    moved("away", ".");
    gate.expect_metric(&format!("{CONDITION} 0"));
    scene.register("NEW", PASSWORD, &[]);
    gate.expect_line("the register has changed");
    assert!(connect(&gate, "NEW").await.is_some());
    works_still(&gate, &stays).await;
}

async fn works_still(gate: &Gate, stays: &Conversation) {
    stays.call("Heartbeat", json!({})).await.unwrap();
    gate.expect_ready(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_becomes_rubbish_stops_changes_and_a_sound_one_is_taken_up() {
    let scene = Scene::new();
    let (_csms, gate, stays) = gate(&scene).await;
    let copy = scene.path("copy.db");
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    let into = format!("VACUUM INTO '{}'", copy.display());
    store.execute_batch(&into).unwrap();
    drop(store);
    scene.write("portcullis.db", vec![0x55; 40_960]);
    gate.expect_line("the gate goes on with what it knew");
    gate.expect_metric(&format!("{CONDITION} 2"));
    works(&gate, &stays).await;

    // The way back: the copy takes its place, and what belonged to the old file goes.
    for gone in ["portcullis.db-wal", "portcullis.db-shm"] {
        let _ = std::fs::remove_file(scene.path(gone));
    }
    std::fs::rename(&copy, scene.path("portcullis.db")).unwrap();
    gate.expect_metric(&format!("{CONDITION} 0"));
    scene.register("NEW", PASSWORD, &[]);
    eventually(|| scene.run(&["check"]).code == 0, || gate.log());
    gate.expect_line("the register has changed");
    assert!(connect(&gate, "NEW").await.is_some());
    works_still(&gate, &stays).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_cannot_be_written_keeps_nobody_out_but_the_operator() {
    let scene = Scene::new();
    // As a full disk does it, and needs no full disk.
    std::fs::create_dir(scene.path("portcullis.db.admin.new")).unwrap();
    let (_csms, gate, stays) = gate(&scene).await;
    gate.expect_line("nobody can give this gate orders");
    gate.expect_metric("portcullis_condition{subject=\"admin ticket\"} 1");
    works(&gate, &stays).await;
    scene.run(&["session", "list"]).is(1);
    std::fs::remove_dir(scene.path("portcullis.db.admin.new")).unwrap();
    gate.expect_line("well again: is written");
    scene.run(&["session", "list"]).is(0).says("STAYS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_somebody_locks_keeps_nobody_out() {
    let scene = Scene::new();
    let (_csms, gate, stays) = gate(&scene).await;
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    store.execute_batch("BEGIN EXCLUSIVE").unwrap();
    works(&gate, &stays).await;
    // The route table cannot be written to the store, and is in force.
    let config = scene.read("portcullis.toml");
    let other = config.replace("/ocpp/{identity}", "/other/{identity}");
    scene.write("portcullis.toml", other);
    tokio::task::block_in_place(|| scene.run(&["reload"]))
        .is(0)
        .says("routes");
    gate.expect_line("could not be written to the store");
    stays.call("Heartbeat", json!({})).await.unwrap();
    let moved = Station::new(gate.plain().replace("/ocpp", "/other"), "COMES");
    let moved = moved.version(Version::V16).password(PASSWORD);
    moved.connect().await.unwrap();
    store.execute_batch("COMMIT").unwrap();
    scene.register("NEW", PASSWORD, &[]);
    gate.expect_line("the register has changed");
}
