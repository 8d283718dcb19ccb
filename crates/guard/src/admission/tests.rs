mod certificate;
mod exception;
mod hashes;
mod wire;

use ocpp::{StationId, Version};

use super::*;
use crate::{
    Book, ConnectionKind, Credential, PasswordForm, RefusedHandshake, StationRecord, UnixMillis,
    Verifier, VerifierKey,
};

const SECRET: &[u8] = b"a secret of 24 bytes, no";
/// What the wall clock shows.
const NOW: i64 = 1_000_000;
const CHOSEN: &[u8] = b"hunter2";

/// One tenant, `t`, with a station for each kind of credential, and some that may not come in.
struct Gate {
    book: Book,
    exceptions: Exceptions,
    key: VerifierKey,
    cache: VerifierCache,
}

fn id(text: &str) -> StationId {
    StationId::parse(text, Version::V16).unwrap()
}

fn record(name: &str, credential: Credential) -> StationRecord {
    StationRecord::new(id(name), Tenant("t".into()), credential)
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
            exceptions: Exceptions::default(),
            key,
            cache: VerifierCache::bounded(4),
        }
    }

    fn prepare(&self, claim: Claim) -> Result<Prepared, RefusedHandshake> {
        let standing = Standing {
            book: &self.book,
            exceptions: &self.exceptions,
            key: &self.key,
            now: UnixMillis(NOW),
        };
        prepare(claim, &standing)
    }

    fn admit(&self, claim: Claim) -> Result<Admitted, RefusedHandshake> {
        self.prepare(claim)?.check(&self.key)
    }
}

fn basic(user: &[u8], password: &[u8]) -> Basic {
    // As on the wire: the user name ends at the first colon.
    let pair = [user, b":", password].concat();
    let colon = pair.iter().position(|byte| *byte == b':').unwrap();
    let (user, password) = (&pair[..colon], &pair[colon + 1..]);
    Basic::new(user.to_vec(), crate::Secret::new(password.to_vec()))
}

fn by_password(station: &str, password: &[u8]) -> Claim {
    Claim {
        tenant: Tenant("t".into()),
        station: id(station),
        transport: Transport::Tls(None),
        basic: Some(basic(station.as_bytes(), password)),
        offered: Offered::read(["ocpp2.0.1, ocpp1.6"]),
        circumstances: Circumstances {
            peer: [10, 1, 2, 3].into(),
            path_secret: None,
            tls: None,
        },
    }
}

fn facts(fingerprint: u8, name: Option<&str>) -> CertificateFacts {
    CertificateFacts {
        fingerprint: [fingerprint; 32],
        common_name: name.map(str::to_owned),
        organization: Some("Example Charging".to_owned()),
        issuer: b"our CA".to_vec(),
        serial: Serial::new(&[fingerprint]).unwrap(),
        not_before: 1_000,
        not_after: 2_000,
    }
}

fn by_certificate(station: &str, fingerprint: u8, name: Option<&str>) -> Claim {
    let vetted =
        facts(fingerprint, name).vet(&CertificateRules::default(), None, UnixMillis(1_500_000));
    Claim {
        transport: Transport::Tls(Some(vetted.unwrap())),
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
    assert!(gate.admit(by_password("SLOW", CHOSEN)).is_ok());
}

#[test]
fn the_right_certificate_comes_in() {
    let gate = Gate::new();
    for claim in [
        by_certificate("PINNED", 7, None),
        by_certificate("NAMED", 1, Some("NAMED")),
        // Basic beside it must name the same station, and changes nothing else.
        Claim {
            basic: Some(basic(b"NAMED", b"whatever")),
            ..by_certificate("NAMED", 1, Some("NAMED"))
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
        by_certificate("PINNED", 8, Some("PINNED")),
        by_certificate("NAMED", 7, Some("PINNED")),
        by_certificate("NAMED", 7, Some("named")),
        by_certificate("NAMED", 7, None),
        by_certificate("FAST", 7, Some("FAST")),
        by_certificate("OFF-NAMED", 7, Some("OFF-NAMED")),
        by_certificate("NOBODY", 7, Some("NOBODY")),
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
