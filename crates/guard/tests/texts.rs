//! Points in time, as real stations tell them: what passes without a word, and what is objected to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may say what they mean"
)]

mod common;

use std::time::Duration;

use common::{Leaves, Session};
use guard::{Control, Mode, Moment, Outcome, Scopes, UnixMillis};
use ocpp::{Frame, Side, Timestamp, Version};

/// When these scenes begin.
const NOW: &str = "2026-11-22T10:00:00Z";

fn session(version: Version) -> Session {
    let mut session = Session::new(version);
    let Timestamp(wall) = Timestamp::parse(NOW).unwrap();
    session.now = Moment {
        elapsed: Duration::from_secs(5000),
        wall: UnixMillis(wall),
    };
    session.policy.controls.timestamps = Mode::Enforce;
    session
}

fn status(time: &str) -> String {
    format!(
        r#"[2,"{time}","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"{time}"}}]"#
    )
}

fn refused(session: &mut Session, text: &str) -> bool {
    let (outcome, _) = session.frame(Side::Station, Frame::text(text.as_bytes()));
    match outcome {
        Outcome::Forwarded => {
            let id = text.split('"').nth(1).unwrap();
            session.say(Side::Csms, &format!(r#"[3,"{id}",{{}}]"#));
            false
        }
        Outcome::Refused(Some(Control::Timestamps), None) => true,
        other => panic!("{other:?}: {text}"),
    }
}

fn boot(session: &mut Session) {
    let boot = r#"[2,"boot","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;
    assert_eq!(session.say(Side::Station, boot), Leaves::Same);
    let answer =
        format!(r#"[3,"boot",{{"status":"Accepted","currentTime":"{NOW}","interval":300}}]"#);
    assert_eq!(session.say(Side::Csms, &answer), Leaves::Same);
}

fn wait(session: &mut Session, seconds: u64) {
    session.now = session.now.plus(Duration::from_secs(seconds));
}

#[test]
fn a_time_near_now_passes_however_it_is_spelled() {
    let mut session = session(Version::V16);
    for time in [
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00+00:00",
        "2026-11-22t11:00:00.123456+01:00",
        "2026-11-22T10:09:59Z",
        "2026-10-24T10:00:00Z",
        r"2026-11-22T10:00:01\u005a",
    ] {
        assert!(!refused(&mut session, &status(time)), "{time}");
    }
    for time in [
        "2026-11-22T10:10:01Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
    ] {
        assert!(refused(&mut session, &status(time)), "{time}");
    }
}

#[test]
fn what_is_no_time_is_no_time_near_now() {
    let mut session = session(Version::V16);
    for time in ["222222017-02-01T20:53:32Z", "1000000", "", "yesterday"] {
        assert!(refused(&mut session, &status(time)), "{time}");
    }
    assert!(refused(
        &mut session,
        &status("x").replace("\"timestamp\":\"x\"", "\"timestamp\":1000000")
    ));
}

#[test]
fn a_queue_drains_after_a_reconnect() {
    let mut session = session(Version::V16);
    assert!(!refused(&mut session, &status("2026-03-01T00:00:00Z")));
    assert!(refused(&mut session, &status("2025-03-01T00:00:00Z")));
    wait(&mut session, 3601);
    assert!(refused(&mut session, &status("2026-03-01T00:00:01Z")));
    assert!(!refused(&mut session, &status("2026-11-01T00:00:00Z")));
}

#[test]
fn what_says_that_it_was_offline_may_be_late_at_any_time() {
    let mut session = session(Version::V201);
    // A transaction is money: the fleet's own switch does not refuse it.
    let modes = vec![(Control::Timestamps, Mode::Enforce)];
    let who = guard::Who::Model {
        maker: "V".to_owned(),
        model: "M".to_owned(),
    };
    let scope = guard::Scope { who, modes };
    session.policy.scopes = Scopes::new(vec![scope], Vec::new(), guard::Relaxed::default());
    let boot = r#"[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"vendorName":"V","model":"M"}}]"#;
    session.say(Side::Station, boot);
    session.say(
        Side::Csms,
        &format!(r#"[3,"b",{{"status":"Accepted","currentTime":"{NOW}","interval":300}}]"#),
    );
    wait(&mut session, 7200);
    let event = |id: &str, offline: bool| {
        format!(
            r#"[2,"{id}","TransactionEvent",{{"eventType":"Updated","timestamp":"2026-05-01T00:00:00Z","triggerReason":"MeterValuePeriodic","seqNo":1,"offline":{offline},"transactionInfo":{{"transactionId":"t"}}}}]"#
        )
    };
    assert!(!refused(&mut session, &event("1", true)));
    assert!(refused(&mut session, &event("2", false)));
}

#[test]
fn a_clock_that_nobody_has_set_is_borne_until_somebody_does() {
    let mut session = session(Version::V16);
    assert!(!refused(&mut session, &status("1970-01-01T00:00:42Z")));
    assert!(!refused(&mut session, &status("2000-01-01T08:00:00Z")));
    assert!(refused(&mut session, &status("1985-01-01T00:00:00Z")));
    boot(&mut session);
    // It was said before the station heard the time, and waited for its turn.
    assert!(!refused(&mut session, &status("1970-01-01T00:00:43Z")));
    wait(&mut session, 62);
    assert!(refused(&mut session, &status("1970-01-01T00:01:45Z")));
}

#[test]
fn times_that_may_lie_anywhere_are_not_looked_at() {
    let mut session = session(Version::V201);
    let needs = r#"[2,"n","NotifyEVChargingNeeds",{"evseId":1,"chargingNeeds":{"requestedEnergyTransfer":"DC","departureTime":"2027-11-22T10:00:00Z"}}]"#;
    assert_eq!(session.say(Side::Station, needs), Leaves::Same);
}

#[test]
fn a_csms_s_clock_is_held_to_ours() {
    for (time, passes) in [
        ("2026-11-22T10:00:59Z", true),
        ("2026-11-22T09:59:01+00:00", true),
        ("2026-11-22T10:01:01Z", false),
        ("1970-01-01T00:00:00Z", false),
        ("soon", false),
    ] {
        let mut session = session(Version::V16);
        session.say(Side::Station, r#"[2,"h","Heartbeat",{}]"#);
        let answer = format!(r#"[3,"h",{{"currentTime":"{time}"}}]"#);
        let leaves = session.say(Side::Csms, &answer);
        assert_eq!(leaves == Leaves::Same, passes, "{time}: {leaves:?}");
        if !passes {
            assert!(
                matches!(leaves, Leaves::Own(Side::Station, _)),
                "{leaves:?}"
            );
        }
    }
}
