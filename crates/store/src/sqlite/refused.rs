//! Kept refusals in SQLite.

use guard::{Secret, Tenant, UnixMillis};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::{SqliteStore, engine_error};
use crate::StoreError;
use crate::refused::{RefusedMessage, RefusedRoom, RefusedRow, RefusedStore, Settlement};
use crate::sealed::{Place, SealingKey};

const COLUMNS: &str =
    "number, at, tenant, identity, version, action, refused_by, why, bytes, settled, settled_at";

impl RefusedStore for SqliteStore {
    fn keep(
        &mut self,
        messages: &[RefusedMessage],
        room: RefusedRoom,
    ) -> Result<usize, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(engine_error)?;
        let open = count_open(&transaction)?;
        let mut kept = 0;
        for message in messages {
            if open.saturating_add(kept) >= room.all {
                break;
            }
            if count_open_of(&transaction, message)? < room.of_a_station {
                insert(&transaction, &self.sealing, message)?;
                kept += 1;
            }
        }
        transaction.commit().map_err(engine_error)?;
        Ok(usize::try_from(kept).unwrap_or(usize::MAX))
    }

    fn refused_open(&self) -> Result<u64, StoreError> {
        count_open(&self.connection)
    }

    fn refused(&self, open_only: bool) -> Result<Vec<RefusedRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM refused WHERE NOT ?1 OR settled IS NULL ORDER BY number"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(engine_error)?;
        let rows = statement
            .query_map([open_only], read)
            .map_err(engine_error)?;
        rows.map(|row| row.map_err(engine_error)).collect()
    }

    fn refused_message(
        &self,
        number: u64,
    ) -> Result<Option<(RefusedRow, Option<Secret>)>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, text FROM refused WHERE number = ?1");
        let mut statement = self.connection.prepare_cached(&sql).map_err(engine_error)?;
        let found = statement
            .query_row([key(number)], |row| {
                Ok((read(row)?, row.get::<_, Option<Vec<u8>>>("text")?))
            })
            .optional()
            .map_err(engine_error)?;
        let Some((row, sealed)) = found else {
            return Ok(None);
        };
        let place = place(&row.tenant, &row.station, row.at);
        let open = |sealed: Vec<u8>| self.sealing.open(&sealed, &place);
        let text = sealed.map(open).transpose();
        let text = text.map_err(|_| damaged(&format!("refused message {number}")))?;
        Ok(Some((row, text)))
    }

    fn settle(&mut self, number: u64, how: Settlement, at: UnixMillis) -> Result<bool, StoreError> {
        let changed = self
            .connection
            .execute(
                "UPDATE refused SET settled = ?2, settled_at = ?3, text = NULL
                 WHERE number = ?1 AND settled IS NULL",
                (key(number), how.name(), at.0),
            )
            .map_err(engine_error)?;
        Ok(changed > 0)
    }

    fn expire(
        &mut self,
        open_since: UnixMillis,
        settled_since: UnixMillis,
        at: UnixMillis,
    ) -> Result<(usize, usize), StoreError> {
        let gone = self
            .connection
            .execute(
                "DELETE FROM refused WHERE settled_at < ?1",
                [settled_since.0],
            )
            .map_err(engine_error)?;
        let expired = self
            .connection
            .execute(
                "UPDATE refused SET settled = 'expired', settled_at = ?2, text = NULL
                 WHERE settled IS NULL AND at < ?1",
                (open_since.0, at.0),
            )
            .map_err(engine_error)?;
        Ok((expired, gone))
    }
}

fn insert(
    connection: &Connection,
    sealing: &SealingKey,
    message: &RefusedMessage,
) -> Result<(), StoreError> {
    let place = place(&message.tenant, message.station.as_str(), message.at);
    let sealed = sealing.seal(&message.text, &place);
    let sealed = sealed.map_err(|_| damaged("sealing a refused message"))?;
    connection
        .prepare_cached(
            "INSERT INTO refused (at, tenant, identity, version, action, refused_by, why, bytes, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .and_then(|mut statement| {
            statement.execute((
                message.at.0,
                &*message.tenant.0,
                message.station.as_str(),
                &message.version,
                &message.action,
                &message.by,
                &message.why,
                i64::try_from(message.text.expose().len()).unwrap_or(i64::MAX),
                &sealed,
            ))
        })
        .map_err(engine_error)?;
    Ok(())
}

fn count_open(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM refused WHERE settled IS NULL";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row((), |row| row.get::<_, i64>(0)))
        .map(i64::unsigned_abs)
        .map_err(engine_error)
}

/// Those of a message's station.
fn count_open_of(connection: &Connection, message: &RefusedMessage) -> Result<u64, StoreError> {
    let sql =
        "SELECT count(*) FROM refused WHERE settled IS NULL AND tenant = ?1 AND identity = ?2";
    let station = (&*message.tenant.0, message.station.as_str());
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row(station, |row| row.get::<_, i64>(0)))
        .map(i64::unsigned_abs)
        .map_err(engine_error)
}

fn read(row: &Row<'_>) -> rusqlite::Result<RefusedRow> {
    let settled: Option<String> = row.get("settled")?;
    let settled_at: Option<i64> = row.get("settled_at")?;
    let named = settled.and_then(|settled| {
        let mut all = Settlement::NAMED.into_iter();
        all.find(|(name, _)| *name == settled)
    });
    Ok(RefusedRow {
        number: row.get::<_, i64>("number")?.unsigned_abs(),
        at: UnixMillis(row.get("at")?),
        tenant: Tenant(row.get::<_, String>("tenant")?.into()),
        station: row.get("identity")?,
        version: row.get("version")?,
        action: row.get("action")?,
        by: row.get("refused_by")?,
        why: row.get("why")?,
        bytes: row.get::<_, i64>("bytes")?.unsigned_abs(),
        settled: named
            .zip(settled_at)
            .map(|((_, how), at)| (how, UnixMillis(at))),
    })
}

fn place<'a>(tenant: &'a Tenant, identity: &'a str, at: UnixMillis) -> Place<'a> {
    Place::Refused {
        tenant: &tenant.0,
        identity,
        at,
    }
}

/// SQLite counts to 2^63; no row has a higher number.
fn key(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: what.to_owned(),
    }
}
