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

/// A kilobyte that is a megabyte, and half a megabyte that says nothing at all.
#[tokio::test(flavor = "multi_thread")]
async fn a19_compressed_messages_are_bombs_at_enforce() {
    let street = Street::with("").await;
    let swelling = deflated(&vec![b' '; 16 << 20]);
    let hollow = [0, 0, 0, 0xff, 0xff].repeat(100_000);
    for bomb in [swelling, hollow] {
        let thief = street.thief();
        let thief = thief.header("Sec-WebSocket-Extensions", "permessage-deflate");
        let thief = thief.connect().await.unwrap();
        // RSV1: compressed (RFC 7692, 6).
        let frame = RawFrame::text(bomb).reserved(4);
        thief.send_raw(frame.bytes()).unwrap();
        thief.expect_close().await.unwrap();
        street.honest_notices_nothing().await;
    }
    street
        .gate
        .expect_metric("portcullis_sessions_over_total{how=\"protocol\"} 2");
    street
        .gate
        .expect_metric("portcullis_messages_inflated_total 0");
    street.nothing_arrived(THIEF);
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut stream = zlib_rs::Deflate::new(9, false, 15);
    let mut out = vec![0; text.len() / 100];
    let flush = zlib_rs::DeflateFlush::SyncFlush;
    stream.compress(text, &mut out, flush).unwrap();
    out.truncate(stream.total_out() as usize - 4);
    out
}
