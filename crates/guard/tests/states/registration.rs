//! B10: messages before acceptance.

use guard::{Mode, Registration, StationMemory};
use ocpp::Side::{Csms, Station};
use ocpp::Version;

use crate::site::{Site, Told, boot, booted, fine};

const CP: &str = "CP-1";

fn heartbeat(id: &str) -> String {
    format!(r#"[2,"{id}","Heartbeat",{{}}]"#)
}

fn later(site: &mut Site) {
    site.wait(60);
}

#[test]
fn what_a_station_may_send_and_be_asked_while_it_waits() {
    let status = r#""connectorId":1,"errorCode":"NoError","status":"Available""#;
    let station_says = [
        (Version::V16, "Heartbeat", "{}".to_owned()),
        (Version::V16, "StatusNotification", format!("{{{status}}}")),
        (Version::V201, "Heartbeat", "{}".to_owned()),
        (Version::V21, "Heartbeat", "{}".to_owned()),
    ];
    for (status, kind) in [
        ("Accepted", None),
        ("Pending", Some("sent-while-pending")),
        ("Rejected", Some("sent-while-rejected")),
    ] {
        for (version, action, body) in &station_says {
            for mode in [Mode::Observe, Mode::Enforce] {
                let mut site = Site::new(*version, mode);
                assert_eq!(site.boots(CP, "b", status), fine());
                later(&mut site);
                let told = site.says(CP, &format!(r#"[2,"1","{action}",{body}]"#));
                let expected = match (kind, mode) {
                    (None, _) => fine(),
                    (Some(kind), Mode::Enforce) => Told::Refused(kind),
                    (Some(kind), _) => Told::Passed(vec![kind]),
                };
                assert_eq!(told, expected, "{version} {status} {mode:?} {action}");
                later(&mut site);
                assert_eq!(site.boots(CP, "b2", "Accepted"), fine());
                later(&mut site);
                assert_eq!(site.says(CP, &heartbeat("2")), fine());
            }
        }
    }
}

#[test]
fn a_csms_leaves_a_rejected_station_alone_and_starts_nothing_at_a_pending_one() {
    let remote = r#"[2,"2","RemoteStartTransaction",{"idTag":"T"}]"#;
    let question = r#"[2,"1","GetConfiguration",{}]"#;
    for (status, asked, started) in [
        ("Accepted", fine(), fine()),
        (
            "Pending",
            fine(),
            Told::Refused("transaction-while-pending"),
        ),
        (
            "Rejected",
            Told::Refused("asked-while-rejected"),
            Told::Refused("asked-while-rejected"),
        ),
    ] {
        let mut site = Site::new(Version::V16, Mode::Enforce);
        site.boots(CP, "b", status);
        later(&mut site);
        assert_eq!(site.is_told(CP, question), asked, "{status}");
        site.lose(CP);
        assert_eq!(site.is_told(CP, remote), started, "{status}");
    }
}

#[test]
fn what_a_pending_station_was_asked_for_it_may_send() {
    let trigger = |version: Version, message: &str| match version {
        Version::V16 => format!(r#"[2,"t","TriggerMessage",{{"requestedMessage":"{message}"}}]"#),
        _ => format!(r#"[2,"t","TriggerMessage",{{"requestedMessage":"{message}"}}]"#),
    };
    for version in Version::ALL {
        let mut site = Site::new(version, Mode::Enforce);
        site.boots(CP, "b", "Pending");
        later(&mut site);
        let refused = Told::Refused("sent-while-pending");
        assert_eq!(site.says(CP, &heartbeat("1")), refused);
        assert_eq!(site.is_told(CP, &trigger(version, "Heartbeat")), fine());
        assert_eq!(site.says(CP, &heartbeat("2")), fine(), "{version}");
        let other = match version {
            Version::V16 => r#"[2,"3","Authorize",{"idTag":"T"}]"#,
            _ => r#"[2,"3","Authorize",{"idToken":{"idToken":"T","type":"Central"}}]"#,
        };
        assert_eq!(site.says(CP, other), refused, "{version}");
    }
    let mut site = Site::new(Version::V201, Mode::Enforce);
    site.boots(CP, "b", "Pending");
    later(&mut site);
    let report = |id: &str| {
        format!(
            r#"[2,"{id}","NotifyReport",{{"requestId":1,"generatedAt":"2026-11-22T12:00:00Z","seqNo":0}}]"#
        )
    };
    assert_eq!(
        site.says(CP, &report("1")),
        Told::Refused("sent-while-pending")
    );
    let ask = r#"[2,"g","GetBaseReport",{"requestId":1,"reportBase":"FullInventory"}]"#;
    assert_eq!(site.is_told(CP, ask), fine());
    assert_eq!(site.says(CP, &report("2")), fine());
}

#[test]
fn boot_and_status_back_to_back_pass_whatever_the_answer_is() {
    let status = r#"[2,"s","StatusNotification",{"connectorId":0,"errorCode":"NoError","status":"Available"}]"#;
    for answer in ["Accepted", "Pending", "Rejected"] {
        let mut site = Site::new(Version::V16, Mode::Enforce);
        let sent = site.now;
        assert_eq!(site.says(CP, &boot(Version::V16, "b", None, "")), fine());
        site.wait(30);
        let answer_text = format!(r#"[3,"b",{}]"#, booted(answer));
        assert_eq!(site.is_told(CP, &answer_text), fine());
        // It had waited for the answer all the time.
        assert_eq!(
            site.hear_late(CP, Station, status, sent),
            fine(),
            "{answer}"
        );
        // Or it was still on its way.
        site.wait(2);
        let status = status.replace("\"s\"", "\"s2\"");
        assert_eq!(site.says(CP, &status), fine(), "{answer}");
        // Who has been told to wait and goes on is another matter.
        site.wait(60);
        let status = status.replace("\"s2\"", "\"s3\"");
        let late = site.says(CP, &status);
        assert_eq!(late == fine(), answer == "Accepted", "{answer}: {late:?}");
    }
}

#[test]
fn a_second_boot_while_it_waits_opens_no_window() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.boots(CP, "b", "Rejected");
    site.wait(300);
    let sent = site.now;
    site.boots(CP, "b2", "Rejected");
    let told = site.hear_late(CP, Station, &heartbeat("1"), sent);
    assert_eq!(told, Told::Refused("sent-while-rejected"));
}

#[test]
fn the_state_survives_reconnect_and_restart_and_unknown_is_never_refused() {
    for (status, passes) in [("Accepted", true), ("Pending", false), ("Rejected", false)] {
        for restart in [false, true] {
            let mut site = Site::new(Version::V201, Mode::Enforce);
            assert_eq!(
                site.says(CP, &heartbeat("0")),
                fine(),
                "nothing is known yet"
            );
            site.is_told(CP, r#"[3,"0",{"currentTime":"2026-11-22T12:00:00Z"}]"#);
            site.boots(CP, "b", status);
            site.wait(60);
            match restart {
                true => site.restart(),
                false => site.lose(CP),
            }
            assert_eq!(site.says(CP, &heartbeat("1")) == fine(), passes, "{status}");
        }
    }
}

#[test]
fn a_wait_that_is_too_long_ago_is_forgotten() {
    let mut site = Site::new(Version::V16, Mode::Enforce);
    site.boots(CP, "b", "Rejected");
    site.wait(StationMemory::WAITING_MAX.as_secs());
    assert_ne!(site.says(CP, &heartbeat("1")), fine());
    site.wait(1);
    assert_eq!(site.says(CP, &heartbeat("2")), fine());
}

#[test]
fn an_answer_that_is_no_result_or_was_not_asked_for_changes_nothing() {
    let mut site = Site::new(Version::V16, Mode::Observe);
    site.policy.controls.correlation = Mode::Observe;
    site.says(CP, &boot(Version::V16, "b", None, ""));
    site.is_told(CP, r#"[4,"b","InternalError","",{}]"#);
    let unasked = format!(r#"[3,"x",{}]"#, booted("Rejected"));
    site.hear_late(CP, Csms, &unasked, site.now);
    assert_eq!(
        site.memory(CP).registration(site.now.wall),
        Registration::Unknown
    );
    site.boots(CP, "c", "Nonsense");
    assert_eq!(
        site.memory(CP).registration(site.now.wall),
        Registration::Unknown
    );
}
