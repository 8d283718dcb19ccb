//! Records for the promises: one of every shape there is.

use std::sync::Arc;

use guard::{
    Credential, CredentialMark, PasswordFingerprint, PasswordForm, PasswordHash, PasswordTraits,
    PendingCredential, Protocols, Route, RouteId, Secret, StationRecord, Tenant, UnixMillis,
    UpstreamCredential, Verifier, Weaknesses,
};
use ocpp::{StationId, Version};

pub(super) fn tenant(name: &str) -> Tenant {
    Tenant(Arc::from(name))
}

pub(super) fn identity(text: &str) -> Result<StationId, String> {
    StationId::parse(text, Version::V16).map_err(|error| format!("{text}: {error}"))
}

/// A station of tenant `blue` with a fast verifier.
pub(super) fn station(id: &str) -> Result<StationRecord, String> {
    let credential = Credential::Password(Verifier {
        form: PasswordForm::Hex,
        hash: PasswordHash::Fast {
            salt: [3; 16],
            tag: [4; 32],
        },
    });
    Ok(StationRecord::new(
        identity(id)?,
        tenant("blue"),
        credential,
    ))
}

/// What is known of a password, of that number.
pub(super) fn traits(number: u8) -> PasswordTraits {
    PasswordTraits {
        fingerprint: PasswordFingerprint::from_bytes([number; PasswordFingerprint::BYTES]),
        weaknesses: Weaknesses::from_bits(number),
        accepted: number % 2 == 1,
    }
}

/// A credential that a station has been given, of that number.
pub(super) fn pending(number: u8) -> PendingCredential {
    let mark = match number % 2 {
        0 => CredentialMark::Password(traits(number).fingerprint),
        _ => CredentialMark::Certificate([number; 32]),
    };
    PendingCredential {
        mark,
        until: UnixMillis(i64::from(number) * 1_000_000_007),
        accepted: false,
    }
}

/// One station for each way to prove oneself, with everything else varied along.
pub(super) fn one_of_each() -> Result<Vec<StationRecord>, String> {
    let slow = Credential::Password(Verifier {
        form: PasswordForm::Octets,
        hash: PasswordHash::Slow("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()),
    });
    let old = Protocols {
        allowed: vec![Version::V16],
        unnamed: Some(Version::V16),
    };
    Ok(vec![
        StationRecord {
            password: Some(traits(7)),
            ..station("fast")?
        },
        StationRecord {
            credential: slow,
            protocols: old,
            ..station("slow ünïcode")?
        },
        StationRecord {
            credential: Credential::Certificate([9; 32]),
            enabled: false,
            upstream_password: Some(Secret::new(vec![0, 255, 10])),
            ..station("certificate")?
        },
        StationRecord {
            credential: Credential::CertificateName,
            protocols: Protocols {
                allowed: vec![Version::V21, Version::V201],
                unnamed: None,
            },
            upstream_password: Some(Secret::new(Vec::new())),
            ..station("name")?
        },
        StationRecord {
            credential: Credential::ByException,
            maker: Some("Maker AG".into()),
            model: Some("Säule 22".into()),
            serial: Some("SN 1".into()),
            ..station("exception")?
        },
    ])
}

pub(super) fn route(id: &str, path: &str, credential: UpstreamCredential) -> Route {
    Route {
        id: RouteId(Arc::from(id)),
        path: path.to_owned(),
        tenant: tenant("blue"),
        upstream: format!("wss://csms.example/{id}"),
        credential,
        organization: (id == "second").then(|| "Example Charging".to_owned()),
    }
}

/// Everything of a record, secrets included, so that two can be compared.
pub(super) fn picture(station: &StationRecord) -> String {
    let upstream = station.upstream_password.as_ref().map(Secret::expose);
    let password = station.password.map(|traits| *traits.fingerprint.bytes());
    let pending = station.pending.iter().filter_map(|one| match one.mark {
        CredentialMark::Password(fingerprint) => Some(*fingerprint.bytes()),
        CredentialMark::Certificate(_) => None,
    });
    let pending: Vec<_> = pending.collect();
    format!("{station:?} {upstream:?} {password:?} {pending:?}")
}

pub(super) fn route_picture(route: &Route) -> String {
    let fixed = match &route.credential {
        UpstreamCredential::Fixed(secret) => Some(secret.expose()),
        _ => None,
    };
    format!("{route:?} {fixed:?}")
}
