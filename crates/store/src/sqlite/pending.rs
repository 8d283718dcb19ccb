//! Credentials that stations have been given and have not shown yet. Few at any time: a change is
//! over within hours.

use std::collections::HashMap;

use guard::{
    ChangeStep, Credential, CredentialMark, PasswordFingerprint, PendingCredential, Secret,
    StationRecord, Tenant, UnixMillis,
};
use ocpp::StationId;
use rusqlite::{Connection, Row, Transaction, params};

use super::engine_error;
use crate::StoreError;
use crate::sealed::{Place, SealingKey};

/// Of one station, the newest: a CSMS whose answers are lost tries again.
const PENDING_MAX: usize = 4;

const PASSWORD: u8 = 0;
const CERTIFICATE: u8 = 1;

const SELECT: &str =
    "SELECT rowid, tenant, identity, mark, until, accepted FROM pending_credential";

/// A row as it stands there.
struct PendingRow {
    id: i64,
    tenant: String,
    identity: String,
    mark: Vec<u8>,
    until: i64,
    accepted: bool,
}

/// Puts what is pending with the stations that it is of.
pub(super) fn attach(
    connection: &Connection,
    sealing: &SealingKey,
    stations: &mut [StationRecord],
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("{SELECT} ORDER BY rowid"))
        .map_err(engine_error)?;
    let rows = statement
        .query_map((), PendingRow::read)
        .map_err(engine_error)?;
    let mut pending: HashMap<(String, String), Vec<PendingCredential>> = HashMap::new();
    for row in rows {
        let row = row.map_err(engine_error)?;
        let one = row.open(sealing)?;
        pending
            .entry((row.tenant, row.identity))
            .or_default()
            .push(one);
    }
    if pending.is_empty() {
        return Ok(());
    }
    for station in stations {
        let key = (station.tenant.0.to_string(), station.id.to_string());
        if let Some(pending) = pending.remove(&key) {
            station.pending = pending;
        }
    }
    Ok(())
}

/// Forgets what is pending of a station: it is gone, or has another credential.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    tenant: &Tenant,
    id: &StationId,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "DELETE FROM pending_credential WHERE tenant = ?1 AND identity = ?2",
            (&*tenant.0, id.as_str()),
        )
        .map(|_| ())
        .map_err(engine_error)
}

/// Takes a step of a change; whether anything came of it.
pub(super) fn step(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    record: &StationRecord,
    basis: &Credential,
    step: &ChangeStep,
) -> Result<bool, StoreError> {
    if record.credential != *basis {
        return Ok(false);
    }
    match step {
        ChangeStep::Offered(pending) => offer(transaction, sealing, record, pending),
        ChangeStep::Accepted(mark) => {
            let row = find(transaction, sealing, record, mark)?;
            let Some(row) = row else { return Ok(false) };
            let sql = "UPDATE pending_credential SET accepted = 1 WHERE rowid = ?1";
            transaction.execute(sql, [row]).map_err(engine_error)?;
            Ok(true)
        }
        ChangeStep::Refused(mark) => {
            let row = find(transaction, sealing, record, mark)?;
            row.map_or(Ok(false), |row| delete(transaction, row).map(|()| true))
        }
    }
}

fn offer(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    record: &StationRecord,
    pending: &PendingCredential,
) -> Result<bool, StoreError> {
    if let Some(row) = find(transaction, sealing, record, &pending.mark)? {
        delete(transaction, row)?;
    }
    let rows = rows_of(transaction, record)?;
    let too_many = (rows.len() + 1).saturating_sub(PENDING_MAX);
    for row in rows.iter().take(too_many) {
        delete(transaction, row.id)?;
    }
    let place = place(&record.tenant.0, record.id.as_str());
    let mark = sealing.seal(&plain(&pending.mark), &place).map_err(|_| {
        StoreError::Engine("a credential's mark cannot be sealed on this machine".to_owned())
    })?;
    transaction
        .execute(
            "INSERT INTO pending_credential (tenant, identity, mark, until, accepted)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                &*record.tenant.0,
                record.id.as_str(),
                mark,
                pending.until.0,
                pending.accepted
            ],
        )
        .map_err(engine_error)?;
    Ok(true)
}

fn find(
    transaction: &Transaction<'_>,
    sealing: &SealingKey,
    record: &StationRecord,
    mark: &CredentialMark,
) -> Result<Option<i64>, StoreError> {
    for row in rows_of(transaction, record)? {
        if row.open(sealing)?.mark == *mark {
            return Ok(Some(row.id));
        }
    }
    Ok(None)
}

fn rows_of(
    transaction: &Transaction<'_>,
    record: &StationRecord,
) -> Result<Vec<PendingRow>, StoreError> {
    let sql = format!("{SELECT} WHERE tenant = ?1 AND identity = ?2 ORDER BY rowid");
    let mut statement = transaction.prepare_cached(&sql).map_err(engine_error)?;
    let rows = statement
        .query_map((&*record.tenant.0, record.id.as_str()), PendingRow::read)
        .map_err(engine_error)?;
    rows.collect::<Result<_, _>>().map_err(engine_error)
}

fn delete(transaction: &Transaction<'_>, row: i64) -> Result<(), StoreError> {
    transaction
        .execute("DELETE FROM pending_credential WHERE rowid = ?1", [row])
        .map(|_| ())
        .map_err(engine_error)
}

impl PendingRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<PendingRow> {
        Ok(PendingRow {
            id: row.get(0)?,
            tenant: row.get(1)?,
            identity: row.get(2)?,
            mark: row.get(3)?,
            until: row.get(4)?,
            accepted: row.get(5)?,
        })
    }

    fn open(&self, sealing: &SealingKey) -> Result<PendingCredential, StoreError> {
        let opened = sealing.open(&self.mark, &place(&self.tenant, &self.identity));
        let mark = opened.ok().and_then(|opened| read(opened.expose()));
        let mark = mark.ok_or_else(|| StoreError::Damaged {
            what: format!(
                "a pending credential of station {} of tenant {}",
                self.identity, self.tenant
            ),
        })?;
        Ok(PendingCredential {
            mark,
            until: UnixMillis(self.until),
            accepted: self.accepted,
        })
    }
}

fn plain(mark: &CredentialMark) -> Secret {
    Secret::new(match mark {
        CredentialMark::Password(fingerprint) => {
            [&[PASSWORD], fingerprint.bytes().as_slice()].concat()
        }
        CredentialMark::Certificate(fingerprint) => {
            [&[CERTIFICATE], fingerprint.as_slice()].concat()
        }
    })
}

fn read(plain: &[u8]) -> Option<CredentialMark> {
    match plain.split_first()? {
        (&PASSWORD, bytes) => {
            let fingerprint = PasswordFingerprint::from_bytes(bytes.try_into().ok()?);
            Some(CredentialMark::Password(fingerprint))
        }
        (&CERTIFICATE, bytes) => Some(CredentialMark::Certificate(bytes.try_into().ok()?)),
        _ => None,
    }
}

fn place<'a>(tenant: &'a str, identity: &'a str) -> Place<'a> {
    Place::PendingCredential { tenant, identity }
}
