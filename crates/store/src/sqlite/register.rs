//! Registering one station: what is taken is found out first, so that the refusal can name it.

use guard::{Credential, StationRecord};
use rusqlite::{OptionalExtension, Transaction};

use super::{engine_error, rows};
use crate::StoreError;
use crate::sealed::SealingKey;

pub(super) fn register(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    station: &StationRecord,
) -> Result<(), StoreError> {
    let identity = station.id.as_str();
    let taken: Option<String> = transaction
        .prepare_cached("SELECT identity FROM station WHERE tenant = ?1 AND folded = ?2")
        .and_then(|mut statement| {
            statement
                .query_row((&*station.tenant.0, station.id.folded()), |row| row.get(0))
                .optional()
        })
        .map_err(engine_error)?;
    match taken {
        Some(existing) if existing == identity => {
            return Err(StoreError::Exists {
                identity: existing,
                tenant: station.tenant.0.to_string(),
            });
        }
        Some(existing) => {
            return Err(StoreError::ExistsInOtherCase {
                identity: identity.to_owned(),
                existing,
            });
        }
        None => {}
    }
    if let Credential::Certificate(fingerprint) = &station.credential {
        let taken: Option<String> = transaction
            .prepare_cached("SELECT identity FROM station WHERE fingerprint = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([fingerprint.as_slice()], |row| row.get(0))
                    .optional()
            })
            .map_err(engine_error)?;
        if let Some(existing) = taken {
            return Err(StoreError::CertificateTaken {
                identity: identity.to_owned(),
                existing,
            });
        }
    }
    rows::insert_station(transaction, sealing, station)
}
