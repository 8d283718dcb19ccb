//! The vault: pseudonyms before anything is written, and the only way back from one to whom it
//! stands for.
//!
//! A message goes through [`Vault::rewrite`] before it becomes a record: what names somebody becomes
//! a random handle, the same within an epoch; secrets become a length; free text is sealed under a
//! key of its own day. The original is sealed once, under the subject's own key, which only the
//! subject's row holds; erasing the row is erasing the subject, wherever copies of records are.

mod cache;
mod certificate;
mod class;
mod emaid;
mod enclosing;
mod erase;
mod error;
mod fold;
pub mod recognise;
mod retention;
mod reveal;
mod rewrite;
mod setting;
mod subjects;
mod text;
mod upkeep;
mod url;
mod wrap;

pub use class::Class;
pub use erase::{HeldSubject, Receipt, Subject, VaultAct};
pub use error::VaultError;
pub use retention::{Plan, Retention, plan};
pub use reveal::{REVEALED_ALONE_MAX, REVEALED_AT_ONCE_MAX, Revealed};
pub use upkeep::{Tended, VaultHealth};

use std::path::Path;
use std::sync::Arc;

use guard::UnixMillis;
use zeroize::Zeroizing;

use crate::keys::KeyRing;
use crate::{Day, Handle};

use cache::{Cache, Seen};
use subjects::Subjects;
use text::Texts;
use upkeep::Tending;
use wrap::Identifier;

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSettings {
    /// Days for which an identifier keeps its handle: within them records join, across them not.
    pub epoch_days: u32,
    /// Days for which a backup of the rows can still be opened with the wrapping key of its day.
    pub backup_days: u32,
    /// New subjects that one day may bring: whoever sends random identifiers fills no disk.
    pub new_subjects_a_day_max: u32,
}

impl Default for VaultSettings {
    fn default() -> VaultSettings {
        VaultSettings {
            epoch_days: 90,
            backup_days: 7,
            new_subjects_a_day_max: NEW_SUBJECTS_A_DAY_MAX,
        }
    }
}

/// Identifiers that are remembered in memory: some 10 MiB when full.
const CACHED_MAX: usize = 1 << 18;
/// New subjects that a day may bring, where nothing else is said.
const NEW_SUBJECTS_A_DAY_MAX: u32 = 2_000_000;
/// Bytes of an identifier: what is longer names nobody, and is recorded as a length.
const IDENTIFIER_BYTES_MAX: usize = 2048;
/// How often is looked whether another process has erased somebody.
const LOOK_MILLIS: i64 = 1_000;

/// Pseudonyms for what is recorded.
pub struct Vault {
    settings: VaultSettings,
    subjects: Subjects,
    texts: Texts,
    cache: Cache,
    today: Day,
    looked: UnixMillis,
    new_today: u32,
    withheld: u64,
    private: bool,
    tended: Tending,
    folded: Vec<u8>,
    kinds: Vec<(u32, usize)>,
}

/// What was sealed, opened again: whom a handle stands for.
pub struct Original {
    /// What it names.
    pub class: Class,
    /// Whose record it is in.
    pub tenant: String,
    /// As it was first written.
    pub text: Zeroizing<String>,
}

impl Vault {
    /// Opens the subjects' file, and makes it if there is none.
    pub fn open(
        subjects: &Path,
        keys: Arc<KeyRing>,
        settings: VaultSettings,
    ) -> Result<Vault, VaultError> {
        Ok(Vault {
            settings,
            subjects: Subjects::open(subjects, keys.clone())?,
            texts: Texts::new(keys),
            cache: Cache::new(CACHED_MAX),
            today: Day(i32::MIN),
            looked: UnixMillis(i64::MIN),
            new_today: 0,
            withheld: 0,
            private: false,
            tended: Tending::default(),
            folded: Vec::new(),
            kinds: Vec::new(),
        })
    }

    /// The handle of an identifier, given now if it has none. Durable, like those in a rewritten
    /// message, once [`Vault::settle`] has returned.
    pub fn handle_of(
        &mut self,
        tenant: &str,
        class: Class,
        identifier: &str,
        now: UnixMillis,
    ) -> Result<Handle, VaultError> {
        self.look(now)?;
        self.handle(tenant, class, identifier)
    }

