//! Row 3 of the road: each hard fault has a scene in which it does not arrive, from either side. What
//! proves it is the honest message behind it, which does.

use crate::scene::Scene;
use guard::{Closing, Event, Outcome};
use ocpp::{HardFault, Limits, Side};
use serde_json::json;
use sim::wire::RawFrame;
use sim::{Conversation, Ended, Entry, Payload, Speaker};

/// Every hard fault; [`told`] keeps the list honest, since it must name each.
const ALL: [HardFault; 16] = [
    HardFault::BinaryFrame,
    HardFault::Oversize,
    HardFault::InvalidUtf8,
    HardFault::ByteOrderMark,
    HardFault::NotJson,
    HardFault::TrailingData,
    HardFault::DuplicateKey,
    HardFault::CaseVariantKey,
    HardFault::LoneSurrogate,
    HardFault::NulCharacter,
    HardFault::NumberOverflow,
    HardFault::IntegerBeyondExact,
    HardFault::TooDeep,
    HardFault::TooManyUnknownKeys,
    HardFault::NotAnEnvelope,
    HardFault::UnknownMessageType,
];

/// What carries a fault, and what becomes of the connection.
enum Carrier {
    /// A text message; the conversation goes on.
    Text(String),
    /// A binary message; the conversation goes on.
    Binary(&'static str),
    /// Something on which RFC 6455 or our size limit ends the connection, with that close code.
    Ends(Vec<u8>, u16),
}

/// A DataTransfer of 1.6 that is without fault but for its `data`; both sides may send it.
fn transfer(data: &str) -> Carrier {
    Carrier::Text(format!(
        r#"[2,"bad","DataTransfer",{{"vendorId":"v","data":{data}}}]"#
    ))
}

fn told(fault: HardFault, from: Side) -> Carrier {
    let masked = |frame: RawFrame| match from {
        Side::Station => frame.bytes(),
        Side::Csms => frame.unmasked().bytes(),
    };
    match fault {
        HardFault::BinaryFrame => Carrier::Binary(r#"[2,"bad","DataTransfer",{"vendorId":"v"}]"#),
        HardFault::Oversize => {
            let long = vec![b' '; Limits::MESSAGE_BYTES_MAX as usize + 1];
            Carrier::Ends(masked(RawFrame::text(long)), 1009)
        }
        HardFault::InvalidUtf8 => {
            let bytes = b"[2,\"bad\",\"DataTransfer\",{\"vendorId\":\"\xc3\x28\"}]".to_vec();
            Carrier::Ends(masked(RawFrame::text(bytes)), 1007)
        }
        HardFault::ByteOrderMark => {
            Carrier::Text("\u{feff}[2,\"bad\",\"DataTransfer\",{\"vendorId\":\"v\"}]".to_owned())
        }
        HardFault::NotJson => transfer("nonsense"),
        HardFault::TrailingData => {
            Carrier::Text(r#"[2,"bad","DataTransfer",{"vendorId":"v"}]["#.to_owned())
        }
        HardFault::DuplicateKey => transfer(r#""x","\u0064ata":"y""#),
        HardFault::CaseVariantKey => transfer(r#""x","Data":"y""#),
        HardFault::LoneSurrogate => transfer(r#""\udc00""#),
        HardFault::NulCharacter => transfer(r#""a\u0000b""#),
        HardFault::NumberOverflow => transfer("1e400"),
        HardFault::IntegerBeyondExact => transfer("9007199254740993"),
        HardFault::TooDeep => transfer(&format!("{}{}", "[".repeat(17), "]".repeat(17))),
        HardFault::TooManyUnknownKeys => {
            let keys: Vec<String> = (0..65).map(|at| format!(r#""k{at}":0"#)).collect();
            transfer(&format!(r#""x",{}"#, keys.join(",")))
        }
        HardFault::NotAnEnvelope => {
            Carrier::Text(r#"{"2":"bad","DataTransfer":{"vendorId":"v"}}"#.to_owned())
        }
        HardFault::UnknownMessageType => {
            Carrier::Text(r#"[9,"bad","DataTransfer",{"vendorId":"v"}]"#.to_owned())
        }
    }
}

#[tokio::test]
async fn no_hard_fault_of_a_station_reaches_the_csms() {
    let scene = Scene::new().await;
    for fault in ALL {
        let (station, csms) = scene.session(&scene.station("CP1")).await;
        does_not_arrive(&scene, fault, Side::Station, &station, &csms).await;
        leave(&station, &csms).await;
    }
}

#[tokio::test]
async fn no_hard_fault_of_a_csms_reaches_the_station() {
    let scene = Scene::new().await;
    for fault in ALL {
        let (station, csms) = scene.session(&scene.station("CP1")).await;
        does_not_arrive(&scene, fault, Side::Csms, &csms, &station).await;
        leave(&station, &csms).await;
    }
}

/// `speaker` says something with that fault; `listener` never hears it, and the event tells why.
async fn does_not_arrive(
    scene: &Scene,
    fault: HardFault,
    from: Side,
    speaker: &Conversation,
    listener: &Conversation,
) {
    let honest = || speaker.call("DataTransfer", json!({ "vendorId": "honest" }));
    honest()
        .await
        .unwrap_or_else(|error| panic!("{fault:?}: before it: {error}"));
    match told(fault, from) {
        Carrier::Text(text) => speaker.send_text(text).unwrap(),
        Carrier::Binary(text) => speaker.send_binary(text).unwrap(),
        Carrier::Ends(bytes, code) => {
            speaker.send_raw(bytes).unwrap();
            let end = speaker.expect_close().await.unwrap();
            assert!(
                matches!(end, Ended::Closed(Some(said), _) if said == code),
                "{fault:?}: {end:?}"
            );
            listener.expect_close().await.unwrap();
        }
    }
    if speaker.ended().is_none() {
        honest()
            .await
            .unwrap_or_else(|error| panic!("{fault:?}: after it: {error}"));
    }
    let arrived: Vec<_> = listener.record().into_iter().filter(is_bad).collect();
    assert!(arrived.is_empty(), "{fault:?} arrived: {arrived:?}");
    scene.event(|event| told_as(event, fault, from)).await;
}

/// Everything bad here has the id `bad`, or is binary.
fn is_bad(entry: &Entry) -> bool {
    let bad = match &entry.payload {
        // With its quotes: ids that are drawn may hold the letters.
        Payload::Text(text) => text.contains(r#""bad""#),
        Payload::Binary(_) => true,
    };
    entry.from == Speaker::Them && bad
}

/// The event that tells of the refusal. What is too long for any message is never read: the
/// connection ends, and that is told.
fn told_as(event: &Event, fault: HardFault, from: Side) -> Option<()> {
    let told = match event {
        Event::Message(message) => {
            message.from == from && message.outcome == Outcome::Refused(None, Some(fault))
        }
        Event::Disconnected {
            how: Closing::Protocol(side, _),
            ..
        } => *side == from && fault == HardFault::Oversize,
        _ => false,
    };
    told.then_some(())
}

/// The next fault gets a session of its own.
async fn leave(station: &Conversation, csms: &Conversation) {
    if station.ended().is_none() {
        station.close(Some(1000)).unwrap();
    }
    station.expect_close().await.unwrap();
    csms.expect_close().await.unwrap();
}
