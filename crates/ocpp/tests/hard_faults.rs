//! Every hard fault, wherever in a message it stands: in the envelope, in fields that the schema knows
//! and in those it does not, in answers nobody asked for and in error details, in every version.

mod common;

use common::{Made, hard, read};
use ocpp::{Frame, HardFault, Limits, Message, Reader, Refused, Side, Version};

/// Messages with a place for a value that may be anything, in each version; `@` is the place.
fn places(version: Version) -> Vec<&'static str> {
    let mut places = vec![
        r#"[2,"1","NoSuchAction",@]"#,
        r#"[2,"1","NoSuchAction",{"x":@}]"#,
        r#"[2,"1","Heartbeat",{"unknown":@}]"#,
        r#"[2,"1","Heartbeat",{"unknown":{"deep":[[@]]}}]"#,
        r#"[2,"1","BootNotification",{"reason":@}]"#,
        r#"[3,"1",{"x":@}]"#,
        r#"[3,"1",@]"#,
        r#"[4,"1","InternalError","",@]"#,
        r#"[4,"1","InternalError","",{"x":[@]}]"#,
        r#"[4,"1",@,"",{}]"#,
        r#"[4,"1","InternalError",@,{}]"#,
        r#"[2,@,"Heartbeat",{}]"#,
        r#"[2,"1",@,{}]"#,
        r#"[@,"1","Heartbeat",{}]"#,
        r#"[2,"1","Heartbeat",{},@]"#,
        r#"[7,"1",@]"#,
        r#"{"x":@}"#,
    ];
    places.extend(match version {
        Version::V16 => [
            r#"[2,"1","MeterValues",{"connectorId":@,"meterValue":[]}]"#,
            r#"[2,"1","MeterValues",{"meterValue":[{"sampledValue":[{"value":@}]}]}]"#,
            r#"[2,"1","MeterValues",{"meterValue":[@]}]"#,
            r#"[2,"1","MeterValues",{"meterValue":@}]"#,
            r#"[2,"1","MeterValues",{"meterValue":[{"timestamp":@}]}]"#,
        ],
        Version::V201 | Version::V21 => [
            r#"[2,"1","DataTransfer",{"vendorId":"v","data":@}]"#,
            r#"[2,"1","Heartbeat",{"customData":{"vendorId":"v","x":@}}]"#,
            r#"[2,"1","TransactionEvent",{"offline":@}]"#,
            r#"[2,"1","TransactionEvent",{"eventType":@,"timestamp":"never"}]"#,
            r#"[2,"1","TransactionEvent",{"meterValue":[{"sampledValue":[{"value":@}]}]}]"#,
        ],
    });
    places
}

