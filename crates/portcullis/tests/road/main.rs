//! Scenes of the whole road, TLS included: a gate, a CSMS behind it and stations before it. Stations
//! and CSMS are `sim`'s, on a WebSocket that is not ours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a scene that fails"
)]

mod attacks;
mod certificates;
mod handshake;
mod hard_faults;
mod scene;
mod transparency;
