//! Whole conversations, from the bytes of each message to what leaves in its stead: reader, exchange
//! and policy as a session puts them together.

mod common;

use std::time::Duration;

use ocpp::Side::{Csms, Station};
use ocpp::{Frame, Version};

use common::{Leaves, Session};

const BOOT_16: &str =
    r#"[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;

fn boot_answer(interval: &str) -> String {
    format!(
        r#"[3,"b",{{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":{interval}}}]"#
    )
}

#[test]
fn a_station_boots_and_learns_its_heartbeat() {
    let mut session = Session::strict(Version::V16);
    assert_eq!(session.heartbeat(), None);
    assert_eq!(session.say(Station, BOOT_16), Leaves::Same);
    assert_eq!(session.say(Csms, &boot_answer("300")), Leaves::Same);
    assert_eq!(session.heartbeat(), Some(300));
}

#[test]
fn the_longest_interval_counts_and_absurd_ones_are_bounded() {
    let mut session = Session::new(Version::V16);
    for (interval, longest) in [
        ("300", Some(300)),
        ("60", Some(300)),
        ("0", Some(300)),
        ("-5", Some(300)),
        ("1e9", Some(300)),
        ("\"900\"", Some(900)),
        ("99999999", Some(24 * 60 * 60)),
    ] {
        session.say(Station, BOOT_16);
        session.say(Csms, &boot_answer(interval));
        assert_eq!(session.heartbeat(), longest, "{interval}");
    }
}

