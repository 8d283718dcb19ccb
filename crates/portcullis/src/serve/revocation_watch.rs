//! Keeps the revocation lists fresh: a file that is written anew is in force within seconds, for those
//! who come and for those who are there. One that cannot be read changes nothing: the last good list
//! stays, and ages until it is overdue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::info;

use super::watch;
use crate::admin::GateView;
use crate::config::ListenerLists;
use crate::health::conditions::Conditions;
use crate::health::revocation;

/// How often the files are looked at; nothing is read while they stay as they are.
const INTERVAL: Duration = Duration::from_secs(1);

/// Asks for the lists to be read again although no file seems to have changed.
#[derive(Clone, Default)]
pub(super) struct Reread(Arc<AtomicBool>);

impl Reread {
    pub(super) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Begins to watch the files, on a thread that may wait for the disk.
pub(super) fn begin(
    mut lists: Vec<ListenerLists>,
    gate: GateView,
    conditions: Arc<Mutex<Conditions>>,
) -> Reread {
    let reread = Reread::default();
    if lists.is_empty() {
        return reread;
    }
    let asked = reread.clone();
    // What has been read at the start is known before anybody asks for readiness.
    let findings = revocation::look(&lists, crate::unix_seconds());
    watch::tell(&conditions, findings);
    tokio::task::spawn_blocking(move || {
        while !is_over(&gate) {
            let all = asked.0.swap(false, Ordering::Relaxed);
            for listener in &mut lists {
                if listener.refresh(all) {
                    let files = listener.files().iter().map(|file| file.path.display());
                    let files: Vec<String> = files.map(|file| file.to_string()).collect();
                    let gate = gate.read().unwrap_or_else(PoisonError::into_inner);
                    let ended = gate.as_ref().map_or(0, |gate| gate.end_revoked());
                    info!(
                        files = files.join(", "),
                        ended, "new revocation lists are in force"
                    );
                }
            }
            let findings = revocation::look(&lists, crate::unix_seconds());
            watch::tell(&conditions, findings);
            std::thread::sleep(INTERVAL);
        }
    });
    reread
}

/// The gate has been taken away to be shut down.
fn is_over(gate: &GateView) -> bool {
    gate.read()
        .unwrap_or_else(PoisonError::into_inner)
        .is_none()
}
