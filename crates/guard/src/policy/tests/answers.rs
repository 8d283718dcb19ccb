//! Answers, and the CALLs they belong to.

use super::*;

#[test]
fn an_answer_belongs_to_one_open_call_once() {
    for version in Version::ALL {
        let mut scene = Scene::new(version);
        let unasked = refused(Control::Correlation, None);
        assert_eq!(scene.answer(Csms, "1"), unasked);
        scene.call(Station, "1", "Heartbeat", "{}");
        assert_eq!(
            scene.answer(Station, "1"),
            unasked,
            "of the other direction"
        );
        assert_eq!(scene.answer(Csms, "2"), unasked, "to another id");
        assert_eq!(scene.answer(Csms, "1"), forwarded());
        assert_eq!(scene.answer(Csms, "1"), unasked, "a second time");
    }
}

#[test]
fn a_late_answer_is_forwarded_and_its_latency_told() {
    let mut scene = Scene::new(Version::V16);
    scene.call(Station, "1", "Heartbeat", "{}");
    scene.wait(300);
    let answer = Message::Answer(Answer {
        frame: Frame::text(b"[3,\"1\",{}]"),
        from: Csms,
        id: "1",
        outcome: AnswerOutcome::Result,
        action: catalogue::action(Version::V16, "Heartbeat").map(Action::Known),
        error_code: None,
        faults: &[],
        facts: Facts::NONE,
    });
    let judgement = scene
        .policy
        .judge(answer, scene.now, &mut scene.state, scene.now);
    assert_eq!(judgement.latency, Some(Duration::from_secs(300)));
    assert_eq!(judgement.action, "Heartbeat");
    assert_eq!(judgement.kind, MessageKind::Result);
}

#[test]
fn a_faulty_answer_is_replaced_for_whoever_asked() {
    let faults = [fault(SchemaFaultKind::WrongType, "status")];
    for (version, asker) in [(Version::V16, Station), (Version::V201, Csms)] {
        let mut scene = Scene::with(version, |policy| policy.controls.schema = Mode::Enforce);
        scene.call(asker, "1", "DataTransfer", "{}");
        let told = scene.any_answer(asker.other(), "1", AnswerOutcome::Result, &faults);
        let own =
            r#"[4,"1","InternalError","in the answer, a value of the wrong type: status",{}]"#;
        assert_eq!(told, refused(Control::Schema, Some((asker, own))));
        assert_eq!(
            scene.answer(asker.other(), "1"),
            refused(Control::Correlation, None),
            "the CALL is closed"
        );
        assert!(!scene.must_wait(asker, "2", "DataTransfer"));
    }
    let mut scene = Scene::new(Version::V16);
    scene.call(Station, "1", "DataTransfer", "{}");
    assert_eq!(
        scene.any_answer(Csms, "1", AnswerOutcome::Error, &faults),
        observed(Control::Schema)
    );
}

#[test]
fn a_result_may_be_rejected_once_by_whoever_asked() {
    let mut scene = Scene::new(Version::V21);
    scene.call(Station, "1", "Heartbeat", "{}");
    let rejected =
        |scene: &mut Scene, from| scene.any_answer(from, "1", AnswerOutcome::ResultError, &[]);
    let none = refused(Control::Correlation, None);
    assert_eq!(
        rejected(&mut scene, Station),
        none,
        "there is no result yet"
    );
    scene.answer(Csms, "1");
    assert_eq!(rejected(&mut scene, Csms), none, "it did not ask");
    assert_eq!(rejected(&mut scene, Station), forwarded());
    assert_eq!(rejected(&mut scene, Station), none);
}
