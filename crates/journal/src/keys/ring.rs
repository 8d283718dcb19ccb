//! The key files of one record, opened with its root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::Day;

use super::file::{self, failed};
use super::{KeyError, KeyKind, Root, Sealer, SegmentKey, SegmentKeys};

/// Makes, opens and destroys the keys of days.
///
/// Opening it proves the root against `log.key`, so that no key is ever sealed under a second root.
pub struct KeyRing {
    root: Root,
    sealer: Sealer,
    dir: PathBuf,
    keks: PathBuf,
    log: Zeroizing<[u8; 32]>,
}

/// `log.key` is of no day; it is sealed as of this one.
const NO_DAY: Day = Day(0);

impl KeyRing {
    /// Makes the directories and the log key of a new record; one that is there already is opened,
    /// and left as it is. `keks` is where wrapping keys live: outside of what is backed up.
    pub fn init(root: Root, dir: &Path, keks: &Path) -> Result<KeyRing, KeyError> {
        file::make_dir(dir)?;
        file::make_dir(keks)?;
        match KeyRing::open(root.clone(), dir, keks) {
            Err(KeyError::NotInitialised { .. }) => {}
            opened => return opened,
        }
        let sealer = root.sealer(PURPOSE)?;
        let path = dir.join(KeyKind::Log.file_name(NO_DAY));
        file::make(&path, &sealer, (KeyKind::Log, NO_DAY))?;
        KeyRing::open(root, dir, keks)
    }

    /// Opens the keys of a record.
    pub fn open(root: Root, dir: &Path, keks: &Path) -> Result<KeyRing, KeyError> {
        let sealer = root.sealer(PURPOSE)?;
        let path = dir.join(KeyKind::Log.file_name(NO_DAY));
        let Some(log) = file::read(&path, &sealer, (KeyKind::Log, NO_DAY))? else {
            let dir = dir.to_owned();
            let orphans = KeyKind::OF_DAYS
                .iter()
                .map(|kind| match kind {
                    KeyKind::Subjects => days(keks, *kind),
                    _ => days(&dir, *kind),
                })
                .collect::<Result<Vec<_>, _>>()?;
            return Err(match orphans.iter().all(Vec::is_empty) {
                true => KeyError::NotInitialised { dir },
                false => KeyError::LogKeyMissing { dir },
            });
        };
        file::make_dir(keks)?;
        Ok(KeyRing {
            root,
            sealer,
            dir: dir.to_owned(),
            keks: keks.to_owned(),
            log,
        })
    }

    /// The 32 secret bytes of the key that signs checkpoints.
    pub fn log_key(&self) -> &Zeroizing<[u8; 32]> {
        &self.log
    }

    /// The days that a kind has keys of, oldest first.
    pub fn days(&self, kind: KeyKind) -> Result<Vec<Day>, KeyError> {
        days(self.dir_of(kind), kind)
    }

    /// Destroys a day's key: what it opened is gone for good.
    pub fn destroy(&self, kind: KeyKind, day: Day) -> Result<(), KeyError> {
        match kind {
            KeyKind::Log => Ok(()),
            _ => file::destroy(&self.path(kind, day)),
        }
    }

    /// The key of a day, made if there is none.
    pub(crate) fn make(&self, kind: KeyKind, day: Day) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let path = self.path(kind, day);
        match file::read(&path, &self.sealer, (kind, day))? {
            Some(key) => Ok(key),
            None => file::make(&path, &self.sealer, (kind, day)),
        }
    }

    /// The key of a day.
    pub(crate) fn find(&self, kind: KeyKind, day: Day) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let path = self.path(kind, day);
        file::read(&path, &self.sealer, (kind, day))?.ok_or(KeyError::Missing { kind, day, path })
    }

    /// A key that takes the root *and* a day's wrapping key.
    pub(crate) fn derive(
        &self,
        kek: &[u8; 32],
        purpose: &str,
    ) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        self.root.derive_with(kek, purpose)
    }

    fn path(&self, kind: KeyKind, day: Day) -> PathBuf {
        self.dir_of(kind).join(kind.file_name(day))
    }

    fn dir_of(&self, kind: KeyKind) -> &Path {
        match kind {
            KeyKind::Subjects => &self.keks,
            _ => &self.dir,
        }
    }
}

const PURPOSE: &str = "key files";

impl SegmentKeys for KeyRing {
    fn seal(&self, day: Day) -> Result<SegmentKey, KeyError> {
        let key = self.make(KeyKind::Segments, day)?;
        Ok(SegmentKey::new(*key))
    }

    fn open(&self, day: Day) -> Result<SegmentKey, KeyError> {
        let key = self.find(KeyKind::Segments, day)?;
        Ok(SegmentKey::new(*key))
    }
}

fn days(dir: &Path, kind: KeyKind) -> Result<Vec<Day>, KeyError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read", dir, source)),
    };
    let mut days = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| failed("read", dir, source))?;
        days.extend(
            entry
                .file_name()
                .to_str()
                .and_then(|name| kind.day_of(name)),
        );
    }
    days.sort_unstable();
    Ok(days)
}

#[cfg(test)]
mod tests;
