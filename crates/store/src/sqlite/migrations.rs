//! The schemas, oldest first, and the step from one to the next. Steps are taken in one transaction
//! and once only; a database that a newer program wrote is left alone.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{copy, engine_error};
use crate::StoreError;

/// Each entry takes the database from the schema before it to its own; the first one is 1.
const STEPS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
];

/// The newest schema we know.
pub(super) const NEWEST: u32 = STEPS.len() as u32;

/// Which schemas this database has been through, when, and by which version of the program.
const VERSION_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_version (
    version    INTEGER PRIMARY KEY,
    applied_at TEXT NOT NULL,
    program    TEXT NOT NULL
) STRICT";

/// Brings the database to the newest schema; does nothing when it is there.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    // Looking first keeps a mere reader from asking for the write lock.
    let before = found(connection)?;
    if before == NEWEST {
        return Ok(());
    }
    keep_way_back(connection, path, before)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(engine_error)?;
    let found = found(&transaction)?;
    if found > NEWEST {
        return Err(StoreError::NewerSchema {
            path: path.to_owned(),
            found,
            known: NEWEST,
        });
    }
    transaction
        .execute_batch(VERSION_TABLE)
        .map_err(engine_error)?;
    for (step, version) in STEPS.iter().zip(1_u32..).skip(found as usize) {
        transaction.execute_batch(step).map_err(engine_error)?;
        transaction
            .execute(
                "INSERT INTO schema_version (version, applied_at, program)
                 VALUES (?1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?2)",
                (version, env!("CARGO_PKG_VERSION")),
            )
            .map_err(engine_error)?;
    }
    transaction.commit().map_err(engine_error)
}

/// A program that knows only the old schema will not open the new one: whoever wants to go back to it
/// finds the database as it was. Another process may be doing the same; the first copy stays.
fn keep_way_back(connection: &Connection, path: &Path, before: u32) -> Result<(), StoreError> {
    let beside = copy::beside(path, before);
    if before == 0 || before > NEWEST || beside.exists() {
        return Ok(());
    }
    copy::copy(connection, &beside)
}

fn found(connection: &Connection) -> Result<u32, StoreError> {
    let table = connection
        .query_row(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
            (),
            |_| Ok(()),
        )
        .optional()
        .map_err(engine_error)?;
    if table.is_none() {
        return Ok(0);
    }
    connection
        .query_row(
            "SELECT coalesce(max(version), 0) FROM schema_version",
            (),
            |row| row.get(0),
        )
        .map_err(engine_error)
}
