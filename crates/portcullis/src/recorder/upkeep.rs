//! What an open record needs now and then: that its vault knows what is recorded, and forgets what is
//! due.

use std::time::Duration;

use guard::UnixMillis;
use journal::segments::forget_days;
use journal::vault::{VaultError, VaultHealth};
use journal::{Append as _, Ticket};
use tracing::{info, warn};

use super::opening::Open;
use crate::config::JournalConfig;
use crate::health::Finding;

/// What commands have done is told to be recorded once that is so; it is tried again later.
const DURABLE_WITHIN: Duration = Duration::from_secs(5);
/// What is told of it.
const SUBJECT: &str = "record subjects";

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
    let tended = open
        .vault
        .tend(&config.retention, &config.directory.value, now)?;
    if !tended.records.is_empty() {
        match forget_days(&config.directory.value, &tended.records) {
            Ok(freed) => info!(freed, "records whose time was over are gone"),
            Err(error) => warn!(%error, "the disk of old records is not given back"),
        }
    }
    Ok(())
}

/// How the rows are that say whom handles stand for, in words. What is worst comes first; all of it is
/// counted.
pub(super) fn finding(health: &VaultHealth) -> Finding {
    let lost = lost_rows(health);
    if health.damaged > 0 {
        return Finding::warn(
            SUBJECT,
            format!(
                "{} rows of subjects.db do not open under their day's key, and keep it from being \
                 destroyed",
                health.damaged
            ),
            "Somebody has changed the file, or the disk has: take it back from a backup of today, or \
             live with handles that nobody can resolve.",
        );
    }
    if let (Some((first, _)), Some((last, _))) =
        (health.lost.iter().min(), health.lost.iter().max())
    {
        return Finding::warn(
            SUBJECT,
            format!(
                "{lost} rows of subjects.db are under keys of days that are gone, {first} to {last}: \
                 nobody can say whom their handles stand for"
            ),
            "It is so when a backup older than `backup_days` was taken back, or a file of \
             `subject_keys` is missing: bring that, if it is.",
        );
    }
    if health.withholds {
        return Finding::warn(
            SUBJECT,
            format!(
                "more new subjects came today than a day may bring: {} values since the start are \
                 recorded as a length only",
                health.withheld
            ),
            "See which station sends identifiers that nobody has (`portcullis journal tail`); whoever \
             is known keeps their handle, and tomorrow new ones get theirs.",
        );
    }
    if health.waits_for_clock {
        return Finding::warn(
            SUBJECT,
            "the clock shows a day more than three days from the last one: nothing is forgotten today",
            "See that the clock is right: `timedatectl status`. If it is, all that is due is forgotten \
             tomorrow.",
        );
    }
    Finding::ok(SUBJECT, "every handle has its row")
}

/// Rows that nobody can open any more, since the keys of their days are gone.
pub(super) fn lost_rows(health: &VaultHealth) -> u64 {
    health.lost.iter().map(|(_, rows)| rows).sum()
}

#[cfg(test)]
mod tests {
    use journal::Day;

    use super::*;
    use crate::health::Level;

    #[test]
    fn what_keeps_handles_from_being_resolved_is_told() {
        let told = |health: VaultHealth| {
            let found = finding(&health);
            assert_eq!(found.level, Level::Warn, "{found:?}");
            assert!(!found.remedy.is_empty());
            found.what
        };
        let well = VaultHealth::default();
        assert_eq!(finding(&well).level, Level::Ok);
        let damaged = VaultHealth {
            damaged: 3,
            ..well.clone()
        };
        assert!(told(damaged).contains("3 rows"));
        let lost = VaultHealth {
            lost: vec![(Day(20_780), 2), (Day(20_779), 5)],
            ..well.clone()
        };
        assert_eq!(lost_rows(&lost), 7);
        let what = told(lost);
        assert!(
            what.contains("7 rows") && what.contains("2026-11-22 to 2026-11-23"),
            "{what}"
        );
        let withheld = VaultHealth {
            withheld: 9,
            withholds: true,
            ..well.clone()
        };
        assert!(told(withheld).contains("9 values"));
        // What was withheld on another day is counted, and nobody has to look today.
        let before = VaultHealth {
            withheld: 9,
            ..well.clone()
        };
        assert_eq!(finding(&before).level, Level::Ok);
        let waits = VaultHealth {
            waits_for_clock: true,
            ..well
        };
        assert!(told(waits).contains("clock"));
    }
}
