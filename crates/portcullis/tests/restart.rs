//! The gate is killed and comes back: nobody has to boot again, nothing is lost that was written, and
//! nothing is half written.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::{Registration, StationMemory, Tenant, UnixMillis};
use ocpp::{StationId, Version};
use scene::Scene;
use scene::gate::Gate;
use serde_json::{Value, json};
use sim::{Conversation, Csms, Station};
use store::{KeyFile, MemoryStore, SqliteStore};

const PASSWORD: &str = "3f09b1d7c6e2a8845d10";
const PATIENCE: Duration = Duration::from_secs(60);

/// Every control that can be enforced, for messages of a transaction, too.
const EVERYTHING_ENFORCED: &str = "[[scope]]\nstations = [\"CP-*\"]\ncontrols = { schema = \"enforce\", \
    direction = \"enforce\", correlation = \"enforce\", pipelining = \"enforce\", \
    registration = \"enforce\", transactions = \"enforce\", connectors = \"enforce\", \
    boot-identity = \"enforce\", boot-serial = \"enforce\", rate = \"enforce\", \
    timestamps = \"enforce\", injection = \"enforce\", patches = \"enforce\", \
    backend-url = \"enforce\" }\n";

fn name(number: usize) -> String {
    format!("CP-{number:03}")
}

/// A gate's directory with so many stations registered.
fn site(csms: &Csms, stations: usize) -> Scene {
    let scene = Scene::new();
    scene.configure(csms.url(), "", EVERYTHING_ENFORCED);
    scene.register_all((0..stations).map(name), PASSWORD);
    scene
}

fn open_store(scene: &Scene) -> SqliteStore {
    let key = KeyFile::open(&scene.path("keys/portcullis.key")).unwrap();
    SqliteStore::open(&scene.path("portcullis.db"), &key).unwrap()
}

fn remembered(store: &SqliteStore, number: usize) -> StationMemory {
    let id = StationId::parse(&name(number), Version::V16).unwrap();
    let memory = store.memory(&Tenant(Arc::from("default")), &id).unwrap();
    memory.unwrap_or_default()
}

