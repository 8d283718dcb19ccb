//! Refused transaction messages: from the road's row into the store, and out again when an operator
//! releases one. The road never waits for any of this.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway::{Clock, Kept, KeptMessage};
use guard::UnixMillis;
use store::{RefusedMessage, RefusedRoom, RefusedStore, SqliteStore, StoreError};
use tracing::{info, warn};

use crate::admin::GateView;
use crate::config::RefusedSettings;
use crate::health::conditions::Conditions;
use crate::health::{self, Finding};

/// How often the row is emptied.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often the store is asked how many there are, while none is added: commands release them, too.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// Messages stored in one go.
const BATCH: usize = 64;
/// How often what nobody looked at is forgotten.
const EXPIRE_EVERY: Duration = Duration::from_secs(3600);

/// What is counted for `/metrics`.
#[derive(Debug, Default)]
pub(crate) struct RefusedFigures {
    /// Stored.
    pub(crate) kept: AtomicU64,
    /// Not stored, since as many as may wait did so, in all or of that station.
    pub(crate) beyond: AtomicU64,
    /// Waiting now.
    pub(crate) open: AtomicU64,
}

/// The store of refusals, for whoever keeps and releases.
#[derive(Clone)]
pub(crate) struct RefusedDesk {
    store: Arc<Mutex<SqliteStore>>,
    path: PathBuf,
    settings: RefusedSettings,
    pub(crate) figures: Arc<RefusedFigures>,
}

impl RefusedDesk {
    pub(crate) fn new(store: SqliteStore, settings: RefusedSettings) -> RefusedDesk {
        RefusedDesk {
            path: store.path().to_owned(),
            store: Arc::new(Mutex::new(store)),
            settings,
            figures: Arc::default(),
        }
    }

    /// Does something with the store on a thread that may wait for the disk.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || {
            work(&mut store.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let broken = |_| StoreError::Engine("the thread that asks it has ended".to_owned());
        done.await.map_err(broken)?
    }
}

/// Empties the row until the gate is gone.
pub(super) fn begin(
    kept: Kept,
    desk: RefusedDesk,
    clock: Clock,
    gate: GateView,
    conditions: Arc<Mutex<Conditions>>,
) {
    tokio::spawn(async move {
        let (mut expired, mut asked): (Option<Duration>, Option<Duration>) = (None, None);
        loop {
            let now = clock.now();
            if expired.is_none_or(|last| now.elapsed >= last + EXPIRE_EVERY) {
                expired = Some(now.elapsed);
                expire(&desk, now.wall).await;
            }
            if asked.is_none_or(|last| now.elapsed >= last + ASK_EVERY) || !kept.is_empty() {
                asked = Some(now.elapsed);
                let finding = store_kept(&kept, &desk).await;
                health::tell(&conditions, vec![finding]);
            }
            let over = gate
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .is_none();
            if over {
                return;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    });
}

const SUBJECT: &str = "refused transactions";

async fn store_kept(kept: &Kept, desk: &RefusedDesk) -> Finding {
    loop {
        let taken = kept.take(BATCH);
        let count = taken.len();
        let messages: Vec<RefusedMessage> = taken.iter().map(refused).collect();
        let room = desk.settings.room;
        let stored = desk
            .with(move |store| {
                // The disk is left alone while nothing comes.
                let stored = match messages.is_empty() {
                    true => 0,
                    false => store.keep(&messages, room)?,
                };
                Ok((stored, store.refused_open()?))
            })
            .await;
        let (stored, open) = match stored {
            Ok(stored) => stored,
            Err(error) => {
                kept.put_back(taken);
                let what = format!("{}: {error}; they wait in memory", desk.path.display());
                return Finding::warn(SUBJECT, what, error.remedy());
            }
        };
        let figures = &desk.figures;
        figures.kept.fetch_add(stored as u64, Ordering::Relaxed);
        let beyond = (count - stored.min(count)) as u64;
        let beyond = beyond + figures.beyond.fetch_add(beyond, Ordering::Relaxed);
        figures.open.store(open, Ordering::Relaxed);
        if count < BATCH {
            return finding(open, kept.lost() + beyond, room);
        }
    }
}

fn finding(open: u64, lost: u64, room: RefusedRoom) -> Finding {
    match (open, lost) {
        (0, 0) => Finding::ok(SUBJECT, "none waits to be looked at"),
        (open, 0) => Finding::warn(
            SUBJECT,
            format!("{open} wait to be looked at"),
            "`portcullis refused list`, and release or drop each.",
        ),
        (open, lost) => Finding::warn(
            SUBJECT,
            format!(
                "{open} wait to be looked at, and {lost} found no room since the start (each station \
                 has room for {})",
                room.of_a_station
            ),
            "`portcullis refused list`; a control that refuses so many is better observed.",
        ),
    }
}

fn refused(kept: &KeptMessage) -> RefusedMessage {
    let by = kept.control.map_or("hard fault", guard::Control::name);
    RefusedMessage {
        at: kept.at.wall,
        tenant: kept.session.tenant.clone(),
        station: kept.session.station.clone(),
        version: kept.session.version.number().to_owned(),
        action: kept.action.to_owned(),
        by: by.to_owned(),
        why: kept.why.clone(),
        text: kept.text.clone(),
    }
}

async fn expire(desk: &RefusedDesk, now: UnixMillis) {
    let since = |age: Duration| {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        UnixMillis(now.0.saturating_sub(age))
    };
    let open_since = since(desk.settings.keep);
    let settled_since = since(desk.settings.keep_settled);
    let done = desk
        .with(move |store| store.expire(open_since, settled_since, now))
        .await;
    match done {
        Ok((0, _)) => {}
        Ok((expired, _)) => {
            info!(
                expired,
                "refused messages that nobody looked at in time are forgotten"
            );
        }
        Err(error) => warn!(%error, "refused messages cannot be forgotten in time"),
    }
}
