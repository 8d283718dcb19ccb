//! Who comes in by exception, and who all the same does not (A01, A09, A24).

use super::*;
use crate::TlsFingerprint;

/// Ends a moment after now.
fn exception(kind: ExceptionKind, stations: &[&str]) -> Exception {
    Exception {
        kind,
        tenant: Tenant("t".into()),
        stations: Stations::Named(stations.iter().collect()),
        until: UnixMillis(NOW + 1),
        networks: Vec::new(),
        path_secret: None,
        tls_fingerprints: Vec::new(),
        boot: None,
        reason: "replaced in spring".to_owned(),
    }
}

/// The gate with two stations that have nothing to show, and these exceptions.
fn gate(exceptions: impl IntoIterator<Item = Exception>) -> Gate {
    let gate = Gate::new();
    let open = ["OPEN-1", "OPEN-2"].map(|name| StationRecord {
        maker: Some("Maker AG".into()),
        model: Some("Wall Box 22".into()),
        ..record(name, Credential::ByException)
    });
    let off = StationRecord {
        enabled: false,
        ..record("OPEN-OFF", Credential::ByException)
    };
    let known = gate.book.stations().iter().cloned();
    let all = known.chain(open.into_iter().chain([off]).map(Into::into));
    Gate {
        book: Book::new([], all).unwrap(),
        exceptions: Exceptions::new(exceptions),
        ..gate
    }
}

/// Somebody who shows nothing.
fn nothing(station: &str, transport: Transport) -> Claim {
    Claim {
        transport,
        basic: None,
        ..by_password(station, b"")
    }
}

fn tls_open(station: &str) -> Claim {
    nothing(station, Transport::Tls(None))
}

