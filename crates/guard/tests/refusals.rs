//! Refusal × message × version: what is sent in a refused message's stead, and to whom. The table in
//! the reference is made of what the policy really does; this test writes the same table and holds
//! the page to it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be read has failed"
)]

mod common;

use std::fmt::Write;

use guard::{Mode, Outcome, Verdict};
use ocpp::Side::{Csms, Station};
use ocpp::{Frame, Side, Version};

use common::Session;

/// One way to be refused.
struct Case {
    what: &'static str,
    message: &'static str,
    from: Side,
    /// What was said before: who, and what.
    before: &'static [(Side, &'static str)],
    text: &'static str,
}

const HEARTBEAT: (Side, &str) = (Station, r#"[2,"1","Heartbeat",{}]"#);
const CLEAR_CACHE: (Side, &str) = (Csms, r#"[2,"1","ClearCache",{}]"#);

const CASES: &[Case] = &[
    Case {
        what: "hard fault",
        message: "CALL",
        from: Station,
        before: &[],
        text: r#"[2,"1","Heartbeat",{"a":1,"a":2}]"#,
    },
    Case {
        what: "hard fault",
        message: "CALLRESULT",
        from: Csms,
        before: &[HEARTBEAT],
        text: r#"[3,"1",{"currentTime":"2026-01-01T00:00:00Z","a":1,"a":2}]"#,
    },
    Case {
        what: "hard fault",
        message: "CALLERROR",
        from: Station,
        before: &[CLEAR_CACHE],
        text: r#"[4,"1","InternalError","\ud800",{}]"#,
    },
    Case {
        what: "hard fault",
        message: "answer to no CALL",
        from: Csms,
        before: &[],
        text: r#"[3,"1",{"a":1,"a":2}]"#,
    },
    Case {
        what: "hard fault, no id to be read",
        message: "anything",
        from: Station,
        before: &[],
        text: "{",
    },
    Case {
        what: "unknown message type",
        message: "9",
        from: Station,
        before: &[],
        text: r#"[9,"1",{}]"#,
    },
    Case {
        what: "schema: a field is missing",
        message: "CALL",
        from: Station,
        before: &[],
        text: r#"[2,"1","BootNotification",{}]"#,
    },
    Case {
        what: "schema: no such action",
        message: "CALL",
        from: Csms,
        before: &[],
        text: r#"[2,"1","NoSuchAction",{}]"#,
    },
    Case {
        what: "schema",
        message: "CALLRESULT",
        from: Csms,
        before: &[HEARTBEAT],
        text: r#"[3,"1",{"currentTime":7}]"#,
    },
    Case {
        what: "schema",
        message: "CALLERROR",
        from: Station,
        before: &[CLEAR_CACHE],
        text: r#"[4,"1","NoSuchCode","",{}]"#,
    },
    Case {
        what: "direction",
        message: "CALL",
        from: Station,
        before: &[],
        text: r#"[2,"1","Reset",{"type":"Immediate"}]"#,
    },
    Case {
        what: "direction",
        message: "SEND",
        from: Csms,
        before: &[],
        text: r#"[6,"1","NotifyPeriodicEventStream",{"data":[{"t":0,"v":"1"}],"id":1,"pending":0,"basetime":"2026-01-01T00:00:00Z"}]"#,
    },
    Case {
        what: "correlation: id used before",
        message: "CALL",
        from: Station,
        before: &[HEARTBEAT, (Csms, r#"[4,"1","InternalError","",{}]"#)],
        text: r#"[2,"1","Heartbeat",{ }]"#,
    },
    Case {
        what: "correlation: id of an open CALL",
        message: "CALL",
        from: Station,
        before: &[HEARTBEAT],
        text: r#"[2,"1","Heartbeat",{ }]"#,
    },
    Case {
        what: "correlation: nobody asked",
        message: "CALLRESULT",
        from: Csms,
        before: &[],
        text: r#"[3,"1",{}]"#,
    },
    Case {
        what: "correlation: no such result",
        message: "CALLRESULTERROR",
        from: Station,
        before: &[],
        text: r#"[5,"1","InternalError","",{}]"#,
    },
];

#[test]
fn the_reference_shows_what_is_sent_in_a_refused_messages_stead() {
    let mut table =
        String::from("| refused for | message | 1.6 | 2.0.1 | 2.1 |\n|---|---|---|---|---|\n");
    for case in CASES {
        let answers = Version::ALL.map(|version| answers(case, version));
        let [v16, v201, v21] = &answers;
        writeln!(
            table,
            "| {} | {} | {v16} | {v201} | {v21} |",
            case.what, case.message
        )
        .unwrap();
    }
    let page = include_str!("../../../docs/reference/refusals.md");
    assert!(
        page.contains(&table),
        "docs/reference/refusals.md should hold:\n{table}"
    );
}

/// In short: what each side hears.
fn answers(case: &Case, version: Version) -> String {
    let mut session = Session::new(version);
    session.policy.controls.schema = Mode::Enforce;
    for (from, text) in case.before {
        session.say(*from, text);
    }
    let frame = Frame::text(case.text.as_bytes());
    let message = session.reader.read(
        frame,
        case.from,
        version,
        &session.policy.limits,
        session.state.exchange(),
    );
    let judgement = session
        .policy
        .judge(message, session.now, &mut session.state, session.now);
    if judgement.outcome() == Outcome::Forwarded {
        return "passes".to_owned();
    }
    let Verdict::Refuse(refusal) = &judgement.verdict else {
        panic!("{}: {judgement:?}", case.what);
    };
    let heard: Vec<String> = [refusal.own(), refusal.rejection()]
        .into_iter()
        .flatten()
        .map(|own| {
            let parts: Vec<serde_json::Value> = serde_json::from_slice(own.bytes()).unwrap();
            let [kind, id, code, words, details] = parts.as_slice() else {
                panic!("{parts:?}");
            };
            assert!(words.as_str().is_some_and(|words| !words.is_empty()));
            assert_eq!(details, &serde_json::json!({}));
            let who = match (own.to(), kind.as_u64()) {
                (to, Some(4)) if to == case.from => "sender: CALLERROR",
                (_, Some(4)) => "asker: CALLERROR",
                (to, Some(5)) if to == case.from => "answerer: CALLRESULTERROR",
                other => panic!("{other:?}"),
            };
            let id = match id.as_str() {
                Some("1") => "",
                _ => ", id `-1`",
            };
            format!("{who} `{}`{id}", code.as_str().unwrap_or_default())
        })
        .collect();
    match heard.is_empty() {
        true => "nothing".to_owned(),
        false => heard.join("; "),
    }
}

#[test]
fn a_refused_transaction_message_is_marked_to_be_kept_and_can_be_released() {
    let start = r#"[2,"s","StartTransaction",{"connectorId":"one","idTag":"T","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}]"#;
    let mut session = Session::new(Version::V16);
    session.policy.controls.schema = Mode::Enforce;
    let judged = |session: &mut Session, from: Side, text: &str| {
        let frame = Frame::text(text.as_bytes());
        let (version, limits) = (session.state.version(), &session.policy.limits);
        let message = session
            .reader
            .read(frame, from, version, limits, session.state.exchange());
        let judgement = session
            .policy
            .judge(message, session.now, &mut session.state, session.now);
        (judgement.outcome(), judgement.to_keep)
    };
    // The fleet's switch is not meant for money.
    assert_eq!(
        judged(&mut session, Station, start),
        (Outcome::Forwarded, false)
    );
    session.say(Csms, r#"[4,"s","InternalError","",{}]"#);
    let twice = r#"[2,"t","StopTransaction",{"meterStop":1,"meterStop":2}]"#;
    let (outcome, to_keep) = judged(&mut session, Station, twice);
    assert!(matches!(outcome, Outcome::Refused(None, Some(_))) && to_keep);
    let (_, other) = judged(
        &mut session,
        Station,
        r#"[2,"u","Heartbeat",{"a":1,"a":2}]"#,
    );
    assert!(!other, "no money hangs on it");

    let again = r#"[2,"s","StopTransaction",{"meterStop":1,"timestamp":"2026-01-01T00:00:00Z","transactionId":5}]"#;
    let (outcome, to_keep) = judged(&mut session, Station, again);
    assert!(
        matches!(
            outcome,
            Outcome::Refused(Some(guard::Control::Correlation), None)
        ) && to_keep
    );

    let released = |session: &mut Session, text: &str| {
        let frame = Frame::text(text.as_bytes());
        let (version, limits) = (session.state.version(), &session.policy.limits);
        let message =
            session
                .reader
                .read(frame, Station, version, limits, session.state.exchange());
        let judgement = session
            .policy
            .release(message, &mut session.state, session.now);
        judgement.map(|judgement| judgement.outcome())
    };
    assert_eq!(
        released(&mut session, twice),
        Err(guard::NotReleased::Unreadable)
    );
    assert_eq!(
        released(&mut session, again),
        Err(guard::NotReleased::IdInUse)
    );
    let mut session = Session::new(Version::V16);
    assert_eq!(released(&mut session, again), Ok(Outcome::Forwarded));
    let answer = r#"[3,"s",{}]"#;
    assert_eq!(
        judged(&mut session, Csms, answer),
        (Outcome::Forwarded, false)
    );
}
