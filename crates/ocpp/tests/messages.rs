//! Messages as stations and CSMSs write them: read without a fault, with the facts they state.

#![allow(clippy::panic, reason = "a helper that says what it met")]

mod common;

use common::{Made, asked, read, read_with};
use ocpp::catalogue::ActionFacts;
use ocpp::{
    Action, AnswerOutcome, Frame, Limits, Meaning, Message, OpenCalls, Reader, Side, Timestamp,
    Version,
};

const V16: Version = Version::V16;
const V201: Version = Version::V201;
const V21: Version = Version::V21;

/// Calls that real stations and CSMSs send.
const CALLS: &[(Version, &str)] = &[
    (
        V16,
        r#"[2,"19223201","BootNotification",{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger","chargePointSerialNumber":"gw.001.13.1","chargeBoxSerialNumber":"gw.001.13.1.01","firmwareVersion":"0.9.87","iccid":"8931029384756102938","imsi":"204041234567890","meterType":"DBT NQC-ACDC","meterSerialNumber":"gw.001.13.1.1"}]"#,
    ),
    (V16, r#"[2,"hb","Heartbeat",{}]"#),
    (V16, r#"[2, "1", "Authorize", {"idTag": "04E91C5A123F80"}]"#),
    (
        V16,
        r#"[2,"2","StartTransaction",{"connectorId":1,"idTag":"ABC","meterStart":0,"timestamp":"2026-03-01T10:00:00Z","reservationId":7}]"#,
    ),
    (
        V16,
        r#"[2,"3","StopTransaction",{"transactionId":-1,"idTag":"ABC","meterStop":12345,"timestamp":"2026-03-01T11:00:00+00:00","reason":"EVDisconnected","transactionData":[{"timestamp":"2026-03-01T11:00:00Z","sampledValue":[{"value":"12345","context":"Transaction.End","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}]"#,
    ),
    (
        V16,
        r#"[2,"4","StatusNotification",{"connectorId":0,"errorCode":"NoError","info":"","status":"Available","timestamp":"2026-03-01T10:00:00.123Z","vendorId":"v","vendorErrorCode":"0"}]"#,
    ),
    (
        V16,
        r#"[2,"5","DataTransfer",{"vendorId":"com.example","messageId":"m","data":"{\"a\":1}"}]"#,
    ),
    (
        V16,
        r#"[2,"6","ChangeConfiguration",{"key":"AuthorizationKey","value":"4F43415F4F4354545F61646D696E5F74657374"}]"#,
    ),
    (
        V16,
        r#"[2,"7","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.0,"numberPhases":3}]}}}]"#,
    ),
    (
        V16,
        r#"[2,"8","SecurityEventNotification",{"type":"StartupOfTheDevice","timestamp":"2026-03-01T10:00:00Z","techInfo":"boot"}]"#,
    ),
    (
        V16,
        r#"[2,"9","SendLocalList",{"listVersion":3,"updateType":"Full","localAuthorizationList":[{"idTag":"A","idTagInfo":{"status":"Accepted","expiryDate":"2030-01-01T00:00:00Z","parentIdTag":"P"}},{"idTag":"B"}]}]"#,
    ),
    (
        V201,
        r#"[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V","firmwareVersion":"1","serialNumber":"S","modem":{"iccid":"i","imsi":"m"}}}]"#,
    ),
    (
        V201,
        r#"[2,"t","TransactionEvent",{"eventType":"Started","timestamp":"2026-03-01T10:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"tx-1","chargingState":"Charging"},"idToken":{"idToken":"04E91C5A123F80","type":"ISO14443"},"evse":{"id":1,"connectorId":1},"meterValue":[{"timestamp":"2026-03-01T10:00:00Z","sampledValue":[{"value":0,"context":"Transaction.Begin","measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"kWh","multiplier":3}}]}]}]"#,
    ),
    (
        V201,
        r#"[2,"d","DataTransfer",{"vendorId":"v","data":{"any":["thing",null,1.5]}}]"#,
    ),
    (
        V201,
        r#"[2,"n","NotifyReport",{"requestId":1,"generatedAt":"2026-03-01T10:00:00Z","seqNo":0,"tbc":false,"reportData":[{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"},"variableAttribute":[{"type":"Actual","value":"300","mutability":"ReadWrite","persistent":true}],"variableCharacteristics":{"dataType":"integer","supportsMonitoring":false,"unit":"s"}}]}]"#,
    ),
    (
        V21,
        r#"[2,"s","StatusNotification",{"timestamp":"2026-03-01T10:00:00Z","connectorStatus":"Occupied","evseId":1,"connectorId":2}]"#,
    ),
    (
        V21,
        r#"[6,"p","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-03-01T10:00:00Z","data":[{"t":0,"v":"230.1"}]}]"#,
    ),
];

#[test]
fn calls_of_the_field_are_read_without_a_fault() {
    for (version, text) in CALLS {
        let made = read(*version, text);
        let Made::Read(head, faults) = made else {
            panic!("{made:?} {text}")
        };
        assert_eq!(faults, Vec::<String>::new(), "{text}");
        let words: Vec<&str> = text.split('"').collect();
        let kind = if text.starts_with("[6") {
            "Send"
        } else {
            "Call"
        };
        assert_eq!(head, format!("{kind} {} {}", words[1], words[3]));
    }
}

#[test]
fn white_space_changes_nothing() {
    for (version, text) in CALLS {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let wide = serde_json::to_string_pretty(&value)
            .unwrap()
            .replace('\n', "\r\n\t ");
        assert_eq!(read(*version, &wide), read(*version, text), "{wide}");
    }
}

#[test]
fn answers_are_read_by_the_call_they_answer() {
    for (version, action, payload) in [
        (
            V16,
            "BootNotification",
            r#"{"currentTime":"2026-03-01T10:00:00Z","interval":300,"status":"Accepted"}"#,
        ),
        (
            V16,
            "Heartbeat",
            r#"{"currentTime":"2026-03-01T10:00:00.000Z"}"#,
        ),
        (
            V16,
            "StartTransaction",
            r#"{"idTagInfo":{"status":"Accepted"},"transactionId":5}"#,
        ),
        (V16, "StatusNotification", "{}"),
        (
            V201,
            "Authorize",
            r#"{"idTokenInfo":{"status":"Accepted","groupIdToken":{"idToken":"g","type":"Central"}}}"#,
        ),
        (
            V21,
            "BootNotification",
            r#"{"currentTime":"2026-03-01T10:00:00Z","interval":300,"status":"Pending","statusInfo":{"reasonCode":"r"}}"#,
        ),
    ] {
        let text = format!(r#"[3,"asked",{payload}]"#);
        let open = asked(version, action);
        let made = read_with(version, text.as_bytes(), &Limits::default(), &open);
        assert_eq!(made, Made::Read(format!("Result asked {action}"), vec![]));
        let wrong = text.replace(payload, r#"{"no":1}"#);
        let made = read_with(version, wrong.as_bytes(), &Limits::default(), &open);
        assert!(matches!(made, Made::Read(_, faults) if faults[0] == "UnknownField no"));
        // Nobody asked: nothing to compare with.
        let late = wrong.replace("asked", "other");
        let made = read_with(version, late.as_bytes(), &Limits::default(), &open);
        assert_eq!(made, Made::Read("Result other -".to_owned(), vec![]));
    }
}

#[test]
fn errors_know_their_call_and_code() {
    let open = asked(V21, "Reset");
    for (text, head) in [
        (
            r#"[4,"asked","NotSupported","no",{}]"#,
            "Error asked Reset NotSupported",
        ),
        (
            r#"[4,"-1","RpcFrameworkError","",{"x":1}]"#,
            "Error -1 - RpcFrameworkError",
        ),
        (
            r#"[5,"asked","Format\u0056iolation","",{}]"#,
            "ResultError asked Reset FormatViolation",
        ),
    ] {
        let made = read_with(V21, text.as_bytes(), &Limits::default(), &open);
        assert_eq!(made, Made::Read(head.to_owned(), vec![]), "{text}");
    }
    // The CALL is open, but what it asked is nothing the catalogue knows.
    let unknown = common::Asked(None);
    let made = read_with(V21, br#"[3,"asked",{"x":1}]"#, &Limits::default(), &unknown);
    assert_eq!(made, Made::Read("Result asked ".to_owned(), vec![]));
}

/// Remembers who was said to have asked.
struct Asker(std::cell::Cell<Option<Side>>);

impl OpenCalls for Asker {
    fn action_of(&self, asker: Side, _: &str) -> Option<Option<&'static ActionFacts>> {
        self.0.set(Some(asker));
        None
    }
}

#[test]
fn an_answer_belongs_to_a_call_of_the_other_side() {
    for (text, asker) in [
        (r#"[3,"1",{}]"#, Some(Side::Csms)),
        (r#"[4,"1","GenericError","",{}]"#, Some(Side::Csms)),
        (r#"[5,"1","GenericError","",{}]"#, Some(Side::Station)),
        (r#"[2,"1","Heartbeat",{}]"#, None),
        (r#"[6,"1","NotifyPeriodicEventStream",{}]"#, None),
    ] {
        let open = Asker(std::cell::Cell::new(None));
        read_with(V21, text.as_bytes(), &Limits::default(), &open);
        assert_eq!(open.0.get(), asker, "{text}");
    }
}

/// A message's facts as `object name text`, with `~` before an escaped one.
fn facts(version: Version, text: &str) -> Vec<String> {
    let mut reader = Reader::new();
    let (limits, nobody) = (Limits::default(), common::Asked(None));
    let frame = Frame::text(text.as_bytes());
    match reader.read(frame, Side::Station, version, &limits, &nobody) {
        Message::Call(call) => {
            let line = |fact: &ocpp::Fact| {
                let mark = if fact.escaped { "~" } else { "" };
                format!(
                    "{} {} {mark}{}",
                    fact.object,
                    fact.field.name,
                    call.facts.text(fact)
                )
            };
            call.facts.iter().map(line).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn facts_stand_where_they_were_said() {
    let text = r#"[2,"1","SendLocalList",{"listVersion":3,"updateType":"Full","localAuthorizationList":[{"idTag":"\u0041BC","idTagInfo":{"status":"Accepted","parentIdTag":"P"}},{"idTag":"D","idTagInfo":{"status":"Blocked"}}]}]"#;
    let found = facts(V16, text);
    for expected in [
        "1 listVersion 3",
        r"2 idTag ~\u0041BC",
        "3 parentIdTag P",
        "4 idTag D",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "{expected} in {found:?}"
        );
    }
    let tokens: Vec<_> = found
        .iter()
        .filter(|line| line.contains("idTag "))
        .collect();
    assert_eq!(tokens.len(), 2);
}

#[test]
fn each_item_of_a_plain_list_is_a_fact() {
    let found = facts(
        V16,
        r#"[2,"1","GetConfiguration",{"key":["AuthorizationKey", "HeartbeatInterval"]}]"#,
    );
    assert_eq!(found, ["1 key AuthorizationKey", "1 key HeartbeatInterval"]);
}

#[test]
fn a_value_of_the_wrong_type_is_a_fact_all_the_same() {
    let found = facts(V16, r#"[2,"1","Authorize",{"idTag":12345}]"#);
    assert_eq!(found, ["1 idTag 12345"]);
    let found = facts(V16, r#"[2,"1","Authorize",{"idTag":{"x":[1]}}]"#);
    assert_eq!(found, [r#"1 idTag {"x":[1]}"#]);
}

#[test]
fn custom_data_is_a_fact_as_a_whole() {
    let found = facts(
        V201,
        r#"[2,"1","Heartbeat",{"customData":{"vendorId":"v","x":1}}]"#,
    );
    assert_eq!(found[0], r#"1 customData {"vendorId":"v","x":1}"#);
}

/// Nobody may write down, or believe harmless, what no schema names.
#[test]
fn what_no_schema_names_is_a_fact_too() {
    for (text, expected) in [
        (
            r#"[2,"1","Heartbeat",{"idtag":"AB\n","x":{"y":[1]}}]"#,
            &[r"1 ? ~AB\n", r#"1 ? {"y":[1]}"#][..],
        ),
        (
            r#"[2,"1","FancyVendorCall",{"card":"AB"}]"#,
            &[r#"0 ? {"card":"AB"}"#],
        ),
        (r#"[2,"1","Heartbeat","AB"]"#, &["0 ? AB"]),
    ] {
        assert_eq!(facts(V16, text), expected, "{text}");
    }
}

#[test]
fn an_errors_own_words_are_facts() {
    for (text, expected) in [
        (
            r#"[4,"1","GenericError","no such tag AB",{"tag":"AB"}]"#,
            &[
                "errorDescription no such tag AB",
                r#"errorDetails {"tag":"AB"}"#,
            ][..],
        ),
        (
            r#"[4,"1","AB","",{}]"#,
            &["? AB", "errorDescription ", "errorDetails {}"],
        ),
        (
            r#"[4,"1","GenericError",["AB"],"CD"]"#,
            &[r#"errorDescription ["AB"]"#, "errorDetails CD"],
        ),
    ] {
        let mut reader = Reader::new();
        let (limits, nobody) = (Limits::default(), common::Asked(None));
        let frame = Frame::text(text.as_bytes());
        let message = reader.read(frame, Side::Station, V16, &limits, &nobody);
        let facts = message.facts();
        let found: Vec<_> = facts
            .iter()
            .map(|fact| format!("{} {}", fact.field.name, facts.text(fact)))
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn facts_are_bounded_and_what_is_beyond_is_counted() {
    let entry = r#"{"idTag":"A"}"#;
    let list = vec![entry; Limits::FACTS_MAX + 10].join(",");
    let text = format!(
        r#"[2,"1","SendLocalList",{{"listVersion":3,"updateType":"Full","localAuthorizationList":[{list}]}}]"#
    );
    let mut reader = Reader::new();
    let (limits, nobody) = (Limits::default(), common::Asked(None));
    let frame = Frame::text(text.as_bytes());
    let Message::Call(call) = reader.read(frame, Side::Csms, V16, &limits, &nobody) else {
        panic!("not a call")
    };
    assert_eq!(call.facts.iter().count(), Limits::FACTS_MAX);
    assert!(call.facts.dropped() >= 10);
}

#[test]
fn a_reader_forgets_the_message_before() {
    let mut reader = Reader::new();
    let (limits, nobody) = (Limits::default(), common::Asked(None));
    let long = format!(
        r#"[2,"\u0061","Authorize",{{"idTag":5,"x":"{}"}}]"#,
        "é".repeat(500)
    );
    let broken = r#"[2,"1","Authorize",{"a":{"b":{"c":1e999}}}]"#;
    for text in [long.as_str(), broken, &long, r#"[4,"1","\u0041","",{}]"#] {
        let frame = Frame::text(text.as_bytes());
        let _ = reader.read(frame, Side::Station, V16, &limits, &nobody);
        let frame = Frame::text(br#"[2,"2","Authorize",{"idTag":"B"}]"#);
        let message = reader.read(frame, Side::Station, V16, &limits, &nobody);
        let Message::Call(call) = message else {
            panic!("{message:?}")
        };
        assert_eq!((call.id, call.faults.len()), ("2", 0));
        assert_eq!(call.facts.iter().count(), 1);
        assert_eq!(call.facts.first(Meaning::Token), Some("B"));
        assert!(matches!(call.action, Action::Known(facts) if facts.name == "Authorize"));
        assert_eq!(call.from, Side::Station);
        assert_eq!(call.frame.bytes(), frame.bytes());
    }
}

#[test]
fn what_was_borrowed_is_what_was_said() {
    let mut reader = Reader::new();
    let (limits, open) = (Limits::default(), asked(V201, "SetVariables"));
    let frame = Frame::text(br#"[4,"\u0061sked","Generic\u0045rror","",{}]"#);
    let message = reader.read(frame, Side::Station, V201, &limits, &open);
    let Message::Answer(answer) = message else {
        panic!("{message:?}")
    };
    assert_eq!(answer.id, "asked");
    assert_eq!(answer.error_code, Some("GenericError"));
    assert_eq!(answer.outcome, AnswerOutcome::Error);
    assert_eq!(answer.action.unwrap().name(), "SetVariables");
    assert_eq!(
        Timestamp::parse("2026-03-01T10:00:00Z"),
        Some(Timestamp(1_772_359_200_000))
    );
}
