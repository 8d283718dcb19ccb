//! What must hold for any bytes: no panic, the same verdict on well-formedness as another parser, and
//! hard faults found wherever they are put.

mod common;

use common::{Made, hard, read};
use ocpp::{Frame, HardFault, Limits, Message, Reader, Side, Version};
use proptest::prelude::*;
use serde_json::{Map, Value};

const MESSAGES: [(Version, &str); 4] = [
    (
        Version::V16,
        r#"[2,"1","MeterValues",{"connectorId":1,"transactionId":7,"meterValue":[{"timestamp":"2026-03-01T10:00:00Z","sampledValue":[{"value":"12.5","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},{"value":"230","phase":"L1-N"}]}]}]"#,
    ),
    (
        Version::V201,
        r#"[2,"t","TransactionEvent",{"eventType":"Started","timestamp":"2026-03-01T10:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"tx"},"idToken":{"idToken":"04E9","type":"ISO14443","customData":{"vendorId":"v","x":[1,{"y":null}]}},"evse":{"id":1},"offline":false}]"#,
    ),
    (
        Version::V21,
        r#"[2,"d","DataTransfer",{"vendorId":"v","data":{"any":["thing",null,1.5,{"deep":[true]}]}}]"#,
    ),
    (
        Version::V16,
        r#"[4,"1","GenericError","\u00e9",{"details":[1,2,{"x":"y"}]}]"#,
    ),
];

fn versions() -> impl Strategy<Value = Version> {
    prop::sample::select(Version::ALL.to_vec())
}

/// Any JSON value whose objects hold few enough keys, no two of them alike, and that nests little.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=(1 << 53)).prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |x| x.is_finite() && x.abs() < 9e15)
            .prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\u{1}-\u{7f}\u{80}-\u{2ff}\u{1f600}-\u{1f610}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let key = prop_oneof!["[a-z]{1,6}", "[\u{1}-\u{2f}à-ö\u{4e00}-\u{4e20}]{1,5}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|members| { Value::Object(members.into_iter().collect::<Map<_, _>>()) }),
        ]
    })
}

/// The same value in other letters: white space, and any character escaped.
fn respelled(value: &Value, seed: u64) -> String {
    let text = match seed & 2 {
        0 => format!("{value:#}"),
        _ => value.to_string(),
    };
    if seed & 1 == 0 {
        return text;
    }
    let escape = |letter: char| {
        let mut units = [0; 2];
        letter
            .encode_utf16(&mut units)
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect::<String>()
    };
    text.chars()
        .map(|letter| {
            if letter.is_ascii() {
                letter.to_string()
            } else {
                escape(letter)
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_bytes_are_read_without_panic(version in versions(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(version, &bytes);
    }

    #[test]
    fn any_text_of_json_letters_agrees_with_serde_json(
        version in versions(),
        text in r#"\[[2-4],"[a-z]",("[A-Z]",)?[\[\]{}:,"\\a-c0-9.eE+ -]{0,30}(true|null|"[a-z]{0,3}"|[0-9]{1,3}|\{\}|\[\]){0,3}[\]}]{0,3}"#,
    ) {
        let judged = hard(version, &text);
        match serde_json::from_str::<Value>(&text) {
            Ok(_) => prop_assert!(!matches!(judged, Some(HardFault::NotJson | HardFault::TrailingData)), "{text} {judged:?}"),
            Err(_) => prop_assert!(judged.is_some(), "{text}"),
        }
    }

    #[test]
    fn what_another_writer_wrote_is_read(version in versions(), value in json(), seed in any::<u64>()) {
        let value = respelled(&value, seed);
        for text in [
            format!(r#"[2,"1","Heartbeat",{{"x":{value}}}]"#),
            format!(r#"[2,"1","DataTransfer",{{"data":{value}}}]"#),
            format!(r#"[3,"1",{value}]"#),
            format!(r#"[4,"1","GenericError","",{value}]"#),
        ] {
            let judged = hard(version, &text);
            // Keys that fold alike are ours to refuse; serde_json writes each once.
            prop_assert!(matches!(judged, None | Some(HardFault::CaseVariantKey)), "{judged:?} {text}");
        }
    }

    #[test]
    fn a_key_said_twice_is_found_anywhere(version in versions(), before in json(), after in json(), key in "[a-zé]{1,8}", seed in any::<u64>()) {
        let spelled: String = key.chars().map(|letter| match seed & 1 {
            0 => letter.to_string(),
            _ => format!("\\u{:04x}", letter as u32),
        }).collect();
        let object = format!(r#"{{"{key}":{before},"0":[{after}],"{spelled}":0}}"#);
        let text = format!(r#"[2,"1","Heartbeat",{{"x":[{object}]}}]"#);
        let judged = hard(version, &text);
        prop_assert!(matches!(judged, Some(HardFault::DuplicateKey | HardFault::CaseVariantKey)), "{judged:?} {text}");
    }

    #[test]
    fn any_damage_to_a_message_is_read_without_panic(
        message in prop::sample::select(MESSAGES.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..5_u8, any::<u8>()), 1..6),
    ) {
        let (version, text) = message;
        let mut bytes = text.as_bytes().to_vec();
        for (place, kind, byte) in damage {
            let at = place.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            let letter = b"[]{}:,\"\\0e-.u \n"[usize::from(byte) % 15];
            match kind {
                0 if !bytes.is_empty() => { bytes.remove(at); }
                1 => bytes.insert(at, letter),
                2 if !bytes.is_empty() => bytes[at] = byte,
                3 => bytes.truncate(at),
                _ => {
                    let end = (at + usize::from(byte % 32)).min(bytes.len());
                    let piece = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at.min(end)..at.min(end), piece);
                }
            }
        }
        let judged = hard(version, &bytes);
        let sound = std::str::from_utf8(&bytes).is_ok_and(|text| serde_json::from_str::<Value>(text).is_ok());
        prop_assert!(sound || judged.is_some(), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn every_span_lies_where_its_value_stands(message in prop::sample::select(MESSAGES.to_vec()), seed in any::<u64>()) {
        let (version, text) = message;
        let value: Value = serde_json::from_str(text).unwrap();
        let text = respelled(&value, seed);
        let mut reader = Reader::new();
        let (limits, nobody) = (Limits::default(), common::Asked(None));
        let message = reader.read(Frame::text(text.as_bytes()), Side::Station, version, &limits, &nobody);
        if let Message::Call(call) = message {
            for fact in call.facts.iter() {
                let stands = call.facts.text(fact);
                let quoted = text.as_bytes()[fact.start as usize - 1] == b'"';
                let whole = if quoted { format!("\"{stands}\"") } else { stands.to_owned() };
                prop_assert!(serde_json::from_str::<Value>(&whole).is_ok(), "{whole}");
            }
        }
    }
}

#[test]
fn a_million_bytes_of_anything_take_no_time_to_refuse() {
    for piece in [
        "[",
        "{\"a\":",
        "\"",
        "\\",
        "1",
        "[1,",
        "{\"a\":1,",
        "\u{e9}",
        "\u{0}",
        " ",
    ] {
        let text = format!(
            "[2,\"1\",\"Heartbeat\",{}",
            piece.repeat((1 << 20) / piece.len() - 30)
        );
        assert!(
            matches!(read(Version::V201, &text), Made::Hard(_)),
            "{piece}"
        );
    }
}
