use std::time::Duration;

use guard::{
    ConnectionKind, MessageEvent, MessageKind, Model, Outcome, RouteId, Tenant, UnixMillis,
};
use ocpp::{Side, StationId, Version};

use super::*;

/// A message of that station, to which that is objected.
fn event(identity: &str, model: Option<(&str, &str)>, findings: Vec<Finding>) -> Event {
    let session = SessionFacts {
        number: 1,
        station: StationId::parse(identity, Version::V16).unwrap(),
        tenant: Tenant("cpo".into()),
        route: RouteId("main".into()),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: "192.0.2.1:1".parse().unwrap(),
        tls: None,
        exception: None,
    };
    let model = model.map(|(maker, model)| {
        Arc::new(Model {
            maker: maker.into(),
            model: model.into(),
            firmware: None,
        })
    });
    Event::Message(MessageEvent {
        at: Moment {
            elapsed: Duration::ZERO,
            wall: UnixMillis(1_800_000_000_000),
        },
        session: Arc::new(session),
        from: Side::Station,
        kind: MessageKind::Call,
        action: "MeterValues",
        bytes: 1,
        outcome: Outcome::Forwarded,
        findings,
        latency: None,
        model,
    })
}

fn finding(control: Control, kind: &str, tolerated: bool) -> Finding {
    Finding {
        control,
        mode: Mode::Observe,
        kind: kind.to_owned().into(),
        path: "meterValue[].sampledValue[].value".to_owned(),
        tolerated,
        what: String::new(),
    }
}

const BOX: Option<(&str, &str)> = Some(("Maker \"AG\"", "Box"));

fn seen(events: &[Event]) -> Findings {
    let mut findings = Findings::default();
    events.iter().for_each(|event| findings.count(event));
    findings
}

#[test]
fn a_habit_of_a_model_is_proposed() {
    let habit = || vec![finding(Control::Schema, "wrong-type", false)];
    let findings = seen(&[
        event("CP1", BOX, habit()),
        event("CP1", BOX, habit()),
        event("CP2", BOX, habit()),
    ]);
    let proposed = proposals(findings.report(), false, 2);
    let [one] = &proposed[..] else {
        panic!("{proposed:?}");
    };
    assert!(one.proposed && one.seen.count == 3, "{one:?}");
    assert_eq!(one.seen.stations, ["cpo/CP1", "cpo/CP2"]);
    let toml = as_toml(&proposed);
    let read: toml::Table = toml.parse().unwrap();
    let section = read["tolerance"][0].as_table().unwrap();
    for (key, value) in [
        ("maker", "Maker \"AG\""),
        ("model", "Box"),
        ("control", "schema"),
        ("action", "MeterValues"),
        ("kind", "wrong-type"),
        ("path", "meterValue[].sampledValue[].value"),
    ] {
        assert_eq!(section[key].as_str(), Some(value), "{toml}");
    }
}

#[test]
fn what_looks_like_an_attack_is_shown_and_not_proposed() {
    let of = |control, tolerated| vec![finding(control, "k", tolerated)];
    let both = |model, findings: fn() -> Vec<Finding>| {
        seen(&[
            event("CP1", model, findings()),
            event("CP2", model, findings()),
        ])
    };
    let schema = || vec![finding(Control::Schema, "k", false)];
    for (findings, but, by_all) in [
        (
            seen(&[event("CP1", BOX, of(Control::Schema, false))]),
            "too few",
            true,
        ),
        (
            seen(&[event("CP1", None, of(Control::Schema, false))]),
            "has not said",
            true,
        ),
        (
            both(BOX, || vec![finding(Control::Direction, "k", false)]),
            "attack",
            true,
        ),
        (
            both(BOX, || vec![finding(Control::InjectionUp, "k", false)]),
            "never enforced",
            false,
        ),
        (
            both(BOX, || vec![finding(Control::Schema, "k", true)]),
            "already",
            false,
        ),
        (both(Some(("A*", "Box")), schema), "ends in *", false),
        (both(Some(("A", "*")), schema), "ends in *", false),
    ] {
        for all in [false, true] {
            let proposed = proposals(findings.report(), all, 2);
            assert!(!proposed.is_empty());
            for one in proposed {
                assert_eq!(one.proposed, all && by_all, "{one:?}");
                assert_eq!(
                    one.but.is_some_and(|why| why.contains(but)),
                    !one.proposed,
                    "{one:?}"
                );
            }
        }
    }
}

#[test]
fn the_table_is_bounded_and_survives() {
    let mut findings = Findings::default();
    for number in 0..KINDS_MAX + 10 {
        let kind = format!("k{number}");
        findings.count(&event(
            "CP1",
            BOX,
            vec![finding(Control::Schema, &kind, false)],
        ));
    }
    for number in 0..STATIONS_MAX + 2 {
        let known = vec![finding(Control::Schema, "k0", false)];
        findings.count(&event(&format!("CP{number}"), BOX, known));
    }
    let report = findings.report();
    assert_eq!((report.seen.len(), report.beyond), (KINDS_MAX, 10));
    let (_, most) = &report.seen[0];
    assert!(most.more_stations && most.stations.len() == STATIONS_MAX);

    let text = serde_json::to_string(&report).unwrap();
    let restored = Findings::restore(serde_json::from_str(&text).unwrap());
    assert_eq!(serde_json::to_string(&restored.report()).unwrap(), text);
    assert_eq!(findings.forget(), KINDS_MAX);
    assert!(findings.report().seen.is_empty());
}
