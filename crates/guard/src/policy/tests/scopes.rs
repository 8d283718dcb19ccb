//! One mode does not fit a fleet: scopes, tolerances, money, and the way back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ocpp::StationId;

use super::*;
use crate::model::Model;
use crate::{
    ConnectionKind, Relaxed, RouteId, Scope, Scopes, SessionFacts, Tenant, Tolerance, Who,
};

fn identity(name: &str) -> StationId {
    StationId::parse(name, Version::V16).unwrap()
}

fn tenant() -> Tenant {
    Tenant("cpo".into())
}

pub(super) fn scene(name: &str) -> Scene {
    let session = SessionFacts {
        number: 1,
        station: identity(name),
        tenant: tenant(),
        route: RouteId("r".into()),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        tls: None,
        exception: None,
    };
    let mut scene = Scene::new(Version::V16);
    scene.state = StationState::of(Arc::new(session), 11);
    scene
}

fn model(maker: &str, model: &str) -> Who {
    Who::Model {
        maker: maker.to_owned(),
        model: model.to_owned(),
    }
}

pub(super) fn stations(names: &[&str]) -> Who {
    Who::Stations {
        tenant: tenant(),
        identities: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn schema(who: Who, mode: Mode) -> Scope {
    Scope {
        who,
        modes: vec![(Control::Schema, mode)],
    }
}

/// What becomes of a message with a schema fault.
fn outcome(scene: &mut Scene, action: &str) -> Outcome {
    let faults = [fault(SchemaFaultKind::TooLong, "info[3].text")];
    scene.now = scene.now.plus(Duration::from_secs(100));
    let id = scene.now.elapsed.as_secs().to_string();
    let told = scene.faulty_call(Station, &id, action, "{}", &faults);
    scene.answer(Csms, &id);
    told.outcome
}

const REFUSED: Outcome = Outcome::Refused(Some(Control::Schema), None);

fn says_it_is(scene: &mut Scene, maker: &str, model: &str) {
    scene.state.model = Some(Arc::new(Model {
        maker: maker.into(),
        model: model.into(),
        firmware: None,
    }));
    scene.state.ruling.forget();
}

#[test]
fn a_station_is_stronger_than_its_model_and_a_model_than_the_fleet() {
    let scopes = vec![
        schema(stations(&["CP-1", "LAB-*"]), Mode::Observe),
        schema(model("Maker*", "*"), Mode::Enforce),
    ];
    let scopes = Scopes::new(scopes, Vec::new(), Relaxed::default());
    for (name, maker, expected) in [
        ("CP-2", "Other", Outcome::Forwarded),
        ("CP-2", "Maker AG", REFUSED),
        ("CP-1", "Maker AG", Outcome::Forwarded),
        ("LAB-7", "maker ag", Outcome::Forwarded),
        ("CP-11", "Maker AG", REFUSED),
    ] {
        let mut scene = scene(name);
        scene.policy.scopes = scopes.clone();
        assert_eq!(outcome(&mut scene, "Heartbeat"), Outcome::Forwarded);
        says_it_is(&mut scene, maker, "Box");
        assert_eq!(outcome(&mut scene, "Heartbeat"), expected, "{name} {maker}");
    }
}

#[test]
fn another_tenants_station_of_that_name_is_not_meant() {
    let mut scene = scene("CP-1");
    let who = Who::Stations {
        tenant: Tenant("other".into()),
        identities: vec!["*".to_owned()],
    };
    scene.policy.scopes = Scopes::new(
        vec![schema(who, Mode::Enforce)],
        Vec::new(),
        Relaxed::default(),
    );
    assert_eq!(outcome(&mut scene, "Heartbeat"), Outcome::Forwarded);
}

#[test]
fn the_fleets_switch_does_not_promote_a_control_for_money_and_a_scope_does() {
    for action in ["StartTransaction", "StopTransaction"] {
        let mut scene = scene("CP-1");
        scene.policy.controls.schema = Mode::Enforce;
        assert_eq!(outcome(&mut scene, "Heartbeat"), REFUSED);
        assert_eq!(outcome(&mut scene, action), Outcome::Forwarded, "{action}");
        scene.policy.scopes = Scopes::new(
            vec![schema(stations(&["CP-1"]), Mode::Enforce)],
            Vec::new(),
            Relaxed::default(),
        );
        assert_eq!(outcome(&mut scene, action), REFUSED, "{action}");
    }
}

#[test]
fn what_is_tolerated_is_told_and_passes() {
    let tolerance = Tolerance {
        who: stations(&["CP-*"]),
        control: Control::Schema,
        action: Some("Heartbeat".to_owned()),
        kind: Some("too-long".to_owned()),
        path: Some("info[].text".to_owned()),
    };
    let mut cases = vec![(tolerance.clone(), Outcome::Forwarded)];
    for change in 0..4 {
        let mut other = tolerance.clone();
        match change {
            0 => other.who = stations(&["XX-*"]),
            1 => other.action = Some("Authorize".to_owned()),
            2 => other.kind = Some("wrong-type".to_owned()),
            _ => other.path = Some("info[].other".to_owned()),
        }
        cases.push((other, REFUSED));
    }
    let any = Tolerance {
        action: None,
        kind: None,
        path: None,
        ..tolerance
    };
    cases.push((any, Outcome::Forwarded));
    for (tolerance, expected) in cases {
        let mut scene = scene("CP-1");
        scene.policy.controls.schema = Mode::Enforce;
        scene.policy.scopes = Scopes::new(Vec::new(), vec![tolerance.clone()], Relaxed::default());
        assert_eq!(outcome(&mut scene, "Heartbeat"), expected, "{tolerance:?}");
    }
}

#[test]
fn a_second_fault_is_not_tolerated_with_the_first() {
    let mut scene = scene("CP-1");
    scene.policy.controls.schema = Mode::Enforce;
    let tolerance = Tolerance {
        who: stations(&["CP-1"]),
        control: Control::Schema,
        action: None,
        kind: Some("too-long".to_owned()),
        path: None,
    };
    scene.policy.scopes = Scopes::new(Vec::new(), vec![tolerance], Relaxed::default());
    let long = fault(SchemaFaultKind::TooLong, "a");
    let both = [long.clone(), fault(SchemaFaultKind::MissingField, "b")];
    let told = scene.faulty_call(Station, "1", "Heartbeat", "{}", &both);
    assert_eq!(told.outcome, REFUSED);
    // As many as the reader looks at, all tolerated: what it did not look at is not.
    let many = vec![long; ocpp::Limits::FAULTS_MAX];
    let told = scene.faulty_call(Station, "2", "Heartbeat", "{}", &many);
    assert_eq!(told.outcome, REFUSED);
}

#[test]
fn the_way_back_is_stronger_than_everything_and_takes_hold_at_once() {
    let relaxations = [
        (true, vec![], vec![], true),
        (false, vec![tenant()], vec![], true),
        (false, vec![], vec![(tenant(), identity("CP-1"))], true),
        (false, vec![], vec![(tenant(), identity("CP-2"))], false),
        (false, vec![Tenant("other".into())], vec![], false),
    ];
    for (fleet, tenants, names, relaxes) in relaxations {
        let mut scene = scene("CP-1");
        scene.policy.scopes = Scopes::new(
            vec![schema(stations(&["CP-1"]), Mode::Enforce)],
            Vec::new(),
            Relaxed::default(),
        );
        assert_eq!(outcome(&mut scene, "StartTransaction"), REFUSED);
        let relaxed = Relaxed {
            fleet,
            tenants,
            stations: names,
        };
        let scopes = std::mem::take(&mut scene.policy.scopes);
        scene.policy.scopes = scopes.relaxed_to(relaxed.clone());
        let expected = match relaxes {
            true => Outcome::Forwarded,
            false => REFUSED,
        };
        assert_eq!(
            outcome(&mut scene, "StartTransaction"),
            expected,
            "{relaxed:?}"
        );
        let direction = scene.call(Station, "9", "Reset", "{}");
        assert_eq!(direction.outcome == Outcome::Forwarded, relaxes);
    }
}
