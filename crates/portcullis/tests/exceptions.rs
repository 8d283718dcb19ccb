//! Stations that can show nothing, from the configuration to the session and its end (A01, A24), with
//! the real program.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use jiff::Zoned;
use jiff::tz::TimeZone;
use ocpp::Version;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use scene::Scene;
use scene::gate::Gate;
use serde_json::{Value, json};
use sim::{Csms, Station};

const PASSWORD: &str = "correct horse battery";
const SECRET: &str = "60303ae22b998861bce3b28f33eec1be";

/// So many days from today, by UTC.
fn day(days: i64) -> String {
    let now = Zoned::now().with_time_zone(TimeZone::UTC);
    let day = now.date().checked_add(jiff::Span::new().days(days));
    day.unwrap().to_string()
}

fn exception(until: &str) -> String {
    format!(
        "[[exception]]\nkind = \"tls-open\"\nstations = [\"OPEN-*\"]\nuntil = \"{until}\"\n\
         path_secret_file = \"path-secret\"\nreason = \"replaced in spring\"\n"
    )
}

async fn scene(exception: &str) -> (Scene, Csms) {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.write("path-secret", format!("{SECRET}\n"));
    scene.configure(csms.url(), "", exception);
    scene.register("CP-1", PASSWORD, &[]);
    for name in ["OPEN-1", "OPEN-2", "OTHER"] {
        scene.run(&["station", "add", name, "--by-exception"]).is(0);
    }
    (scene, csms)
}

/// A station that trusts the gate's CA and shows nothing.
fn open(scene: &Scene, gate: &Gate, path: &str) -> Station {
    let station = Station::new(gate.tls(), "OPEN-1")
        .version(Version::V16)
        .path(path);
    let roots = CertificateDer::pem_file_iter(scene.path("ca/ca.pem")).unwrap();
    roots.map(Result::unwrap).fold(station, Station::trust)
}

async fn status(station: Station) -> Option<u16> {
    station
        .connect()
        .await
        .err()
        .and_then(|error| error.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_station_with_nothing_to_show_comes_in_by_its_exception_and_is_told() {
    let until = day(400);
    let (scene, _csms) = scene(&exception(&until)).await;
    let gate = scene.serve();
    let path = format!("/ocpp/{SECRET}/OPEN-1");
    assert_eq!(status(open(&scene, &gate, "/ocpp/OPEN-1")).await, Some(401));
    let talk = open(&scene, &gate, &path).connect().await.unwrap();
    talk.call("Heartbeat", json!({})).await.unwrap();

    let listed = scene.run(&["session", "list", "--format", "json"]);
    let listed = listed.is(0).json();
    assert_eq!(listed[0]["identity"], "OPEN-1");
    assert_eq!(listed[0]["by"], "TLS alone");
    assert_eq!(listed[0]["exception_until"], until.as_str());
    let fingerprint = listed[0]["tls"].as_str().unwrap();
    assert!(fingerprint.starts_with("t13"), "{fingerprint}");
    gate.expect_line(fingerprint);
    gate.expect_metric("portcullis_sessions_begun_total{version=\"1.6\",by=\"TLS alone\"} 1");
    assert!(!gate.log().contains(SECRET), "the secret is in the log");

    let report = scene.run(&["exception", "list", "--format", "json"]);
    let report = report.is(0).json();
    let ours = report
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "tls-open");
    let ours = ours.unwrap();
    assert_eq!(ours["stations"], json!(["OPEN-1", "OPEN-2"]));
    assert_eq!(ours["until"], until.as_str());
    assert_eq!(ours["asks_for"], json!(["a secret in the path"]));
    let told = scene.run(&["exception", "list", "--stations"]);
    told.is(0).says("OPEN-1 OPEN-2").says("replaced in spring");
    assert!(!report.to_string().contains(SECRET));
    // Whom nobody has thought of is told by doctor.
    let doctor = scene.run(&["doctor", "--format", "json"]).json();
    let findings = doctor["findings"].as_array().unwrap();
    let left_out = |one: &&Value| one["subject"] == "stations without a credential";
    let left_out = findings.iter().find(left_out).unwrap();
    assert!(
        left_out["what"].as_str().unwrap().contains("such as OTHER"),
        "{left_out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a24_the_end_is_told_ahead_and_a_reload_leaves_who_is_there() {
    let (scene, _csms) = scene(&exception(&day(6))).await;
    let check = scene.run(&["check"]);
    check.is(0).says("for 7 days more").says("exception list");
    let gate = scene.serve();
    gate.expect_line("for 7 days more");
    let ready = gate.ask("/readyz");
    assert_eq!(ready.status, 200, "{}", ready.body);
    assert!(ready.body.contains("for 7 days more"), "{}", ready.body);

    let path = format!("/ocpp/{SECRET}/OPEN-1");
    let talk = open(&scene, &gate, &path).connect().await.unwrap();
    let config = scene.read("portcullis.toml");
    scene.write("portcullis.toml", config.replace(&day(6), &day(-1)));
    // The running gate may have seen the change by itself.
    scene.run(&["reload"]).is(0);
    gate.expect_line("is over");
    let other = open(&scene, &gate, &format!("/ocpp/{SECRET}/OPEN-2"));
    assert_eq!(status(other).await, Some(401));
    gate.expect_line("its last day is over");
    talk.call("Heartbeat", json!({})).await.unwrap();
}

#[test]
fn a_secret_that_is_none_is_told_at_its_line() {
    let scene = Scene::new();
    scene.configure("ws://127.0.0.1:1", "", &exception("2999-12-31"));
    let config = scene.read("portcullis.toml");
    let line = config
        .lines()
        .position(|line| line.contains("path-secret"))
        .unwrap()
        + 1;
    for wrong in [
        "",
        "short",
        "a segment with spaces in it",
        "ends/in/another/path",
    ] {
        scene.write("path-secret", wrong);
        let check = scene.run(&["check"]);
        check.is(2).complains(&format!("portcullis.toml:{line}: "));
        check
            .complains("no secret for a path")
            .complains("openssl rand");
    }
}
