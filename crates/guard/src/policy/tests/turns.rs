//! Repeated CALLs, re-used ids, and whose turn it is.

use super::*;

#[test]
fn the_same_call_again_is_joined_while_in_flight_and_forwarded_after() {
    let mut scene = Scene::new(Version::V16);
    let again = |scene: &mut Scene| scene.call(Station, "1", "Heartbeat", "{}");
    assert_eq!(again(&mut scene), forwarded());
    scene.wait(10);
    assert!(!scene.must_wait(Station, "1", "Heartbeat"));
    assert_eq!(again(&mut scene), joined());
    scene.wait(60);
    assert_eq!(again(&mut scene), forwarded(), "the first is out of time");
    assert_eq!(again(&mut scene), joined());
    assert_eq!(scene.answer(Csms, "1"), forwarded());
    assert_eq!(again(&mut scene), forwarded(), "the first is answered");
    assert_eq!(scene.answer(Csms, "1"), forwarded());
}

#[test]
fn an_id_with_another_body_is_refused() {
    let mut scene = Scene::new(Version::V201);
    scene.call(Station, "1", "Heartbeat", "{}");
    // While the first is open, an error under its id would be taken for its answer.
    assert_eq!(
        scene.call(Station, "1", "Heartbeat", "{ }"),
        refused(Control::Correlation, None)
    );
    assert_eq!(scene.answer(Csms, "1"), forwarded());
    let own = r#"[4,"1","ProtocolError","a message id that was used for another CALL",{}]"#;
    assert_eq!(
        scene.call(Station, "1", "Heartbeat", "{ }"),
        refused(Control::Correlation, Some((Station, own)))
    );
    assert_eq!(
        scene.call(Csms, "1", "Reset", "{}"),
        forwarded(),
        "ids are each side's own"
    );
}

#[test]
fn one_call_is_in_flight_for_each_side_and_the_others_wait() {
    let mut scene = Scene::new(Version::V16);
    assert!(!scene.must_wait(Station, "1", "BootNotification"));
    scene.call(Station, "1", "BootNotification", "{}");
    assert!(scene.must_wait(Station, "2", "StatusNotification"));
    assert!(
        !scene.must_wait(Csms, "2", "Reset"),
        "the other side has its own turn"
    );
    assert_eq!(
        scene.state.next_deadline(scene.now),
        Some(Duration::from_secs(60))
    );
    scene.answer(Csms, "1");
    assert!(!scene.must_wait(Station, "2", "StatusNotification"));
    assert_eq!(scene.state.next_deadline(scene.now), None);
    scene.call(Station, "2", "StatusNotification", "{}");
    scene.wait(60);
    assert!(
        !scene.must_wait(Station, "3", "StatusNotification"),
        "the second is out of time"
    );
}

#[test]
fn a_call_is_refused_only_when_it_waited_longer_than_the_time_out() {
    for (mode, waited, passes) in [
        (Mode::Enforce, 60, true),
        (Mode::Enforce, 61, false),
        (Mode::Observe, 61, true),
        (Mode::Off, 61, true),
    ] {
        let mut scene = Scene::with(Version::V16, |policy| policy.controls.pipelining = mode);
        let arrived = scene.now;
        scene.wait(waited);
        let text = "[2,\"1\",\"Heartbeat\",{}]";
        let call = Message::Call(scene.request(Station, "1", "Heartbeat", text, &[]));
        let told = scene.judge(call, arrived);
        assert_eq!(
            told.outcome == Outcome::Forwarded,
            passes,
            "{mode:?} {waited}"
        );
        let expected = match (mode, waited) {
            (Mode::Off, _) | (_, 60) => vec![],
            (mode, _) => vec![(Control::Pipelining, mode)],
        };
        assert_eq!(told.findings, expected);
        if let Some((to, own)) = told.own {
            assert_eq!(to, Station);
            assert!(
                own.starts_with(r#"[4,"1","InternalError","waited longer"#),
                "{own}"
            );
        }
    }
    let mut scene = Scene::with(Version::V16, |policy| {
        policy.controls.pipelining = Mode::Off
    });
    scene.call(Station, "1", "Heartbeat", "{}");
    assert!(!scene.must_wait(Station, "2", "Heartbeat"));
}

#[test]
fn where_nobody_waits_a_whole_row_is_open_and_every_answer_finds_its_call() {
    let mut scene = Scene::with(Version::V16, |policy| {
        policy.controls.pipelining = Mode::Off;
    });
    let ids: Vec<String> = (0..32).map(|id| id.to_string()).collect();
    for id in &ids {
        assert!(!scene.must_wait(Station, id, "StatusNotification"));
        assert_eq!(scene.call(Station, id, "Heartbeat", "{}"), forwarded());
    }
    for id in &ids {
        assert_eq!(scene.answer(Csms, id), forwarded(), "{id}");
    }
}
