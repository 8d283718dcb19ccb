//! The real program between a station and a CSMS, and what it tells of itself.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use ocpp::Version;
use scene::Scene;
use scene::gate::{Gate, eventually};
use serde_json::json;
use sim::{Csms, Station};

const PASSWORD: &str = "correct horse battery";

async fn csms() -> Csms {
    Csms::builder().start("127.0.0.1:0").await.unwrap()
}

fn station(gate: &Gate, identity: &str) -> Station {
    Station::new(gate.plain(), identity)
        .version(Version::V16)
        .password(PASSWORD)
}

/// The status with which a station is refused.
async fn refusal(station: Station) -> Option<u16> {
    station
        .connect()
        .await
        .err()
        .and_then(|error| error.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_registered_while_the_gate_runs_is_let_in_and_one_removed_is_sent_away() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    let gate = scene.serve();
    assert_eq!(refusal(station(&gate, "CP-1")).await, Some(401));

    scene.register("CP-1", PASSWORD, &[]);
    gate.expect_line("the register has changed");
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
    gate.expect_metric("portcullis_sessions_live 1");
    gate.expect_metric("portcullis_messages_forwarded_total 2");

    scene.run(&["station", "disable", "CP-1"]).is(0);
    talk.expect_close().await.unwrap();
    gate.expect_metric("portcullis_sessions_live 0");
    assert_eq!(refusal(station(&gate, "CP-1")).await, Some(401));
    scene.run(&["route", "list"]).is(0).says("/ocpp/{identity}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_says_goodbye_and_ends_with_0() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    // The station has its 101 a moment before the gate counts the session.
    gate.expect_metric("portcullis_sessions_live 1");
    let stopped = tokio::task::spawn_blocking(move || gate.stop())
        .await
        .unwrap();
    stopped
        .is(0)
        .complains("closing: saying goodbye to 1 stations")
        .complains("closed");
    let ended = format!("{:?}", talk.over().await);
    assert!(ended.contains("1001"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_comes_by_tls_with_a_certificate_of_our_authority() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "credential = \"none\"", "");
    scene
        .run(&["ca", "issue", "station", "CP-1", "--cpo", "Example"])
        .is(0);
    scene
        .run(&["station", "add", "CP-1", "--certificate-name"])
        .is(0);
    let gate = scene.serve();
    let pem = |name: &str| scene.path(&format!("ca/{name}"));
    let tls = scene::client_tls(
        &pem("ca.pem"),
        &pem("station-CP-1.pem"),
        &pem("station-CP-1.key"),
    );
    let talk = Station::new(gate.tls(), "CP-1")
        .version(Version::V201)
        .tls(tls)
        .connect()
        .await
        .unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
    gate.expect_line("TLS and certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_csms_is_shown_the_password_of_the_route_or_of_the_station() {
    for (route, shown) in [
        ("credential = \"forward\"", PASSWORD),
        (
            "credential = \"fixed\"\npassword_file = \"secret\"",
            "one for all",
        ),
        ("credential = \"per-station\"", "one of its own"),
    ] {
        let scene = Scene::new();
        let csms = csms().await;
        scene.write("secret", "one for all\n");
        scene.configure(csms.url(), route, "");
        let add = [
            "station",
            "add",
            "CP-1",
            "--password-text",
            "--upstream-password",
        ];
        scene
            .run_with(&add, &format!("{PASSWORD}\none of its own\n"))
            .is(0);
        let gate = scene.serve();
        let _talk = station(&gate, "CP-1").connect().await.unwrap();
        let handshakes = csms.expect_handshakes(1).await.unwrap();
        let wanted = format!("Basic {}", scene::basic("CP-1", shown));
        assert_eq!(
            handshakes[0].header("authorization"),
            Some(wanted),
            "{route}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_csms_is_told_once_and_told_again_when_it_is_back() {
    let scene = Scene::new();
    let first = csms().await;
    let address = first.address();
    scene.configure(first.url(), "", "");
    scene.register("CP-1", PASSWORD, &[]);
    drop(first);
    let gate = scene.serve();
    gate.expect_metric("portcullis_condition{subject=\"csms main\"} 2");
    gate.expect_ready(false);
    let page = gate.ask("/readyz").json();
    assert_eq!(page["reasons"][0]["subject"], "csms main");
    assert_eq!(gate.ask("/healthz").status, 200);
    assert_eq!(refusal(station(&gate, "CP-1")).await, Some(503));
    for _ in 0..30 {
        assert_eq!(refusal(station(&gate, "CP-1")).await, Some(503));
    }
    gate.expect_line("times of late: the CSMS");

    let _again = Csms::builder().start(&address.to_string()).await.unwrap();
    gate.expect_ready(true);
    gate.expect_line("well again");
    assert_eq!(gate.lines_with("ERROR"), 1, "{}", gate.log());
    assert_eq!(gate.lines_with("WARN"), 1, "{}", gate.log());
    assert_eq!(gate.lines_with("connection refused"), 0, "{}", gate.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_identifier_of_a_person_is_in_the_log() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(
        csms.url(),
        "",
        "[log]\nlevel = \"debug\"\nformat = \"json\"\n[controls]\nschema = \"enforce\"",
    );
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    talk.call("Authorize", json!({ "idTag": "TAG-OF-ANNA" }))
        .await
        .unwrap();
    let faulty = json!({ "idTag": "TAG-OF-ANNA-THAT-IS-TOO-LONG", "TAG-OF-ANNA": 1 });
    assert!(talk.call("Authorize", faulty).await.is_err());
    talk.send_text("[2,\"TAG-OF-ANNA\",\"Authorize\",{\"idTag\":\"TAG-OF-ANNA\",\"idTag\":1}]")
        .unwrap();
    let _ = Station::new(gate.plain(), "CP-1")
        .version(Version::V16)
        .password("TAG-OF-ANNA")
        .connect()
        .await;
    gate.expect_line("connection refused");
    eventually(|| gate.lines_with("message refused") >= 2, || gate.log());
    let log = gate.log();
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
    assert!(gate.lines_with("\"message\":\"message\"") >= 2, "{log}");
    for secret in ["ANNA", PASSWORD, &scene::basic("CP-1", PASSWORD)] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        assert!(!gate.ask("/metrics").body.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_stops_changes_and_no_station() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    gate.expect_ready(true);
    let store = rusqlite::Connection::open(scene.path("portcullis.db")).unwrap();
    store
        .execute_batch("UPDATE station SET versions = 'x'; UPDATE revision SET number = number + 1")
        .unwrap();
    gate.expect_line("the versions of station CP-1");
    gate.expect_ready(false);
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
    store
        .execute_batch(
            "UPDATE station SET versions = '1.6'; UPDATE revision SET number = number + 1",
        )
        .unwrap();
    gate.expect_ready(true);
    assert_eq!(gate.lines_with("ERROR"), 1, "{}", gate.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_sees_what_is_missing_and_what_has_expired() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    scene.register("CP-1", PASSWORD, &[]);
    let healthy = scene.run(&["doctor", "--format", "json"]);
    let report = healthy.is(0).json();
    assert_eq!(report["healthy"], true);
    let subjects: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["subject"].as_str().unwrap())
        .collect();
    for wanted in [
        "configuration",
        "key file",
        "store",
        "disk",
        "certificate",
        "csms main",
        "open files",
        "ports towards",
        "clock",
    ] {
        let found = subjects.iter().any(|subject| subject.starts_with(wanted));
        assert!(found, "nobody looked at {wanted}: {subjects:?}");
    }

    let authority = sim::ca::Authority::new("Old").unwrap();
    let expired = authority
        .issue(&sim::ca::Leaf::server(&["localhost"]).expired())
        .unwrap();
    scene.write("ca/gate-rsa.pem", expired.certificate_pem());
    scene.write("ca/gate-rsa.key", expired.key_pem());
    drop(csms);
    let ill = scene.run(&["doctor"]);
    ill.is(5)
        .says("FAIL  certificate ca/gate-rsa.pem")
        .says("has expired on");
    ill.says("FAIL  csms main").says("→ See that the CSMS runs");

    let config = scene.read("portcullis.toml");
    let full = format!("{config}[store]\ndisk_free_min_mb = 1000000\n");
    scene.write("portcullis.toml", full);
    scene.run(&["doctor"]).is(5).says("FAIL  disk of .");

    let gate = scene.serve();
    gate.expect_line("has expired on");
    let reasons = gate.ask("/readyz").body;
    assert!(reasons.contains("has expired on"), "{reasons}");
    gate.expect_line("MB are free, less than");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let scene = Scene::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    scene.configure("ws://127.0.0.1:9", "", "");
    let config = scene.read("portcullis.toml");
    let admin = "[admin]\naddress = \"127.0.0.1:0\"";
    scene.write(
        "portcullis.toml",
        config.replace(admin, &format!("[admin]\naddress = \"{address}\"")),
    );
    scene
        .run(&["serve"])
        .is(1)
        .complains(&format!("cannot listen on {address}"));
    let listener = "[[listener]]\naddress = \"127.0.0.1:0\"";
    let there = format!("[[listener]]\naddress = \"{address}\"");
    scene.write("portcullis.toml", config.replacen(listener, &there, 1));
    scene
        .run(&["serve"])
        .is(1)
        .complains(&format!("cannot listen on {address}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_brings_new_rules_into_force_and_a_wrong_file_changes_nothing() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    let faulty = json!({ "idTag": "longer than twenty characters" });
    talk.call("Authorize", faulty.clone()).await.unwrap();
    gate.expect_line("message observed");

    let config = scene.read("portcullis.toml");
    scene.write(
        "portcullis.toml",
        format!("{config}[controls]\nschema = \"enforced\"\n"),
    );
    gate.signal("-HUP");
    gate.expect_line("not reloaded");
    talk.call("Authorize", faulty.clone()).await.unwrap();

    scene.write(
        "portcullis.toml",
        format!("{config}[controls]\nschema = \"enforce\"\n"),
    );
    gate.signal("-HUP");
    gate.expect_line("portcullis.toml is in force");
    assert!(talk.call("Authorize", faulty).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_csms_is_reached_by_tls_under_its_own_authority_with_a_certificate_of_ours() {
    let scene = Scene::new();
    let authority = sim::ca::Authority::new("CSMS").unwrap();
    let server = authority
        .issue(&sim::ca::Leaf::server(&["127.0.0.1", "localhost"]))
        .unwrap();
    let ours = authority.issue(&sim::ca::Leaf::client("the gate")).unwrap();
    scene.write("csms-ca.pem", authority.certificate_pem());
    scene.write("ours.pem", ours.certificate_pem());
    scene.write("ours.key", ours.key_pem());
    let builder = Csms::builder()
        .tls(&server, Some(authority.certificate()))
        .unwrap();
    let csms = builder.start("127.0.0.1:0").await.unwrap();
    scene.configure(
        csms.url(),
        "ca = \"csms-ca.pem\"\nclient_certificate = { chain = \"ours.pem\", key = \"ours.key\" }\nbind = [\"127.0.0.2\"]",
        "",
    );
    scene.register("CP-1", PASSWORD, &[]);
    scene.run(&["check"]).is(0);
    let gate = scene.serve();
    let talk = station(&gate, "CP-1").connect().await.unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();
    let handshakes = csms.expect_handshakes(1).await.unwrap();
    assert_eq!(handshakes[0].peer.ip().to_string(), "127.0.0.2");
    assert!(handshakes[0].certificate.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn guessers_are_turned_away_and_a_canary_warns_once() {
    let scene = Scene::new();
    let csms = csms().await;
    let limits = "[attempts]\npair_failures_max = 2\ndelay_max_seconds = 0\n\
                  [canaries]\nidentities = [\"TRAP-1\"]";
    scene.configure(csms.url(), "", limits);
    scene.register("CP-1", PASSWORD, &[]);
    let gate = scene.serve();
    for expected in [401, 401, 429] {
        let guess = station(&gate, "CP-1").password("not the right one");
        assert_eq!(refusal(guess).await, Some(expected));
    }
    for _ in 0..2 {
        assert_eq!(refusal(station(&gate, "TRAP-1")).await, Some(401));
    }
    gate.expect_line("somebody tries identities out");
    gate.expect_metric("portcullis_handshakes_throttled_total 1");
    let refused = |why| format!("portcullis_handshakes_refused_by_total{{why=\"{why}\"}}");
    gate.expect_metric(&format!("{} 1", refused("attempts-of-pair")));
    gate.expect_metric(&format!("{} 2", refused("canary")));
    assert!(csms.connected().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_the_operator_sees_who_is_connected_and_removes_a_holder() {
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    scene.register("CP-1", PASSWORD, &[]);
    scene.run(&["session", "list"]).is(1).complains("gate runs");
    let gate = scene.serve();
    scene
        .run(&["session", "list"])
        .is(0)
        .says("Nobody is connected.");

    let holder = station(&gate, "CP-1").connect().await.unwrap();
    let list = scene.run(&["session", "list", "--format", "json"]);
    let listed = &list.is(0).json()[0];
    assert_eq!(listed["identity"], "CP-1");
    assert_eq!(listed["tenant"], "default");
    assert!(listed["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    scene
        .run(&["session", "list", "--tenant", "other"])
        .is(0)
        .says("Nobody is connected.");

    // A second one is refused, and both addresses are told.
    assert_eq!(refusal(station(&gate, "CP-1")).await, Some(503));
    gate.expect_line("somebody else came with the credential");
    gate.expect_metric("portcullis_handshakes_refused_by_total{why=\"session-alive\"} 1");

    let nobody = scene.run(&["session", "end", "CP-2", "--format", "json"]);
    assert_eq!(nobody.is(3).error_json()["kind"], "not-found");
    scene
        .run(&["session", "end", "CP-1", "--tenant", "other"])
        .is(3);
    scene
        .run(&["session", "end", "CP-1"])
        .is(0)
        .says("is told to end");
    holder.expect_close().await.unwrap();
    gate.expect_metric("portcullis_sessions_live 0");
    station(&gate, "CP-1").connect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_for_the_holder_of_the_ticket_and_the_ticket_is_for_this_user_and_this_run() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let csms = csms().await;
    scene.configure(csms.url(), "", "");
    // What an earlier run left behind is nobody's, whoever could read it.
    scene.write(
        "portcullis.db.admin",
        "portcullis-admin-1 127.0.0.1:9 0000\n",
    );
    scene.run(&["session", "list"]).is(1);
    let gate = scene.serve();
    assert_eq!(gate.ask("/sessions").status, 401);
    let ticket = scene.path("portcullis.db.admin");
    let mode = std::fs::metadata(&ticket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let own = scene.read("portcullis.db.admin");
    let (start, token) = own.trim_end().rsplit_once(' ').unwrap();
    let other = "0".repeat(token.len());
    scene.write("portcullis.db.admin", format!("{start} {other}\n"));
    scene.run(&["session", "list"]).is(1).complains("401");
    scene.write("portcullis.db.admin", own);
    scene.run(&["session", "list"]).is(0);

    let stopped = tokio::task::spawn_blocking(move || gate.stop());
    stopped.await.unwrap().is(0);
    assert!(!ticket.exists(), "it has gone with its gate");
}
