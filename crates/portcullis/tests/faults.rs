//! The faults of the advisories (CWE-306, 307, 613, 522, 284) on one CSMS: every exploit works
//! against it bare and none through the gate, and nothing is changed behind the gate in between.

#![allow(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

mod scene;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ocpp::Version;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use scene::Scene;
use scene::gate::Gate;
use serde_json::json;
use sim::attack::Saw;
use sim::lab::{self, Exploit, Lab, Mark};
use sim::{Conversation, Station};

/// What stations of which the CSMS asks nothing have for the gate.
const PASSWORD: &str = "4f1d7c20b9a35e88d6c1";
/// The owner of the car that [`lab::LIVE`] charges.
const BERT: &str = "BERT-0002";

#[tokio::test(flavor = "multi_thread")]
async fn every_exploit_works_against_the_csms_alone_and_none_through_the_gate() {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let lab = Lab::open(here, 1_000).await.unwrap();
    every_exploit_works(&lab).await;
    let scene = Scene::new();
    let gate = gate_before(&lab, &scene);
    no_exploit_works(&lab, &scene, &gate).await;
}

async fn every_exploit_works(lab: &Lab) {
    let mark = Mark {
        url: lab.csms().url().to_owned(),
        trusted: Vec::new(),
        from: None,
        stolen: None,
    };
    let live = Station::new(&mark.url, lab::LIVE).version(Version::V16);
    let live = live.connect().await.unwrap();
    charge(&live).await;
    for exploit in Exploit::all() {
        charge(&live).await;
        let saw = exploit.run(lab, &mark).await;
        assert!(!saw.held(), "CWE-{} {}: {saw}", exploit.cwe, exploit.name);
    }
    let books = lab.transactions();
    let forged = books.iter().find(|one| one.tag == "ANNA-0001").unwrap();
    assert_eq!(forged.station, lab::OPEN, "Anna pays for it");
    for thief in ["LAB-NOBODY", lab::OWN] {
        let ended = Some((thief.to_owned(), 999_999));
        let mut ended_so = books.iter().filter(|one| one.ended == ended);
        assert!(
            ended_so.any(|one| one.tag == BERT),
            "Bert pays for a megawatt hour: {books:?}"
        );
    }
    // The attacker is long gone, and the station still hears no orders.
    assert!(lab.remote_start(lab::LIVE, BERT).await.is_err());
    assert!(ordered(&live).is_empty());
    live.close(Some(1000)).unwrap();
    live.expect_close().await.unwrap();
}

async fn no_exploit_works(lab: &Lab, scene: &Scene, gate: &Gate) {
    let stations = honest_stations(scene, gate);
    let mut honest = Vec::new();
    for station in &stations {
        honest.push(station.connect().await.unwrap());
    }
    let live = honest.iter().find(|one| one.identity() == lab::LIVE);
    let live = live.unwrap();
    charge(live).await;
    let charging = lab.transactions().pop().unwrap();
    let seen_before = lab.csms().handshakes().len();
    for (number, exploit) in (1..).zip(Exploit::all()) {
        let mark = Mark {
            url: gate.tls(),
            trusted: roots(scene),
            // From an address of its own, so that none is held only because another was.
            from: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 66, number))),
            // It has even stolen the password of the station whose place it wants.
            stolen: Some(PASSWORD.into()),
        };
        let saw = exploit.run(lab, &mark).await;
        let expected = match exploit.name {
            "endless-guesses" => saw == Saw::TurnedAway(429),
            "displaced-station" => saw == Saw::TurnedAway(503),
            "password-on-the-wire" => matches!(&saw, Saw::NoHandshake(why) if why.contains("TLS")),
            "insiders-transaction" => matches!(saw, Saw::Refused(_)),
            _ => saw == Saw::TurnedAway(401),
        };
        assert!(expected, "CWE-{} {}: {saw}", exploit.cwe, exploit.name);
        for station in &honest {
            station.call("Heartbeat", json!({})).await.unwrap();
        }
    }
    // Since the gate has been there nothing was begun but what the insider's own station may begin,
    // and nothing ended.
    let mut books = lab.transactions();
    books.retain(|one| one.id >= charging.id && one.station != lab::OWN);
    assert_eq!(books, std::slice::from_ref(&charging));
    // The station whose line is tapped came and went, as it should, and so did the insider's own;
    // nobody else was seen.
    let seen = lab.csms().handshakes().split_off(seen_before);
    let who: Vec<String> = seen.iter().map(sim::Handshake::identity).collect();
    assert_eq!(who, [lab::WIRE, lab::OWN]);

    lab.remote_start(lab::LIVE, BERT).await.unwrap();
    assert_eq!(ordered(live).len(), 1, "the order came to whom it was for");
    let stop = json!({ "transactionId": charging.id, "meterStop": 7_400, "timestamp": NOON });
    live.call("StopTransaction", stop).await.unwrap();
    let books = lab.transactions();
    let billed = books.iter().find(|one| one.id == charging.id).unwrap();
    assert_eq!(billed.ended, Some((lab::LIVE.to_owned(), 7_400)));
    gate.expect_line("somebody else came with the credential of a station that is connected");
}

