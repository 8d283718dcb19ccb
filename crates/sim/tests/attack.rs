//! What attacks see where there is no gate: the frame layer of any library holds some of them, and
//! a CSMS that checks nothing lets the rest through. That is why there is a gate.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

use std::collections::HashSet;

use ocpp::Version;
use sim::attack::{Attack, Saw, Stolen, Target};
use sim::{Admission, Csms};

fn target(csms: &Csms) -> Target {
    Target {
        url: csms.url().to_owned(),
        trusted: Vec::new(),
        victim: "DE*GAT*E0001".to_owned(),
        stolen: Stolen {
            identity: "DE*GAT*E0099".to_owned(),
            version: Version::V16,
            password: b"stolen".to_vec(),
        },
        from: None,
    }
}

async fn saw(name: &str, target: &Target) -> Saw {
    let attacks = Attack::all();
    let attack = attacks.iter().find(|attack| attack.name == name).unwrap();
    attack.run(target).await
}

#[tokio::test]
async fn a_csms_without_a_gate_lets_strangers_in() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let target = target(&csms);
    for name in ["no-credential", "wrong-password", "unknown-identity"] {
        assert!(!saw(name, &target).await.held(), "{name}");
    }
    csms.admit(|_| Admission::Refuse(401));
    let refused = saw("no-credential", &target).await;
    assert_eq!(refused, Saw::TurnedAway(401));
    let session = saw("duplicate-key", &target).await;
    assert_eq!(session, Saw::TurnedAway(401));
}

#[tokio::test]
async fn a_csms_without_a_gate_lets_a_second_connection_in_beside_the_first() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let saw = saw("second-connection", &target(&csms)).await;
    assert!(!saw.held(), "{saw}");
}

#[tokio::test]
async fn a_csms_without_a_gate_swallows_what_parsers_differ_on() {
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let target = target(&csms);
    for name in [
        "duplicate-key",
        "hidden-duplicate",
        "many-keys",
        "reused-id",
    ] {
        let saw = saw(name, &target).await;
        assert!(!saw.held(), "{name}: {saw}");
    }
    let reset = saw("station-sends-reset", &target).await;
    assert_eq!(reset, Saw::Refused("NotImplemented".to_owned()));
    for name in ["unmasked-frame", "reserved-bit", "loose-continuation"] {
        let saw = saw(name, &target).await;
        assert!(matches!(saw, Saw::Closed(_)), "{name}: {saw}");
    }
}

#[test]
fn every_attack_has_its_own_name_and_says_what_it_tries() {
    let attacks = Attack::all();
    let names: HashSet<_> = attacks.iter().map(|attack| attack.name).collect();
    assert_eq!(names.len(), attacks.len());
    assert!(attacks.iter().all(|attack| attack.tries.ends_with(')')));
}
