//! What all threads of one gate share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use guard::admission::VerifierCache;
use guard::attempts::Attempts;
use guard::{Book, Policy, SessionFacts, VerifierKey};
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::events::EventSender;
use crate::live::Live;
use crate::settings::Settings;
use crate::upstream::Upstreams;

/// What others change while the gate runs, and where it tells what happens.
#[derive(Clone)]
pub struct Shared {
    /// Stations and routes: the last good snapshot. Losing the database only stops changes.
    pub book: Arc<ArcSwap<Book>>,
    /// The rules in force.
    pub policy: Arc<ArcSwap<Policy>>,
    /// Where events go.
    pub events: EventSender,
    /// The key under which fast password verifiers are made.
    pub verifier_key: Arc<VerifierKey>,
}

/// One gate.
pub(crate) struct Gate {
    pub(crate) settings: Settings,
    pub(crate) book: Arc<ArcSwap<Book>>,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) events: EventSender,
    pub(crate) verifier_key: Arc<VerifierKey>,
    pub(crate) verified: Mutex<VerifierCache>,
    pub(crate) slow_hashes: Semaphore,
    /// Asked at handshakes, never on the road.
    pub(crate) attempts: Mutex<Attempts>,
    /// Refusals that may be held back at once.
    pub(crate) held_back: Semaphore,
    pub(crate) counters: Counters,
    pub(crate) live: Arc<Live>,
    pub(crate) upstreams: Upstreams,
    pub(crate) sessions: AtomicU64,
    pub(crate) clock: Clock,
}

impl Gate {
    /// The number of the next session; the first one is 1.
    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Who has failed, and who has not.
    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether that book still lets a session's station in.
pub(crate) fn lets_in(book: &Book, session: &SessionFacts) -> bool {
    book.find(&session.tenant, &session.station)
        .is_some_and(|record| record.enabled)
}
