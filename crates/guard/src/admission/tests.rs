use base64::Engine;
use ocpp::{StationId, Version};
use proptest::prelude::*;

use super::*;
use crate::{
    Book, ConnectionKind, Credential, PasswordForm, RefusedHandshake, StationRecord, Verifier,
    VerifierKey,
};

const SECRET: &[u8] = b"a secret of 24 bytes, no";
const CHOSEN: &[u8] = b"hunter2";

/// One tenant, `t`, with a station for each kind of credential, and some that may not come in.
struct Gate {
    book: Book,
    key: VerifierKey,
    cache: VerifierCache,
}

fn id(text: &str) -> StationId {
    StationId::parse(text, Version::V16).unwrap()
}

fn record(name: &str, credential: Credential) -> StationRecord {
    StationRecord {
        id: id(name),
        tenant: Tenant("t".into()),
        enabled: true,
        credential,
        protocols: Protocols::default(),
        upstream_password: None,
    }
}

impl Gate {
    fn new() -> Gate {
        let key = VerifierKey::new([1; 32]);
        let fast = Verifier::fast(SECRET, PasswordForm::Octets, &key, [2; 16]).unwrap();
        let slow = Verifier::slow(CHOSEN, PasswordForm::Octets, [2; 16]).unwrap();
        let stations = [
            record("FAST", Credential::Password(fast.clone())),
            record("CP 1:b", Credential::Password(fast.clone())),
            record("with space", Credential::Password(fast.clone())),
            record("SLOW", Credential::Password(slow.clone())),
            record("PINNED", Credential::Certificate([7; 32])),
            record("NAMED", Credential::CertificateName),
            StationRecord {
                enabled: false,
                ..record("OFF", Credential::Password(fast.clone()))
            },
            StationRecord {
                enabled: false,
                ..record("OFF-SLOW", Credential::Password(slow))
            },
            StationRecord {
                enabled: false,
                ..record("OFF-NAMED", Credential::CertificateName)
            },
            StationRecord {
                protocols: Protocols {
                    allowed: vec![Version::V16],
                    unnamed: Some(Version::V16),
                },
                ..record("OLD", Credential::Password(fast))
            },
        ];
        Gate {
            book: Book::new([], stations).unwrap(),
            key,
            cache: VerifierCache::bounded(4),
        }
    }

    fn prepare(&self, claim: Claim) -> Result<Prepared, RefusedHandshake> {
        prepare(claim, &self.book, &self.key)
    }

    fn admit(&self, claim: Claim) -> Result<Admitted, RefusedHandshake> {
        self.prepare(claim)?.check(&self.key)
    }
}

fn basic(user: &[u8], password: &[u8]) -> Basic {
    let pair = [user, b":", password].concat();
    let header = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    );
    Basic::read(header.as_bytes()).unwrap()
}

fn by_password(station: &str, password: &[u8]) -> Claim {
    Claim {
        tenant: Tenant("t".into()),
        station: id(station),
        transport: Transport::Tls(None),
        basic: Some(basic(station.as_bytes(), password)),
        offered: Offered::read(["ocpp2.0.1, ocpp1.6"]),
    }
}

fn by_certificate(station: &str, fingerprint: u8, name: Option<&str>, verified: bool) -> Claim {
    Claim {
        transport: Transport::Tls(Some(ClientCertificate {
            fingerprint: [fingerprint; 32],
            common_name: name.map(str::to_owned),
            chain_verified: verified,
        })),
        basic: None,
        ..by_password(station, b"")
    }
}

#[test]
fn the_right_password_comes_in() {
    let gate = Gate::new();
    let admitted = gate.admit(by_password("FAST", SECRET)).unwrap();
    assert_eq!(admitted.station().id.as_str(), "FAST");
    assert_eq!(admitted.version(), Version::V201);
    assert!(admitted.named_subprotocol());
    assert_eq!(admitted.kind(), ConnectionKind::TlsBasic);

    let plain = Claim {
        transport: Transport::Plain,
        ..by_password("FAST", SECRET)
    };
    assert_eq!(
        gate.admit(plain).unwrap().kind(),
        ConnectionKind::PlainBasic
    );
    assert!(gate.admit(by_password("SLOW", CHOSEN)).is_ok());
}

