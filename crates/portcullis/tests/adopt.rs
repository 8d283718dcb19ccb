//! A CPO whose passwords only the CSMS knows: stations are adopted while a window is open, and nobody
//! gets in by it who has not got a password that the CSMS takes.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually};
use serde_json::json;
use sim::{Admission, Conversation, Csms, Station};

const PASSWORD: &str = "Kestrel-over-the-harbour-7";

/// It takes CP-… with that password, and nobody else.
async fn csms() -> Csms {
    let csms = Csms::builder().admitting(|handshake| {
        let shown = handshake.header("authorization").unwrap_or_default();
        let identity = handshake.identity();
        let right = format!("Basic {}", scene::basic(&identity, PASSWORD));
        match identity.to_uppercase().starts_with("CP-") && shown == right {
            true => Admission::Accept,
            false => Admission::Refuse(401),
        }
    });
    csms.start("127.0.0.1:0").await.unwrap()
}

fn station(gate: &Gate, identity: &str, password: &str) -> Station {
    Station::new(gate.plain(), identity)
        .version(Version::V16)
        .password(password)
}

/// Whether it is let in; both ends if it is.
async fn comes(station: Station) -> Option<Conversation> {
    match station.connect().await {
        Ok(talk) => {
            talk.call("Heartbeat", json!({})).await.unwrap();
            Some(talk)
        }
        Err(error) => {
            assert_eq!(error.status(), Some(401));
            None
        }
    }
}

async fn leaves(talk: Conversation) {
    talk.close(Some(1000)).unwrap();
    talk.over().await;
}

fn open(scene: &Scene, from: &str, count: &str) -> scene::Outcome {
    let window = ["adopt", "open", "--minutes", "10"];
    scene.run(&[&window[..], &["--from", from, "--count", count]].concat())
}

const HERE: &str = "127.0.0.0/8";

