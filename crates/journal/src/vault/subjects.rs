//! The rows that tie identifiers to handles, in SQLite: sealed, found by keyed hashes alone, wiped
//! when they are deleted.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use crate::keys::{KeyError, KeyRing, random};
use crate::{Day, Handle};

use super::wrap::{DayKeys, Identifier, Inner, Tag};
use super::{Class, VaultError};

/// The subjects' file, open.
pub(crate) struct Subjects {
    pub(super) path: PathBuf,
    pub(super) db: Connection,
    pub(super) keys: Arc<KeyRing>,
    /// The keys of the days that rows are wrapped under; new rows get the first one's.
    pub(super) days: Vec<DayKeys>,
    /// Days whose rows nobody can open any more, since their wrapping keys are gone.
    lost: Vec<(Day, u64)>,
    /// What another process has written shows in this number.
    version: i64,
    /// A transaction is open: what it holds is not durable yet.
    pub(super) unsettled: bool,
    /// The last day to which the clock jumped, over more days than a gate is off by chance.
    pub(super) jumped: Option<Day>,
    /// Where re-wrapping goes on.
    pub(super) rewrapped: Tag,
}

/// A row that was found.
pub(crate) struct Found {
    pub(crate) tag: Tag,
    pub(crate) inner: Inner,
    pub(crate) sealed: Vec<u8>,
    pub(crate) since: Day,
    pub(crate) seen: Day,
    pub(crate) held: bool,
}

const SCHEMA: i64 = 1;
/// Days without the gate that need no second look at the clock.
const DAYS_OFF_MAX: u32 = 3;
/// Another process may be erasing, or taking a backup.
const BUSY: Duration = Duration::from_secs(5);

impl Subjects {
    pub(crate) fn open(path: &Path, keys: Arc<KeyRing>) -> Result<Subjects, VaultError> {
        create_for_us_only(path)?;
        let sql = |source| failed(path, source);
        let db = Connection::open(path).map_err(sql)?;
        prepare(&db).map_err(sql)?;
        migrate(&db, path)?;
        let mut subjects = Subjects {
            path: path.to_owned(),
            db,
            keys,
            days: Vec::new(),
            lost: Vec::new(),
            version: 0,
            unsettled: false,
            jumped: None,
            rewrapped: Tag::default(),
        };
        subjects.load_days()?;
        subjects.changed_elsewhere()?;
        Ok(subjects)
    }

    /// The rows that nobody can open any more, by day.
    pub(crate) fn lost(&self) -> &[(Day, u64)] {
        &self.lost
    }

    /// Whether another process has written since this was asked last.
    pub(crate) fn changed_elsewhere(&mut self) -> Result<bool, VaultError> {
        let version = self.sql(|db| {
            let mut asked = db.prepare_cached("PRAGMA data_version")?;
            asked.query_row([], |row| row.get(0))
        })?;
        let changed = version != self.version;
        if changed {
            self.version = version;
            self.load_days()?;
        }
        Ok(changed)
    }

    /// Sees to it that new rows are wrapped under today's key. A clock that has jumped back by a day
    /// or less changes nothing; one that had jumped ahead is followed back.
    pub(crate) fn turn(&mut self, today: Day) -> Result<(), VaultError> {
        let current = self.days.first().map(|keys| keys.day);
        if current.is_some_and(|day| day == today || day.0 == today.0.saturating_add(1)) {
            return Ok(());
        }
        let jumped = current.is_some_and(|day| today.0.abs_diff(day.0) > DAYS_OFF_MAX);
        let jumped = if jumped { Some(today) } else { self.jumped };
        // Durable before a row needs it.
        let keys = DayKeys::make(&self.keys, today)?;
        self.begin()?;
        self.sql(|db| {
            db.execute(
                "INSERT OR REPLACE INTO wrapping VALUES (1, ?1, ?2)",
                params![today.0, jumped.map(|day| day.0)],
            )
        })?;
        self.jumped = jumped;
        self.days.retain(|known| known.day != today);
        self.days.insert(0, keys);
        self.rewrapped = Tag::default();
        Ok(())
    }

