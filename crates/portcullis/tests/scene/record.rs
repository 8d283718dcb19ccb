//! A gate that keeps a record, and a station whose words are recorded.

use std::sync::Arc;

use journal::keys::Opener;
use journal::{KeyRing, RootSource};
use ocpp::Version;
use sim::{Conversation, Csms, Station};

use super::Scene;
use super::gate::Gate;

pub const PASSWORD: &str = "correct horse battery";
pub const TOKEN: &str = "04A2B3C4D5E680";

/// A gate that will keep a record, as `journal` says, a CSMS behind it, and a registered station. The
/// record's keys are not made yet.
pub async fn recording(journal: &str) -> (Scene, Csms) {
    let scene = Scene::new();
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    scene.configure(csms.url(), "", &format!("[journal]\n{journal}"));
    scene.register("CP-1", PASSWORD, &[]);
    (scene, csms)
}

/// The registered station, connected.
pub async fn station(gate: &Gate) -> Conversation {
    let station = Station::new(gate.plain(), "CP-1");
    let station = station.version(Version::V16).password(PASSWORD);
    station.connect().await.unwrap()
}

/// How many records are durable.
pub fn durable(gate: &Gate) -> u64 {
    gate.figure("portcullis_record_durable")
}

/// The record's keys, as its owner opens them.
pub fn ring(scene: &Scene) -> Arc<KeyRing> {
    let root = RootSource::Age {
        file: scene.path("keys/journal.age"),
        opener: Opener::PassphraseFile(scene.path("keys/journal.passphrase")),
    };
    let (dir, keks) = (scene.path("journal"), scene.path("journal-keys"));
    let ring = KeyRing::open(root.open().unwrap(), &dir.join("keys"), &keks);
    Arc::new(ring.unwrap())
}
