//! Sessions through the gate: who gets in, what passes, and how it ends.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod attempts;
mod authority;
mod changes;
mod conversation;
mod deflate;
mod door;
mod drain;
mod exception;
mod farewell;
mod floods;
mod hold;
mod passwords;
mod profile3;
mod proxy;
mod release;
mod scene;
mod takeover;
mod trouble;
