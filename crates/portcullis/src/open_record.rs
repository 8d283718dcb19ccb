//! A record whose keys are open. Whoever reads, writes or changes it comes through here, so that all
//! mean the same files and keep to the same settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::proof::{LogKey, NoteError};
use journal::segments::Audit;
use journal::{
    Journal, JournalError, KeyError, KeyRing, Reader, Settings, Vault, VaultError, VaultSettings,
};

use crate::config::JournalConfig;

/// The configuration's record and its keys.
pub(crate) struct OpenRecord<'c> {
    config: &'c JournalConfig,
    directory: PathBuf,
    keys: Arc<KeyRing>,
}

impl<'c> OpenRecord<'c> {
    /// Opens the keys. A root behind a passphrase takes a second of work.
    pub(crate) fn new(config: &'c JournalConfig) -> Result<OpenRecord<'c>, KeyError> {
        let keys = KeyRing::open(
            config.root.open()?,
            &config.keys(),
            &config.subject_keys.value,
        )?;
        Ok(OpenRecord {
            config,
            directory: config.directory.value.clone(),
            keys: Arc::new(keys),
        })
    }

    /// A copy of it that lies elsewhere.
    pub(crate) fn copied_to(&self, directory: &Path) -> OpenRecord<'c> {
        OpenRecord {
            config: self.config,
            directory: directory.to_path_buf(),
            keys: Arc::clone(&self.keys),
        }
    }

    /// Whom its handles stand for.
    pub(crate) fn vault(&self) -> Result<Vault, VaultError> {
        let settings = VaultSettings {
            epoch_days: self.config.epoch_days,
            backup_days: self.config.backup_days,
            ..VaultSettings::default()
        };
        let rows = self.directory.join("subjects.db");
        Vault::open(&rows, Arc::clone(&self.keys), settings)
    }

    /// What its checkpoints are signed with.
    pub(crate) fn log(&self) -> Result<LogKey, NoteError> {
        LogKey::new(&self.config.origin, self.keys.log_key())
    }

    /// Reads it.
    pub(crate) fn reader(&self) -> Reader {
        Reader::new(&self.directory, Arc::clone(&self.keys) as _)
    }

    /// Walks through all of it, block by block.
    pub(crate) fn audit(&self) -> Result<Audit, JournalError> {
        Audit::new(&self.directory, Arc::clone(&self.keys) as _)
    }

    /// Writes it; one process at a time can.
    pub(crate) fn journal(&self, log: LogKey) -> Result<Journal, JournalError> {
        let settings = Settings {
            commit: self.config.commit,
            ..Settings::new(&self.directory)
        };
        Journal::open(&settings, Arc::clone(&self.keys) as _, log)
    }

    /// Where the tree and its checkpoints are.
    pub(crate) fn tree(&self) -> PathBuf {
        self.directory.join("tree")
    }
}
