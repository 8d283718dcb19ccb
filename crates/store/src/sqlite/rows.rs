//! Between rows and records. Reading back is as careful as reading from outside: somebody may have
//! edited the database by hand.

use std::sync::Arc;

use guard::{
    Credential, PasswordForm, PasswordHash, Protocols, Route, RouteId, Secret, StationRecord,
    Tenant, UpstreamCredential, Verifier,
};
use ocpp::{StationId, Version};
use rusqlite::{Row, Transaction, params};

use super::{engine_error, passwords};
use crate::StoreError;
use crate::sealed::{Place, SealingKey};

pub(super) const SELECT_STATION: &str = "SELECT tenant, identity, enabled, credential, \
    password_form, fast_salt, fast_tag, slow_phc, fingerprint, versions, unnamed, \
    upstream_password, maker, model, password_traits, serial, replaced, adopted FROM station";

pub(super) const SELECT_ROUTES: &str = "SELECT id, path, tenant, upstream, credential, \
    password, organization FROM route ORDER BY source, position";

/// A row of the table `station`, as it stands there.
pub(super) struct StationRow {
    tenant: String,
    identity: String,
    enabled: bool,
    credential: String,
    password_form: Option<String>,
    fast_salt: Option<[u8; 16]>,
    fast_tag: Option<[u8; 32]>,
    slow_phc: Option<String>,
    fingerprint: Option<[u8; 32]>,
    versions: String,
    unnamed: Option<String>,
    upstream_password: Option<Vec<u8>>,
    maker: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    replaced: u32,
    password_traits: Option<Vec<u8>>,
    adopted: bool,
}

impl StationRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StationRow> {
        Ok(StationRow {
            tenant: row.get(0)?,
            identity: row.get(1)?,
            enabled: row.get(2)?,
            credential: row.get(3)?,
            password_form: row.get(4)?,
            fast_salt: row.get(5)?,
            fast_tag: row.get(6)?,
            slow_phc: row.get(7)?,
            fingerprint: row.get(8)?,
            versions: row.get(9)?,
            unnamed: row.get(10)?,
            upstream_password: row.get(11)?,
            maker: row.get(12)?,
            model: row.get(13)?,
            password_traits: row.get(14)?,
            serial: row.get(15)?,
            replaced: row.get(16)?,
            adopted: row.get(17)?,
        })
    }

    pub(super) fn record(self, sealing: &SealingKey) -> Result<StationRecord, StoreError> {
        let damaged = |part: &str| StoreError::Damaged {
            what: format!(
                "the {part} of station {} of tenant {}",
                self.identity, self.tenant
            ),
        };
        // 1.6 allows the widest alphabet; what a version allows was checked at registration.
        let id = StationId::parse(&self.identity, Version::V16).map_err(|_| damaged("identity"))?;
        let credential = self.proof().ok_or_else(|| damaged("credential"))?;
        let protocols = self.protocols().ok_or_else(|| damaged("versions"))?;
        let place = Place::UpstreamPassword {
            tenant: &self.tenant,
            identity: &self.identity,
        };
        let upstream_password = match &self.upstream_password {
            None => None,
            Some(sealed) => Some(
                sealing
                    .open(sealed, &place)
                    .map_err(|_| damaged("sealed upstream password"))?,
            ),
        };
        let password = match &self.password_traits {
            None => None,
            Some(sealed) => {
                let opened = passwords::open_traits(sealing, &self.tenant, &self.identity, sealed);
                Some(opened.ok_or_else(|| damaged("sealed password traits"))?)
            }
        };
        Ok(StationRecord {
            enabled: self.enabled,
            adopted: self.adopted,
            password,
            protocols,
            upstream_password,
            maker: self.maker.map(Into::into),
            model: self.model.map(Into::into),
            serial: self.serial.map(Into::into),
            replaced: self.replaced,
            ..StationRecord::new(id, Tenant(Arc::from(self.tenant.as_str())), credential)
        })
    }

    fn proof(&self) -> Option<Credential> {
        match self.credential.as_str() {
            "password" => {
                let form = match self.password_form.as_deref()? {
                    "octets" => PasswordForm::Octets,
                    "hex" => PasswordForm::Hex,
                    _ => return None,
                };
                let hash = match (&self.slow_phc, self.fast_salt, self.fast_tag) {
                    (Some(phc), None, None) => PasswordHash::Slow(phc.clone()),
                    (None, Some(salt), Some(tag)) => PasswordHash::Fast { salt, tag },
                    _ => return None,
                };
                Some(Credential::Password(Verifier { form, hash }))
            }
            "certificate" => self.fingerprint.map(Credential::Certificate),
            "certificate-name" => Some(Credential::CertificateName),
            "exception" => Some(Credential::ByException),
            _ => None,
        }
    }

    fn protocols(&self) -> Option<Protocols> {
        let allowed: Option<Vec<Version>> = self
            .versions
            .split_ascii_whitespace()
            .map(Version::from_number)
            .collect();
        let unnamed = match self.unnamed.as_deref() {
            None => None,
            Some(number) => Some(Version::from_number(number)?),
        };
        Some(Protocols {
            allowed: allowed?,
            unnamed,
        })
    }
}

