//! The table in a file beside the store: read at the start, written every minute while something has
//! changed, and at the end. It holds counts, models and identities; losing it costs nothing but them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::{Findings, Report, SharedFindings, lock};
use crate::private_file::{self, with_suffix};

/// How often a change is written.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// More than a full table takes; more is another file.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// Writes the table one last time.
pub(crate) struct Keeper {
    path: PathBuf,
    findings: SharedFindings,
}

/// Reads the table that an earlier run has left, and keeps it written from now on.
pub(crate) fn begin(store: &Path) -> (SharedFindings, Keeper) {
    let path = beside(store);
    let findings = match read(&path) {
        Ok(found) => found,
        Err(why) => {
            warn!(file = %path.display(), "findings of earlier runs are not counted: {why}");
            Findings::default()
        }
    };
    let findings = Arc::new(std::sync::Mutex::new(findings));
    let keeper = Keeper {
        path: path.clone(),
        findings: Arc::clone(&findings),
    };
    tokio::spawn(keep(path, Arc::clone(&findings)));
    (findings, keeper)
}

impl Keeper {
    /// Nothing is counted any more.
    pub(crate) fn close(self) {
        write_if_changed(&self.path, &self.findings);
    }
}

async fn keep(path: PathBuf, findings: SharedFindings) {
    let mut turn = tokio::time::interval(WRITE_EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        let (path, findings) = (path.clone(), Arc::clone(&findings));
        // A disk may be slow, and events are not to wait for it.
        let written = tokio::task::spawn_blocking(move || write_if_changed(&path, &findings));
        let _ = written.await;
    }
}

fn write_if_changed(path: &Path, findings: &SharedFindings) {
    let report = {
        let mut findings = lock(findings);
        if !std::mem::take(&mut findings.changed) {
            return;
        }
        findings.report()
    };
    if let Err(error) = write(path, &report) {
        warn!(file = %path.display(), "findings are counted and not written: {error}");
    }
}

fn write(path: &Path, report: &Report) -> std::io::Result<()> {
    private_file::replace(path, &serde_json::to_vec(report)?)
}

fn read(path: &Path) -> Result<Findings, String> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Findings::default());
        }
        Err(error) => return Err(error.to_string()),
        Ok(meta) if meta.len() > FILE_BYTES_MAX => return Err("it is too long".to_owned()),
        Ok(_) => {}
    }
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    Ok(Findings::restore(report))
}

fn beside(store: &Path) -> PathBuf {
    with_suffix(store, ".findings")
}
