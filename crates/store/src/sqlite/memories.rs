//! Memories in SQLite.

use std::sync::Arc;

use guard::{StationMemory, Tenant};
use ocpp::{StationId, Version};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

use super::{SqliteStore, engine_error};
use crate::StoreError;
use crate::memories::{KeptMemories, MemoryStore, Remembered};

impl MemoryStore for SqliteStore {
    fn open_memories(&mut self) -> Result<KeptMemories, StoreError> {
        let transaction = self.begin()?;
        let (opened, whole): (i64, bool) = transaction
            .query_row("SELECT opened, whole FROM memory_use", (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(engine_error)?;
        let mut kept = read_all(&transaction)?;
        if !whole {
            doubt(&transaction, &mut kept)?;
        }
        transaction
            .execute("UPDATE memory_use SET opened = opened + 1, whole = 0", ())
            .map_err(engine_error)?;
        transaction.commit().map_err(engine_error)?;
        Ok(KeptMemories {
            whole,
            opened: opened.unsigned_abs() + 1,
            ..kept
        })
    }

    fn keep_memories(&mut self, changed: &[Remembered]) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        for ((tenant, id), memory) in changed {
            keep(&transaction, tenant, id, memory)?;
        }
        transaction.commit().map_err(engine_error)
    }

    fn close_memories(&mut self, opened: u64) -> Result<(), StoreError> {
        let opened = i64::try_from(opened).unwrap_or(i64::MAX);
        let sql = "UPDATE memory_use SET whole = 1 WHERE opened = ?1";
        let closed = self.connection.execute(sql, [opened]);
        closed.map(|_| ()).map_err(engine_error)
    }

    fn memory(&self, tenant: &Tenant, id: &StationId) -> Result<Option<StationMemory>, StoreError> {
        let sql = "SELECT bytes FROM memory WHERE tenant = ?1 AND identity = ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(engine_error)?;
        let bytes: Option<Vec<u8>> = statement
            .query_row((&*tenant.0, id.as_str()), |row| row.get(0))
            .optional()
            .map_err(engine_error)?;
        Ok(bytes.and_then(|bytes| StationMemory::from_bytes(&bytes)))
    }
}

impl SqliteStore {
    fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(engine_error)
    }
}

fn read_all(transaction: &Transaction<'_>) -> Result<KeptMemories, StoreError> {
    let sql = "SELECT tenant, identity, bytes FROM memory ORDER BY tenant, identity";
    let mut statement = transaction.prepare(sql).map_err(engine_error)?;
    let rows = statement
        .query_map((), |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Vec<u8>>(2)?,
            ))
        })
        .map_err(engine_error)?;
    let (mut memories, mut unreadable) = (Vec::new(), 0);
    for row in rows {
        let (tenant, identity, bytes) = row.map_err(engine_error)?;
        let id = StationId::parse(&identity, Version::V16).ok();
        match id.zip(StationMemory::from_bytes(&bytes)) {
            Some((id, memory)) => memories.push(((Tenant(Arc::from(tenant)), id), memory)),
            None => unreadable += 1,
        }
    }
    Ok(KeptMemories {
        memories,
        unreadable,
        whole: true,
        opened: 0,
    })
}

/// Written back at once: a later gate that ends in order would make doubt look like knowledge.
fn doubt(transaction: &Transaction<'_>, kept: &mut KeptMemories) -> Result<(), StoreError> {
    for ((tenant, id), memory) in &mut kept.memories {
        let doubted = memory.clone().in_doubt();
        if doubted != *memory {
            keep(transaction, tenant, id, &doubted)?;
            *memory = doubted;
        }
    }
    Ok(())
}

fn keep(
    transaction: &Transaction<'_>,
    tenant: &Tenant,
    id: &StationId,
    memory: &StationMemory,
) -> Result<(), StoreError> {
    let mut statement = transaction
        .prepare_cached(
            "INSERT INTO memory (tenant, identity, bytes)
             SELECT tenant, identity, ?3 FROM station WHERE tenant = ?1 AND identity = ?2
             ON CONFLICT (tenant, identity) DO UPDATE SET bytes = excluded.bytes",
        )
        .map_err(engine_error)?;
    let values = (&*tenant.0, id.as_str(), memory.to_bytes());
    statement.execute(values).map(|_| ()).map_err(engine_error)
}

/// The station is gone, or another one stands in its place.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    tenant: &Tenant,
    id: &StationId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM memory WHERE tenant = ?1 AND identity = ?2";
    let forgotten = transaction.execute(sql, (&*tenant.0, id.as_str()));
    forgotten.map(|_| ()).map_err(engine_error)
}