#[test]
fn the_right_certificate_comes_in() {
    let gate = Gate::new();
    for claim in [
        by_certificate("PINNED", 7, None, true),
        by_certificate("NAMED", 1, Some("NAMED"), true),
        // Basic beside it must name the same station, and changes nothing else.
        Claim {
            basic: Some(basic(b"NAMED", b"whatever")),
            ..by_certificate("NAMED", 1, Some("NAMED"), true)
        },
    ] {
        let admitted = gate.admit(claim).unwrap();
        assert_eq!(admitted.kind(), ConnectionKind::TlsCertificate);
    }
}

#[test]
fn strangers_and_disabled_stations_are_refused_alike() {
    let gate = Gate::new();
    for claim in [
        by_password("NOBODY", SECRET),
        by_password("FAST", b"a secret of 24 bytes, na"),
        by_password("FAST", b""),
        by_password("fast", SECRET),
        by_password("SLOW", b"hunter3"),
        by_password("OFF", SECRET),
        by_password("OFF-SLOW", CHOSEN),
        by_password("NAMED", SECRET),
        Claim {
            tenant: Tenant("another".into()),
            ..by_password("FAST", SECRET)
        },
        by_certificate("PINNED", 8, Some("PINNED"), true),
        by_certificate("PINNED", 7, Some("PINNED"), false),
        by_certificate("NAMED", 7, Some("PINNED"), true),
        by_certificate("NAMED", 7, Some("named"), true),
        by_certificate("NAMED", 7, None, true),
        by_certificate("NAMED", 7, Some("NAMED"), false),
        by_certificate("FAST", 7, Some("FAST"), true),
        by_certificate("OFF-NAMED", 7, Some("OFF-NAMED"), true),
        by_certificate("NOBODY", 7, Some("NOBODY"), true),
    ] {
        let words = format!("{claim:?}");
        let refused = gate.admit(claim).unwrap_err();
        assert_eq!(refused, RefusedHandshake::Unauthorized, "{words}");
    }
}

#[test]
fn what_a_claim_lacks_is_told_from_the_claim_alone() {
    let gate = Gate::new();
    for station in ["FAST", "NOBODY", "OFF"] {
        let nothing = Claim {
            basic: None,
            ..by_password(station, SECRET)
        };
        assert_eq!(
            gate.admit(nothing).unwrap_err(),
            RefusedHandshake::NoCredential
        );
        for user in ["", "FAS", "FAST2", "other"] {
            let other = Claim {
                basic: Some(basic(user.as_bytes(), SECRET)),
                ..by_password(station, SECRET)
            };
            let refused = gate.prepare(other).unwrap_err();
            assert_eq!(refused, RefusedHandshake::UserNotIdentity);
        }
    }
    // Basic cannot carry a colon in a user name (RFC 7617, 2).
    let colon = by_password("CP 1:b", SECRET);
    assert_eq!(
        gate.admit(colon).unwrap_err(),
        RefusedHandshake::UserNotIdentity
    );
}

/// How many hashes of which kind a claim costs: none, or one that is slow or fast.
fn cost(gate: &Gate, claim: Claim) -> Option<bool> {
    let prepared = gate.prepare(claim).ok()?;
    Some(prepared.needs_slow_hash())
}

#[test]
fn unknown_disabled_and_wrong_cost_the_same_hash() {
    let gate = Gate::new();
    assert_eq!(cost(&gate, by_password("FAST", b"wrong")), Some(false));
    assert_eq!(cost(&gate, by_password("OFF", SECRET)), Some(false));
    assert_eq!(cost(&gate, by_password("SLOW", b"wrong")), Some(true));
    assert_eq!(cost(&gate, by_password("OFF-SLOW", CHOSEN)), Some(true));
    // Two of six registered passwords are slow, and so is about a third of all strangers.
    let strangers = (0..600).map(|number| format!("NOBODY-{number}"));
    let slow: Vec<bool> = strangers
        .clone()
        .filter_map(|name| cost(&gate, by_password(&name, SECRET)))
        .collect();
    let count = slow.iter().filter(|slow| **slow).count();
    assert_eq!(slow.len(), 600);
    assert!((120..280).contains(&count), "{count} of 600");
    let again: Vec<bool> = strangers
        .filter_map(|name| cost(&gate, by_password(&name, CHOSEN)))
        .collect();
    assert_eq!(slow, again, "asking twice tells nothing");
}

#[test]
fn a_fleet_without_slow_passwords_runs_no_slow_hash_for_strangers() {
    let key = VerifierKey::new([1; 32]);
    let fast = Verifier::fast(SECRET, PasswordForm::Octets, &key, [2; 16]).unwrap();
    let gate = Gate {
        book: Book::new([], [record("FAST", Credential::Password(fast))]).unwrap(),
        ..Gate::new()
    };
    for number in 0..200 {
        let claim = by_password(&format!("NOBODY-{number}"), CHOSEN);
        assert_eq!(cost(&gate, claim), Some(false));
    }
}

