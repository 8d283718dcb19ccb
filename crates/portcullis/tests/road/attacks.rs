//! Everything `sim` knows how to try, by strangers and with a stolen password: nothing gets through,
//! and honest stations do not notice.

use ocpp::Version;
use serde_json::json;
use sim::attack::{Attack, Saw, Stolen, Target};

use crate::scene::{PASSWORD, Scene};

#[tokio::test]
async fn no_attack_gets_through() {
    let scene = Scene::new().await;
    scene.enforce_schema();
    let (honest, honest_upstream) = scene.session(&scene.station("CP3")).await;
    let target = Target {
        url: scene.url(),
        trusted: vec![scene.authority.certificate()],
        victim: "CP1".to_owned(),
        stolen: Stolen {
            identity: "CP2".to_owned(),
            version: Version::V16,
            password: PASSWORD.to_vec(),
        },
        from: None,
    };
    let mut held = Vec::new();
    for attack in Attack::all() {
        let saw = attack.run(&target).await;
        if let Saw::GotThrough(what) = &saw {
            panic!("{}: {}: {what}", attack.name, attack.tries);
        }
        held.push(attack.name);
        honest
            .call("Heartbeat", json!({}))
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", attack.name));
    }
    assert_eq!(honest_upstream.received().len(), held.len());
    let seen = scene.csms.handshakes();
    assert!(
        seen.iter().all(|handshake| handshake.path != "/ocpp/CP1"),
        "the victim's place is its own"
    );
}
