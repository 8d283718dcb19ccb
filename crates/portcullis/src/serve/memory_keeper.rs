//! Keeps on disk what is remembered of the stations, in groups, behind the sessions' backs: nobody
//! waits for it, and when the store fails only the keeping stops. What a killed gate had not written
//! yet is unknown to the next one, never wrong.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway::Memories;
use store::{MemoryStore, SqliteStore, StoreError};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::config::Stamp;
use crate::health::conditions::Conditions;
use crate::health::{self, Finding};
use crate::register::Register;

/// How often what has changed is written, in one transaction.
const INTERVAL: Duration = Duration::from_millis(150);
/// How long a store that failed is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// The memories being kept, until the gate has closed.
pub(super) struct MemoryKeeper {
    closing: Sender<()>,
    thread: JoinHandle<()>,
}

struct Keeping {
    register: Register,
    /// The file that is open, by its number.
    file: u64,
    memories: Arc<Memories>,
    /// By which the store knows this gate.
    opened: u64,
}

/// Reads what was remembered, before anybody is let in, and begins to keep what changes.
pub(super) fn begin(
    mut register: Register,
    memories: Arc<Memories>,
    conditions: Arc<Mutex<Conditions>>,
) -> Result<MemoryKeeper, StoreError> {
    let kept = register.store.open_memories()?;
    memories.remember(kept.memories);
    let stations = memories.len();
    match kept.whole {
        true => info!(stations, "what is remembered of the stations has been read"),
        false => info!(
            stations,
            "what is remembered of the stations has been read; the gate before did not write its last changes, so nobody is taken to be pending or rejected"
        ),
    }
    if kept.unreadable > 0 {
        let unreadable = kept.unreadable;
        warn!(
            unreadable,
            "memories of stations that cannot be read; those stations are unknown"
        );
    }
    let (closing, closed) = channel();
    let keeping = Keeping {
        file: Stamp::of(register.store.path()).number(),
        register,
        memories,
        opened: kept.opened,
    };
    let thread = tokio::task::spawn_blocking(move || keeping.run(&closed, &conditions));
    Ok(MemoryKeeper { closing, thread })
}

impl MemoryKeeper {
    /// Waits until the last change is written. To be asked when all sessions are over.
    pub(super) async fn close(self) {
        drop(self.closing);
        let _ = self.thread.await;
    }
}

impl Keeping {
    fn run(mut self, closed: &Receiver<()>, conditions: &Mutex<Conditions>) {
        let mut wait = INTERVAL;
        loop {
            let over = closed.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected);
            let written = self.write();
            wait = match written {
                Ok(_) => INTERVAL,
                Err(_) => PAUSE,
            };
            if over {
                return self.close(written);
            }
            if let Some(finding) = finding(written) {
                health::tell(conditions, vec![finding]);
            }
        }
    }

    /// How many were written; those that could not be are not lost.
    fn write(&mut self) -> Result<usize, StoreError> {
        let changed = self.memories.take_changed();
        if changed.is_empty() {
            return Ok(0);
        }
        let kept = self.check();
        match kept.and_then(|()| self.register.store.keep_memories(&changed)) {
            Ok(()) => Ok(changed.len()),
            Err(error) => {
                self.memories.give_back(changed);
                Err(error)
            }
        }
    }

    /// A file that has been put in the store's place is opened anew, as the register's own keeper does.
    fn check(&mut self) -> Result<(), StoreError> {
        self.register.store.check_file()?;
        let file = Stamp::of(self.register.store.path()).number();
        if file != self.file {
            let path = self.register.store.path().to_owned();
            self.register.store = SqliteStore::open(&path, &self.register.key)?;
            self.file = file;
        }
        Ok(())
    }

    fn close(&mut self, written: Result<usize, StoreError>) {
        let closed = written.and_then(|_| self.register.store.close_memories(self.opened));
        if let Err(error) = closed {
            warn!(%error, "the last changes of what is remembered of the stations are lost");
        }
    }
}

/// Nothing written says nothing about the store.
fn finding(written: Result<usize, StoreError>) -> Option<Finding> {
    match written {
        Ok(0) => None,
        Ok(_) => Some(Finding::ok("memory of stations", "is written")),
        Err(error) => Some(Finding::warn(
            "memory of stations",
            format!("{error}; the gate remembers as long as it runs"),
            error.remedy(),
        )),
    }
}
