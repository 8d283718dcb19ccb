//! What the vault does by itself, a little at a time: rows get the day's wrapping key, old wrapping
//! keys are destroyed, and what was kept long enough is forgotten.

use std::path::Path;

use guard::UnixMillis;
use rusqlite::params;

use crate::Day;
use crate::keys::KeyKind;
use crate::proof::verify::forgotten_details;
use crate::segments::numbers_of;

use super::subjects::{Found, Subjects};
use super::wrap::{Inner, Tag};
use super::{Plan, Retention, Vault, VaultError, plan};

/// Rows that get a new key in one go: some 30 ms.
const REWRAPPED_AT_ONCE: usize = 500;
/// How long a request for originals is kept beside the rows.
const REQUESTS_MILLIS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Rows that are forgotten in one go.
const FORGOTTEN_AT_ONCE: usize = 2_000;

/// What one go has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Rows that got today's key.
    pub rewrapped: usize,
    /// Days whose wrapping keys were destroyed: backups of then reveal nobody any more.
    pub keks: Vec<Day>,
    /// Identifiers that were forgotten.
    pub identifiers: usize,
    /// Days whose texts can be read no longer.
    pub texts: Vec<Day>,
    /// Days whose records can be read no longer: their segment files may be removed.
    pub records: Vec<Day>,
    /// The clock has jumped by days: nothing is forgotten or destroyed before tomorrow.
    pub waits_for_clock: bool,
    /// There is more to do: to be called again soon.
    pub more: bool,
}

/// What cannot be done for rows and values, and somebody should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VaultHealth {
    /// Rows that do not open under their day's key: nobody can say any more whom they name, and the key
    /// cannot be destroyed.
    pub damaged: u64,
    /// Days whose wrapping keys are gone, and how many rows nobody can open for it.
    pub lost: Vec<(Day, u64)>,
    /// Values that were recorded as a length since the start, since more new subjects came than a day
    /// may bring.
    pub withheld: u64,
    /// As many new subjects have come today as may: the next ones get no handle before tomorrow.
    pub withholds: bool,
    /// The clock has jumped by days: nothing is forgotten or destroyed before tomorrow.
    pub waits_for_clock: bool,
}

/// Where the upkeep stands.
#[derive(Default)]
pub(super) struct Tending {
    /// The day for which all is done.
    day: Option<Day>,
    /// The log beside the file still has pages of what was erased.
    pub(super) log_holds_erased: bool,
    /// Rows that were to get today's key and did not open.
    damaged: u64,
}

impl Vault {
    /// Does a little of what is due. To be called every second or so, by whoever owns the vault; when
    /// nothing is due it costs next to nothing.
    ///
    /// `record` is the record's directory: the act that ends days names the numbers of their records,
    /// so that whoever checks the record takes nothing else for what retention has ended.
    pub fn tend(
        &mut self,
        retention: &Retention,
        record: &Path,
        now: UnixMillis,
    ) -> Result<Tended, VaultError> {
        self.look(now)?;
        self.settle()?;
        let mut tended = Tended::default();
        if self.tended.log_holds_erased {
            self.wipe_log()?;
        }
        if self.tended.day == Some(self.today) {
            return Ok(tended);
        }
        if self.subjects.has_older_days() {
            let today = self.today;
            self.change(|vault| {
                tended.rewrapped = vault.subjects.rewrap(REWRAPPED_AT_ONCE)?;
                Ok(())
            })?;
            tended.more = tended.rewrapped == REWRAPPED_AT_ONCE || self.today != today;
        }
        if self.subjects.jumped == Some(self.today) {
            // The gate was off for days, or the clock is wrong; what is destroyed by a wrong clock
            // does not come back, so nothing is before this clock has seen another midnight.
            tended.waits_for_clock = true;
            if !tended.more {
                self.tended.day = Some(self.today);
            }
            return Ok(tended);
        }
        if !tended.more {
            self.forget(retention, record, now, &mut tended)?;
        }
        if !tended.more {
            // Pages that held what is gone now.
            self.wipe_log()?;
            self.subjects.load_days()?;
            (tended.keks, self.tended.damaged) = self.destroy_keks()?;
            self.tended.day = Some(self.today);
        }
        Ok(tended)
    }

