//! Keeps the revocation lists fresh: a file that is written anew is in force within seconds, for those
//! who come and for those who are there. One that cannot be read changes nothing: the last good list
//! stays, and ages until it is overdue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::info;

use crate::admin::GateView;
use crate::config::ListenerLists;
use crate::health::conditions::Conditions;
use crate::health::{self, Finding, revocation};

/// How often the files are looked at; nothing is read while they stay as they are.
const INTERVAL: Duration = Duration::from_secs(1);

/// The lists that are watched; a reload puts others in their place.
#[derive(Clone, Default)]
pub(super) struct Lists(Arc<Mutex<Vec<ListenerLists>>>);

impl Lists {
    pub(super) fn of(lists: Vec<ListenerLists>) -> Lists {
        Lists(Arc::new(Mutex::new(lists)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<ListenerLists>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to watch the files, on a thread that may wait for the disk. It is nobody else's thread: a
/// certificate that is taken back is taken back at once, whatever waits to be confirmed, and however
/// many sessions that ends, since whoever holds its key is in until it is.
pub(super) fn begin(lists: Lists, gate: GateView, conditions: Arc<Mutex<Conditions>>) {
    // What has been read at the start is known before anybody asks for readiness.
    let findings = revocation::look(&lists.lock(), crate::unix_seconds());
    health::tell(&conditions, findings);
    tokio::task::spawn_blocking(move || {
        while !is_over(&gate) {
            let findings = look(&lists, &gate);
            health::tell(&conditions, findings);
            std::thread::sleep(INTERVAL);
        }
    });
}

fn look(lists: &Lists, gate: &GateView) -> Vec<Finding> {
    let mut lists = lists.lock();
    for listener in lists.iter_mut() {
        if listener.refresh() {
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
    revocation::look(&lists, crate::unix_seconds())
}

/// The gate has been taken away to be shut down.
fn is_over(gate: &GateView) -> bool {
    gate.read()
        .unwrap_or_else(PoisonError::into_inner)
        .is_none()
}
