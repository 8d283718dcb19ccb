//! The other side: stations, a CSMS, fleets and a throw-away CA, for demo, tests and benchmark.
//!
//! Nothing of the product's own frame layer or reader is used here, on purpose: WebSocket comes from
//! tokio-tungstenite and JSON from serde_json, so that a mistake of ours cannot cancel itself out.

pub mod answers;
pub mod attack;
pub mod ca;
mod conversation;
mod csms;
mod envelope;
pub mod fleet;
pub mod lab;
mod patience;
mod station;
pub mod tls;
pub mod wire;

pub use conversation::{
    Asked, CallFailed, Called, Conversation, Ended, Entry, Handler, Payload, Reply, Speaker,
};
/// Seeded chance, as fleets and attackers use it. Not for secrets.
pub use fastrand::Rng as Chance;

pub use csms::{Admission, Csms, CsmsBuilder, Handshake};
pub use envelope::Envelope;
pub use patience::Unmet;
pub use station::{ConnectError, Station};
