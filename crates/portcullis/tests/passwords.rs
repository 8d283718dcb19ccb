//! A07: weak and shared passwords are refused where they are registered, found where they are, and
//! never shown. D03: a password that the CSMS changes is kept through everything.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually};
use serde_json::json;
use sim::{Csms, Reply, Station};

const GOOD: &str = "Kestrel-over-the-harbour-7";

fn add(scene: &Scene, identity: &str, password: &str, more: &[&str]) -> scene::Outcome {
    let arguments = [&["station", "add", identity, "--password-text"], more].concat();
    scene.run_with(&arguments, &format!("{password}\n"))
}

#[test]
fn a07_a_weak_password_is_not_registered_unless_it_is_wanted() {
    let scene = Scene::new();
    for (password, why) in [
        ("opensesame", "shorter than 16 bytes"),
        ("DeadBeefDeadBeef", "delivered or documented"),
        ("ocpp-cp-0001", "made from the identity"),
        ("zzzzzzzzzzzzzzzzzzzz", "repeats or counts"),
    ] {
        let refused = add(&scene, "CP-0001", password, &[]);
        refused.is(2).complains(why).complains("--allow-weak");
        assert!(!refused.err.contains(password), "{}", refused.err);
    }
    add(&scene, "CP-0001", GOOD, &[]).is(0);
    let shared = add(&scene, "CP-0002", GOOD, &[]);
    shared.is(2).complains("station CP-0001 has it, too");
    let allowed = add(&scene, "CP-0002", GOOD, &["--allow-weak"]);
    allowed.is(0).complains("station CP-0001 has it, too");
    let again = add(&scene, "CP-0001", GOOD, &[]);
    again.is(4).complains("already registered");
}

#[test]
fn a07_an_import_names_every_row_with_a_weak_password() {
    let scene = Scene::new();
    let fleet = format!(
        "identity,password_text\nCP-1,{GOOD}\nCP-2,{GOOD}\nCP-3,Heron-over-the-river-8\nCP-4,CP-4\n"
    );
    scene.write("fleet.csv", fleet);
    let refused = scene.run(&["station", "import", "fleet.csv"]);
    refused
        .is(2)
        .complains("fleet.csv:3: the password of CP-2 is weak: station CP-1 has it, too");
    refused
        .complains("fleet.csv:5: ")
        .complains("nothing was imported: 2 problems");
    assert!(!refused.err.contains("fleet.csv:4"), "{}", refused.err);
    let imported = scene.run(&["station", "import", "fleet.csv", "--allow-weak"]);
    imported.is(0).complains("2 of the passwords are weak");

    let audit = scene
        .run(&["station", "audit", "--format", "json"])
        .is(0)
        .json();
    assert_eq!(audit["passwords"], 4);
    assert_eq!(audit["unknown"], 0);
    let named = |identity| json!({"identity": identity, "tenant": "default"});
    assert_eq!(
        audit["shared"],
        json!([{"stations": [named("CP-1"), named("CP-2")]}])
    );
    let weak: Vec<_> = audit["weak"].as_array().unwrap().iter().collect();
    assert_eq!(weak.len(), 3, "{weak:?}");
    assert_eq!(weak[0]["identity"], "CP-1");
    assert_eq!(
        weak[0]["accepted"], false,
        "it was the first one, and was not weak then"
    );
    assert_eq!(weak[2]["why"], json!(["short", "derived"]));
    assert_eq!(weak[2]["accepted"], true);
    let text = scene.run(&["station", "audit"]);
    text.is(0)
        .says("2 stations share one password: CP-1, CP-2")
        .says("CP-4 (default)");
    assert!(!text.out.contains(GOOD) && !audit.to_string().contains(GOOD));
    let doctor = scene.run(&["doctor"]);
    doctor.says("passwords: 1 of 4 are weak or shared, 2 more were registered as such");
}

#[test]
fn a07_a_new_password_ends_the_finding() {
    let scene = Scene::new();
    scene
        .run(&["station", "audit"])
        .is(0)
        .says("No weak password is known");
    add(&scene, "CP-1", GOOD, &[]).is(0);
    add(&scene, "CP-2", GOOD, &["--allow-weak"]).is(0);
    let set = |arguments: &[&str], input: &str| {
        scene.run_with(&[&["station", "set-password"], arguments].concat(), input)
    };
    set(&["CP-2", "--password-text"], &format!("{GOOD}\n"))
        .is(2)
        .complains("CP-1 has it");
    set(&["CP-9", "--generate"], "")
        .is(3)
        .complains("no station CP-9");
    let drawn = set(&["CP-2", "--generate", "--format", "json"], "");
    let drawn = drawn.is(0).json();
    assert_eq!(drawn["password"].as_str().unwrap().len(), 40);
    assert_eq!(drawn["station"]["password_check"], "hex, fast check");
    let audit = scene.run(&["station", "audit", "--format", "json"]).json();
    assert_eq!((&audit["shared"], &audit["weak"]), (&json!([]), &json!([])));
    // The same password may be set again: it is not shared with itself.
    set(&["CP-1", "--password-text"], &format!("{GOOD}\n")).is(0);
}

