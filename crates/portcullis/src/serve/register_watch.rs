//! Keeps the gate's snapshot of the register true: whoever adds or removes a station, by whichever
//! process, the gate sees it within seconds. When the store fails, the last snapshot stays: losing
//! the database stops changes, not stations.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::Book;
use store::{SqliteStore, Store, StoreError};
use tracing::info;

use super::watch;
use crate::admin::GateView;
use crate::health::Finding;
use crate::health::conditions::Conditions;
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
    book: Arc<ArcSwap<Book>>,
    gate: GateView,
    conditions: Arc<Mutex<Conditions>>,
) {
    let mut watch = RegisterWatch {
        store,
        book,
        gate,
        seen: 0,
    };
    tokio::task::spawn_blocking(move || {
        loop {
            let finding = watch.look();
            watch::tell(&conditions, vec![finding]);
            if watch.is_over() {
                return;
            }
            std::thread::sleep(INTERVAL);
        }
    });
}

struct RegisterWatch {
    store: SqliteStore,
    book: Arc<ArcSwap<Book>>,
    gate: GateView,
    /// The revision that the snapshot shows; 0 is none, so the first look reads the register.
    seen: u64,
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
        let revision = self.store.revision()?;
        if revision == self.seen {
            return Ok(());
        }
        let book = Book::new(self.store.routes()?, self.store.stations(None)?)
            .map_err(|error| Stale::Book(error.to_string()))?;
        let stations = book.stations().len();
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
