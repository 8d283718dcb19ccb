//! What parsers trip over: size, frames, spellings. Two parsers could read such a message
//! differently, or not survive it, so there is no mode in which it passes.

use sim::attack::Saw;
use sim::wire::RawFrame;

use crate::street::{Street, THIEF};

/// None of these arrives, whatever becomes of the conversation.
async fn none_arrives(names: &[&str]) {
    let street = Street::with("").await;
    for name in names {
        let saw = street.attack(name).await;
        let held = matches!(saw, Saw::Refused(_) | Saw::Closed(_) | Saw::Ignored);
        assert!(held, "{name}: {saw}");
        street.honest_notices_nothing().await;
    }
    street.nothing_arrived(THIEF);
}

#[tokio::test(flavor = "multi_thread")]
async fn b01_a_message_is_oversize_at_enforce() {
    none_arrives(&["oversize"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b04_two_parsers_read_two_messages_at_enforce() {
    none_arrives(&[
        "duplicate-key",
        "hidden-duplicate",
        "case-variant-key",
        "trailing-data",
        "byte-order-mark",
        "huge-integer",
        "not-json",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b07_structures_are_bombs_at_enforce() {
    none_arrives(&[
        "deep-nesting",
        "many-keys",
        "invalid-utf8",
        "lone-surrogate",
        "nul-character",
        "number-overflow",
        "binary-frame",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_frames_are_abused_at_enforce() {
    none_arrives(&[
        "unmasked-frame",
        "reserved-bit",
        "loose-continuation",
        "long-ping",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_pings_and_fragments_without_end_at_enforce() {
    let street = Street::with("control_frames_max = 50").await;
    let pinging = street.thief().connect().await.unwrap();
    for _ in 0..51 {
        pinging.ping().unwrap();
    }
    pinging.expect_close().await.unwrap();
    let fragmenting = street.thief().connect().await.unwrap();
    let begun = RawFrame::text("[2").unfinished().bytes();
    let more = RawFrame::new(0, " ").unfinished().bytes();
    fragmenting
        .send_raw([begun, more.repeat(5_000)].concat())
        .unwrap();
    fragmenting.expect_close().await.unwrap();
    street
        .gate
        .expect_metric("portcullis_sessions_over_total{how=\"protocol\"} 2");
    street.nothing_arrived(THIEF);
    street.honest_notices_nothing().await;
}
