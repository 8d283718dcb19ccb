//! The way back: one command, and the gate enforces nothing any more; it goes on saying so.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::gate::{Gate, eventually};
use scene::{Outcome, Scene};
use serde_json::json;
use sim::{Conversation, Csms, Station};

const PASSWORD: &str = "correct horse battery";
const CONDITION: &str = "portcullis_condition{subject=\"mode\"}";

async fn csms(scene: &Scene) -> Csms {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "[controls]\nschema = \"enforce\"");
    for name in ["CP-1", "CP-2"] {
        scene.register(name, PASSWORD, &[]);
    }
    csms
}

async fn connect(gate: &Gate, identity: &str) -> Conversation {
    let station = Station::new(gate.plain(), identity).version(Version::V16);
    station.password(PASSWORD).connect().await.unwrap()
}

async fn run(scene: &Scene, arguments: &[&str]) -> Outcome {
    tokio::task::block_in_place(|| scene.run(arguments))
}

/// Whether a message that an enforced control refuses is passed on.
async fn passes(talk: &Conversation) -> bool {
    let faulty = json!({ "idTag": "longer than twenty characters" });
    talk.call("Authorize", faulty).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_reduces_everything_to_a_relay_and_one_brings_it_back() {
    let scene = Scene::new();
    let _csms = csms(&scene).await;
    let gate = scene.serve();
    let talk = connect(&gate, "CP-1").await;
    assert!(!passes(&talk).await);
    run(&scene, &["mode", "show"])
        .await
        .is(0)
        .says("as they are set");

    // Also while the configuration is one that no gate would start with.
    let config = scene.read("portcullis.toml");
    scene.write("portcullis.toml", format!("{config}\nnonsense"));
    let observe = run(&scene, &["mode", "observe"]).await;
    observe.is(0).says("nothing is enforced: the whole fleet");
    assert!(passes(&talk).await, "at once, and for running sessions");
    gate.expect_metric(&format!("{CONDITION} 1"));
    gate.expect_line("the operator has changed the mode");
    let page = gate.ask("/readyz");
    assert!(
        page.body.contains("portcullis mode enforce"),
        "{}",
        page.body
    );
    let list = run(&scene, &["session", "list", "--format", "json"]).await;
    assert_eq!(list.is(0).json()[0]["observed_only"], true);
    // What two parsers could read differently is refused in every mode.
    talk.send_text("[2,\"x\",\"Authorize\",{\"idTag\":\"A\",\"idTag\":\"B\"}]")
        .unwrap();
    gate.expect_line("message refused");
    // And who may connect is as before.
    let stranger = Station::new(gate.plain(), "CP-2").version(Version::V16);
    assert!(stranger.password("another").connect().await.is_err());

    scene.write("portcullis.toml", &config);
    let stopped = tokio::task::block_in_place(|| gate.stop());
    stopped.is(0);
    let gate = tokio::task::block_in_place(|| scene.serve());
    let talk = connect(&gate, "CP-1").await;
    assert!(passes(&talk).await, "it outlives a restart");
    gate.expect_metric(&format!("{CONDITION} 1"));
    // A reload does not take it back either.
    run(&scene, &["reload"]).await.is(0);
    assert!(passes(&talk).await);

    let enforce = run(&scene, &["mode", "enforce", "--format", "json"]).await;
    let view = enforce.is(0).json();
    assert_eq!(view["fleet"], false);
    assert_eq!(view["running"], true);
    assert!(!passes(&talk).await);
    gate.expect_metric(&format!("{CONDITION} 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_station_is_observed_and_the_one_beside_it_is_not() {
    let scene = Scene::new();
    let _csms = csms(&scene).await;
    let gate = scene.serve();
    let (first, second) = (connect(&gate, "CP-1").await, connect(&gate, "CP-2").await);
    let nobody = run(&scene, &["mode", "observe", "--station", "CP-9"]).await;
    nobody.is(3).complains("no station CP-9");
    let observe = ["mode", "observe", "--station", "CP-1"];
    run(&scene, &observe)
        .await
        .is(0)
        .says("station CP-1 (since");
    assert!(passes(&first).await);
    assert!(!passes(&second).await);
    let tenant = ["mode", "observe", "--tenant", "default"];
    run(&scene, &tenant)
        .await
        .is(0)
        .says("tenant default, station CP-1");
    assert!(passes(&second).await);
    let back = ["mode", "enforce", "--tenant", "default"];
    run(&scene, &back).await.is(0).says("station CP-1");
    assert!(passes(&first).await);
    assert!(!passes(&second).await);
    run(&scene, &["mode", "enforce"])
        .await
        .is(0)
        .says("as they are set");
    assert!(!passes(&first).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_without_a_gate_and_without_a_store() {
    let scene = Scene::new();
    let _csms = csms(&scene).await;
    let observe = scene.run(&["mode", "observe"]);
    observe.is(0).says("from its next start");
    let gate = scene.serve();
    let talk = connect(&gate, "CP-1").await;
    assert!(passes(&talk).await);

    // The store cannot be written: the gate obeys all the same, and stores it when it can.
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let enforce = run(&scene, &["mode", "enforce"]).await;
    enforce.is(0).says("a restart would not find this yet");
    assert!(!passes(&talk).await);
    gate.expect_line("could not be stored yet");
    store.execute_batch("COMMIT").unwrap();
    eventually(
        || {
            let rows = "SELECT count(*) FROM relaxed";
            let rows = store.query_row(rows, (), |row| row.get::<_, u32>(0));
            rows.unwrap() == 0
        },
        || gate.log(),
    );
    run(&scene, &["mode", "show"])
        .await
        .is(0)
        .says("as they are set");
}
