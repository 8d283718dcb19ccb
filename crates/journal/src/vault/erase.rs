//! Erasing subjects, and holding them back from it. Whoever did it and why goes to the record; whom
//! it was about does not.

use std::fmt;

use guard::UnixMillis;
use rusqlite::params;

use crate::keys::random;
use crate::{Day, Handle};

use super::recognise::without_identifiers;
use super::subjects::Found;
use super::{Class, Vault, VaultError};

/// Who is meant.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// Whoever has this identifier, in any of its spellings.
    Identifier {
        /// The tenant in whose records it stands.
        tenant: &'a str,
        /// The identifier.
        text: &'a str,
    },
    /// Whoever has this handle; handles of other epochs are meant as well.
    Handle(Handle),
}

/// That somebody was erased. Names nobody: a random case number stands for the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// To be written on the request.
    pub case: String,
    /// When.
    pub at: UnixMillis,
    /// Rows that were erased: one for each epoch in which the subject was seen.
    pub rows: usize,
    /// The last day on which a backup made before could still be opened, with a wrapping key that is
    /// not yet destroyed.
    pub backups_until: Day,
}

/// Something that was done to subjects and still has to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultAct {
    /// Its number among them.
    pub number: i64,
    /// When.
    pub at: UnixMillis,
    /// What, in one word.
    pub what: String,
    /// Who did it.
    pub by: String,
    /// Details, in words that name nobody.
    pub details: String,
}

/// Somebody on whom a legal hold stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSubject {
    /// The pseudonym.
    pub handle: Handle,
    /// What it names.
    pub class: Class,
    /// The first and the last day on which it was seen.
    pub days: (Day, Day),
}

/// Acts that are handed over at once.
const ACTS_MAX: u32 = 256;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;

impl Vault {
    /// Erases somebody: afterwards nobody can tie their handles to them, or their records to any that
    /// are still to come. The record stays, and its proofs hold.
    pub fn erase(
        &mut self,
        subject: Subject<'_>,
        by: &str,
        now: UnixMillis,
    ) -> Result<Receipt, VaultError> {
        self.look(now)?;
        let rows = self.rows_for(subject)?;
        if rows.iter().any(|row| row.held) {
            return Err(VaultError::Held);
        }
        let receipt = Receipt {
            case: format!("{:016x}", u64::from_be_bytes(random()?)),
            at: now,
            rows: rows.len(),
            backups_until: Day(self
                .today
                .0
                .saturating_add_unsigned(self.settings.backup_days)),
        };
        self.change(|vault| {
            for row in &rows {
                vault.subjects.sql(|db| {
                    db.prepare_cached("DELETE FROM subjects WHERE tag = ?1")?
                        .execute([row.tag])
                })?;
            }
            vault.note_act(now, "erase", by, &receipt.to_string())
        })?;
        // Whatever is still cached would give the old handle to the same identifier again.
        self.cache.clear();
        self.tended.log_holds_erased = true;
        Ok(receipt)
    }

    /// Wipes what was erased from the log beside the rows, too. The upkeep does it within a second or
    /// so; whoever erases and ends has to ask for it. `false` if somebody is reading just now.
    pub fn wipe_log(&mut self) -> Result<bool, VaultError> {
        self.settle()?;
        let wiped = self.subjects.truncate_log()?;
        self.tended.log_holds_erased = !wiped;
        Ok(wiped)
    }

    /// Keeps somebody, and the records of the days on which they were seen, from being erased or
    /// forgotten. The reason goes to the record.
    pub fn hold(
        &mut self,
        subject: Subject<'_>,
        by: &str,
        reason: &str,
        now: UnixMillis,
    ) -> Result<usize, VaultError> {
        self.set_held(subject, true, by, reason, now)
    }

    /// Lets go of somebody who was held.
    pub fn release(
        &mut self,
        subject: Subject<'_>,
        by: &str,
        reason: &str,
        now: UnixMillis,
    ) -> Result<usize, VaultError> {
        self.set_held(subject, false, by, reason, now)
    }