#[test]
fn a_slow_password_is_slow_only_once() {
    let mut gate = Gate::new();
    let mut first = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut first);
    assert!(first.needs_slow_hash());
    gate.cache.learn(&first.check(&gate.key).unwrap());
    assert_eq!(gate.cache.len(), 1);

    let mut again = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut again);
    assert!(!again.needs_slow_hash());
    assert!(again.check(&gate.key).is_ok());

    let mut wrong = gate.prepare(by_password("SLOW", b"hunter3")).unwrap();
    gate.cache.recall(&mut wrong);
    assert!(wrong.needs_slow_hash());
    assert!(wrong.check(&gate.key).is_err());

    // A new verifier for the same password: the station proves itself anew.
    let renewed = Verifier::slow(CHOSEN, PasswordForm::Octets, [3; 16]).unwrap();
    gate.book = Book::new([], [record("SLOW", Credential::Password(renewed))]).unwrap();
    let mut changed = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut changed);
    assert!(changed.needs_slow_hash());
}

#[test]
fn a_station_disabled_after_its_check_is_out_all_the_same() {
    let mut gate = Gate::new();
    let first = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.learn(&first.check(&gate.key).unwrap());
    let disabled = StationRecord {
        enabled: false,
        ..(**gate.book.find(&Tenant("t".into()), &id("SLOW")).unwrap()).clone()
    };
    gate.book = Book::new([], [disabled]).unwrap();
    let mut again = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut again);
    assert_eq!(
        again.check(&gate.key).unwrap_err(),
        RefusedHandshake::Unauthorized
    );
}

#[test]
fn the_cache_keeps_its_bound_and_forgets_the_oldest() {
    let mut cache = VerifierCache::bounded(2);
    let gate = Gate::new();
    let mut admitted = gate.admit(by_password("FAST", SECRET)).unwrap();
    cache.learn(&admitted);
    assert!(cache.is_empty(), "a fast check needs no cache");
    for number in 0..5 {
        admitted.slow_tag = Some([number; 32]);
        cache.learn(&admitted);
        cache.learn(&admitted);
    }
    assert_eq!(cache.len(), 2);
}

#[test]
fn the_first_allowed_version_is_chosen() {
    let all = Protocols::default();
    let old = Protocols {
        allowed: vec![Version::V16],
        unnamed: Some(Version::V16),
    };
    for (headers, protocols, expected) in [
        (vec!["ocpp1.6, ocpp2.0.1"], &all, Some((Version::V16, true))),
        (
            vec!["ocpp2.1", "ocpp2.0.1"],
            &all,
            Some((Version::V21, true)),
        ),
        (
            vec!["ocpp1.5,\tocpp2.0.1"],
            &all,
            Some((Version::V201, true)),
        ),
        (vec!["ocpp2.1,ocpp1.6"], &old, Some((Version::V16, true))),
        (vec!["OCPP1.6"], &all, None),
        (vec!["ocpp1.5"], &old, None),
        (vec!["ocpp2.1"], &old, None),
        (vec![], &old, Some((Version::V16, false))),
        (vec!["", " ,"], &old, Some((Version::V16, false))),
        (vec![], &all, None),
    ] {
        let chosen = Offered::read(headers.iter().copied()).choose(protocols);
        assert_eq!(chosen, expected, "{headers:?}");
    }
    let many = vec!["ocpp1.6,ocpp1.6,nonsense,"; 1000];
    assert_eq!(Offered::read(many).versions, [Version::V16]);
}

#[test]
fn version_and_alphabet_are_told_only_after_the_proof() {
    let gate = Gate::new();
    let offering = |claim: Claim, offered: &str| Claim {
        offered: Offered::read([offered]),
        ..claim
    };
    let refused = |claim| gate.admit(claim).unwrap_err();
    let none = offering(by_password("FAST", SECRET), "ocpp1.5");
    assert_eq!(refused(none), RefusedHandshake::NoVersion);
    let stranger = offering(by_password("NOBODY", SECRET), "ocpp1.5");
    assert_eq!(refused(stranger), RefusedHandshake::Unauthorized);
    let spaced = offering(by_password("with space", SECRET), "ocpp2.0.1");
    assert_eq!(refused(spaced), RefusedHandshake::BadIdentity);
    let spaced = offering(by_password("with space", SECRET), "ocpp1.6");
    assert!(gate.admit(spaced).is_ok());
    let unnamed = gate
        .admit(offering(by_password("OLD", SECRET), ""))
        .unwrap();
    assert!(!unnamed.named_subprotocol());
    assert_eq!(unnamed.version(), Version::V16);
}