#[tokio::test(flavor = "multi_thread")]
async fn adopt_learns_a_station_from_the_csms_and_lets_nobody_else_in() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    scene.register("CP-HONEST", PASSWORD, &[]);
    let gate = scene.serve();
    let honest = comes(station(&gate, "CP-HONEST", PASSWORD)).await.unwrap();
    assert!(
        comes(station(&gate, "CP-1", PASSWORD)).await.is_none(),
        "no window"
    );
    assert_eq!(csms.handshakes().len(), 1, "and no upstream without one");

    open(&scene, HERE, "2").is(0);
    let before = csms.handshakes().len();
    assert!(
        comes(station(&gate, "CP-1", "a wrong password, as long"))
            .await
            .is_none()
    );
    assert!(comes(station(&gate, "XX-1", PASSWORD)).await.is_none());
    let other = station(&gate, "CP-HONEST", "a wrong password, as long");
    assert!(
        comes(other).await.is_none(),
        "who is registered is never asked about"
    );
    assert_eq!(csms.handshakes().len(), before + 2);

    let talk = comes(station(&gate, "CP-1", PASSWORD)).await.unwrap();
    gate.expect_line("adopted: the CSMS takes this station");
    leaves(talk).await;
    let list = || scene.run(&["adopt", "list", "--format", "json"]).json();
    let one = json!([{"identity": "CP-1", "tenant": "default"}]);
    eventually(|| list()["adopted"] == one, || list().to_string());
    assert_eq!(list()["window"]["left"], 1);

    // The window is full with the second one.
    let second = comes(station(&gate, "CP-2", PASSWORD)).await.unwrap();
    assert_eq!(list()["window"]["open"], false);
    assert!(comes(station(&gate, "CP-3", PASSWORD)).await.is_none());
    eventually(
        || list()["adopted"].as_array().unwrap().len() == 2,
        || list().to_string(),
    );
    scene.run(&["adopt", "reject", "CP-2"]).is(0);
    second.expect_close().await.unwrap();
    scene
        .run(&["adopt", "accept", "--all"])
        .is(0)
        .says("1 adopted stations stay");
    scene.run(&["adopt", "reject", "CP-1"]).is(3);

    // From now on the CSMS is not asked who CP-1 is: it is turned away here when it is wrong.
    let seen = csms.handshakes().len();
    assert!(
        comes(station(&gate, "CP-1", "a wrong password, as long"))
            .await
            .is_none()
    );
    assert_eq!(csms.handshakes().len(), seen);
    leaves(comes(station(&gate, "CP-1", PASSWORD)).await.unwrap()).await;
    honest.call("Heartbeat", json!({})).await.unwrap();

    // A restart keeps what was learnt, and closes the window.
    gate.stop().is(0);
    let gate = scene.serve();
    assert!(list()["window"].is_null());
    assert!(comes(station(&gate, "CP-1", PASSWORD)).await.is_some());
    assert!(comes(station(&gate, "CP-4", PASSWORD)).await.is_none());
    for (path, bytes) in scene.files_but(&[]) {
        let found = bytes
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{} holds a secret", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adopt_is_for_the_named_networks_and_counts_what_the_csms_refuses() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "[attempts]\ndelay_max_seconds = 1");
    let gate = scene.serve();
    open(&scene, "no network", "9")
        .is(2)
        .complains("is no network");
    open(&scene, "10.0.0.0/8", "9").is(0);
    let seen = csms.handshakes().len();
    assert!(comes(station(&gate, "CP-1", PASSWORD)).await.is_none());
    assert_eq!(csms.handshakes().len(), seen, "it comes from elsewhere");

    open(&scene, HERE, "9").is(0);
    let mut told = Vec::new();
    for guess in 0..7 {
        let guesser = station(&gate, "CP-7", &format!("a wrong password, number {guess}"));
        told.push(
            guesser
                .connect()
                .await
                .err()
                .and_then(|error| error.status())
                .unwrap(),
        );
    }
    assert_eq!(told, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(
        csms.handshakes().len(),
        seen + 1 + 5,
        "the probe, and five guesses"
    );
    scene.run(&["adopt", "close"]).is(0);
    scene.run(&["adopt", "close"]).is(3);
    assert!(comes(station(&gate, "CP-2", PASSWORD)).await.is_none());
    let stations = scene.run(&["station", "list", "--format", "json"]).json();
    assert_eq!(stations, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn adopt_learns_nothing_from_a_csms_that_lets_anybody_in() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "");
    let gate = scene.serve();
    let refused = open(&scene, HERE, "9");
    refused
        .is(4)
        .complains("let in a station that there is not");
    assert!(comes(station(&gate, "CP-1", PASSWORD)).await.is_none());
    let window = [
        "adopt",
        "open",
        "--minutes",
        "10",
        "--from",
        HERE,
        "--count",
        "9",
    ];
    scene
        .run(&[&window[..], &["--csms-accepts-all"]].concat())
        .is(0);
    assert!(comes(station(&gate, "CP-1", PASSWORD)).await.is_some());
    gate.stop().is(0);

    scene.configure(csms.url(), "credential = \"none\"", "");
    let _gate = scene.serve();
    open(&scene, HERE, "9")
        .is(4)
        .complains("the station's own password");
}

/// Whether it is let in, and stays if it is.
async fn stays(station: Station) -> Option<Conversation> {
    let talk = station.connect().await.ok()?;
    talk.call("Heartbeat", json!({})).await.ok()?;
    Some(talk)
}

#[tokio::test(flavor = "multi_thread")]
async fn adopt_takes_a_station_in_one_spelling_when_two_come_at_once() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    let gate = scene.serve();
    open(&scene, HERE, "9").is(0);
    let [one, other, third, fourth] =
        ["CP-1", "cp-1", "Cp-1", "cP-1"].map(|name| stays(station(&gate, name, PASSWORD)));
    let (one, other, third, fourth) = tokio::join!(one, other, third, fourth);
    let came = [one, other, third, fourth];
    assert_eq!(came.iter().flatten().count(), 1);
    let list = || scene.run(&["adopt", "list", "--format", "json"]).json();
    eventually(
        || list()["adopted"].as_array().unwrap().len() == 1,
        || list().to_string(),
    );
    assert_eq!(list()["window"]["left"], 8, "one place of the window");
    let talk = came.iter().flatten().next().unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
}
