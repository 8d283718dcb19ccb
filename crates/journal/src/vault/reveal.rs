//! Whom handles stand for: for a stated purpose, a few at a time. Many at once want a second person.
//!
//! What is asked is on the list for the record before anything is answered. The rule holds among
//! people who use this program; whoever holds root and keys needs no program.

use guard::UnixMillis;
use rusqlite::{OptionalExtension as _, params};

use crate::Handle;
use crate::keys::random;

use super::recognise::without_identifiers;
use super::{Original, Vault, VaultError};

/// Originals that one person may see in 24 hours without another one's consent.
pub const REVEALED_ALONE_MAX: usize = 10;
/// Originals of one request.
pub const REVEALED_AT_ONCE_MAX: usize = 10_000;
/// A request and its consent are good for that long.
const CASE_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Characters of a purpose.
const PURPOSE_CHARS_MAX: usize = 500;

/// What became of a request.
pub enum Revealed {
    /// Whom each of the handles stands for; `None` for one that stands for nobody any more.
    Originals(Vec<(Handle, Option<Original>)>),
    /// It waits under this case number for another person's consent.
    Waits(String),
}

/// A request as it was filed.
struct Case {
    at: UnixMillis,
    by: String,
    handles: Vec<Handle>,
    purpose: String,
    approved_by: Option<String>,
}

impl Vault {
    /// Says whom handles stand for, if they are few; else files the request for another person to
    /// agree to.
    pub fn reveal(
        &mut self,
        handles: &[Handle],
        purpose: &str,
        by: &str,
        now: UnixMillis,
    ) -> Result<Revealed, VaultError> {
        let purpose: String = purpose.trim().chars().take(PURPOSE_CHARS_MAX).collect();
        if purpose.is_empty() {
            return Err(VaultError::NoPurpose);
        }
        if handles.len() > REVEALED_AT_ONCE_MAX {
            return Err(VaultError::TooMany {
                max: REVEALED_AT_ONCE_MAX,
            });
        }
        let purpose = without_identifiers(&purpose).into_owned();
        let case = format!("{:016x}", u64::from_be_bytes(random()?));
        let alone = self.revealed_alone(by, now)? + handles.len() <= REVEALED_ALONE_MAX;
        let what = if alone { "original" } else { "original-asked" };
        let count = handles.len();
        let details = format!("case {case}: {count} originals; purpose: {purpose}");
        let named: Vec<u8> = handles.iter().flat_map(|handle| *handle.bytes()).collect();
        self.change(|vault| {
            vault.subjects.sql(|db| {
                db.execute(
                    "INSERT INTO reveals (case_number, at, by_whom, handles, purpose, alone) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![case, now.0, by, named, purpose, alone],
                )
            })?;
            vault.note_act(now, what, by, &details)
        })?;
        match alone {
            true => Ok(Revealed::Originals(self.originals(handles)?)),
            false => Ok(Revealed::Waits(case)),
        }
    }

    /// Agrees to somebody else's request; how many originals it is about, and what for.
    pub fn approve(
        &mut self,
        case: &str,
        by: &str,
        now: UnixMillis,
    ) -> Result<(usize, String), VaultError> {
        let asked = self.case(case, now)?;
        if asked.by == by {
            return Err(VaultError::SamePerson);
        }
        let details = format!("case {case}: agreed to {} originals", asked.handles.len());
        self.change(|vault| {
            vault.subjects.sql(|db| {
                db.execute(
                    "UPDATE reveals SET approved_by = ?2 WHERE case_number = ?1",
                    params![case, by],
                )
            })?;
            vault.note_act(now, "original-agreed", by, &details)
        })?;
        Ok((asked.handles.len(), asked.purpose))
    }

    /// Says whom the handles of a request stand for that another person has agreed to.
    pub fn reveal_case(
        &mut self,
        case: &str,
        by: &str,
        now: UnixMillis,
    ) -> Result<Vec<(Handle, Option<Original>)>, VaultError> {
        let asked = self.case(case, now)?;
        if asked.by != by {
            return Err(VaultError::AnotherPerson);
        }
        if asked.approved_by.is_none_or(|other| other == by) {
            return Err(VaultError::NotAgreed);
        }
        let details = format!("case {case}: {} originals", asked.handles.len());
        self.act("original", by, &details, now)?;
        self.originals(&asked.handles)
    }

    fn originals(&self, handles: &[Handle]) -> Result<Vec<(Handle, Option<Original>)>, VaultError> {
        let mut originals = Vec::with_capacity(handles.len());
        for handle in handles {
            let original = match self.original(*handle) {
                Err(VaultError::Unknown) => None,
                found => Some(found?),
            };
            originals.push((*handle, original));
        }
        Ok(originals)
    }

    /// How many originals somebody has seen alone lately.
    fn revealed_alone(&self, by: &str, now: UnixMillis) -> Result<usize, VaultError> {
        let since = now.0.saturating_sub(CASE_MILLIS);
        let bytes: i64 = self.subjects.sql(|db| {
            db.query_row(
                "SELECT coalesce(sum(length(handles)), 0) FROM reveals \
                 WHERE by_whom = ?1 AND alone = 1 AND at > ?2",
                params![by, since],
                |row| row.get(0),
            )
        })?;
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX) / 12)
    }

    fn case(&self, case: &str, now: UnixMillis) -> Result<Case, VaultError> {
        let found = self.subjects.sql(|db| {
            db.query_row(
                "SELECT at, by_whom, handles, purpose, approved_by FROM reveals \
                 WHERE case_number = ?1 AND alone = 0",
                [case],
                |row| {
                    let handles: Vec<u8> = row.get(2)?;
                    let handles = handles
                        .as_chunks::<12>()
                        .0
                        .iter()
                        .map(|bytes| Handle::from_random(*bytes));
                    Ok(Case {
                        at: UnixMillis(row.get(0)?),
                        by: row.get(1)?,
                        handles: handles.collect(),
                        purpose: row.get(3)?,
                        approved_by: row.get(4)?,
                    })
                },
            )
            .optional()
        })?;
        found
            .filter(|asked| asked.at.0 > now.0.saturating_sub(CASE_MILLIS))
            .ok_or(VaultError::NoCase)
    }
}