fn station(gate: &Gate, identity: &str, password: &str) -> Station {
    Station::new(gate.plain(), identity)
        .version(Version::V16)
        .password(password)
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_what_was_registered_before_is_learnt_when_its_station_comes_and_survives_a_restart() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "");
    let weak = "opensesame";
    add(&scene, "CP-1", weak, &["--allow-weak"]).is(0);
    add(&scene, "CP-2", GOOD, &[]).is(0);
    // As an older version left it: nothing is known but the verifier.
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    store
        .execute_batch("UPDATE station SET password_traits = NULL")
        .unwrap();
    drop(store);
    let audit = || scene.run(&["station", "audit", "--format", "json"]).json();
    assert_eq!(audit()["unknown"], 2);

    let gate = scene.serve();
    let _honest = station(&gate, "CP-2", GOOD).connect().await.unwrap();
    let _weak = station(&gate, "CP-1", weak).connect().await.unwrap();
    gate.expect_line("a station came in with a weak password");
    gate.expect_metric("portcullis_weak_passwords_total{why=\"short\"} 1");
    eventually(|| audit()["unknown"] == 0, || audit().to_string());
    eventually(
        || {
            gate.ask("/readyz")
                .body
                .contains("1 of 2 are weak or shared")
        },
        || gate.ask("/readyz").body,
    );
    assert!(!gate.log().contains(weak), "{}", gate.log());
    gate.stop().is(0);
    let audit = audit();
    assert_eq!(audit["weak"][0]["identity"], "CP-1");
    assert_eq!(audit["weak"].as_array().unwrap().len(), 1);

    scene.configure(csms.url(), "", "[passwords]\nweak = \"refuse\"");
    let gate = scene.serve();
    let refused = station(&gate, "CP-1", weak).connect().await.err().unwrap();
    assert_eq!(refused.status(), Some(401));
    let _honest = station(&gate, "CP-2", GOOD).connect().await.unwrap();
    gate.expect_line("its password is right, and weak: it is shorter than 16 bytes");
}

const DIGITS: &str = "9f27ad01c4586ee3b1c02a77d4a9e65310fb42cd";

/// A station that takes a new password and never says so.
async fn given_and_lost(gate: &Gate, csms: &Csms, password: &str) {
    let station = station(gate, "CP-1", password).answering(|_| Reply::Nothing);
    let station = station.connect().await.unwrap();
    let at_csms = csms.station("CP-1").await.unwrap();
    let value = json!({"key": "AuthorizationKey", "value": DIGITS});
    let id = at_csms.fresh_id();
    let _asked = at_csms.begin(&id, "ChangeConfiguration", value).unwrap();
    station.expect_call("ChangeConfiguration").await.unwrap();
    station.die().unwrap();
}

async fn is_let_in(gate: &Gate, password: impl Into<Vec<u8>>) -> bool {
    let station = Station::new(gate.plain(), "CP-1").version(Version::V16);
    match station.password(password).connect().await {
        Ok(talk) => {
            talk.call("Heartbeat", json!({})).await.unwrap();
            talk.close(Some(1000)).unwrap();
            talk.over().await;
            true
        }
        Err(error) => {
            assert_eq!(error.status(), Some(401));
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d03_a_change_survives_restarts_until_the_new_password_is_shown() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "");
    add(&scene, "CP-1", GOOD, &["--machine-made"]).is(0);
    let shown = || {
        scene
            .run(&["station", "show", "CP-1", "--format", "json"])
            .json()
    };

    let gate = scene.serve();
    given_and_lost(&gate, &csms, GOOD).await;
    gate.expect_line("the CSMS gives the station a new credential");
    eventually(|| shown()["is_changing"] == true, || shown().to_string());
    drop(gate);

    // Killed and started anew: either is good.
    let gate = scene.serve();
    assert!(is_let_in(&gate, GOOD).await);
    let octets = (0..20).map(|n| u8::from_str_radix(&DIGITS[2 * n..2 * n + 2], 16).unwrap());
    let octets: Vec<u8> = octets.collect();
    assert!(is_let_in(&gate, octets.clone()).await);
    gate.expect_metric("portcullis_credential_changes_total{how=\"proved\"} 1");
    assert!(!is_let_in(&gate, GOOD).await);
    gate.stop().is(0);

    // And the new one alone has taken the old one's place.
    assert_eq!(shown()["password_check"], "hex, fast check");
    assert!(shown().get("is_changing").is_none());
    let gate = scene.serve();
    assert!(!is_let_in(&gate, GOOD).await);
    assert!(is_let_in(&gate, octets.clone()).await);
    assert!(
        is_let_in(&gate, DIGITS).await,
        "the digits are the same secret"
    );
    assert!(!gate.log().contains(DIGITS));
    for (path, bytes) in scene.files_but(&[]) {
        for secret in [DIGITS.as_bytes(), &octets] {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d03_the_password_towards_the_csms_follows_and_survives_a_restart() {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "credential = \"per-station\"", "");
    let arguments = [
        "station",
        "add",
        "CP-1",
        "--password-text",
        "--upstream-password",
    ];
    scene
        .run_with(&arguments, &format!("{GOOD}\nold-towards-the-csms\n"))
        .is(0);
    let gate = scene.serve();
    given_and_lost(&gate, &csms, GOOD).await;
    assert!(is_let_in(&gate, DIGITS).await);
    gate.stop().is(0);
    let gate = scene.serve();
    assert!(is_let_in(&gate, DIGITS).await);
    let shown = csms.expect_handshakes(3).await.unwrap();
    let shown: Vec<_> = shown
        .iter()
        .map(|one| one.header("authorization").unwrap())
        .collect();
    let basic = |password| format!("Basic {}", scene::basic("CP-1", password));
    assert_eq!(
        shown,
        [basic("old-towards-the-csms"), basic(DIGITS), basic(DIGITS)]
    );
}
