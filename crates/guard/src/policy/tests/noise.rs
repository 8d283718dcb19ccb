//! Messages that cannot be read.

use super::*;

#[test]
fn an_unreadable_message_is_refused_and_answered_where_an_answer_is_owed() {
    let fault = HardFault::DuplicateKey;
    let (call, answer) = (Some(("1", true)), Some(("1", false)));
    let words = "an object names one key twice";
    for (version, refused, own) in [
        (
            Version::V16,
            call,
            Some(format!(r#"[4,"1","FormationViolation","{words}",{{}}]"#)),
        ),
        (
            Version::V201,
            call,
            Some(format!(r#"[4,"1","FormatViolation","{words}",{{}}]"#)),
        ),
        (
            Version::V21,
            call,
            Some(format!(r#"[4,"1","FormatViolation","{words}",{{}}]"#)),
        ),
        (Version::V16, answer, None),
        (Version::V201, answer, None),
        (Version::V16, None, None),
        (
            Version::V201,
            None,
            Some(format!(r#"[4,"-1","FormatViolation","{words}",{{}}]"#)),
        ),
    ] {
        for from in [Station, Csms] {
            let told = Scene::new(version).noise(from, fault, refused);
            assert_eq!(told.outcome, Outcome::Refused(None, Some(fault)));
            assert_eq!(told.own, own.clone().map(|own| (from, own)), "{version}");
        }
    }
    let told = Scene::new(Version::V201).noise(Station, HardFault::NotJson, None);
    let (_, own) = told.own.unwrap();
    assert_eq!(own, r#"[4,"-1","RpcFrameworkError","not JSON",{}]"#);
    let told = Scene::new(Version::V16).noise(Station, HardFault::NotJson, Some(("9", true)));
    let (_, own) = told.own.unwrap();
    assert_eq!(own, r#"[4,"9","ProtocolError","not JSON",{}]"#);
}

#[test]
fn an_unknown_message_type_is_ignored_in_1_6_and_answered_in_2_x() {
    let unknown = HardFault::UnknownMessageType;
    for refused in [None, Some(("1", false))] {
        let told = Scene::new(Version::V16).noise(Station, unknown, refused);
        assert_eq!(told.own, None);
        let told = Scene::new(Version::V21).noise(Station, unknown, refused);
        let id = refused.map_or("-1", |(id, _)| id);
        let (_, own) = told.own.unwrap();
        assert!(
            own.starts_with(&format!(r#"[4,"{id}","MessageTypeNotSupported""#)),
            "{own}"
        );
    }
}

#[test]
fn policy_may_close_on_what_it_cannot_read() {
    let mut scene = Scene::with(Version::V16, |policy| {
        policy.unreadable = OnUnreadable::Close
    });
    let told = scene.noise(Station, HardFault::NotJson, None);
    assert_eq!(told.outcome, Outcome::Disconnected);
}

#[test]
fn an_unreadable_message_touches_no_open_call() {
    let mut scene = Scene::new(Version::V201);
    scene.call(Station, "1", "Heartbeat", "{}");
    let answer = scene.noise(Csms, HardFault::LoneSurrogate, Some(("1", false)));
    assert_eq!(answer.own, None);
    let again = scene.noise(Station, HardFault::LoneSurrogate, Some(("1", true)));
    assert_eq!(
        again.own, None,
        "our error would be taken for the open CALL's answer"
    );
    assert_eq!(scene.answer(Csms, "1"), forwarded());
}