const NOON: &str = "2026-05-04T12:00:00Z";

/// It boots, and somebody begins to charge there.
async fn charge(station: &Conversation) {
    let boot = json!({ "chargePointVendor": "Voltwerk", "chargePointModel": "VW-22 Duo" });
    station.call("BootNotification", boot).await.unwrap();
    let start = json!({ "connectorId": 1, "idTag": BERT, "meterStart": 0, "timestamp": NOON });
    station.call("StartTransaction", start).await.unwrap();
}

/// The orders that it has heard.
fn ordered(station: &Conversation) -> Vec<String> {
    let mut heard = station.received();
    heard.retain(|text| text.contains("RemoteStartTransaction"));
    heard
}

/// What an operator does to put a gate there: stations are registered, and a route leads on.
fn gate_before(lab: &Lab, scene: &Scene) -> Gate {
    // Billing is refused to nobody by a switch for the whole fleet; a scope means it.
    let scope = "[[scope]]\nstations = [\"LAB-*\"]\ncontrols = { transactions = \"enforce\" }\n";
    scene.configure(lab.csms().url(), "", scope);
    for (identity, password) in [
        (lab::OPEN, PASSWORD),
        (lab::LIVE, PASSWORD),
        (lab::WIRE, lab::WIRE_PASSWORD),
        (lab::OWN, lab::OWN_PASSWORD),
    ] {
        scene.register(identity, password, &["--machine-made"]);
    }
    scene.register(lab::PIN, lab::PIN_PASSWORD, &[]);
    let issue = ["ca", "issue", "station", lab::CERTIFIED, "--cpo", "Lab"];
    scene.run(&issue).is(0);
    let add = ["station", "add", lab::CERTIFIED, "--certificate-name"];
    scene.run(&add).is(0);
    scene.serve()
}

/// The stations as they are on the street, but for the one whose line is tapped later, and the
/// attacker's own.
fn honest_stations(scene: &Scene, gate: &Gate) -> Vec<Station> {
    let station = |identity: &str| {
        let station = Station::new(gate.tls(), identity).version(Version::V16);
        roots(scene).into_iter().fold(station, Station::trust)
    };
    let pem = |name: &str| scene.path(&format!("ca/{name}"));
    let tls = scene::client_tls(
        &pem("ca.pem"),
        &pem(&format!("station-{}.pem", lab::CERTIFIED)),
        &pem(&format!("station-{}.key", lab::CERTIFIED)),
    );
    vec![
        station(lab::OPEN).password(PASSWORD),
        station(lab::LIVE).password(PASSWORD),
        station(lab::PIN).password(lab::PIN_PASSWORD),
        station(lab::CERTIFIED).tls(tls),
    ]
}

fn roots(scene: &Scene) -> Vec<CertificateDer<'static>> {
    let roots = CertificateDer::pem_file_iter(scene.path("ca/ca.pem")).unwrap();
    roots.map(Result::unwrap).collect()
}

#[test]
fn every_fault_of_the_advisories_has_an_exploit() {
    let faults = [306, 307, 613, 522, 284];
    for fault in faults {
        assert!(
            Exploit::all().iter().any(|one| one.cwe == fault),
            "CWE-{fault}"
        );
    }
    assert!(Exploit::all().iter().all(|one| faults.contains(&one.cwe)));
}
