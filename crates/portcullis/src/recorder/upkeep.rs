//! What an open record needs now and then: that its vault knows what is recorded, and forgets what is
//! due.

use std::time::Duration;

use guard::UnixMillis;
use journal::segments::forget_days;
use journal::vault::VaultError;
use journal::{Append as _, Ticket};
use tracing::{info, warn};

use super::opening::Open;
use crate::config::JournalConfig;

/// What commands have done is told to be recorded once that is so; it is tried again later.
const DURABLE_WITHIN: Duration = Duration::from_secs(5);

/// The acts up to this number are recorded, under this ticket: once that is durable, the vault need
/// not keep them.
pub(super) fn acts_recorded(
    open: &mut Open,
    ticket: Ticket,
    number: i64,
) -> Result<(), VaultError> {
    let appender = open.journal.appender();
    match appender.wait_durable(ticket, DURABLE_WITHIN) {
        Ok(()) => open.vault.acts_recorded(number),
        Err(_) => Ok(()),
    }
}

/// Forgets what has been kept long enough.
pub(super) fn forget(
    config: &JournalConfig,
    open: &mut Open,
    now: UnixMillis,
) -> Result<(), VaultError> {
    let tended = open.vault.tend(&config.retention, now)?;
    if !tended.records.is_empty() {
        match forget_days(&config.directory.value, &tended.records) {
            Ok(freed) => info!(freed, "records whose time was over are gone"),
            Err(error) => warn!(%error, "the disk of old records is not given back"),
        }
    }
    if tended.damaged > 0 {
        let damaged = tended.damaged;
        warn!("{damaged} rows of the record's subjects cannot be opened under their day's key");
    }
    Ok(())
}
