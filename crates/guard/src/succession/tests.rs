use std::sync::Arc;

use ocpp::{StationId, Version};

use super::*;
use crate::{ConnectionKind, Credential, Protocols, RouteId, Secret, StationRecord, Tenant};
use crate::{PasswordForm, UpstreamCredential, Verifier, VerifierKey};

fn session() -> SessionFacts {
    SessionFacts {
        number: 1,
        station: StationId::parse("CP1", Version::V16).unwrap(),
        tenant: Tenant("t".into()),
        route: RouteId("main".into()),
        version: Version::V16,
        kind: ConnectionKind::TlsBasic,
        peer: "192.0.2.1:1".parse().unwrap(),
        tls: None,
        exception: None,
    }
}

fn route() -> Route {
    Route {
        id: RouteId("main".into()),
        path: "/ocpp/{identity}".to_owned(),
        tenant: Tenant("t".into()),
        upstream: "ws://127.0.0.1:9000/ocpp".to_owned(),
        credential: UpstreamCredential::Fixed(Secret::new(b"one".to_vec())),
        organization: None,
    }
}

fn password(secret: &[u8; 20]) -> Credential {
    let key = VerifierKey::new([7; 32]);
    Credential::Password(Verifier::fast(secret, PasswordForm::Octets, &key, [1; 16]).unwrap())
}

fn station() -> StationRecord {
    StationRecord::new(
        session().station,
        Tenant("t".into()),
        password(b"twenty bytes, drawn!"),
    )
}

fn book(route: Option<Route>, station: Option<StationRecord>) -> Arc<Book> {
    Arc::new(Book::new(route, station).unwrap())
}

/// What is held against the session when the register becomes like this.
fn objection(route: Option<Route>, station: Option<StationRecord>) -> Option<Objection> {
    let before = book(Some(self::route()), Some(self::station()));
    book(route, station).objection(&before, &session())
}

#[test]
fn what_has_not_changed_goes_on() {
    assert_eq!(objection(Some(route()), Some(station())), None);
    let elsewhere = Route {
        path: "/other/{identity}".to_owned(),
        ..route()
    };
    assert_eq!(objection(Some(elsewhere), Some(station())), None);
    let shown = StationRecord {
        upstream_password: Some(Secret::new(b"another".to_vec())),
        ..station()
    };
    assert_eq!(objection(Some(route()), Some(shown)), None);
}

#[test]
fn a_station_in_whose_place_another_one_stands_leaves() {
    let replaced = StationRecord {
        replaced: 1,
        ..station()
    };
    assert_eq!(
        objection(Some(route()), Some(replaced)),
        Some(Objection::Replaced)
    );
}

#[test]
fn a_station_that_may_not_come_again_may_not_stay() {
    assert_eq!(objection(Some(route()), None), Some(Objection::Removed));
    let disabled = StationRecord {
        enabled: false,
        ..station()
    };
    assert_eq!(
        objection(Some(route()), Some(disabled)),
        Some(Objection::Disabled)
    );
    let other = StationRecord {
        credential: password(b"another twenty bytes"),
        ..station()
    };
    assert_eq!(
        objection(Some(route()), Some(other)),
        Some(Objection::Credential)
    );
    let modern = StationRecord {
        protocols: Protocols {
            allowed: vec![Version::V21],
            unnamed: None,
        },
        ..station()
    };
    assert_eq!(
        objection(Some(route()), Some(modern)),
        Some(Objection::Version)
    );
}

#[test]
fn a_way_that_is_another_one_is_left() {
    let moved = Route {
        upstream: "ws://127.0.0.1:9001/ocpp".to_owned(),
        ..route()
    };
    let shown = Route {
        credential: UpstreamCredential::Fixed(Secret::new(b"two".to_vec())),
        ..route()
    };
    let renamed = Route {
        id: RouteId("other".into()),
        ..route()
    };
    for (route, expected) in [
        (Some(moved), Objection::RouteMoved),
        (Some(shown), Objection::RouteMoved),
        (Some(renamed), Objection::RouteGone),
        (None, Objection::RouteGone),
    ] {
        assert!(expected.is_of_the_way());
        assert_eq!(objection(route, Some(station())), Some(expected));
    }
    assert!(!Objection::Disabled.is_of_the_way());
}

#[test]
fn another_organisation_asks_certificates_anew() {
    let route = Route {
        organization: Some("Example Charging".to_owned()),
        ..route()
    };
    assert_eq!(objection(Some(route.clone()), Some(station())), None);
    let by_certificate = SessionFacts {
        kind: ConnectionKind::TlsCertificate,
        ..session()
    };
    let before = book(Some(self::route()), Some(station()));
    let objection = book(Some(route), Some(station())).objection(&before, &by_certificate);
    assert_eq!(objection, Some(Objection::Credential));
}

#[test]
fn one_station_may_always_be_taken_out_and_one_percent_of_many() {
    for (ended, live, confirmed) in [
        (0, 0, false),
        (1, 1, false),
        (1, 50, false),
        (2, 2, true),
        (2, 199, true),
        (2, 200, false),
        (3, 200, true),
        (200, 20_000, false),
        (201, 20_000, true),
    ] {
        assert_eq!(
            must_be_confirmed(ended, live),
            confirmed,
            "{ended} of {live}"
        );
    }
}
