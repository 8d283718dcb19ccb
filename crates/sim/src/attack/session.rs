//! Attacks by a station that is in: its password was stolen, and now it speaks to the parser, to the
//! frame layer, or out of turn.

use std::time::Duration;

use serde_json::json;

use super::{Saw, Target};
use crate::conversation::{CallFailed, Conversation, Ended};
use crate::envelope::Envelope;
use crate::station::ConnectError;
use crate::wire::RawFrame;

/// How long an attacker waits for an answer before it asks whether the conversation still goes on.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// One way of misusing a conversation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trick {
    /// This text, as one message.
    Text(&'static str),
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A call with an array that many deep.
    Deep(usize),
    /// A call with a string of so many bytes.
    Long(usize),
    /// A call with so many unknown keys.
    ManyKeys(usize),
    Binary,
    Unmasked,
    ReservedBit,
    LooseContinuation,
    LongPing,
    /// The same id twice, with two bodies.
    ReusedId,
    /// A second connection of a station that is connected.
    SecondConnection,
}

/// Every session attack: its name, what it tries, how. The id `x` is replaced by a fresh one.
pub(super) const ALL: &[(&str, &str, Trick)] = &[
    (
        "duplicate-key",
        "names one key twice, so that two parsers read two values (B04)",
        Trick::Text(r#"[2,"x","Heartbeat",{"customData":{"vendorId":"a","vendorId":"b"}}]"#),
    ),
    (
        "hidden-duplicate",
        "the same, with one of the keys in escapes (B04)",
        Trick::Text(r#"[2,"x","DataTransfer",{"vendorId":"a","vendor\u0049d":"b"}]"#),
    ),
    (
        "case-variant-key",
        "names a key again in the other case (B04)",
        Trick::Text(r#"[2,"x","DataTransfer",{"vendorId":"a","VENDORID":"b"}]"#),
    ),
    (
        "trailing-data",
        "hides a second message behind the first (B04)",
        Trick::Text(r#"[2,"x","Heartbeat",{}] [2,"y","Heartbeat",{}]"#),
    ),
    (
        "byte-order-mark",
        "starts its message with a byte order mark (B04)",
        Trick::Text("\u{feff}[2,\"x\",\"Heartbeat\",{}]"),
    ),
    (
        "deep-nesting",
        "nests 10,000 arrays to exhaust a parser's stack (B07)",
        Trick::Deep(10_000),
    ),
    (
        "oversize",
        "sends a vendor name of 2 MB (B01)",
        Trick::Long(2_000_000),
    ),
    (
        "many-keys",
        "sends 5,000 keys nobody knows (B07)",
        Trick::ManyKeys(5_000),
    ),
    (
        "invalid-utf8",
        "sends text that is not UTF-8 (B07)",
        Trick::InvalidUtf8,
    ),
    (
        "lone-surrogate",
        "sends half of a surrogate pair (B07)",
        Trick::Text(r#"[2,"x","DataTransfer",{"vendorId":"\ud800"}]"#),
    ),
    (
        "nul-character",
        "puts U+0000 into a vendor id (B07)",
        Trick::Text(r#"[2,"x","DataTransfer",{"vendorId":"a\u0000b"}]"#),
    ),
    (
        "number-overflow",
        "sends a number no parser can hold (B07)",
        Trick::Text(r#"[2,"x","StatusNotification",{"connectorId":1e999}]"#),
    ),
    (
        "huge-integer",
        "sends an integer that parsers round differently (B07)",
        Trick::Text(r#"[2,"x","StatusNotification",{"connectorId":9007199254740993}]"#),
    ),
    (
        "not-json",
        "sends no JSON at all (B02)",
        Trick::Text("BEGIN TRANSACTION; DROP TABLE stations;"),
    ),
    (
        "unknown-type",
        "sends message type 42 (B02)",
        Trick::Text(r#"[42,"x","Heartbeat",{}]"#),
    ),
    (
        "empty-boot",
        "sends a BootNotification without any field (B02)",
        Trick::Text(r#"[2,"x","BootNotification",{}]"#),
    ),
    (
        "unknown-action",
        "calls an action that does not exist (B11)",
        Trick::Text(r#"[2,"x","OpenTheGate",{}]"#),
    ),
    (
        "station-sends-reset",
        "a station orders the CSMS to reset (B11)",
        Trick::Text(r#"[2,"x","Reset",{"type":"Hard"}]"#),
    ),
    (
        "unsolicited-answer",
        "answers a call that nobody made (B08)",
        Trick::Text(r#"[3,"x",{"status":"Accepted"}]"#),
    ),
    (
        "reused-id",
        "uses one message id for two different calls (B09)",
        Trick::ReusedId,
    ),
    (
        "binary-frame",
        "sends its call as a binary message (B07)",
        Trick::Binary,
    ),
    (
        "unmasked-frame",
        "sends a frame without a mask (A19)",
        Trick::Unmasked,
    ),
    (
        "reserved-bit",
        "says its frame is compressed, though that was never agreed (A19)",
        Trick::ReservedBit,
    ),
    (
        "loose-continuation",
        "continues a message that was never begun (A19)",
        Trick::LooseContinuation,
    ),
    (
        "long-ping",
        "sends a ping of 200 bytes, where 125 are allowed (A19)",
        Trick::LongPing,
    ),
    (
        "second-connection",
        "connects as a station that is connected already, to take its place (A02, A03)",
        Trick::SecondConnection,
    ),
];

pub(super) async fn run(trick: Trick, target: &Target) -> Saw {
    let link = match target.impostor().connect().await {
        Ok(link) => link,
        Err(ConnectError::Refused { status, .. }) => return Saw::TurnedAway(status),
        Err(error) => return Saw::NoHandshake(error.to_string()),
    };
    // A fresh id each time: a gate may remember ids for longer than a connection lives.
    let id = link.fresh_id();
    if send(trick, &link, &id).await.is_err() {
        return how_it_ended(&link);
    }
    let saw = match trick {
        Trick::SecondConnection => displace(&link, target).await,
        _ => watch(trick, &link, &id).await,
    };
    // The stolen identity is used again, so leave as a station would.
    drop(link.close(Some(1000)));
    drop(link.expect_close().await);
    saw
}

async fn send(trick: Trick, link: &Conversation, id: &str) -> Result<(), CallFailed> {
    let heartbeat = format!(r#"[2,"{id}","Heartbeat",{{}}]"#);
    let transfer = |value: &str| format!(r#"[2,"{id}","DataTransfer",{{"vendorId":{value}}}]"#);
    match trick {
        Trick::Text(text) => link.send_text(text.replace(r#""x""#, &format!(r#""{id}""#))),
        Trick::InvalidUtf8 => {
            let mut bytes = transfer(r#""?""#).into_bytes();
            bytes
                .iter_mut()
                .filter(|byte| **byte == b'?')
                .for_each(|byte| *byte = 0xff);
            link.send_raw(RawFrame::text(bytes).bytes())
        }
        Trick::Deep(depth) => {
            let deep = "[".repeat(depth) + &"]".repeat(depth);
            link.send_text(transfer(&format!(r#""a","data":{deep}"#)))
        }
        Trick::Long(bytes) => {
            let long = "V".repeat(bytes);
            let boot = json!({ "chargePointVendor": long, "chargePointModel": "m" });
            link.send_text(json!([2, id, "BootNotification", boot]).to_string())
        }
        Trick::ManyKeys(count) => {
            let keys: Vec<String> = (0..count).map(|at| format!(r#""k{at}":0"#)).collect();
            let keys = keys.join(",");
            link.send_text(format!(r#"[2,"{id}","Heartbeat",{{{keys}}}]"#))
        }
        Trick::Binary => link.send_binary(heartbeat),
        Trick::Unmasked => link.send_raw(RawFrame::text(heartbeat).unmasked().bytes()),
        Trick::ReservedBit => link.send_raw(RawFrame::text(heartbeat).reserved(4).bytes()),
        Trick::LooseContinuation => link.send_raw(RawFrame::new(0, heartbeat).bytes()),
        Trick::LongPing => link.send_raw(RawFrame::new(9, vec![b'p'; 200]).bytes()),
        Trick::ReusedId => {
            let first = link.begin(id, "Heartbeat", json!({}))?;
            drop(tokio::time::timeout(ANSWER_MAX, first).await);
            link.send_text(transfer(r#""other""#))
        }
        Trick::SecondConnection => Ok(()),
    }
}

/// Comes a second time with the same credential; the first connection is the honest one here.
async fn displace(link: &Conversation, target: &Target) -> Saw {
    let second = target.impostor().connect().await;
    let lives = link.call("Heartbeat", json!({})).await.is_ok();
    match second {
        Ok(_) => Saw::GotThrough("a second connection of a live station was let in".to_owned()),
        Err(_) if !lives => Saw::GotThrough("the live connection was lost".to_owned()),
        Err(ConnectError::Refused { status, .. }) => Saw::TurnedAway(status),
        Err(error) => Saw::NoHandshake(error.to_string()),
    }
}

/// Looks what comes of it: an answer, the end, or nothing at all.
async fn watch(trick: Trick, link: &Conversation, id: &str) -> Saw {
    // The first of the two calls that share an id was fair; its answer is not ours to count.
    let fair = usize::from(matches!(trick, Trick::ReusedId));
    let answer = async {
        for _ in 0..fair {
            drop(link.expect_answer(id).await);
        }
        loop {
            let text = link.expect_text().await.ok()?;
            let saw = match Envelope::read(&text) {
                Some(Envelope::Error { code, .. }) => Saw::Refused(code),
                Some(Envelope::Result { .. }) => Saw::GotThrough(text),
                _ => continue,
            };
            return Some(saw);
        }
    };
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(Some(saw)) => return saw,
        Ok(None) => return how_it_ended(link),
        Err(_) => {}
    }
    match link.call("Heartbeat", json!({})).await {
        Ok(_) | Err(CallFailed::Error { .. } | CallFailed::Silence) => Saw::Ignored,
        Err(CallFailed::Gone) => how_it_ended(link),
    }
}

fn how_it_ended(link: &Conversation) -> Saw {
    match link.ended() {
        Some(Ended::Closed(code, _)) => Saw::Closed(code),
        Some(Ended::Lost(_) | Ended::Dropped) | None => Saw::Closed(None),
    }
}
