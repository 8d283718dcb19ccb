//! A13 with the whole program: a certificate is taken back while the gate runs.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::time::{Duration, SystemTime};

use ocpp::Version;
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, SerialNumber};
use scene::Scene;
use scene::gate::{Gate, eventually};
use sim::{Csms, Station};

/// A CA with a station's certificate and a list without entries, and a gate that asks for both.
async fn scene(more_of_listener: &str) -> (Scene, Csms) {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", "");
    let listener = format!(
        "client_ca = \"ca/ca.pem\"\nclient_crl = [\"ca/crl.pem\"]\n\
         organization = \"Example\"\n{more_of_listener}"
    );
    let config = scene.read("portcullis.toml");
    scene.write(
        "portcullis.toml",
        config.replace("client_ca = \"ca/ca.pem\"", &listener),
    );
    for name in ["CP-1", "CP-2"] {
        let issue = ["ca", "issue", "station", name, "--cpo", "Example"];
        scene.run(&issue).is(0);
        let add = ["station", "add", name, "--certificate-name"];
        scene.run(&add).is(0);
    }
    scene.run(&["ca", "revoke"]).is(0);
    (scene, csms)
}

async fn is_let_in(scene: &Scene, gate: &Gate, name: &str) -> bool {
    let pem = |file: String| scene.path(&format!("ca/{file}"));
    let tls = scene::client_tls(
        &pem("ca.pem".to_owned()),
        &pem(format!("station-{name}.pem")),
        &pem(format!("station-{name}.key")),
    );
    let station = Station::new(gate.tls(), name).version(Version::V16);
    station.tls(tls).connect().await.is_ok()
}

/// Lists of both roots, made ten days ago, due so many hours ago.
fn overdue_by(scene: &Scene, hours: u64) -> String {
    let hour = Duration::from_secs(3600);
    let list = |stem: &str| {
        let key = KeyPair::from_pem(&scene.read(&format!("ca/{stem}.key"))).unwrap();
        let root = scene.read(&format!("ca/{stem}.pem"));
        let issuer = Issuer::from_ca_cert_pem(&root, key).unwrap();
        let params = CertificateRevocationListParams {
            this_update: (SystemTime::now() - 240 * hour).into(),
            next_update: (SystemTime::now() - u32::try_from(hours).unwrap() * hour).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&issuer).unwrap().pem().unwrap()
    };
    list("ca-ecdsa") + &list("ca-rsa")
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_certificate_is_taken_back_while_the_gate_runs() {
    let (scene, _csms) = scene("").await;
    let gate = scene.serve();
    gate.expect_ready(true);
    assert!(is_let_in(&scene, &gate, "CP-1").await);

    scene.run(&["ca", "revoke", "ca/station-CP-1.pem"]).is(0);
    gate.expect_line("new revocation lists are in force");
    assert!(!is_let_in(&scene, &gate, "CP-1").await);
    gate.expect_line("its certificate: it has been revoked");
    assert!(is_let_in(&scene, &gate, "CP-2").await);
    let ready = gate.ask("/readyz");
    assert!(
        ready.body.contains("1 certificates revoked"),
        "{}",
        ready.body
    );

    // A file that is none changes nothing, and is told once.
    let good = scene.read("ca/crl.pem");
    scene.write("ca/crl.pem", "half a fi");
    gate.expect_line("the last good one is in force");
    gate.signal("-HUP");
    gate.expect_line("not reloaded (asked to)");
    assert!(!is_let_in(&scene, &gate, "CP-1").await);
    assert!(is_let_in(&scene, &gate, "CP-2").await);
    gate.expect_ready(true);
    scene.write("ca/crl.pem", good);
    gate.expect_line("well again: 1 certificates revoked");
    assert_eq!(gate.lines_with("the last good one is in force"), 1);
    assert!(!is_let_in(&scene, &gate, "CP-1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_an_overdue_list_alarms_for_its_grace_and_then_closes() {
    let (scene, _csms) = scene("crl_grace_hours = 5").await;
    scene.write("ca/crl.pem", overdue_by(&scene, 3));
    let gate = scene.serve();
    gate.expect_ready(true);
    gate.expect_line("is overdue and still used");
    assert!(is_let_in(&scene, &gate, "CP-1").await);

    scene.write("ca/crl.pem", overdue_by(&scene, 6));
    gate.expect_ready(false);
    assert!(!is_let_in(&scene, &gate, "CP-1").await);
    gate.expect_line("its issuer's revocation list is overdue");
    let doctor = scene.run(&["doctor"]);
    doctor
        .is(5)
        .says("stations with a certificate of its CA are refused");

    scene.run(&["ca", "revoke"]).is(0);
    gate.expect_ready(true);
    assert!(is_let_in(&scene, &gate, "CP-1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_list_that_is_missing_or_broken_at_the_start_is_told_at_its_line() {
    let (scene, _csms) = scene("").await;
    let config = scene.read("portcullis.toml");
    let is_line = |line: &str| line.starts_with("client_crl");
    let line = config.lines().position(is_line).unwrap() + 1;
    let good = scene.read("ca/crl.pem");
    let stranger = sim::ca::Authority::new("Another CA").unwrap();
    for (file, why) in [
        (None, "No such file"),
        (Some(String::new()), "no revocation list in it"),
        (Some(stranger.certificate_pem()), "no revocation list in it"),
        (Some(good.replacen("MII", "MIJ", 1)), "cannot be read"),
    ] {
        match file {
            None => std::fs::remove_file(scene.path("ca/crl.pem")).unwrap(),
            Some(text) => scene.write("ca/crl.pem", text),
        }
        for command in ["check", "serve"] {
            let told = scene.run(&[command]);
            told.is(2).complains(why);
            told.complains(&format!("portcullis.toml:{line}: ca/crl.pem"));
        }
    }
    // An authority without a list is told: its stations are refused.
    let (of_ecdsa, _) = good.split_once("-----BEGIN X509 CRL-----\n").unwrap();
    assert_eq!(of_ecdsa, "");
    let end = "-----END X509 CRL-----\n";
    let first = good.split_inclusive(end).next().unwrap();
    scene.write("ca/crl.pem", first);
    let gate = scene.serve();
    gate.expect_line("there is none, so stations with its certificates are refused");
    eventually(|| gate.ask("/readyz").status == 200, || gate.log());
}
