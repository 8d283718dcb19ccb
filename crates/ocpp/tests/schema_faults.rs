//! Departures from the official schemas, one by one: which kind, at which path, and that what is
//! within the bounds is none.

mod common;

use common::{Made, answer_faults, asked, faults, read, read_with};
use ocpp::{Limits, Version};

const V16: Version = Version::V16;
const V201: Version = Version::V201;
const V21: Version = Version::V21;

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_field_too_few_or_too_many() {
    assert_eq!(
        faults(V16, "BootNotification", r#"{"chargePointModel":"M"}"#),
        ["MissingField chargePointVendor"]
    );
    assert_eq!(
        faults(V16, "BootNotification", "{}"),
        [
            "MissingField chargePointVendor",
            "MissingField chargePointModel"
        ]
    );
    assert_eq!(
        faults(V16, "Heartbeat", r#"{"a":1,"b":null}"#),
        ["UnknownField a", "UnknownField b"]
    );
    assert_eq!(
        faults(
            V16,
            "StatusNotification",
            r#"{"connectorId":1,"status":"Available","errorCode":"NoError","errorcode2":{}}"#
        ),
        ["UnknownField errorcode2"]
    );
    let long = format!(r#"{{"{}\n\u0007":1}}"#, "ä".repeat(63));
    let expected = format!("UnknownField {}\\n", "ä".repeat(63));
    assert_eq!(faults(V16, "Heartbeat", &long), [expected]);
    // Custom data may hold what it likes, but says whose it is.
    assert_eq!(
        faults(
            V201,
            "Heartbeat",
            r#"{"customData":{"vendorId":"v","x":[1]}}"#
        ),
        none()
    );
    assert_eq!(
        faults(V201, "Heartbeat", r#"{"customData":{"x":1}}"#),
        ["MissingField customData.vendorId"]
    );
}

#[test]
fn a_case_variant_alone_is_an_unknown_field() {
    assert_eq!(
        faults(V16, "Authorize", r#"{"IDTAG":"1"}"#),
        ["UnknownField IDTAG", "MissingField idTag"]
    );
}

#[test]
fn wrong_types_everywhere() {
    for value in ["1", "true", "null", "[]", "{}", "1.5", "[\"x\"]"] {
        let payload = format!(r#"{{"idTag":{value}}}"#);
        assert_eq!(
            faults(V16, "Authorize", &payload),
            ["WrongType idTag"],
            "{value}"
        );
    }
    for value in ["\"1\"", "true", "null", "[]", "{}"] {
        let payload = format!(r#"{{"transactionId":{value}}}"#);
        assert_eq!(
            faults(V16, "RemoteStopTransaction", &payload),
            ["WrongType transactionId"]
        );
    }
    for value in ["\"true\"", "1", "null"] {
        let payload = format!(
            r#"{{"eventType":"Started","timestamp":"2026-01-01T00:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{{"transactionId":"1"}},"offline":{value}}}"#
        );
        assert_eq!(
            faults(V201, "TransactionEvent", &payload),
            ["WrongType offline"]
        );
    }
    for payload in ["null", "[]", "\"{}\"", "0", "true"] {
        assert_eq!(
            faults(V16, "Heartbeat", payload),
            ["WrongType "],
            "{payload}"
        );
        assert_eq!(
            answer_faults(V16, "Heartbeat", payload),
            ["WrongType "],
            "{payload}"
        );
    }
    // A wrong type deep inside, and the path to it.
    assert_eq!(
        faults(
            V16,
            "MeterValues",
            r#"{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"},{"value":2}]},7]}"#
        ),
        [
            "WrongType meterValue[0].sampledValue[1].value",
            "WrongType meterValue[1]"
        ]
    );
    assert_eq!(
        faults(V16, "GetConfiguration", r#"{"key":["a",5]}"#),
        ["WrongType key[1]"]
    );
    assert_eq!(
        faults(V16, "GetConfiguration", r#"{"key":{"a":5}}"#),
        ["WrongType key"]
    );
}

#[test]
fn strings_are_measured_in_characters_without_escapes() {
    for (text, fits) in [
        ("x".repeat(20), true),
        ("x".repeat(21), false),
        ("é".repeat(20), true),
        ("é".repeat(21), false),
        ("😀".repeat(20), true),
        ("😀".repeat(21), false),
        (r"\u0041".repeat(20), true),
        (r"\u0041".repeat(21), false),
        (r"\ud83d\ude00".repeat(20), true),
        (r"\ud83d\ude00".repeat(21), false),
        (String::new(), true),
    ] {
        let found = faults(V16, "Authorize", &format!(r#"{{"idTag":"{text}"}}"#));
        assert_eq!(found.is_empty(), fits, "{text}");
        assert!(fits || found == ["TooLong idTag"]);
    }
}

#[test]
fn enumerations_are_exact() {
    for (value, known) in [
        ("Available", true),
        ("\\u0041vailable", true),
        ("SuspendedEVSE", true),
        ("available", false),
        ("Available ", false),
        ("", false),
        ("AvailableAvailableAvailable", false),
    ] {
        let payload = format!(r#"{{"connectorId":1,"errorCode":"NoError","status":"{value}"}}"#);
        let found = faults(V16, "StatusNotification", &payload);
        assert_eq!(found.is_empty(), known, "{value}");
        assert!(known || found == ["NotInEnumeration status"]);
    }
}

#[test]
fn integers_depend_on_the_draft() {
    let v16 = |value: &str| {
        faults(
            V16,
            "RemoteStopTransaction",
            &format!(r#"{{"transactionId":{value}}}"#),
        )
    };
    for good in ["0", "-1", "42", "-0", "9007199254740992"] {
        assert_eq!(v16(good), none(), "{good}");
    }
    for bad in ["1.0", "1e2", "1E0", "0.5", "-0.0"] {
        assert_eq!(v16(bad), ["WrongType transactionId"], "{bad}");
    }
    let v201 = |value: &str| {
        faults(
            V201,
            "GetMonitoringReport",
            &format!(r#"{{"requestId":{value}}}"#),
        )
    };
    for good in ["0", "1.0", "1e2", "1.50e1", "100e-2", "-0.0", "1e15"] {
        assert_eq!(v201(good), none(), "{good}");
    }
    for bad in ["0.5", "1e-1", "1.05e1", "1e-400"] {
        assert_eq!(v201(bad), ["WrongType requestId"], "{bad}");
    }
    let level = |value: &str| {
        faults(
            V201,
            "SetMonitoringLevel",
            &format!(r#"{{"severity":{value}}}"#),
        )
    };
    let free = level("-5");
    assert!(free.is_empty() || free == ["OutOfRange severity"]);
}

#[test]
fn ranges_hold_for_every_way_of_writing() {
    // 2.1 bounds evseId from below.
    let evse = |value: &str| {
        let payload = format!(
            r#"{{"timestamp":"2026-01-01T00:00:00Z","connectorStatus":"Available","evseId":{value},"connectorId":1}}"#
        );
        faults(V21, "StatusNotification", &payload)
    };
    for good in ["0", "1", "0.0", "1e5", "-0"] {
        assert_eq!(evse(good), none(), "{good}");
    }
    for bad in ["-1", "-1.0", "-1e5"] {
        assert_eq!(evse(bad), ["OutOfRange evseId"], "{bad}");
    }
}

#[test]
fn multiples_are_judged_in_decimal() {
    let limit = |value: &str| {
        let payload = format!(
            r#"{{"connectorId":1,"csChargingProfiles":{{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Absolute","chargingSchedule":{{"chargingRateUnit":"A","chargingSchedulePeriod":[{{"startPeriod":0,"limit":{value}}}]}}}}}}"#
        );
        faults(V16, "SetChargingProfile", &payload)
    };
    for good in [
        "16",
        "16.1",
        "0.3",
        "0.7",
        "32.10",
        "1.61e1",
        "0",
        "-0.1",
        "1e10",
        "4503599627370.3",
    ] {
        assert_eq!(limit(good), none(), "{good}");
    }
    let path = "OutOfRange csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit";
    for bad in [
        "16.05",
        "0.25",
        "1e-2",
        "0.30000000000000004",
        "1.2345e2",
        "1e-400",
    ] {
        assert_eq!(limit(bad), [path], "{bad}");
    }
}

#[test]
fn lists_have_their_bounds_or_ours() {
    let tariff = |count: usize| {
        let list = vec![r#"{"component":{"name":"c"},"variable":{"name":"v"}}"#; count].join(",");
        faults(
            V201,
            "GetVariables",
            &format!(r#"{{"getVariableData":[{list}]}}"#),
        )
    };
    assert_eq!(tariff(0), ["TooFewItems getVariableData"]);
    assert_eq!(tariff(1), none());
    let certificates = |count: usize| {
        let list = vec!["\"V2GRootCertificate\""; count].join(",");
        faults(
            V201,
            "GetInstalledCertificateIds",
            &format!(r#"{{"certificateType":[{list}]}}"#),
        )
    };
    assert_eq!(certificates(0), ["TooFewItems certificateType"]);
    assert_eq!(certificates(5), none());
    let limits = Limits {
        list_items_max: 3,
        ..Limits::default()
    };
    let keys = |count: usize| {
        let text = format!(
            r#"[2,"1","GetConfiguration",{{"key":[{}]}}]"#,
            vec!["\"k\""; count].join(",")
        );
        read_with(V16, text.as_bytes(), &limits, &common::Asked(None))
    };
    assert!(matches!(keys(3), Made::Read(_, faults) if faults.is_empty()));
    assert!(matches!(keys(4), Made::Read(_, faults) if faults == ["ListOverCap key"]));
}

#[test]
fn timestamps_follow_rfc_3339() {
    for (text, good) in [
        ("2026-01-01T00:00:00Z", true),
        ("2026-01-01T00:00:00.123+02:00", true),
        (r"2026-01-01T00:00:00\u005a", true),
        ("2026-01-01", false),
        ("2026-02-30T00:00:00Z", false),
        ("2026-01-01T00:00:00", false),
        ("", false),
    ] {
        let found = answer_faults(V16, "Heartbeat", &format!(r#"{{"currentTime":"{text}"}}"#));
        assert_eq!(found.is_empty(), good, "{text}");
        assert!(good || found == ["BadTimestamp currentTime"]);
    }
}

#[test]
fn only_the_first_few_faults_are_described() {
    let keys: Vec<String> = (0..60).map(|n| format!(r#""k{n}":0"#)).collect();
    let found = faults(V16, "Heartbeat", &format!("{{{}}}", keys.join(",")));
    assert_eq!(found.len(), Limits::FAULTS_MAX);
}

#[test]
fn the_envelope_has_faults_of_its_own() {
    let long_id = "x".repeat(37);
    let described = "d".repeat(256);
    for (version, text, expected) in [
        (
            V16,
            r#"[2,"1","TransactionEvent",{}]"#.to_owned(),
            vec!["UnknownAction "],
        ),
        (
            V16,
            r#"[2,"1","",[]]"#.to_owned(),
            vec!["UnknownAction ", "WrongType "],
        ),
        (
            V21,
            r#"[6,"1","Heartbeat",{}]"#.to_owned(),
            vec!["UnknownAction "],
        ),
        (
            V16,
            format!(r#"[2,"{long_id}","Heartbeat",{{}}]"#),
            vec!["MessageIdTooLong "],
        ),
        (
            V16,
            format!(r#"[3,"{long_id}",{{}}]"#),
            vec!["MessageIdTooLong "],
        ),
        (
            V16,
            format!(r#"[2,"{}","Heartbeat",{{}}]"#, "é".repeat(36)),
            vec![],
        ),
        (V16, r#"[4,"1","NotImplemented","",{}]"#.to_owned(), vec![]),
        (
            V201,
            r#"[4,"1","OccurenceConstraintViolation","",{}]"#.to_owned(),
            vec![],
        ),
        (
            V16,
            r#"[4,"1","Whatever","",{}]"#.to_owned(),
            vec!["UnknownErrorCode "],
        ),
        (
            V16,
            r#"[4,"1",null,"",{}]"#.to_owned(),
            vec!["UnknownErrorCode "],
        ),
        (
            V16,
            format!(r#"[4,"1","GenericError","{described}",{{}}]"#),
            vec!["BadErrorBody "],
        ),
        (
            V16,
            r#"[4,"1","GenericError",null,{}]"#.to_owned(),
            vec!["BadErrorBody "],
        ),
        (
            V16,
            r#"[4,"1","GenericError","",[]]"#.to_owned(),
            vec!["BadErrorBody "],
        ),
    ] {
        let Made::Read(_, found) = read(version, &text) else {
            panic!("{text}")
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn each_action_has_its_cap() {
    let limits = Limits {
        message_bytes_max: 200,
        action_bytes_max: vec![("GetConfiguration".to_owned(), 400)],
        list_items_max: 100,
    };
    let found = |text: &str| match read_with(
        V16,
        text.as_bytes(),
        &limits,
        &asked(V16, "GetConfiguration"),
    ) {
        Made::Read(_, faults) => faults,
        Made::Hard(fault) => panic!("{fault:?}"),
    };
    let over = ["MessageOverCap "];
    for (length, action, expected) in [
        (100, "Authorize", &[][..]),
        (300, "Authorize", &over),
        (300, "GetConfiguration", &[]),
        (500, "GetConfiguration", &over),
    ] {
        let text = format!(r#"[2,"1","{action}",{{{}"idTag":""}}]"#, " ".repeat(length));
        let caps: Vec<String> = found(&text)
            .into_iter()
            .filter(|f| f.contains("Cap"))
            .collect();
        assert_eq!(caps, expected, "{length} {action}");
    }
    assert_eq!(
        found(&format!(r#"[3,"asked",{{{}}}]"#, " ".repeat(300))),
        none()
    );
    assert_eq!(
        found(&format!(r#"[3,"asked",{{{}}}]"#, " ".repeat(500))),
        over
    );
    assert_eq!(
        found(&format!(r#"[3,"nobody",{{{}}}]"#, " ".repeat(300))),
        over
    );
}