pub(super) fn insert_station(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    station: &StationRecord,
) -> Result<(), StoreError> {
    let place = Place::UpstreamPassword {
        tenant: &station.tenant.0,
        identity: station.id.as_str(),
    };
    let upstream_password = seal(sealing, station.upstream_password.as_ref(), &place)?;
    let proof = ProofColumns::of(&station.credential);
    let versions: Vec<&str> = station
        .protocols
        .allowed
        .iter()
        .map(|version| version.number())
        .collect();
    let mut statement = transaction
        .prepare_cached(
            "INSERT INTO station (tenant, identity, folded, enabled, credential, password_form,
                fast_salt, fast_tag, slow_phc, fingerprint, versions, unnamed, upstream_password,
                maker, model, serial, replaced, added_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
        )
        .map_err(engine_error)?;
    statement
        .execute(params![
            &*station.tenant.0,
            station.id.as_str(),
            station.id.folded(),
            station.enabled,
            proof.credential,
            proof.form,
            proof.salt,
            proof.tag,
            proof.phc,
            proof.fingerprint,
            versions.join(" "),
            station.protocols.unnamed.map(Version::number),
            upstream_password,
            station.maker,
            station.model,
            station.serial,
            station.replaced,
        ])
        .map_err(engine_error)?;
    if station.adopted {
        mark_adopted(transaction, &station.tenant, &station.id, true)?;
    }
    match &station.password {
        None => Ok(()),
        some => {
            let (tenant, id) = (&station.tenant, &station.id);
            passwords::keep_traits(transaction, sealing, tenant, id, some.as_ref())
        }
    }
}

/// Notes whether somebody has yet to look at an adopted station; how many there are of it.
pub(super) fn mark_adopted(
    transaction: &Transaction<'_>,
    tenant: &Tenant,
    id: &StationId,
    adopted: bool,
) -> Result<usize, StoreError> {
    transaction
        .execute(
            "UPDATE station SET adopted = ?3 WHERE tenant = ?1 AND identity = ?2",
            params![&*tenant.0, id.as_str(), adopted],
        )
        .map_err(engine_error)
}

/// Replaces the password shown to the CSMS in a station's name.
pub(super) fn set_upstream_password(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    tenant: &Tenant,
    id: &StationId,
    secret: &Secret,
) -> Result<(), StoreError> {
    let place = Place::UpstreamPassword {
        tenant: &tenant.0,
        identity: id.as_str(),
    };
    let sealed = seal(sealing, Some(secret), &place)?;
    transaction
        .execute(
            "UPDATE station SET upstream_password = ?3 WHERE tenant = ?1 AND identity = ?2",
            params![&*tenant.0, id.as_str(), sealed],
        )
        .map(|_| ())
        .map_err(engine_error)
}

/// The columns that say how a station proves itself; most of them empty.
#[derive(Default)]
pub(super) struct ProofColumns<'a> {
    pub(super) credential: &'static str,
    pub(super) form: Option<&'static str>,
    pub(super) salt: Option<&'a [u8]>,
    pub(super) tag: Option<&'a [u8]>,
    pub(super) phc: Option<&'a str>,
    pub(super) fingerprint: Option<&'a [u8]>,
}