    /// How it is.
    pub fn health(&self) -> VaultHealth {
        VaultHealth {
            damaged: self.tended.damaged,
            lost: self.subjects.lost().to_vec(),
            withheld: self.withheld,
            withholds: self.new_today >= self.settings.new_subjects_a_day_max,
            waits_for_clock: self.subjects.jumped == Some(self.today),
        }
    }

    /// What would be forgotten today.
    pub fn plan(&mut self, retention: &Retention, now: UnixMillis) -> Result<Plan, VaultError> {
        self.look(now)?;
        let texts = self.subjects.keys.days(KeyKind::Texts)?;
        let records = self.subjects.keys.days(KeyKind::Segments)?;
        let held = self.subjects.held_days()?;
        Ok(plan(retention, self.today, (&texts, &records), &held))
    }

    fn forget(
        &mut self,
        retention: &Retention,
        record: &Path,
        now: UnixMillis,
        tended: &mut Tended,
    ) -> Result<(), VaultError> {
        let plan = self.plan(retention, now)?;
        if let Some(before) = plan.identifiers_before {
            self.change(|vault| {
                tended.identifiers = vault.subjects.forget(before, FORGOTTEN_AT_ONCE)?;
                Ok(())
            })?;
            tended.more = tended.identifiers == FORGOTTEN_AT_ONCE;
            if tended.identifiers > 0 {
                self.cache.clear();
            }
        }
        self.subjects.forget_requests(now)?;
        // First the note, then the deed: a deed without a note would be a gap in the record.
        if !plan.texts.is_empty() {
            let names: Vec<_> = plan.texts.iter().map(Day::to_string).collect();
            let details = format!("texts of {}", names.join(", "));
            self.act("retention", "gate", &details, now)?;
        }
        if !plan.records.is_empty() {
            let numbers = numbers_of(record, &*self.subjects.keys, &plan.records)?;
            let details = forgotten_details(&plan.records, &numbers);
            self.act("retention", "gate", &details, now)?;
        }
        if tended.identifiers > 0 {
            let details = format!("{} identifiers", tended.identifiers);
            self.act("retention", "gate", &details, now)?;
        }
        for day in &plan.texts {
            self.subjects.keys.destroy(KeyKind::Texts, *day)?;
        }
        for day in &plan.records {
            self.subjects.keys.destroy(KeyKind::Segments, *day)?;
        }
        (tended.texts, tended.records) = (plan.texts, plan.records);
        Ok(())
    }

    /// Destroys the wrapping keys that no row needs and that are older than backups are to be, and
    /// counts the rows that are still under another key than today's: those do not open. A key of a day
    /// to come was made while the clock was wrong.
    fn destroy_keks(&mut self) -> Result<(Vec<Day>, u64), VaultError> {
        let mut destroyed = Vec::new();
        let mut damaged = 0;
        let newest = self.subjects.days.first().map(|keys| keys.day);
        for day in self.subjects.keys.days(KeyKind::Subjects)? {
            if newest == Some(day) {
                continue;
            }
            let rows = self.subjects.rows_under(day)?;
            damaged += rows;
            let age = i64::from(self.today.0) - i64::from(day.0);
            let old = age > i64::from(self.settings.backup_days) || age < -1;
            if old && rows == 0 {
                self.subjects.keys.destroy(KeyKind::Subjects, day)?;
                destroyed.push(day);
            }
        }
        Ok((destroyed, damaged))
    }
}

impl Subjects {
    fn has_older_days(&self) -> bool {
        self.days.len() > 1
    }