async fn connect(gate: &Gate, number: usize) -> Conversation {
    let station = Station::new(gate.plain(), name(number)).version(Version::V16);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match station.clone().password(PASSWORD).connect().await {
            Ok(talk) => return talk,
            // The gate may still be busy with the others.
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn boots(talk: &Conversation) {
    let boot = json!({
        "chargePointVendor": "V", "chargePointModel": "M",
        "chargePointSerialNumber": talk.identity(), "firmwareVersion": "1.0",
    });
    talk.call("BootNotification", boot).await.unwrap();
    let status = json!({ "connectorId": 1, "errorCode": "NoError", "status": "Available" });
    talk.call("StatusNotification", status).await.unwrap();
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

async fn starts(talk: &Conversation, meter: usize) -> Value {
    let start = json!({
        "connectorId": 1, "idTag": "T", "meterStart": meter, "timestamp": now(),
    });
    let answer = talk.call("StartTransaction", start).await.unwrap();
    answer["transactionId"].clone()
}

fn stop(transaction: &Value) -> Value {
    json!({ "transactionId": transaction, "meterStop": 9000, "timestamp": now() })
}

async fn goes_on(talk: &Conversation, transaction: Option<&Value>) {
    talk.call("Heartbeat", json!({})).await.unwrap();
    let Some(transaction) = transaction else {
        return;
    };
    let sampled = json!([{ "value": "1" }]);
    let values = json!([{ "timestamp": now(), "sampledValue": sampled }]);
    let values = json!({ "connectorId": 1, "transactionId": transaction, "meterValue": values });
    talk.call("MeterValues", values).await.unwrap();
    let stop = stop(transaction);
    talk.call("StopTransaction", stop).await.unwrap();
}

/// Waits until the store has what the stations have said.
fn wait_until_written(
    store: &SqliteStore,
    so: impl Fn(&StationMemory, usize) -> bool,
    many: usize,
) {
    let deadline = Instant::now() + PATIENCE;
    let missing = || (0..many).find(|number| !so(&remembered(store, *number), *number));
    while let Some(number) = missing() {
        let memory = remembered(store, number);
        assert!(Instant::now() < deadline, "station {number}: {memory:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_accepted(memory: &StationMemory) -> bool {
    memory.registration(UnixMillis(0)) == Registration::Accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_booted_stations_go_on_after_the_gate_was_killed() {
    const STATIONS: usize = 100;
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = site(&csms, STATIONS);
    let gate = scene.serve();
    let (mut talks, mut transactions) = (Vec::new(), Vec::new());
    for number in 0..STATIONS {
        let talk = connect(&gate, number).await;
        boots(&talk).await;
        let charges = number.is_multiple_of(2);
        transactions.push(match charges {
            true => Some(starts(&talk, number).await),
            false => None,
        });
        talks.push(talk);
    }
    let asked = csms.station(&name(0)).await.unwrap();
    asked.call("GetConfiguration", json!({})).await.unwrap();
    let store = open_store(&scene);
    let whole = |memory: &StationMemory, number: usize| {
        let charges = usize::from(number.is_multiple_of(2));
        let connectors = number != 0 || memory.connectors() == Some(2);
        is_accepted(memory) && memory.transactions().open().len() == charges && connectors
    };
    wait_until_written(&store, whole, STATIONS);
    gate.signal("-KILL");
    for talk in &talks {
        talk.over().await;
    }
    drop(gate);

    let gate = scene.serve();
    gate.expect_line("did not write its last changes");
    let mut talks = Vec::new();
    for number in 0..STATIONS {
        talks.push(connect(&gate, number).await);
    }
    // What was remembered still holds against those it speaks against.
    let foreign = transactions[0].as_ref().unwrap();
    let thief = &talks[1];
    thief
        .call("StopTransaction", stop(foreign))
        .await
        .unwrap_err();
    gate.expect_metric("portcullis_messages_refused_total 1");
    for (talk, transaction) in talks.iter().zip(&transactions) {
        goes_on(talk, transaction.as_ref()).await;
    }
    gate.expect_metric("portcullis_messages_refused_total 1");
    let findings = gate.ask("/metrics").body;
    let findings: Vec<&str> = findings
        .lines()
        .filter(|line| line.starts_with("portcullis_findings_total{"))
        .collect();
    assert_eq!(
        findings,
        ["portcullis_findings_total{control=\"transactions\",mode=\"enforce\"} 1"]
    );
    let ended =
        |memory: &StationMemory, _| is_accepted(memory) && memory.transactions().open().is_empty();
    wait_until_written(&store, ended, STATIONS);
    scene
        .run(&["station", "show", &name(0)])
        .is(0)
        .says("registration        accepted")
        .says("V, M, serial CP-000, firmware 1.0")
        .says("connectors          2")
        .says("open transactions   none that is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_nothing_is_half_written() {
    const STATIONS: usize = 4;
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = site(&csms, STATIONS);
    // Each round ends at another point of the writer's turn.
    for (round, words) in [3, 11, 17, 26, 40].into_iter().enumerate() {
        let gate = scene.serve();
        let mut talks = Vec::new();
        for number in 0..STATIONS {
            let talk = connect(&gate, number).await;
            boots(&talk).await;
            talks.push(talk);
        }
        for word in 0..words {
            let talk = &talks[word % STATIONS];
            let transaction = starts(talk, round * 100 + word).await;
            let answer = talk.call("StopTransaction", stop(&transaction)).await;
            answer.unwrap();
        }
        gate.signal("-KILL");
        drop(gate);
        let mut store = open_store(&scene);
        let kept = store.open_memories().unwrap();
        assert_eq!(kept.unreadable, 0, "round {round}");
        assert!(!kept.whole);
        assert!(kept.memories.len() <= STATIONS);
    }
    // And a gate that is told to stop leaves nothing in doubt.
    let gate = scene.serve();
    let talk = connect(&gate, 0).await;
    let transaction = starts(&talk, 9999).await;
    tokio::task::spawn_blocking(move || gate.stop())
        .await
        .unwrap()
        .is(0);
    let kept = open_store(&scene).open_memories().unwrap();
    assert!(kept.whole);
    let open = remembered(&open_store(&scene), 0);
    let open: Vec<_> = open.transactions().open().iter().collect();
    let id = guard::TransactionId::Number(transaction.as_i64().unwrap());
    assert_eq!(open.last().map(|open| &open.id), Some(&id));
}
