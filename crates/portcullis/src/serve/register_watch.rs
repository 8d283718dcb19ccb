//! Keeps the gate's snapshot of the register true: whoever adds or removes a station, by whichever
//! process, the gate sees it within seconds. When the store fails, the last snapshot stays: losing
//! the database stops changes, not stations.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::LessonReceiver;
use guard::{Book, PasswordRules};
use store::{SqliteStore, Store, StoreError};
use tokio::task::JoinHandle;
use tracing::info;

use super::watch;
use crate::admin::GateView;
use crate::health::Finding;
use crate::health::conditions::Conditions;
use crate::passwords::audit::Audit;
use crate::{Exit, Failure};

/// How often the store is asked whether it has changed; one row is read.
const INTERVAL: Duration = Duration::from_secs(1);

/// Reads a snapshot of the register.
pub(super) fn read(store: &dyn Store) -> Result<Book, Failure> {
    Book::new(store.routes()?, store.stations(None)?).map_err(|error| {
        let remedy = "Remove one of the two stations or routes: `portcullis station list`.";
        Failure::new(Exit::Conflict, error.to_string(), remedy)
    })
}

/// Begins to watch the store, on a thread that may wait for the disk.
pub(super) fn begin(
    store: SqliteStore,
    learning: Learning,
    book: Arc<ArcSwap<Book>>,
    gate: GateView,
    conditions: Arc<Mutex<Conditions>>,
) -> Kept {
    let mut watch = RegisterWatch {
        store,
        learning,
        book,
        gate,
        seen: 0,
        passwords: None,
    };
    let (closing, closed) = channel();
    let thread = tokio::task::spawn_blocking(move || {
        loop {
            // Read before the look: what is learnt while the gate closes is still kept.
            let over = watch.is_over();
            let mut findings = vec![watch.look()];
            findings.extend(watch.passwords.clone());
            watch::tell(&conditions, findings);
            if over {
                return;
            }
            let _ = closed.recv_timeout(INTERVAL);
        }
    });
    Kept { closing, thread }
}

/// What the gate learns, and by which rules passwords are judged.
pub(super) struct Learning {
    pub(super) lessons: LessonReceiver,
    pub(super) rules: Arc<PasswordRules>,
}

/// The register being kept, until the gate has closed.
pub(super) struct Kept {
    closing: Sender<()>,
    thread: JoinHandle<()>,
}

impl Kept {
    /// Waits until the last lesson is written. To be asked when the gate has been taken away.
    pub(super) async fn close(self) {
        drop(self.closing);
        let _ = self.thread.await;
    }
}

struct RegisterWatch {
    store: SqliteStore,
    learning: Learning,
    book: Arc<ArcSwap<Book>>,
    gate: GateView,
    /// The revision that the snapshot shows; 0 is none, so the first look reads the register.
    seen: u64,
    /// How the fleet's passwords stand.
    passwords: Option<Finding>,
}

impl RegisterWatch {
    fn look(&mut self) -> Finding {
        let subject = format!("store {}", self.store.path().display());
        match self.refresh() {
            Ok(()) => Finding::ok(subject, "can be read"),
            Err(Stale::Store(error)) => Finding::fail(
                subject,
                format!("{error}; the gate goes on with what it knew"),
                error.remedy(),
            ),
            Err(Stale::Book(what)) => Finding::fail(
                subject,
                format!("{what}; the gate goes on with what it knew"),
                "Remove one of the two: `portcullis station list`.",
            ),
        }
    }

    fn refresh(&mut self) -> Result<(), Stale> {
        let lessons = self.learning.lessons.take();
        if !lessons.is_empty() {
            // What cannot be kept now is learnt again at the station's next handshake.
            self.store.learn(&lessons)?;
        }
        let revision = self.store.revision()?;
        if revision == self.seen {
            return Ok(());
        }
        let book = Book::new(self.store.routes()?, self.store.stations(None)?)
            .map_err(|error| Stale::Book(error.to_string()))?;
        let stations = book.stations().len();
        let records = book.stations().iter().map(AsRef::as_ref);
        self.passwords = Some(Audit::of(records, &self.learning.rules).finding());
        self.book.store(Arc::new(book));
        let first = std::mem::replace(&mut self.seen, revision) == 0;
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let ended = gate.as_ref().map_or(0, |gate| gate.end_unregistered());
        if !first {
            info!(stations, ended, "the register has changed");
        }
        Ok(())
    }

    /// The gate has been taken away to be shut down.
    fn is_over(&self) -> bool {
        self.gate
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }
}

/// Why the snapshot could not be renewed.
enum Stale {
    Store(StoreError),
    Book(String),
}

impl From<StoreError> for Stale {
    fn from(error: StoreError) -> Stale {
        Stale::Store(error)
    }
}