#[test]
fn an_identity_is_decoded_once_and_is_no_path() {
    for (segment, expected) in [
        ("CP1", Some("CP1")),
        ("CP%201", Some("CP 1")),
        ("a%3Ab", Some("a:b")),
        ("a:b", Some("a:b")),
        ("a+b", Some("a+b")),
        ("S%C3%A4ule", Some("Säule")),
        ("%43%50%31", Some("CP1")),
        ("CP1%2F..%2FCP2", None),
        ("CP1%5cCP2", None),
        ("CP1%252F", None),
        ("CP1%00", None),
        ("CP1%0a", None),
        ("CP1%20", None),
        ("%20CP1", None),
        ("CP1%", None),
        ("CP1%2", None),
        ("CP1%zz", None),
        ("CP1%+1", None),
        ("%ff", None),
        ("%C0%AF", None),
        ("Säule", None),
        ("CP 1", None),
        ("CP1/", None),
        ("a\0", None),
        ("", None),
    ] {
        let identity = identify(segment).ok();
        assert_eq!(
            identity.as_ref().map(StationId::as_str),
            expected,
            "{segment}"
        );
    }
    assert!(identify(&"a".repeat(255)).is_ok());
    assert!(identify(&"%61".repeat(255)).is_ok());
    assert!(identify(&"a".repeat(256)).is_err());
    assert!(identify(&"a".repeat(100_000)).is_err());
}

#[test]
fn a_basic_header_is_read_as_bytes() {
    let read = |header: &str| {
        let basic = Basic::read(header.as_bytes()).ok()?;
        Some((basic.user, basic.password.expose().to_vec()))
    };
    let pair = |user: &[u8], password: &[u8]| Some((user.to_vec(), password.to_vec()));
    assert_eq!(read("Basic Q1AxOnB3"), pair(b"CP1", b"pw"));
    assert_eq!(read("basic  Q1AxOnB3 "), pair(b"CP1", b"pw"));
    assert_eq!(read("BASIC Q1AxOmE6Yg=="), pair(b"CP1", b"a:b"));
    assert_eq!(read("Basic Q1AxOmE6Yg"), pair(b"CP1", b"a:b"));
    assert_eq!(read("Basic Q1AxOv8A"), pair(b"CP1", &[255, 0]));
    assert_eq!(read("Basic Og=="), pair(b"", b""));
    for nonsense in [
        "",
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic Q1Ax",
        "Bearer Q1AxOnB3",
        "é",
    ] {
        assert_eq!(read(nonsense), None, "{nonsense}");
    }
    assert_eq!(read(&format!("Basic {}", "QUFB".repeat(300))), None);
}

#[test]
fn nothing_of_a_password_is_in_a_debug_form() {
    let gate = Gate::new();
    let claim = by_password("FAST", b"hunter2hunter2hunter2");
    let shown = format!("{claim:?} {:?}", gate.prepare(by_password("FAST", SECRET)));
    assert!(
        !shown.contains("hunter2") && !shown.contains("a secret"),
        "{shown}"
    );
}

#[test]
fn a_prepared_claim_can_go_to_another_thread() {
    fn sendable<T: Send + 'static>() {}
    sendable::<Prepared>();
    sendable::<Admitted>();
}

proptest! {
    #[test]
    fn no_header_or_path_makes_us_panic(header: Vec<u8>, segment: String, offers: Vec<String>) {
        let _ = Basic::read(&header);
        let _ = Basic::read(&[b"Basic ".as_slice(), &header].concat());
        if let Ok(identity) = identify(&segment) {
            prop_assert!(!identity.as_str().contains(['/', '\\', '%', '\0']));
        }
        prop_assert!(Offered::read(offers.iter().map(String::as_str)).versions.len() <= 3);
    }

    #[test]
    fn an_encoded_identity_comes_back(name in "[ -~&&[^/\\\\%]]{1,60}") {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let decoded = identify(&encoded).ok();
        let fits = name.trim() == name;
        prop_assert_eq!(decoded.as_ref().map(StationId::as_str), fits.then_some(name.as_str()));
    }
}
