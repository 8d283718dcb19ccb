//! What is known of a station's password, and its change: the verifier and what belongs to it are
//! written together, so that neither ever speaks of another password.

use guard::{
    Credential, Lesson, PasswordFingerprint, PasswordTraits, Secret, StationRecord, Tenant,
    Weaknesses,
};
use ocpp::StationId;
use rusqlite::{OptionalExtension, Transaction, params};

use super::rows::{self, ProofColumns, SELECT_STATION, StationRow};
use super::{engine_error, known, pending, register};
use crate::StoreError;
use crate::sealed::{Place, SealingKey};

/// Weaknesses, whether the operator accepts them, and the fingerprint.
const TRAITS_BYTES: usize = 2 + PasswordFingerprint::BYTES;

/// Writes what is known of a password beside its verifier.
pub(super) fn keep_traits(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    tenant: &Tenant,
    id: &StationId,
    traits: Option<&PasswordTraits>,
) -> Result<(), StoreError> {
    let place = place(&tenant.0, id.as_str());
    let sealed = traits.map(|traits| sealing.seal(&plain(traits), &place));
    let sealed = sealed.transpose().map_err(|_| {
        StoreError::Engine("a password's traits cannot be sealed on this machine".to_owned())
    })?;
    transaction
        .prepare_cached(
            "UPDATE station SET password_traits = ?3 WHERE tenant = ?1 AND identity = ?2",
        )
        .and_then(|mut statement| statement.execute(params![&*tenant.0, id.as_str(), sealed]))
        .map(|_| ())
        .map_err(engine_error)
}

/// Reads them back; `None` where they were bent.
pub(super) fn open_traits(
    sealing: &SealingKey,
    tenant: &str,
    identity: &str,
    sealed: &[u8],
) -> Option<PasswordTraits> {
    let opened = sealing.open(sealed, &place(tenant, identity)).ok()?;
    let (&[weaknesses, accepted], fingerprint) = opened.expose().split_first_chunk::<2>()?;
    Some(PasswordTraits {
        fingerprint: PasswordFingerprint::from_bytes(fingerprint.try_into().ok()?),
        weaknesses: Weaknesses::from_bits(weaknesses),
        accepted: accepted != 0,
    })
}

/// Replaces what a station has to show.
pub(super) fn set_credential(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    tenant: &Tenant,
    id: &StationId,
    credential: &Credential,
    traits: Option<&PasswordTraits>,
) -> Result<(), StoreError> {
    if let Credential::Certificate(fingerprint) = credential {
        let holder = "SELECT identity FROM station
             WHERE fingerprint = ?1 AND NOT (tenant = ?2 AND identity = ?3)";
        let holder: Option<String> = transaction
            .query_row(
                holder,
                params![fingerprint, &*tenant.0, id.as_str()],
                |row| row.get(0),
            )
            .optional()
            .map_err(engine_error)?;
        if let Some(existing) = holder {
            return Err(StoreError::CertificateTaken {
                identity: id.to_string(),
                existing,
            });
        }
    }
    let proof = ProofColumns::of(credential);
    let changed = transaction
        .execute(
            "UPDATE station SET credential = ?3, password_form = ?4, fast_salt = ?5, fast_tag = ?6,
                slow_phc = ?7, fingerprint = ?8 WHERE tenant = ?1 AND identity = ?2",
            params![
                &*tenant.0,
                id.as_str(),
                proof.credential,
                proof.form,
                proof.salt,
                proof.tag,
                proof.phc,
                proof.fingerprint,
            ],
        )
        .map_err(engine_error)?;
    known(changed, tenant, id)?;
    pending::forget(transaction, tenant, id)?;
    keep_traits(transaction, sealing, tenant, id, traits)
}

/// Keeps a lesson if it still fits the register; whether it did.
pub(super) fn learn(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    lesson: &Lesson,
) -> Result<bool, StoreError> {
    match lesson {
        Lesson::Password {
            tenant,
            station,
            verifier,
            traits,
        } => {
            let record = record(transaction, sealing, tenant, station)?;
            let fits = record.is_some_and(|record| {
                record.password.is_none()
                    && matches!(&record.credential, Credential::Password(held) if held == verifier)
            });
            if fits {
                keep_traits(transaction, sealing, tenant, station, Some(traits))?;
            }
            Ok(fits)
        }
        Lesson::Change {
            tenant,
            station,
            basis,
            step,
        } => match record(transaction, sealing, tenant, station)? {
            Some(record) => pending::step(transaction, sealing, &record, basis, step),
            None => Ok(false),
        },
        Lesson::Renewed {
            tenant,
            station,
            basis,
            credential,
            password,
            upstream_password,
        } => {
            let record = record(transaction, sealing, tenant, station)?;
            let Some(record) = record.filter(|record| record.credential == *basis) else {
                return Ok(false);
            };
            let traits = password.as_ref();
            set_credential(transaction, sealing, tenant, station, credential, traits)?;
            if let (Some(secret), Some(_)) = (upstream_password, &record.upstream_password) {
                rows::set_upstream_password(transaction, sealing, tenant, station, secret)?;
            }
            Ok(true)
        }
        Lesson::Adopted(record) => register::register(transaction, sealing, record).map(|()| true),
        // Whoever keeps the register hashes what was shown first: that makes it Renewed.
        Lesson::Proved { .. } => Ok(false),
    }
}

fn record(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    tenant: &Tenant,
    station: &StationId,
) -> Result<Option<StationRecord>, StoreError> {
    let sql = format!("{SELECT_STATION} WHERE tenant = ?1 AND identity = ?2");
    let row = transaction
        .prepare_cached(&sql)
        .and_then(|mut statement| {
            statement
                .query_row((&*tenant.0, station.as_str()), StationRow::read)
                .optional()
        })
        .map_err(engine_error)?;
    row.map(|row| row.record(sealing)).transpose()
}

fn plain(traits: &PasswordTraits) -> Secret {
    let mut plain = Vec::with_capacity(TRAITS_BYTES);
    plain.extend([traits.weaknesses.bits(), u8::from(traits.accepted)]);
    plain.extend_from_slice(traits.fingerprint.bytes());
    Secret::new(plain)
}

fn place<'a>(tenant: &'a str, identity: &'a str) -> Place<'a> {
    Place::PasswordTraits { tenant, identity }
}