    fn handle(
        &mut self,
        tenant: &str,
        class: Class,
        identifier: &str,
    ) -> Result<Handle, VaultError> {
        fold::fold(identifier, &mut self.folded);
        let epoch = self.epoch();
        let print = self.cache.print(tenant, epoch, &self.folded);
        if let Some(seen) = self.cache.find(print)
            && seen.day == self.today
        {
            return Ok(seen.handle);
        }
        let handle = match self.subjects.find(tenant, epoch, &self.folded)? {
            Some(found) => {
                if found.seen < self.today {
                    self.subjects.touch(&found.tag, self.today)?;
                }
                found.inner.handle
            }
            None => self.give(tenant, class, identifier, epoch)?,
        };
        let day = self.today;
        self.cache.keep(print, Seen { handle, day });
        Ok(handle)
    }

    /// Whether the messages to come are those of a private station: then its serial numbers become
    /// handles as well, and the network it is in is sealed with the free text.
    pub fn of_private_station(&mut self, private: bool) {
        self.private = private;
    }

    /// Makes durable whatever handles were given since: to be called before a record that holds one
    /// is handed on. If it fails, those handles stand for nobody, and such records must not be kept.
    pub fn settle(&mut self) -> Result<(), VaultError> {
        let settled = self.subjects.settle();
        if settled.is_err() {
            self.cache.clear();
        }
        settled
    }

    /// Every handle that was given is durable.
    pub fn is_settled(&self) -> bool {
        !self.subjects.unsettled
    }

    /// Every handle of an identifier, of all epochs, oldest first.
    pub fn find(&self, tenant: &str, identifier: &str) -> Result<Vec<Handle>, VaultError> {
        let mut handles = Vec::new();
        for found in self.rows_of(tenant, identifier)? {
            handles.push(found.inner.handle);
        }
        Ok(handles)
    }

    /// Whom a handle stands for. Asked through [`Vault::reveal`], which wants a purpose.
    pub(crate) fn original(&self, handle: Handle) -> Result<Original, VaultError> {
        let found = self.subjects.find_handle(handle)?;
        let found = found.ok_or(VaultError::Unknown)?;
        let identifier = found.identifier(&self.subjects)?;
        Ok(Original {
            class: found.inner.class,
            tenant: identifier.tenant,
            text: identifier.original,
        })
    }

    /// What a sealed text of a record says; `None` if it is none.
    pub fn open_text(&self, text: &str) -> Result<Option<Zeroizing<String>>, VaultError> {
        Ok(self.texts.open(text)?)
    }

    /// Takes up the day, and what another process has done.
    fn look(&mut self, now: UnixMillis) -> Result<(), VaultError> {
        let today = Day::of(now);
        if today != self.today {
            self.subjects.turn(today)?;
            self.today = today;
            self.new_today = 0;
        }
        let since = now.0.saturating_sub(self.looked.0);
        if !(0..LOOK_MILLIS).contains(&since) {
            self.looked = now;
            // Whoever was erased must not get the old handle again.
            if !self.subjects.unsettled && self.subjects.changed_elsewhere()? {
                self.cache.clear();
                self.tended.log_holds_erased = true;
            }
        }
        Ok(())
    }

    fn give(
        &mut self,
        tenant: &str,
        class: Class,
        identifier: &str,
        epoch: u32,
    ) -> Result<Handle, VaultError> {
        let max = self.settings.new_subjects_a_day_max;
        if self.new_today >= max {
            return Err(VaultError::TooManyNew { max });
        }
        self.new_today += 1;
        let identifier = Identifier {
            tenant: tenant.to_owned(),
            folded: Zeroizing::new(self.folded.clone()),
            original: Zeroizing::new(identifier.to_owned()),
        };
        let given = self.subjects.insert(&identifier, class, epoch, self.today);
        if given.is_err() {
            // What is not durable is taken back as a whole, so that no cached handle outlives its row.
            self.subjects.abandon();
            self.cache.clear();
        }
        given
    }

    /// The first day of the epoch that today is in: days count from 1970, so none is negative where a
    /// clock shows anything sensible.
    fn epoch(&self) -> u32 {
        let length = i32::try_from(self.settings.epoch_days.max(1)).unwrap_or(i32::MAX);
        let first = self.today.0.div_euclid(length).saturating_mul(length);
        u32::try_from(first).unwrap_or_default()
    }

    fn rows_of(&self, tenant: &str, identifier: &str) -> Result<Vec<subjects::Found>, VaultError> {
        let mut folded = Zeroizing::new(Vec::new());
        fold::fold(identifier, &mut folded);
        self.rows_folded(tenant, &folded)
    }

    fn rows_folded(&self, tenant: &str, folded: &[u8]) -> Result<Vec<subjects::Found>, VaultError> {
        let mut rows = Vec::new();
        for epoch in self.subjects.epochs()? {
            rows.extend(self.subjects.find(tenant, epoch, folded)?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