    /// Gives some rows the first day's key; how many it looked at.
    fn rewrap(&mut self, max: usize) -> Result<usize, VaultError> {
        let mut looked = 0;
        while looked < max {
            let [first, .., last] = self.days.as_slice() else {
                break;
            };
            let rows = self.sql(|db| {
                let mut asked = db.prepare_cached(
                    "SELECT tag, row, original FROM subjects \
                     WHERE kek = ?1 AND tag > ?2 ORDER BY tag LIMIT ?3",
                )?;
                let limit = i64::try_from(max - looked).unwrap_or(i64::MAX);
                let rows = asked.query_map(params![last.day.0, self.rewrapped, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
                rows.collect::<Result<Vec<(Tag, Vec<u8>, Vec<u8>)>, _>>()
            })?;
            looked += rows.len();
            let Some((end, _, _)) = rows.last() else {
                // All of that day's: its rows are under the first one's now, or damaged.
                self.days.pop();
                self.rewrapped = Tag::default();
                continue;
            };
            for (tag, row, original) in &rows {
                let Some(inner) = last.open(tag, row) else {
                    continue;
                };
                let Some(whom) = inner.open(original) else {
                    continue;
                };
                let new = first.tag(&whom.tenant, inner.epoch, &whom.folded);
                let (sealed, handle) = (first.seal(&new, &inner)?, first.handle_tag(inner.handle));
                self.sql(|db| {
                    db.prepare_cached(
                        "UPDATE subjects SET tag = ?2, handle = ?3, kek = ?4, row = ?5 WHERE tag = ?1",
                    )?
                    .execute(params![tag, new, handle, first.day.0, sealed])
                })?;
            }
            self.rewrapped = *end;
        }
        Ok(looked)
    }

    /// Forgets some of those who were last seen before that day and are not held; how many.
    fn forget(&mut self, before: Day, max: usize) -> Result<usize, VaultError> {
        self.sql(|db| {
            let mut asked = db.prepare_cached(
                "DELETE FROM subjects WHERE tag IN \
                 (SELECT tag FROM subjects WHERE seen < ?1 AND held = 0 LIMIT ?2)",
            )?;
            asked.execute(params![before.0, i64::try_from(max).unwrap_or(i64::MAX)])
        })
    }

    /// Forgets who asked for originals, which the record says by now.
    fn forget_requests(&self, now: UnixMillis) -> Result<(), VaultError> {
        let before = now.0.saturating_sub(REQUESTS_MILLIS);
        self.sql(|db| db.execute("DELETE FROM reveals WHERE at < ?1", [before]))?;
        Ok(())
    }

    fn rows_under(&self, day: Day) -> Result<u64, VaultError> {
        let rows: i64 = self.sql(|db| {
            let mut asked = db.prepare_cached("SELECT count(*) FROM subjects WHERE kek = ?1")?;
            asked.query_row([day.0], |row| row.get(0))
        })?;
        Ok(rows.unsigned_abs())
    }

    /// The days on which those were seen on whom a hold stands.
    fn held_days(&self) -> Result<Vec<(Day, Day)>, VaultError> {
        self.sql(|db| {
            let mut asked = db.prepare_cached("SELECT since, seen FROM subjects WHERE held = 1")?;
            let days = asked.query_map([], |row| Ok((Day(row.get(0)?), Day(row.get(1)?))))?;
            days.collect()
        })
    }

    /// The rows on which a hold stands.
    pub(super) fn held(&self) -> Result<Vec<Found>, VaultError> {
        let rows = self.sql(|db| {
            let mut asked = db.prepare_cached(
                "SELECT kek, tag, row, original, since, seen FROM subjects WHERE held = 1",
            )?;
            let rows = asked.query_map([], |row| {
                let found: (i32, Tag, Vec<u8>, Vec<u8>, i32, i32) = row.try_into()?;
                Ok(found)
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let mut held = Vec::new();
        for (kek, tag, row, sealed, since, seen) in rows {
            let keys = self.days.iter().find(|keys| keys.day.0 == kek);
            let inner: Option<Inner> = keys.and_then(|keys| keys.open(&tag, &row));
            // Whom nobody can open any more, nobody can name; the days are kept all the same.
            let Some(inner) = inner else { continue };
            held.push(Found {
                tag,
                inner,
                sealed,
                since: Day(since),
                seen: Day(seen),
                held: true,
            });
        }
        Ok(held)
    }
}