    /// Everybody on whom a legal hold stands.
    pub fn held(&self) -> Result<Vec<HeldSubject>, VaultError> {
        let held = self.subjects.held()?;
        let shown = held.into_iter().map(|found| HeldSubject {
            handle: found.inner.handle,
            class: found.inner.class,
            days: (found.since, found.seen),
        });
        Ok(shown.collect())
    }

    /// What was done and is not in the record yet, by this process or another one.
    pub fn acts(&self) -> Result<Vec<VaultAct>, VaultError> {
        self.subjects.sql(|db| {
            let mut asked = db.prepare_cached(
                "SELECT number, at, what, by_whom, details FROM acts ORDER BY number LIMIT ?1",
            )?;
            let acts = asked.query_map([ACTS_MAX], |row| {
                Ok(VaultAct {
                    number: row.get(0)?,
                    at: UnixMillis(row.get(1)?),
                    what: row.get(2)?,
                    by: row.get(3)?,
                    details: row.get(4)?,
                })
            })?;
            acts.collect()
        })
    }

    /// The acts up to this number are in the record, durably.
    pub fn acts_recorded(&mut self, number: i64) -> Result<(), VaultError> {
        self.change(|vault| {
            vault
                .subjects
                .sql(|db| db.execute("DELETE FROM acts WHERE number <= ?1", [number]))?;
            Ok(())
        })
    }

    /// Puts something on the list of what has to be recorded: a look-up with its purpose, for one.
    pub fn act(
        &mut self,
        what: &str,
        by: &str,
        details: &str,
        now: UnixMillis,
    ) -> Result<(), VaultError> {
        self.change(|vault| vault.note_act(now, what, by, details))
    }

    pub(super) fn note_act(
        &mut self,
        at: UnixMillis,
        what: &str,
        by: &str,
        details: &str,
    ) -> Result<(), VaultError> {
        let by = without_identifiers(by);
        self.subjects.sql(|db| {
            db.prepare_cached(
                "INSERT INTO acts (at, what, by_whom, details) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![at.0, what, by, details])
        })?;
        Ok(())
    }

    /// Does something whole and durably, or not at all.
    pub(super) fn change(
        &mut self,
        work: impl FnOnce(&mut Vault) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.settle()?;
        self.subjects.begin()?;
        let done = work(self).and_then(|()| self.settle());
        if done.is_err() && self.subjects.unsettled {
            self.subjects.abandon();
            self.cache.clear();
        }
        done
    }

    fn set_held(
        &mut self,
        subject: Subject<'_>,
        held: bool,
        by: &str,
        reason: &str,
        now: UnixMillis,
    ) -> Result<usize, VaultError> {
        self.look(now)?;
        let rows = self.rows_for(subject)?;
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let what = if held { "hold" } else { "release" };
        let details = format!(
            "{} rows; reason: {}",
            rows.len(),
            without_identifiers(&reason)
        );
        self.change(|vault| {
            for row in &rows {
                vault.subjects.sql(|db| {
                    db.prepare_cached("UPDATE subjects SET held = ?2 WHERE tag = ?1")?
                        .execute(params![row.tag, held])
                })?;
            }
            vault.note_act(now, what, by, &details)
        })?;
        Ok(rows.len())
    }

    /// All rows of whoever is meant; never none.
    fn rows_for(&mut self, subject: Subject<'_>) -> Result<Vec<Found>, VaultError> {
        // What is not durable yet is a row, too.
        self.settle()?;
        let rows = match subject {
            Subject::Identifier { tenant, text } => self.rows_of(tenant, text)?,
            Subject::Handle(handle) => {
                let found = self.subjects.find_handle(handle)?;
                let found = found.ok_or(VaultError::Unknown)?;
                let whom = found.identifier(&self.subjects)?;
                self.rows_folded(&whom.tenant, &whom.folded)?
            }
        };
        match rows.is_empty() {
            true => Err(VaultError::Unknown),
            false => Ok(rows),
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Receipt {
            case,
            rows,
            backups_until,
            ..
        } = self;
        write!(
            out,
            "case {case}: {rows} rows erased; backups made before open until {backups_until} at most"
        )
    }
}
