//! What is remembered of a station, and what follows from it: conversations read by the reader and
//! judged by the policy, over several sessions and stations of one CSMS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scene that cannot be set has failed"
)]

mod boot;
mod connectors;
mod honest;
mod registration;
mod site;
mod transactions;