    /// The row of an identifier in one epoch.
    pub(crate) fn find(
        &self,
        tenant: &str,
        epoch: u32,
        folded: &[u8],
    ) -> Result<Option<Found>, VaultError> {
        for keys in &self.days {
            let tag = keys.tag(tenant, epoch, folded);
            if let Some(found) = self.row(keys, "tag", &tag)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The row that a handle stands for.
    pub(crate) fn find_handle(&self, handle: Handle) -> Result<Option<Found>, VaultError> {
        for keys in &self.days {
            let tag = keys.handle_tag(handle);
            if let Some(found) = self.row(keys, "handle", &tag)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn row(&self, keys: &DayKeys, by: &str, tag: &Tag) -> Result<Option<Found>, VaultError> {
        let raw = self.sql(|db| {
            let asked = format!(
                "SELECT tag, row, original, since, seen, held FROM subjects WHERE {by} = ?1"
            );
            let mut asked = db.prepare_cached(&asked)?;
            asked
                .query_row([tag], |row| {
                    let sealed: Vec<u8> = row.get(1)?;
                    Ok((
                        row.get::<_, Tag>(0)?,
                        sealed,
                        row.get(2)?,
                        Day(row.get(3)?),
                        Day(row.get(4)?),
                        row.get(5)?,
                    ))
                })
                .optional()
        })?;
        let Some((tag, row, sealed, since, seen, held)) = raw else {
            return Ok(None);
        };
        let inner = keys.open(&tag, &row).ok_or_else(|| self.damaged())?;
        Ok(Some(Found {
            tag,
            inner,
            sealed,
            since,
            seen,
            held,
        }))
    }

    /// Gives an identifier a handle. It is durable once [`Subjects::settle`] has returned.
    pub(crate) fn insert(
        &mut self,
        identifier: &Identifier,
        class: Class,
        epoch: u32,
        today: Day,
    ) -> Result<Handle, VaultError> {
        self.turn(today)?;
        self.begin()?;
        let Some(keys) = self.days.first() else {
            return Err(self.damaged());
        };
        let inner = Inner {
            handle: Handle::from_random(random()?),
            class,
            epoch,
            dek: Zeroizing::new(random()?),
        };
        let tag = keys.tag(&identifier.tenant, epoch, &identifier.folded);
        let (row, original) = (keys.seal(&tag, &inner)?, inner.seal(identifier)?);
        let handle = keys.handle_tag(inner.handle);
        let kek = keys.day.0;
        self.sql(|db| {
            db.prepare_cached("INSERT OR IGNORE INTO epochs VALUES (?1)")?
                .execute([epoch])?;
            db.prepare_cached(
                "INSERT INTO subjects (tag, handle, kek, since, seen, row, original) \
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
            )?
            .execute(params![tag, handle, kek, today.0, row, original])
        })?;
        Ok(inner.handle)
    }

    /// Notes that a subject was seen on that day.
    pub(crate) fn touch(&mut self, tag: &Tag, day: Day) -> Result<(), VaultError> {
        self.begin()?;
        self.sql(|db| {
            db.prepare_cached("UPDATE subjects SET seen = max(seen, ?2) WHERE tag = ?1")?
                .execute(params![tag, day.0])
        })?;
        Ok(())
    }

    /// The epochs that handles were given in.
    pub(crate) fn epochs(&self) -> Result<Vec<u32>, VaultError> {
        self.sql(|db| {
            let mut asked = db.prepare_cached("SELECT first_day FROM epochs ORDER BY 1")?;
            let epochs = asked.query_map([], |row| row.get(0))?;
            epochs.collect()
        })
    }

    /// Opens a transaction, if none is open.
    pub(super) fn begin(&mut self) -> Result<(), VaultError> {
        if !self.unsettled {
            self.sql(|db| db.execute_batch("BEGIN IMMEDIATE"))?;
            self.unsettled = true;
        }
        Ok(())
    }

    /// Makes durable what was written. If that fails, none of it was.
    pub(crate) fn settle(&mut self) -> Result<(), VaultError> {
        if !self.unsettled {
            return Ok(());
        }
        let settled = self.sql(|db| db.execute_batch("COMMIT"));
        match settled {
            Ok(()) => self.unsettled = false,
            Err(_) => self.abandon(),
        }
        settled
    }

    /// Takes back what was written and is not durable.
    pub(crate) fn abandon(&mut self) {
        // A transaction that SQLite has ended by itself cannot be rolled back, and need not be.
        drop(self.db.execute_batch("ROLLBACK"));
        self.unsettled = false;
        // Which key new rows get may have been taken back, too.
        self.version = 0;
        drop(self.load_days());
    }

    /// Leaves nothing of what was deleted in the log beside the file; `false` if somebody is reading
    /// the file just now.
    pub(super) fn truncate_log(&self) -> Result<bool, VaultError> {
        self.sql(|db| {
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                Ok(row.get::<_, i64>(0)? == 0)
            })
        })
    }

    pub(super) fn load_days(&mut self) -> Result<(), VaultError> {
        let (current, days) = self.sql(|db| {
            let mut asked = db.prepare_cached("SELECT kek, jumped FROM wrapping")?;
            let current: Option<(i32, Option<i32>)> = asked
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let mut asked = db.prepare_cached(
                "SELECT kek, count(*) FROM subjects GROUP BY kek ORDER BY kek DESC",
            )?;
            let days = asked.query_map([], |row| Ok((Day(row.get(0)?), row.get(1)?)))?;
            Ok((current, days.collect::<Result<Vec<(Day, i64)>, _>>()?))
        })?;
        self.jumped = current.and_then(|(_, jumped)| jumped).map(Day);
        let current = current.map(|(day, _)| Day(day));
        self.days.clear();
        self.lost.clear();
        let rows_of = |wanted| {
            let found = days.iter().find(|(day, _)| *day == wanted);
            found.map_or(0, |(_, rows)| *rows)
        };
        let older = days.iter().filter(|(day, _)| Some(*day) != current);
        let newest = current.map(|day| (day, rows_of(day)));
        for (day, rows) in newest.into_iter().chain(older.copied()) {
            match DayKeys::find(&self.keys, day) {
                Ok(keys) => self.days.push(keys),
                Err(KeyError::Missing { .. }) if rows == 0 => {}
                Err(KeyError::Missing { .. }) => self.lost.push((day, rows.unsigned_abs())),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(super) fn sql<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, VaultError> {
        work(&self.db).map_err(|source| failed(&self.path, source))
    }

    pub(super) fn damaged(&self) -> VaultError {
        VaultError::Damaged {
            path: self.path.clone(),
        }
    }
}

impl Found {
    /// Whom the row names.
    pub(crate) fn identifier(&self, subjects: &Subjects) -> Result<Identifier, VaultError> {
        self.inner
            .open(&self.sealed)
            .ok_or_else(|| subjects.damaged())
    }
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // A handle must not be in a record whose row a power cut can take away.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", "ON")?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn migrate(db: &Connection, path: &Path) -> Result<(), VaultError> {
    let sql = |source| failed(path, source);
    let found: i64 = db
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(sql)?;
    match found {
        0 => db
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {} PRAGMA user_version = {SCHEMA}; COMMIT;",
                include_str!("schema_1.sql")
            ))
            .map_err(sql),
        SCHEMA => Ok(()),
        found => Err(VaultError::LaterSchema {
            path: path.to_owned(),
            found,
            known: SCHEMA,
        }),
    }
}

fn create_for_us_only(path: &Path) -> Result<(), VaultError> {
    let mut options = OpenOptions::new();
    let created = options.append(true).create(true).mode(0o600).open(path);
    created.map(drop).map_err(|source: io::Error| {
        VaultError::Key(KeyError::File {
            doing: "made",
            path: path.to_owned(),
            source,
        })
    })
}

pub(super) fn failed(path: &Path, source: rusqlite::Error) -> VaultError {
    VaultError::Subjects {
        path: path.to_owned(),
        source,
    }
}
