//! What direction and schema have to say about CALLs and SENDs.

use super::*;

#[test]
fn each_side_sends_only_what_is_its_to_send() {
    let mut scene = Scene::new(Version::V16);
    let own = r#"[4,"1","NotSupported","an action that only the CSMS sends",{}]"#;
    assert_eq!(
        scene.call(Station, "1", "Reset", "{}"),
        refused(Control::Direction, Some((Station, own)))
    );
    let own = r#"[4,"2","NotSupported","an action that only the station sends",{}]"#;
    assert_eq!(
        scene.call(Csms, "2", "BootNotification", "{}"),
        refused(Control::Direction, Some((Csms, own)))
    );
    for from in [Station, Csms] {
        assert_eq!(scene.call(from, "3", "DataTransfer", "{}"), forwarded());
    }
    // A refused CALL leaves no trace: nothing is open, and its id is free.
    assert!(!scene.state.exchange().is_open(Station, "1"));
    assert_eq!(scene.answer(Csms, "3"), forwarded());
    assert_eq!(scene.call(Station, "1", "Heartbeat", "{}"), forwarded());
}

#[test]
fn a_control_that_is_off_or_observes_refuses_nothing() {
    for (mode, told) in [
        (Mode::Off, forwarded()),
        (Mode::Observe, observed(Control::Direction)),
    ] {
        let mut scene = Scene::with(Version::V16, |policy| policy.controls.direction = mode);
        assert_eq!(scene.call(Station, "1", "Reset", "{}"), told);
        assert!(scene.state.exchange().is_open(Station, "1"));
    }
    for (mode, told) in [
        (Mode::Off, forwarded()),
        (Mode::Observe, observed(Control::Correlation)),
    ] {
        let mut scene = Scene::with(Version::V16, |policy| policy.controls.correlation = mode);
        assert_eq!(scene.answer(Station, "nobody asked"), told);
        scene.call(Station, "1", "Heartbeat", "{}");
        assert_eq!(scene.call(Station, "1", "Heartbeat", "{ }"), told);
    }
}

#[test]
fn schema_faults_are_observed_and_refused_when_enforced() {
    let missing = [fault(SchemaFaultKind::MissingField, "chargePointVendor")];
    let mut scene = Scene::new(Version::V16);
    let told = scene.faulty_call(Station, "1", "BootNotification", "{}", &missing);
    assert_eq!(told, observed(Control::Schema));

    for (version, code) in [
        (Version::V16, "OccurenceConstraintViolation"),
        (Version::V201, "OccurrenceConstraintViolation"),
        (Version::V21, "OccurrenceConstraintViolation"),
    ] {
        let mut scene = Scene::with(version, |policy| policy.controls.schema = Mode::Enforce);
        let told = scene.faulty_call(Station, "1", "BootNotification", "{}", &missing);
        let own =
            format!(r#"[4,"1","{code}","a required field is missing: chargePointVendor",{{}}]"#);
        assert_eq!(told, refused(Control::Schema, Some((Station, &own))));

        let unknown = [fault(SchemaFaultKind::UnknownAction, "")];
        let told = scene.faulty_call(Station, "2", "Nonsense", "{}", &unknown);
        let own = r#"[4,"2","NotImplemented","this OCPP version knows no such action",{}]"#;
        assert_eq!(told, refused(Control::Schema, Some((Station, own))));
    }
}

#[test]
fn every_code_is_spelled_as_the_version_spells_it() {
    use SchemaFaultKind::*;
    for (kind, v16, v2x) in [
        (UnknownAction, "NotImplemented", "NotImplemented"),
        (
            MissingField,
            "OccurenceConstraintViolation",
            "OccurrenceConstraintViolation",
        ),
        (UnknownField, "FormationViolation", "FormatViolation"),
        (
            WrongType,
            "TypeConstraintViolation",
            "TypeConstraintViolation",
        ),
        (
            TooLong,
            "PropertyConstraintViolation",
            "PropertyConstraintViolation",
        ),
        (
            NotInEnumeration,
            "PropertyConstraintViolation",
            "PropertyConstraintViolation",
        ),
        (
            OutOfRange,
            "PropertyConstraintViolation",
            "PropertyConstraintViolation",
        ),
        (
            TooFewItems,
            "OccurenceConstraintViolation",
            "OccurrenceConstraintViolation",
        ),
        (
            TooManyItems,
            "OccurenceConstraintViolation",
            "OccurrenceConstraintViolation",
        ),
        (
            BadTimestamp,
            "PropertyConstraintViolation",
            "PropertyConstraintViolation",
        ),
        (
            ListOverCap,
            "OccurenceConstraintViolation",
            "OccurrenceConstraintViolation",
        ),
        (MessageOverCap, "FormationViolation", "FormatViolation"),
        (MessageIdTooLong, "FormationViolation", "FormatViolation"),
    ] {
        for (version, code) in [
            (Version::V16, v16),
            (Version::V201, v2x),
            (Version::V21, v2x),
        ] {
            let mut scene = Scene::with(version, |policy| policy.controls.schema = Mode::Enforce);
            let told = scene.faulty_call(Station, "1", "Heartbeat", "{}", &[fault(kind, "")]);
            let (_, own) = told.own.unwrap();
            assert!(own.starts_with(&format!(r#"[4,"1","{code}","#)), "{own}");
        }
    }
}

#[test]
fn a_finding_names_no_key_of_the_peer() {
    let mut scene = Scene::with(Version::V201, |policy| {
        policy.controls.schema = Mode::Enforce
    });
    let faults = [fault(SchemaFaultKind::UnknownField, "idToken.04A2B3C4")];
    let text = "[2,\"1\",\"Authorize\",{}]";
    let call = Message::Call(scene.request(Station, "1", "Authorize", text, &faults));
    let judgement = scene
        .policy
        .judge(call, scene.now, &mut scene.state, scene.now);
    assert_eq!(
        judgement.findings[0].what,
        "a field that the schema does not know"
    );
    assert_eq!(judgement.faults, faults);
}

#[test]
fn a_send_wants_no_answer_and_waits_for_none() {
    let mut scene = Scene::new(Version::V21);
    scene.call(Station, "1", "Heartbeat", "{}");
    let action = "NotifyPeriodicEventStream";
    let text = "[6,\"s\",\"NotifyPeriodicEventStream\",{}]";
    for (from, told) in [
        (Station, forwarded()),
        (Station, forwarded()),
        (Csms, refused(Control::Direction, None)),
    ] {
        let send = Message::Send(scene.request(from, "s", action, text, &[]));
        assert!(!scene.policy.must_wait(&send, &scene.state, scene.now));
        let now = scene.now;
        assert_eq!(scene.judge(send, now), told);
    }
    assert_eq!(scene.answer(Csms, "s"), refused(Control::Correlation, None));
}

#[test]
fn the_refusing_finding_comes_first() {
    let mut scene = Scene::new(Version::V16);
    scene.call(Station, "1", "Heartbeat", "{}");
    scene.answer(Csms, "1");
    let faults = [fault(SchemaFaultKind::UnknownField, "x")];
    let told = scene.faulty_call(Station, "1", "Heartbeat", "{\"x\":1}", &faults);
    assert_eq!(
        told.outcome,
        Outcome::Refused(Some(Control::Correlation), None)
    );
    assert_eq!(
        told.findings,
        [
            (Control::Correlation, Mode::Enforce),
            (Control::Schema, Mode::Observe)
        ]
    );
}