fn fault(gate: &Gate, claim: Claim) -> ExceptionFault {
    match gate.admit(claim) {
        Err(RefusedHandshake::Exception(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a09_a_password_in_clear_text_needs_an_exception() {
    let plain = |station, password| Claim {
        transport: Transport::Plain,
        ..by_password(station, password)
    };
    let bare = gate([]);
    assert_eq!(
        fault(&bare, plain("FAST", SECRET)),
        ExceptionFault::NotThere
    );
    let gate = gate([exception(ExceptionKind::PlainBasic, &["FAST"])]);
    let admitted = gate.admit(plain("FAST", SECRET)).unwrap();
    assert_eq!(admitted.kind(), ConnectionKind::PlainBasic);
    assert_eq!(admitted.exception().unwrap().reason, "replaced in spring");
    assert_eq!(fault(&gate, plain("OLD", SECRET)), ExceptionFault::NotThere);
    // An exception is no credential.
    for claim in [
        plain("FAST", b"wrong"),
        plain("NOBODY", SECRET),
        plain("OFF", SECRET),
    ] {
        assert_eq!(
            gate.admit(claim).unwrap_err(),
            RefusedHandshake::Unauthorized
        );
    }
    assert!(
        gate.admit(by_password("FAST", SECRET))
            .unwrap()
            .exception()
            .is_none()
    );
}

#[test]
fn a01_nothing_to_show_needs_an_exception_of_the_right_kind() {
    let way = |kind| match kind {
        ExceptionKind::Plain => Transport::Plain,
        _ => Transport::Tls(None),
    };
    for (kind, other) in [
        (ExceptionKind::Plain, ExceptionKind::TlsOpen),
        (ExceptionKind::TlsOpen, ExceptionKind::Plain),
    ] {
        let gate = gate([exception(kind, &["OPEN-1", "OPEN-OFF", "FAST"])]);
        let admitted = gate.admit(nothing("OPEN-1", way(kind))).unwrap();
        assert_eq!(admitted.kind(), kind.connection());
        assert_eq!(
            gate.admit(nothing("OPEN-1", way(other))).unwrap_err(),
            RefusedHandshake::NoCredential
        );
        assert_eq!(
            fault(&gate, nothing("OPEN-2", way(kind))),
            ExceptionFault::NotThere
        );
        // Whoever has a credential shows it, and an unknown identity is never let in.
        for station in ["FAST", "NAMED", "OPEN-OFF", "NOBODY"] {
            assert_eq!(
                gate.admit(nothing(station, way(kind))).unwrap_err(),
                RefusedHandshake::Unauthorized,
                "{station}"
            );
        }
    }
}

#[test]
fn a04_a_wrong_password_at_an_open_station_costs_what_it_costs_elsewhere() {
    let shut = gate([]);
    let hash = |gate: &Gate, station: &str| {
        let prepared = gate.prepare(by_password(station, b"anything")).unwrap();
        let slow = prepared.needs_slow_hash();
        (slow, prepared.check(&gate.key).unwrap_err())
    };
    let (_, why) = hash(&shut, "OPEN-1");
    assert_eq!(why, RefusedHandshake::Unauthorized);
    // By its name, as a stranger's: some slow, some fast.
    let strangers = (0..200).map(|n| hash(&shut, &format!("OPEN-{n}")).0);
    assert!(strangers.clone().any(|slow| slow) && strangers.clone().any(|slow| !slow));
    // Where the exception fits, nobody looks at the password.
    let open = gate([exception(ExceptionKind::TlsOpen, &["OPEN-*"])]);
    let admitted = open.admit(by_password("OPEN-1", b"anything")).unwrap();
    assert_eq!(admitted.kind(), ConnectionKind::TlsOpen);
}

#[test]
fn a24_it_ends_with_its_last_day() {
    let ending = |until| {
        gate([Exception {
            until: UnixMillis(until),
            ..exception(ExceptionKind::TlsOpen, &["OPEN-1"])
        }])
    };
    assert!(ending(NOW + 1).admit(tls_open("OPEN-1")).is_ok());
    for until in [NOW, NOW - 1, 0] {
        let fault = fault(&ending(until), tls_open("OPEN-1"));
        assert_eq!(fault, ExceptionFault::Expired);
    }
}

#[test]
fn what_else_is_to_be_seen_of_it_must_fit() {
    let seen: TlsFingerprint = "t13d1516h2_8daaf6152771_02713d6af862".parse().unwrap();
    let other: TlsFingerprint = "t12d1516h2_8daaf6152771_02713d6af862".parse().unwrap();
    let secret = "a-segment-of-a-path-nobody-guesses";
    let gate = gate([Exception {
        networks: vec!["10.1.0.0/16".parse().unwrap()],
        path_secret: Some(PathSecret::of(secret)),
        tls_fingerprints: vec![seen],
        ..exception(ExceptionKind::TlsOpen, &["OPEN-1"])
    }]);
    let with = |change: &dyn Fn(&mut Circumstances)| {
        let mut claim = tls_open("OPEN-1");
        claim.circumstances.path_secret = Some(PathSecret::of(secret));
        claim.circumstances.tls = Some(seen);
        change(&mut claim.circumstances);
        claim
    };
    assert!(gate.admit(with(&|_| {})).is_ok());
    let elsewhere = |shown: &mut Circumstances| shown.peer = [10, 2, 0, 1].into();
    for (change, expected) in [
        (
            &elsewhere as &dyn Fn(&mut Circumstances),
            ExceptionFault::Network,
        ),
        (
            &|shown| shown.tls = Some(other),
            ExceptionFault::TlsFingerprint(Some(other)),
        ),
        (
            &|shown| shown.tls = None,
            ExceptionFault::TlsFingerprint(None),
        ),
        (
            &|shown| shown.path_secret = None,
            ExceptionFault::PathSecret,
        ),
        (
            &|shown| shown.path_secret = Some(PathSecret::of("another-segment-of-a-path")),
            ExceptionFault::PathSecret,
        ),
    ] {
        assert_eq!(fault(&gate, with(change)), expected);
    }
    // Without the secret, what else is wrong is not told, nor is it in the count of guesses.
    let mut stranger = with(&elsewhere);
    stranger.circumstances.path_secret = None;
    assert_eq!(fault(&gate, stranger), ExceptionFault::PathSecret);
}

#[test]
fn a15_a_secret_nobody_asked_for_is_a_wrong_path() {
    let gate = gate([exception(ExceptionKind::TlsOpen, &["OPEN-1"])]);
    let certificate = || by_certificate("NAMED", 1, Some("NAMED"));
    for claim in [
        tls_open("OPEN-1"),
        by_password("FAST", SECRET),
        certificate(),
    ] {
        let mut stray = Claim {
            transport: claim.transport.clone(),
            basic: claim.basic.clone(),
            offered: claim.offered.clone(),
            ..tls_open(claim.station.as_str())
        };
        assert!(gate.admit(claim).is_ok());
        stray.circumstances.path_secret = Some(PathSecret::of("a-segment-of-a-path"));
        assert_eq!(fault(&gate, stray), ExceptionFault::PathSecret);
    }
}

#[test]
fn exceptions_are_for_a_name_a_start_or_a_model() {
    let of_model = |maker: Option<&str>, model: Option<&str>| Stations::Model {
        maker: maker.map(str::to_owned),
        model: model.map(str::to_owned),
    };
    let named = |names: &[&str]| Stations::Named(names.iter().collect());
    for (stations, is_for) in [
        (named(&["OPEN-1"]), true),
        (named(&["OPEN-2", "OPEN-*"]), true),
        (named(&["*"]), true),
        (named(&["open-1", "OPEN-", "OPEN-11", "PEN-1*"]), false),
        (named(&[]), false),
        (of_model(Some("maker ag"), Some("Wall*")), true),
        (of_model(Some("Maker AG"), None), true),
        (of_model(None, Some("Wall Box")), false),
        (of_model(Some("Other"), Some("Wall Box 22")), false),
    ] {
        let words = format!("{stations:?}");
        let exception = Exception {
            stations,
            ..exception(ExceptionKind::TlsOpen, &[])
        };
        let admitted = gate([exception.clone()]).admit(tls_open("OPEN-1"));
        assert_eq!(admitted.is_ok(), is_for, "{words}");
        let of_others = Exception {
            tenant: Tenant("another".into()),
            ..exception
        };
        assert_eq!(
            fault(&gate([of_others]), tls_open("OPEN-1")),
            ExceptionFault::NotThere
        );
    }
    // A model that is not registered is no model.
    let unknown = Exception {
        stations: of_model(Some("*"), Some("*")),
        ..exception(ExceptionKind::TlsOpen, &[])
    };
    let mut gate = gate([unknown]);
    gate.book = Book::new([], [record("OPEN-1", Credential::ByException)]).unwrap();
    assert_eq!(fault(&gate, tls_open("OPEN-1")), ExceptionFault::NotThere);
}

#[test]
fn of_several_the_one_that_fits_lets_in() {
    let expired = Exception {
        until: UnixMillis(NOW - 1),
        ..exception(ExceptionKind::TlsOpen, &["OPEN-*"])
    };
    let elsewhere = Exception {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        ..exception(ExceptionKind::TlsOpen, &["OPEN-1"])
    };
    let fits = exception(ExceptionKind::TlsOpen, &["OPEN-1"]);
    let without = gate([elsewhere.clone(), expired.clone()]);
    assert_eq!(fault(&without, tls_open("OPEN-1")), ExceptionFault::Expired);
    let with = gate([elsewhere, expired, fits]);
    assert!(with.admit(tls_open("OPEN-1")).is_ok());
}

#[test]
fn nothing_of_a_path_secret_is_in_a_debug_form() {
    let exception = Exception {
        path_secret: Some(PathSecret::of("a-segment-of-a-path")),
        ..exception(ExceptionKind::TlsOpen, &["OPEN-1"])
    };
    let shown = format!("{exception:?}");
    assert!(
        shown.contains("PathSecret") && !shown.contains("PathSecret("),
        "{shown}"
    );
}