#[test]
fn the_interval_is_learnt_from_forwarded_messages_alone() {
    let mut session = Session::new(Version::V16);
    session.say(Csms, &boot_answer("900"));
    assert_eq!(session.heartbeat(), None, "nobody asked");
    session.say(Station, r#"[2,"d","DataTransfer",{"vendorId":"v"}]"#);
    session.say(
        Station,
        r#"[2,"c","ChangeConfiguration",{"key":"HeartbeatInterval","value":"900"}]"#,
    );
    assert_eq!(session.heartbeat(), None, "not the station's to send");
}

#[test]
fn the_csms_may_set_the_interval_by_configuration() {
    let mut session = Session::strict(Version::V16);
    let set = |key: &str, value: &str| {
        format!(r#"[2,"{key}{value}","ChangeConfiguration",{{"key":"{key}","value":"{value}"}}]"#)
    };
    assert_eq!(
        session.say(Csms, &set("MeterValueSampleInterval", "600")),
        Leaves::Same
    );
    assert_eq!(session.heartbeat(), None);
    assert_eq!(
        session.say(Csms, &set("HeartBeatInterval", "600")),
        Leaves::Same
    );
    assert_eq!(session.heartbeat(), Some(600));

    let mut session = Session::strict(Version::V201);
    let one = r#"{"attributeValue":"700","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}"#;
    let two = r#"{"attributeValue":"800","component":{"name":"OCPPCommCtrlr"},"variable":{"name":"RetryBackOffWaitMinimum"}}"#;
    let other = format!(r#"[2,"1","SetVariables",{{"setVariableData":[{two}]}}]"#);
    assert_eq!(session.say(Csms, &other), Leaves::Same);
    assert_eq!(session.heartbeat(), None);
    // Among others, in whatever place: its own value counts, and no other.
    let three = one.replace("700", "710");
    let turned = r#"{"variable":{"name":"HeartbeatInterval"},"component":{"name":"OCPPCommCtrlr","evse":{"id":1}},"attributeValue":"720"}"#;
    for (id, list, learnt) in [
        ("2", format!("{one},{two}"), 700),
        ("3", format!("{two},{three},{two}"), 710),
        ("4", format!("{two},{turned},{two}"), 720),
    ] {
        let many = format!(r#"[2,"{id}","SetVariables",{{"setVariableData":[{list}]}}]"#);
        assert_eq!(session.say(Csms, &many), Leaves::Same);
        assert_eq!(session.heartbeat(), Some(learnt), "{many}");
        session.say(
            Station,
            &format!(r#"[3,"{id}",{{"setVariableResult":[]}}]"#),
        );
    }
}

#[test]
fn an_answer_is_read_by_the_action_of_its_call() {
    let mut session = Session::strict(Version::V16);
    session.say(Station, r#"[2,"h","Heartbeat",{}]"#);
    session.say(Csms, r#"[2,"h","Reset",{"type":"Hard"}]"#);
    // The same id in both directions, and each answer is held to its own schema.
    assert_eq!(
        session.say(Station, r#"[3,"h",{"status":"Accepted"}]"#),
        Leaves::Same
    );
    let own =
        r#"[4,"h","InternalError","in the answer, a required field is missing: currentTime",{}]"#;
    assert_eq!(
        session.say(Csms, r#"[3,"h",{}]"#),
        Leaves::Own(Station, own.to_owned())
    );
}

#[test]
fn a_call_that_breaks_its_schema_is_answered_in_the_words_of_its_version() {
    for (version, action, code) in [
        (Version::V16, "Nonsense", "NotImplemented"),
        (Version::V201, "Nonsense", "NotImplemented"),
        (
            Version::V16,
            "BootNotification",
            "OccurenceConstraintViolation",
        ),
        (
            Version::V201,
            "BootNotification",
            "OccurrenceConstraintViolation",
        ),
        (
            Version::V21,
            "BootNotification",
            "OccurrenceConstraintViolation",
        ),
    ] {
        let mut session = Session::strict(version);
        let call = format!(r#"[2,"1","{action}",{{}}]"#);
        let Leaves::Own(Station, told) = session.say(Station, &call) else {
            panic!("{action} in {version} is not answered");
        };
        assert!(told.starts_with(&format!(r#"[4,"1","{code}","#)), "{told}");
        assert_eq!(
            Session::new(version).say(Station, &call),
            Leaves::Same,
            "observed"
        );
    }
}

#[test]
fn an_id_with_escapes_comes_back_as_it_was_meant() {
    let mut session = Session::strict(Version::V201);
    let told = session.say(Station, r#"[2,"a\"b\\c\u0001\u00e9","Nonsense",{}]"#);
    let own =
        r#"[4,"a\"b\\c\u0001é","NotImplemented","this OCPP version knows no such action",{}]"#;
    assert_eq!(told, Leaves::Own(Station, own.to_owned()));
    // One id, whichever way it is escaped.
    session.say(Station, r#"[2,"\u0061","Heartbeat",{}]"#);
    assert_eq!(
        session.say(Csms, r#"[4,"a","InternalError","",{}]"#),
        Leaves::Same
    );
}

#[test]
fn a_row_of_notifications_after_boot_takes_its_turns() {
    let mut session = Session::new(Version::V16);
    let status = |id: u8| {
        format!(
            r#"[2,"{id}","StatusNotification",{{"connectorId":{id},"errorCode":"NoError","status":"Available"}}]"#
        )
    };
    session.say(Station, BOOT_16);
    let must_wait = |session: &mut Session, text: &str| {
        let frame = Frame::text(text.as_bytes());
        let (version, limits) = (session.state.version(), &session.policy.limits);
        let message =
            session
                .reader
                .read(frame, Station, version, limits, session.state.exchange());
        session
            .policy
            .must_wait(&message, &session.state, session.now)
    };
    assert!(must_wait(&mut session, &status(1)));
    assert!(!must_wait(&mut session, BOOT_16), "a repetition is joined");
    assert!(
        !must_wait(&mut session, r#"[3,"x",{}]"#),
        "answers never wait"
    );
    session.now = session.now.plus(Duration::from_secs(2));
    assert_eq!(session.say(Csms, &boot_answer("300")), Leaves::Same);
    for id in 1..40 {
        assert!(!must_wait(&mut session, &status(id)));
        assert_eq!(session.say(Station, &status(id)), Leaves::Same);
        assert!(must_wait(&mut session, &status(id + 1)));
        assert_eq!(
            session.say(Csms, &format!(r#"[3,"{id}",{{}}]"#)),
            Leaves::Same
        );
    }
}
