//! How the record is opened: again and again, until it can be.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use journal::{Journal, Vault};

use super::AGAIN;
use super::row::Row;
use crate::config::JournalConfig;
use crate::open_record::OpenRecord;

/// A record that could not be opened is tried again then (a passphrase costs a second of work), or
/// when a file that it needs has changed.
const OPEN_EVERY: Duration = Duration::from_secs(30);

/// A record that is written.
pub(super) struct Open {
    pub(super) journal: Journal,
    pub(super) vault: Vault,
}

impl Open {
    /// Opens the record; `None` when the row is closed before it could be. Each time that it cannot
    /// be opened, why is told.
    pub(super) fn sooner_or_later(
        config: &JournalConfig,
        row: &Row,
        tell: impl Fn(String),
    ) -> Option<Open> {
        loop {
            // Before it is tried: what is written in between is worth another try.
            let stamps = stamps(config);
            match Open::now(config) {
                Ok(open) => return Some(open),
                Err(why) => tell(why),
            }
            if rest(config, row, &stamps) {
                return None;
            }
        }
    }

    fn now(config: &JournalConfig) -> Result<Open, String> {
        let words = |error: &dyn std::error::Error| error.to_string();
        let record = OpenRecord::new(config).map_err(|error| words(&error))?;
        let vault = record.vault().map_err(|error| words(&error))?;
        let log = record.log().map_err(|error| words(&error))?;
        let journal = record.journal(log).map_err(|error| words(&error))?;
        Ok(Open { journal, vault })
    }
}

/// Waits until it may be worth another try; true when the row is closed.
fn rest(config: &JournalConfig, row: &Row, before: &[Option<SystemTime>]) -> bool {
    let began = Instant::now();
    while !row.rest(AGAIN) {
        if began.elapsed() >= OPEN_EVERY || stamps(config) != before {
            return false;
        }
    }
    true
}

/// When the files that open a record were last written.
fn stamps(config: &JournalConfig) -> Vec<Option<SystemTime>> {
    let stamp = |file: &PathBuf| std::fs::metadata(file).and_then(|meta| meta.modified());
    let files = config.key_files();
    files.iter().map(|file| stamp(file).ok()).collect()
}