impl ProofColumns<'_> {
    pub(super) fn of(credential: &Credential) -> ProofColumns<'_> {
        match credential {
            Credential::Password(verifier) => {
                let form = Some(match verifier.form {
                    PasswordForm::Octets => "octets",
                    PasswordForm::Hex => "hex",
                });
                let columns = ProofColumns {
                    credential: "password",
                    form,
                    ..Default::default()
                };
                match &verifier.hash {
                    PasswordHash::Fast { salt, tag } => ProofColumns {
                        salt: Some(salt),
                        tag: Some(tag),
                        ..columns
                    },
                    PasswordHash::Slow(phc) => ProofColumns {
                        phc: Some(phc),
                        ..columns
                    },
                }
            }
            Credential::Certificate(fingerprint) => ProofColumns {
                credential: "certificate",
                fingerprint: Some(fingerprint),
                ..Default::default()
            },
            Credential::CertificateName => ProofColumns {
                credential: "certificate-name",
                ..Default::default()
            },
            Credential::ByException => ProofColumns {
                credential: "exception",
                ..Default::default()
            },
        }
    }
}

/// A row of the table `route`, as it stands there.
pub(super) struct RouteRow {
    id: String,
    path: String,
    tenant: String,
    upstream: String,
    credential: String,
    password: Option<Vec<u8>>,
    organization: Option<String>,
}

impl RouteRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<RouteRow> {
        Ok(RouteRow {
            id: row.get(0)?,
            path: row.get(1)?,
            tenant: row.get(2)?,
            upstream: row.get(3)?,
            credential: row.get(4)?,
            password: row.get(5)?,
            organization: row.get(6)?,
        })
    }

    pub(super) fn route(self, sealing: &SealingKey) -> Result<Route, StoreError> {
        let damaged = || StoreError::Damaged {
            what: format!("the credential of route {}", self.id),
        };
        let credential = match (self.credential.as_str(), &self.password) {
            ("forward", _) => UpstreamCredential::Forward,
            ("none", _) => UpstreamCredential::None,
            ("per-station", _) => UpstreamCredential::PerStation,
            ("fixed", Some(sealed)) => {
                let place = Place::RoutePassword { route: &self.id };
                UpstreamCredential::Fixed(sealing.open(sealed, &place).map_err(|_| damaged())?)
            }
            _ => return Err(damaged()),
        };
        Ok(Route {
            id: RouteId(Arc::from(self.id.as_str())),
            path: self.path,
            tenant: Tenant(Arc::from(self.tenant.as_str())),
            upstream: self.upstream,
            credential,
            organization: self.organization,
        })
    }
}

pub(super) fn insert_route(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    route: &Route,
    position: usize,
) -> Result<(), StoreError> {
    let (credential, secret) = match &route.credential {
        UpstreamCredential::Forward => ("forward", None),
        UpstreamCredential::None => ("none", None),
        UpstreamCredential::PerStation => ("per-station", None),
        UpstreamCredential::Fixed(secret) => ("fixed", Some(secret)),
    };
    let password = seal(
        sealing,
        secret,
        &Place::RoutePassword { route: &route.id.0 },
    )?;
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    transaction
        .execute(
            "INSERT INTO route (id, path, tenant, upstream, credential, password, organization,
                source, position)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'file', ?8)",
            params![
                &*route.id.0,
                route.path,
                &*route.tenant.0,
                route.upstream,
                credential,
                password,
                route.organization,
                position
            ],
        )
        .map(|_| ())
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => StoreError::RouteTaken {
                id: route.id.0.to_string(),
            },
            _ => engine_error(error),
        })
}

fn seal(
    sealing: &SealingKey,
    secret: Option<&Secret>,
    place: &Place<'_>,
) -> Result<Option<Vec<u8>>, StoreError> {
    secret
        .map(|secret| sealing.seal(secret, place))
        .transpose()
        .map_err(|_| StoreError::Engine("a secret cannot be sealed on this machine".to_owned()))
}
