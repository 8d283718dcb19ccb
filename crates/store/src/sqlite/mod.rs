//! The embedded store: one SQLite file in WAL mode, so that the running gate reads while somebody
//! registers a station from another process.

mod copy;
mod engine;
mod memories;
mod migrations;
mod passwords;
mod pending;
mod refused;
mod register;
mod relaxed;
mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use guard::{Credential, Lesson, PasswordTraits, Relaxed, Route, StationRecord, Tenant};
use ocpp::StationId;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use engine::{create_private, engine_error};
use register::register;

use crate::sealed::SealingKey;
use crate::{ImportError, KeyFile, Rejected, Store, StoreError, WayBack};

/// How long a writer waits for another one; an import of 100,000 stations takes a few seconds.
const BUSY: Duration = Duration::from_secs(15);
/// How long a mere look at the file waits.
const BUSY_CHECK: Duration = Duration::from_millis(500);
/// An import says how far it is after this many rows.
const PROGRESS_ROWS: usize = 256;

/// The register in one file.
pub struct SqliteStore {
    connection: Connection,
    sealing: SealingKey,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the register, makes it where there is none, and brings it to the newest schema.
    pub fn open(path: &Path, key: &KeyFile) -> Result<SqliteStore, StoreError> {
        create_private(path).map_err(|error| StoreError::Unopened {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let unopened = |error: rusqlite::Error| match engine_error(error) {
            StoreError::Engine(why) => StoreError::Unopened {
                path: path.to_owned(),
                why,
            },
            other => other,
        };
        let mut connection = Connection::open_with_flags(path, flags).map_err(unopened)?;
        connection.busy_timeout(BUSY).map_err(unopened)?;
        connection.execute_batch(SETTINGS).map_err(unopened)?;
        migrations::migrate(&mut connection, path)?;
        let store = SqliteStore {
            connection,
            sealing: key.sealing_key(),
            path: path.to_owned(),
        };
        store.check_key(&key.name())?;
        Ok(store)
    }

    /// The newest schema this program knows.
    pub const SCHEMA_NEWEST: u32 = migrations::NEWEST;

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits no longer than that for another writer, from now on.
    pub fn wait_at_most(&self, patience: Duration) -> Result<(), StoreError> {
        let set = self.connection.busy_timeout(patience);
        set.map_err(engine_error)
    }

    /// Whether the file is still there and could be opened by the next process. This connection cannot
    /// tell: it reads on from a file that somebody has removed, and from pages it remembers.
    pub fn check_file(&self) -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(engine_error)?;
        connection.busy_timeout(BUSY_CHECK).map_err(engine_error)?;
        connection
            .query_row("SELECT number FROM revision", (), |_| Ok(()))
            .map_err(engine_error)
    }

    /// Binds a new database to this key, and refuses one that was made with another.
    fn check_key(&self, held: &str) -> Result<(), StoreError> {
        let wanted = self.key_name()?;
        if wanted.is_none() {
            self.connection
                .execute(
                    "INSERT OR IGNORE INTO key_name (only, name) VALUES (1, ?1)",
                    [held],
                )
                .map_err(engine_error)?;
        }
        match self.key_name()? {
            Some(wanted) if wanted != held => Err(StoreError::OtherKey {
                path: self.path.clone(),
                wanted,
                held: held.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn key_name(&self) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT name FROM key_name", (), |row| row.get(0))
            .optional()
            .map_err(engine_error)
    }

    /// The only way to write: one transaction, which counts the revision on if it is kept.
    fn write<T, E: From<StoreError>>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>, &SealingKey) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(engine_error)?;
        let value = change(&transaction, &self.sealing)?;
        transaction
            .execute("UPDATE revision SET number = number + 1", ())
            .map_err(engine_error)?;
        transaction.commit().map_err(engine_error)?;
        Ok(value)
    }
}

/// WAL lets readers read beside a writer; FULL keeps what was confirmed through a power cut; what is
/// removed is overwritten; and a database that was tampered with runs no functions of its own.
const SETTINGS: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF;";

impl Store for SqliteStore {
    fn add(&mut self, station: &StationRecord) -> Result<(), StoreError> {
        self.write(|transaction, sealing| register(transaction, sealing, station))
    }

    fn import(
        &mut self,
        stations: &[StationRecord],
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), ImportError> {
        self.write(|transaction, sealing| {
            let mut rejected = Vec::new();
            for (index, station) in stations.iter().enumerate() {
                match register(transaction, sealing, station) {
                    Ok(()) => {}
                    Err(why) if why.is_conflict() => rejected.push(Rejected { index, why }),
                    Err(why) => return Err(ImportError::Store(why)),
                }
                if index % PROGRESS_ROWS == 0 {
                    progress(index);
                }
            }
            progress(stations.len());
            if rejected.is_empty() {
                Ok(())
            } else {
                Err(ImportError::Rejected(rejected))
            }
        })
    }

    fn remove(&mut self, tenant: &Tenant, id: &StationId) -> Result<(), StoreError> {
        self.write(|transaction, _| {
            let gone = transaction
                .execute(
                    "DELETE FROM station WHERE tenant = ?1 AND identity = ?2",
                    (&*tenant.0, id.as_str()),
                )
                .map_err(engine_error)?;
            pending::forget(transaction, tenant, id)?;
            memories::forget(transaction, tenant, id)?;
            known(gone, tenant, id)
        })
    }

    fn enable(&mut self, tenant: &Tenant, id: &StationId, enabled: bool) -> Result<(), StoreError> {
        self.write(|transaction, _| {
            let changed = transaction
                .execute(
                    "UPDATE station SET enabled = ?3 WHERE tenant = ?1 AND identity = ?2",
                    (&*tenant.0, id.as_str(), enabled),
                )
                .map_err(engine_error)?;
            known(changed, tenant, id)
        })
    }

    fn set_credential(
        &mut self,
        tenant: &Tenant,
        id: &StationId,
        credential: &Credential,
        password: Option<&PasswordTraits>,
    ) -> Result<(), StoreError> {
        self.write(|transaction, sealing| {
            passwords::set_credential(transaction, sealing, tenant, id, credential, password)
        })
    }

    fn accept(&mut self, tenant: &Tenant, id: &StationId) -> Result<(), StoreError> {
        self.write(|transaction, _| {
            let changed = rows::mark_adopted(transaction, tenant, id, false)?;
            known(changed, tenant, id)
        })
    }

    fn learn(&mut self, lessons: &[Lesson]) -> Result<usize, StoreError> {
        let learnt = self.write(|transaction, sealing| {
            let mut kept = 0;
            for lesson in lessons {
                kept += usize::from(match passwords::learn(transaction, sealing, lesson) {
                    // Somebody else has that certificate: the register is right.
                    Err(error) if error.is_conflict() => false,
                    other => other?,
                });
            }
            match kept {
                // A change that changes nothing would have every gate read its register anew.
                0 => Err(Unlearnt::NothingNew),
                some => Ok(some),
            }
        });
        match learnt {
            Ok(kept) => Ok(kept),
            Err(Unlearnt::NothingNew) => Ok(0),
            Err(Unlearnt::Store(error)) => Err(error),
        }
    }

    fn replace(
        &mut self,
        tenant: &Tenant,
        id: &StationId,
        serial: Option<&str>,
    ) -> Result<(), StoreError> {
        self.write(|transaction, _| {
            let changed = transaction
                .execute(
                    "UPDATE station SET replaced = replaced + 1, serial = ?3
                     WHERE tenant = ?1 AND identity = ?2",
                    (&*tenant.0, id.as_str(), serial),
                )
                .map_err(engine_error)?;
            memories::forget(transaction, tenant, id)?;
            known(changed, tenant, id)
        })
    }

    fn station(&self, tenant: &Tenant, id: &StationId) -> Result<StationRecord, StoreError> {
        let sql = format!(
            "{} WHERE tenant = ?1 AND identity = ?2",
            rows::SELECT_STATION
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(engine_error)?;
        let row = statement
            .query_row((&*tenant.0, id.as_str()), rows::StationRow::read)
            .optional()
            .map_err(engine_error)?;
        let Some(row) = row else {
            return Err(unknown(tenant, id));
        };
        let mut record = row.record(&self.sealing)?;
        pending::attach(
            &self.connection,
            &self.sealing,
            std::slice::from_mut(&mut record),
        )?;
        Ok(record)
    }

    fn stations(&self, tenant: Option<&Tenant>) -> Result<Vec<StationRecord>, StoreError> {
        let sql = format!(
            "{} WHERE ?1 IS NULL OR tenant = ?1 ORDER BY tenant, identity",
            rows::SELECT_STATION
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(engine_error)?;
        let rows = statement
            .query_map([tenant.map(|tenant| &*tenant.0)], rows::StationRow::read)
            .map_err(engine_error)?;
        let records = rows.map(|row| row.map_err(engine_error)?.record(&self.sealing));
        let mut records: Vec<StationRecord> = records.collect::<Result<_, _>>()?;
        pending::attach(&self.connection, &self.sealing, &mut records)?;
        Ok(records)
    }

    fn stations_count(&self) -> Result<u64, StoreError> {
        self.number("SELECT count(*) FROM station")
    }

    fn routes(&self) -> Result<Vec<Route>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(rows::SELECT_ROUTES)
            .map_err(engine_error)?;
        let rows = statement
            .query_map((), rows::RouteRow::read)
            .map_err(engine_error)?;
        rows.map(|row| row.map_err(engine_error)?.route(&self.sealing))
            .collect()
    }

    fn replace_file_routes(&mut self, routes: &[Route]) -> Result<(), StoreError> {
        self.write(|transaction, sealing| {
            transaction
                .execute("DELETE FROM route WHERE source = 'file'", ())
                .map_err(engine_error)?;
            for (position, route) in routes.iter().enumerate() {
                rows::insert_route(transaction, sealing, route, position)?;
            }
            Ok(())
        })
    }

    fn way_back(&self) -> Result<WayBack, StoreError> {
        relaxed::read(&self.connection)
    }

    fn set_relaxed(&mut self, relaxed: &Relaxed) -> Result<(), StoreError> {
        self.write(|transaction, _| relaxed::replace(transaction, relaxed))
    }

    fn revision(&self) -> Result<u64, StoreError> {
        self.number("SELECT number FROM revision")
    }
}

/// Why lessons changed nothing.
enum Unlearnt {
    NothingNew,
    Store(StoreError),
}

impl From<StoreError> for Unlearnt {
    fn from(error: StoreError) -> Unlearnt {
        Unlearnt::Store(error)
    }
}

impl SqliteStore {
    fn number(&self, sql: &str) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(engine_error)?;
        let number: i64 = statement
            .query_row((), |row| row.get(0))
            .map_err(engine_error)?;
        Ok(number.unsigned_abs())
    }
}

fn known(rows: usize, tenant: &Tenant, id: &StationId) -> Result<(), StoreError> {
    if rows == 0 {
        Err(unknown(tenant, id))
    } else {
        Ok(())
    }
}

fn unknown(tenant: &Tenant, id: &StationId) -> StoreError {
    StoreError::Unknown {
        identity: id.to_string(),
        tenant: tenant.0.to_string(),
    }
}
