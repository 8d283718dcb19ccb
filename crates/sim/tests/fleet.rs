//! A fleet lives its days at a CSMS, with nobody between them.

use std::time::{Duration, Instant};

use ocpp::Version;
use sim::ca::{Authority, Leaf};
use sim::fleet::{Fleet, Plan, Proof, Quirk, Tally, mixed, order};
use sim::{Conversation, Csms, Envelope};

/// Looks again and again until it is so; a fleet's days have no single moment to wait for.
async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn said(session: &Conversation, action: &str) -> usize {
    let texts = session.received();
    let named = texts.iter().filter(|text| match Envelope::read(text) {
        Some(Envelope::Call { action: name, .. } | Envelope::Send { action: name, .. }) => {
            name == action
        }
        _ => false,
    });
    named.count()
}

fn total(csms: &Csms, identity: &str, action: &str) -> usize {
    let sessions = csms.sessions(identity);
    sessions.iter().map(|session| said(session, action)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_station_boots_charges_and_keeps_its_habits() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let chargers = mixed(24, 11);
    let fleet = Fleet::start(Plan {
        url: csms.url().to_owned(),
        trusted: Vec::new(),
        chargers: chargers.clone(),
        seed: 11,
        speed: 600.0,
    })
    .unwrap();
    assert_eq!(fleet.len(), 24);

    let done = |identity: &str, action: &str| total(&csms, identity, action) > 0;
    for charger in &chargers {
        let name = &charger.identity;
        let last = match charger.version {
            Version::V16 => "StopTransaction",
            Version::V201 => "TransactionEvent",
            Version::V21 => "NotifyPeriodicEventStream",
        };
        eventually(&format!("{last} of {name}"), || done(name, last)).await;
        assert!(done(name, "BootNotification"), "{name}");
    }
    let with = |quirk| chargers.iter().find(|one| one.has(quirk)).unwrap();
    let lost = &with(Quirk::LostTransaction).identity;
    eventually("transaction -1", || {
        let sessions = csms.sessions(lost);
        let texts = sessions.iter().flat_map(Conversation::received);
        texts
            .into_iter()
            .any(|text| text.contains(r#""transactionId":-1"#))
    })
    .await;
    let abrupt = &with(Quirk::DiesAbruptly).identity;
    eventually("a second connection", || csms.sessions(abrupt).len() > 1).await;
    let unnamed = &with(Quirk::NamesNoVersion).identity;
    assert_eq!(csms.sessions(unnamed)[0].version(), None);
    assert!(Tally::read(&fleet.tally().answered) > 100);
}

#[tokio::test]
async fn certificates_and_passwords_open_doors_and_orders_are_obeyed() {
    let authority = Authority::new("sim test CA").unwrap();
    let server = authority.issue(&Leaf::server(&[])).unwrap();
    let csms = Csms::builder()
        .tls(&server, Some(authority.certificate()))
        .unwrap()
        .start("127.0.0.1:0")
        .await
        .unwrap();
    let mut chargers = mixed(6, 5);
    for charger in &mut chargers {
        let leaf = Leaf::client(&charger.identity);
        charger.proof = Proof::Certificate(authority.issue(&leaf).unwrap());
    }
    let fleet = Fleet::start(Plan {
        url: csms.url().to_owned(),
        trusted: vec![authority.certificate()],
        chargers: chargers.clone(),
        seed: 5,
        speed: 1_000.0,
    })
    .unwrap();
    let mut chance = fastrand::Rng::with_seed(1);
    for charger in &chargers {
        let session = csms.station(&charger.identity).await.unwrap();
        for _ in 0..20 {
            let (action, payload) = order(charger.version, &mut chance);
            session.call(action, payload).await.unwrap();
        }
    }
    drop(fleet);
    eventually("everybody gone", || csms.live() == 0).await;
    let handshakes = csms.handshakes();
    assert!(handshakes.iter().all(|one| one.certificate.is_some()));
    assert!(handshakes.len() >= 6);
}
