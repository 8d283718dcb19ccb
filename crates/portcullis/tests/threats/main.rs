//! The threats of the catalogue, one scene each, named after its id: with the control at enforce the
//! attack does not arrive, and the honest station beside it notices nothing; at observe, where there
//! is such a mode, it arrives and is counted. The real program, real sockets.
//!
//! `coverage` holds docs/threat-model.md to the scenes that are here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scene that cannot be set has failed"
)]

#[path = "../scene/mod.rs"]
mod scene;

mod certificate;
mod coverage;
mod credential;
mod flood;
mod handshake;
mod message;
mod parser;
mod rates;
mod seat;
mod states;
mod street;
mod texts;