#[test]
fn a_value_is_as_hard_a_fault_in_every_place() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many: Vec<String> = (0..65).map(|n| format!(r#""k{n}":0"#)).collect();
    let values = [
        (r#"{"a":1,"a":1}"#.to_owned(), HardFault::DuplicateKey),
        (
            r#"{"a":1,"b":2,"\u0061":1}"#.to_owned(),
            HardFault::DuplicateKey,
        ),
        (r#"{"é":1,"\u00e9":1}"#.to_owned(), HardFault::DuplicateKey),
        (
            r#"{"😀":1,"\ud83d\ude00":1}"#.to_owned(),
            HardFault::DuplicateKey,
        ),
        (r#"{"":1,"":1}"#.to_owned(), HardFault::DuplicateKey),
        (r#"{"a":1,"A":1}"#.to_owned(), HardFault::CaseVariantKey),
        (
            r#"{"key":1,"x":[{}],"Key":1}"#.to_owned(),
            HardFault::CaseVariantKey,
        ),
        (
            "{\"kilo\":1,\"\u{212a}ilo\":1}".to_owned(),
            HardFault::CaseVariantKey,
        ),
        (
            r#"{"masse":1,"ma\u017fse":1}"#.to_owned(),
            HardFault::CaseVariantKey,
        ),
        (r#"{"É":1,"é":1}"#.to_owned(), HardFault::CaseVariantKey),
        (r#""\ud800""#.to_owned(), HardFault::LoneSurrogate),
        (r#""\udc00""#.to_owned(), HardFault::LoneSurrogate),
        (r#""\ud800\ud800""#.to_owned(), HardFault::LoneSurrogate),
        (r#""\ud800x\udc00""#.to_owned(), HardFault::LoneSurrogate),
        (r#"{"\uDFFF":0}"#.to_owned(), HardFault::LoneSurrogate),
        (r#""a\u0000b""#.to_owned(), HardFault::NulCharacter),
        ("\"a\0b\"".to_owned(), HardFault::NulCharacter),
        (r#"{"\u0000":0}"#.to_owned(), HardFault::NulCharacter),
        ("1e309".to_owned(), HardFault::NumberOverflow),
        (
            "-1e999999999999999999999".to_owned(),
            HardFault::NumberOverflow,
        ),
        ("9".repeat(400), HardFault::NumberOverflow),
        ("9007199254740993".to_owned(), HardFault::IntegerBeyondExact),
        (
            "-9007199254740993".to_owned(),
            HardFault::IntegerBeyondExact,
        ),
        (
            "18446744073709551615".to_owned(),
            HardFault::IntegerBeyondExact,
        ),
        (
            "9007199254740993.0".to_owned(),
            HardFault::IntegerBeyondExact,
        ),
        ("-1e300".to_owned(), HardFault::IntegerBeyondExact),
        (nested(16), HardFault::TooDeep),
        (nested(10_000), HardFault::TooDeep),
        ("[".repeat(100_000), HardFault::TooDeep),
        (r#"{"x":"#.repeat(100_000), HardFault::TooDeep),
        (
            format!("{{{}}}", many.join(",")),
            HardFault::TooManyUnknownKeys,
        ),
        ("\"a\nb\"".to_owned(), HardFault::NotJson),
        ("\"a\u{1f}b\"".to_owned(), HardFault::NotJson),
        (r#""\x""#.to_owned(), HardFault::NotJson),
        (r#""\u12g4""#.to_owned(), HardFault::NotJson),
        (r#""\u+123""#.to_owned(), HardFault::NotJson),
        ("01".to_owned(), HardFault::NotJson),
        ("+1".to_owned(), HardFault::NotJson),
        (".5".to_owned(), HardFault::NotJson),
        ("1.".to_owned(), HardFault::NotJson),
        ("-".to_owned(), HardFault::NotJson),
        ("0x10".to_owned(), HardFault::NotJson),
        ("1e".to_owned(), HardFault::NotJson),
        ("NaN".to_owned(), HardFault::NotJson),
        ("Infinity".to_owned(), HardFault::NotJson),
        ("True".to_owned(), HardFault::NotJson),
        ("nul".to_owned(), HardFault::NotJson),
        ("'a'".to_owned(), HardFault::NotJson),
        ("[1,]".to_owned(), HardFault::NotJson),
        ("[1 2]".to_owned(), HardFault::NotJson),
        ("[,]".to_owned(), HardFault::NotJson),
        (r#"{"a":1,}"#.to_owned(), HardFault::NotJson),
        (r#"{"a"}"#.to_owned(), HardFault::NotJson),
        ("{a:1}".to_owned(), HardFault::NotJson),
        (r#"{"a":1 "b":2}"#.to_owned(), HardFault::NotJson),
        ("[1}".to_owned(), HardFault::NotJson),
        ("/* */1".to_owned(), HardFault::NotJson),
        ("1 // one".to_owned(), HardFault::NotJson),
        ("\u{a0}1".to_owned(), HardFault::NotJson),
        ("\u{c}1".to_owned(), HardFault::NotJson),
        (":".to_owned(), HardFault::NotJson),
    ];
    for version in Version::ALL {
        for place in places(version) {
            for (value, fault) in &values {
                let text = place.replace('@', value);
                assert_eq!(hard(version, &text), Some(*fault), "{version} {text:.200}");
            }
        }
    }
}

#[test]
fn keys_the_schema_knows_come_once_in_one_case() {
    for (payload, fault) in [
        (
            r#"{"connectorId":1,"connectorId":1}"#,
            HardFault::DuplicateKey,
        ),
        (
            r#"{"connectorId":1,"connector\u0049d":1}"#,
            HardFault::DuplicateKey,
        ),
        (
            r#"{"connector\u0049d":1,"connectorId":1}"#,
            HardFault::DuplicateKey,
        ),
        (
            r#"{"connectorId":1,"connectorid":1}"#,
            HardFault::CaseVariantKey,
        ),
        (
            r#"{"CONNECTORID":1,"status":"Available","connectorId":1}"#,
            HardFault::CaseVariantKey,
        ),
        (
            r#"{"CONNECTORID":1,"connectorid":1}"#,
            HardFault::CaseVariantKey,
        ),
        (
            r#"{"CONNECTORID":1,"CONNECTORID":1}"#,
            HardFault::DuplicateKey,
        ),
        (r#"{"status":1,"\u017ftatus":1}"#, HardFault::CaseVariantKey),
    ] {
        for version in Version::ALL {
            let text = format!(r#"[2,"1","StatusNotification",{payload}]"#);
            assert_eq!(hard(version, &text), Some(fault), "{version} {text}");
        }
    }
    // In one list item, and not across two.
    let item = r#"{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}"#;
    let text = format!(r#"[2,"1","MeterValues",{{"connectorId":1,"meterValue":[{item},{item}]}}]"#);
    assert!(matches!(read(Version::V16, &text), Made::Read(_, faults) if faults.is_empty()));
    let twice = text.replace(r#""value":"1""#, r#""value":"1","value":"2""#);
    assert_eq!(hard(Version::V16, twice), Some(HardFault::DuplicateKey));
}

#[test]
fn what_stays_within_the_bounds_is_read() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many: Vec<String> = (0..64).map(|n| format!(r#""k{n}":0"#)).collect();
    for value in [
        nested(14),
        format!("{{{}}}", many.join(",")),
        "9007199254740992".to_owned(),
        "-9007199254740992".to_owned(),
        "9007199254740992.0".to_owned(),
        "9.007199254740992E+15".to_owned(),
        "1e-400".to_owned(),
        "-0".to_owned(),
        "-0.0e-0".to_owned(),
        r#""\ud83d\ude00""#.to_owned(),
        r#"{"a":{"a":{"a":1}}}"#.to_owned(),
        r#"{"a":1,"b":{"A":1}}"#.to_owned(),
        r#"[{"a":1},{"a":1},{"A":1}]"#.to_owned(),
        r#"{"ß":1,"ss":2,"\\u0061":3,"a":4}"#.to_owned(),
        "\"\u{7f}\u{85}\u{2028}\u{feff}\"".to_owned(),
        r#""\u0001\u001f\"\\\/\b\f\n\r\t""#.to_owned(),
    ] {
        for version in Version::ALL {
            let text = format!(r#" [ 2 , "1" , "Heartbeat" , {{ "unknown" : {value} }} ] "#);
            assert_eq!(hard(version, &text), None, "{text}");
        }
    }
}

#[test]
fn the_frame_itself_may_be_the_fault() {
    let heartbeat = r#"[2,"1","Heartbeat",{}]"#;
    let long = format!(r#"[2,"1","Heartbeat",{{"x":"{}"}}]"#, "x".repeat(1 << 20));
    for version in Version::ALL {
        for (bytes, fault) in [
            (
                format!("\u{feff}{heartbeat}").into_bytes(),
                HardFault::ByteOrderMark,
            ),
            (b"\xff\xfe[\x002\0".to_vec(), HardFault::InvalidUtf8),
            (
                heartbeat
                    .replace('1', "@")
                    .replace('@', "\u{e9}")
                    .into_bytes()[..8]
                    .to_vec(),
                HardFault::NotJson,
            ),
            (
                b"[2,\"\xc0\xaf\",\"Heartbeat\",{}]".to_vec(),
                HardFault::InvalidUtf8,
            ),
            (
                b"[2,\"\xed\xa0\x80\",\"Heartbeat\",{}]".to_vec(),
                HardFault::InvalidUtf8,
            ),
            (
                b"[2,\"\xf4\x90\x80\x80\",\"Heartbeat\",{}]".to_vec(),
                HardFault::InvalidUtf8,
            ),
            (
                b"[2,\"1\",\"Heartbeat\",{}]\x80".to_vec(),
                HardFault::InvalidUtf8,
            ),
            (long.clone().into_bytes(), HardFault::Oversize),
            (
                format!("{heartbeat}]").into_bytes(),
                HardFault::TrailingData,
            ),
            (
                format!("{heartbeat}{heartbeat}").into_bytes(),
                HardFault::TrailingData,
            ),
            (
                format!("{heartbeat}\0").into_bytes(),
                HardFault::TrailingData,
            ),
            (
                format!("{heartbeat} \n,").into_bytes(),
                HardFault::TrailingData,
            ),
            (b"{} {}".to_vec(), HardFault::TrailingData),
            (Vec::new(), HardFault::NotJson),
            (b" ".to_vec(), HardFault::NotJson),
            (b"hello".to_vec(), HardFault::NotJson),
        ] {
            assert_eq!(
                hard(version, &bytes),
                Some(fault),
                "{:.80}",
                String::from_utf8_lossy(&bytes)
            );
        }
        let frame = Frame::binary(heartbeat.as_bytes());
        let (limits, nobody) = (Limits::default(), common::Asked(None));
        let mut reader = Reader::new();
        let message = reader.read(frame, Side::Station, version, &limits, &nobody);
        let Message::Unreadable(unreadable) = message else {
            panic!("{message:?}")
        };
        assert_eq!(unreadable.fault, HardFault::BinaryFrame);
    }
}

#[test]
fn every_cut_of_a_message_is_no_json() {
    let whole = r#"[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"sampledValue":[{"value":"\u00e9"}],"timestamp":"2026-01-01T00:00:00Z"}],"x":[true,null,-1.5e3]}]"#;
    for end in 0..whole.len() {
        assert_eq!(
            hard(Version::V16, &whole[..end]),
            Some(HardFault::NotJson),
            "{}",
            &whole[..end]
        );
    }
    assert_eq!(hard(Version::V16, whole), None);
}

#[test]
fn what_is_no_envelope_is_told_apart_from_what_is_no_json() {
    for text in [
        "{}",
        "[]",
        "2",
        "\"x\"",
        "null",
        "[[]]",
        "[2]",
        r#"[2,"1"]"#,
        r#"[2,"1","Heartbeat"]"#,
        r#"[2,"1","Heartbeat",{},{}]"#,
        r#"[2,1,"Heartbeat",{}]"#,
        r#"[2,null,"Heartbeat",{}]"#,
        r#"[2,"1",5,{}]"#,
        r#"["2","1","Heartbeat",{}]"#,
        r#"[2.0,"1","Heartbeat",{}]"#,
        r#"[2e0,"1","Heartbeat",{}]"#,
        r#"[null,"1","Heartbeat",{}]"#,
        r#"[3,"1"]"#,
        r#"[3,"1",{},{}]"#,
        r#"[4,"1","InternalError",""]"#,
        r#"[4,"1","InternalError","",{},{}]"#,
    ] {
        for version in Version::ALL {
            assert_eq!(
                hard(version, text),
                Some(HardFault::NotAnEnvelope),
                "{text}"
            );
            let open = &text[..text.len() - 1];
            if text.len() > 1 {
                assert_eq!(hard(version, open), Some(HardFault::NotJson), "{open}");
            }
        }
    }
    let id = "x".repeat(256);
    let text = format!(r#"[2,"{id}","Heartbeat",{{}}]"#);
    assert_eq!(hard(Version::V16, text), Some(HardFault::NotAnEnvelope));
    let text = format!(r#"[2,"1","{}",{{}}]"#, "x".repeat(65));
    assert_eq!(hard(Version::V16, text), Some(HardFault::NotAnEnvelope));
}

#[test]
fn each_version_has_its_message_types() {
    for (number, versions) in [
        ("0", &[][..]),
        ("1", &[]),
        ("-2", &[]),
        ("7", &[]),
        ("22", &[]),
        ("5", &[Version::V21]),
        ("6", &[Version::V21]),
    ] {
        for version in Version::ALL {
            let unknown = hard(version, format!(r#"[{number},"1","x",{{}}]"#));
            let expected = !versions.contains(&version);
            assert_eq!(
                unknown == Some(HardFault::UnknownMessageType),
                expected,
                "{number} {version}"
            );
        }
    }
}

#[test]
fn a_refusal_knows_as_much_of_the_envelope_as_was_readable() {
    let limits = Limits::default();
    for (text, refused) in [
        (
            r#"[2,"a\u0062c","Heartbeat",{"x":1,"x":2}]"#,
            Some(("abc", true)),
        ),
        (r#"[2,"id","Heartbeat",{"x""#, Some(("id", true))),
        (r#"[2,"id","Heartbeat"]"#, Some(("id", true))),
        (r#"[2,"id",7]"#, Some(("id", true))),
        (r#"[3,"id",{"x":1e999}]"#, Some(("id", false))),
        (
            r#"[4,"id","GenericError","\ud800",{}]"#,
            Some(("id", false)),
        ),
        (r#"[2,"\u0000","Heartbeat",{}]"#, None),
        (r#"[2,5,"Heartbeat",{}]"#, None),
        (r#"[7,"id","Heartbeat",{}]"#, None),
        (r#"[2,"id"#, None),
        ("nonsense", None),
    ] {
        let mut reader = Reader::new();
        let (frame, nobody) = (Frame::text(text.as_bytes()), common::Asked(None));
        let message = reader.read(frame, Side::Csms, Version::V201, &limits, &nobody);
        let Message::Unreadable(unreadable) = message else {
            panic!("{message:?}")
        };
        assert_eq!(unreadable.from, Side::Csms);
        let expected = refused.map(|(id, wants_answer)| Refused { id, wants_answer });
        assert_eq!(unreadable.refused, expected, "{text}");
    }
}

#[test]
fn work_stays_in_step_with_length() {
    // Objects full of unknown keys, one after the other, up to the longest message there is.
    let keys: Vec<String> = (0..64).map(|n| format!(r#""k{n:02}":0"#)).collect();
    let object = format!("{{{}}}", keys.join(","));
    let count = ((1 << 20) - 100) / (object.len() + 1);
    let objects = vec![object; count].join(",");
    let text = format!(r#"[2,"1","DataTransfer",{{"vendorId":"v","data":[{objects}]}}]"#);
    assert_eq!(hard(Version::V201, &text), None);
    // Long keys that differ in their last letter only.
    let keys: Vec<String> = (0..60)
        .map(|n| format!(r#""{}{n}":0"#, "é".repeat(4000)))
        .collect();
    let text = format!(r#"[3,"1",{{{}}}]"#, keys.join(","));
    assert_eq!(hard(Version::V16, &text), None);
}
