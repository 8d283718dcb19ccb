//! What all threads of one gate share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use guard::admission::VerifierCache;
use guard::attempts::{Attempts, Source};
use guard::crowd::Tally;
use guard::{Book, Changes, Policy, RouteId, SessionFacts, VerifierKey};
use tokio::sync::Semaphore;

use crate::StartError;
use crate::adoption::Adoption;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::events::EventSender;
use crate::kept::Kept;
use crate::live::Live;
use crate::lobby::TurnedAway;
use crate::memories::Memories;
use crate::settings::Settings;
use crate::tls::TlsError;
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
    /// Where refused messages go that money hangs on.
    pub kept: Kept,
    /// What is remembered of the stations.
    pub memories: Arc<Memories>,
}

impl Shared {
    /// With a row of its own for what is to be kept, and nothing remembered.
    pub fn new(
        book: Arc<ArcSwap<Book>>,
        policy: Arc<ArcSwap<Policy>>,
        events: EventSender,
        verifier_key: Arc<VerifierKey>,
    ) -> Shared {
        Shared {
            book,
            policy,
            events,
            verifier_key,
            kept: Kept::default(),
            memories: Arc::default(),
        }
    }
}

/// One gate, as it is set. What it remembers and counts outlives its settings: those parts are shared
/// with the gates that come after it ([`Gate::renewed`]).
pub(crate) struct Gate {
    pub(crate) settings: Settings,
    pub(crate) book: Arc<ArcSwap<Book>>,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) events: EventSender,
    pub(crate) verifier_key: Arc<VerifierKey>,
    pub(crate) kept: Kept,
    pub(crate) memories: Arc<Memories>,
    pub(crate) verified: Arc<Mutex<VerifierCache>>,
    pub(crate) slow_hashes: Arc<Semaphore>,
    /// Asked at handshakes, never on the road.
    pub(crate) attempts: Arc<Mutex<Attempts>>,
    /// Credentials that stations are being given; asked at handshakes, and when one is given.
    pub(crate) changes: Arc<Mutex<Changes>>,
    /// The window in which stations are adopted.
    pub(crate) adoption: Arc<Adoption>,
    /// Refusals that may be held back at once.
    pub(crate) held_back: Arc<Semaphore>,
    /// Connections by source.
    pub(crate) tally: Arc<Mutex<Tally>>,
    /// Refusals told together.
    pub(crate) turned_away: Arc<TurnedAway>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) live: Arc<Live>,
    pub(crate) upstreams: Upstreams,
    pub(crate) sessions: Arc<AtomicU64>,
    pub(crate) clock: Clock,
}

impl Gate {
    /// What the workers share, before any of them runs.
    pub(crate) fn new(settings: Settings, shared: Shared) -> Result<Gate, StartError> {
        let upstreams = Upstreams::prepare(&settings.upstreams, None).map_err(unprepared)?;
        let limits = &settings.limits;
        Ok(Gate {
            slow_hashes: Arc::new(Semaphore::new(limits.slow_hashes_max.max(1))),
            // Whoever is held back keeps its place among the handshakes: most must stay free for others.
            held_back: Arc::new(Semaphore::new(limits.handshakes_max / 4)),
            attempts: Arc::new(Mutex::new(Attempts::new(settings.attempts.clone()))),
            verified: Arc::new(Mutex::new(VerifierCache::bounded(
                limits.hashes_remembered_max,
            ))),
            changes: Arc::default(),
            adoption: Arc::default(),
            settings,
            book: shared.book,
            policy: shared.policy,
            events: shared.events,
            verifier_key: shared.verifier_key,
            kept: shared.kept,
            memories: shared.memories,
            tally: Arc::default(),
            turned_away: Arc::default(),
            counters: Arc::default(),
            live: Arc::default(),
            upstreams,
            sessions: Arc::default(),
            clock: Clock::start(),
        })
    }

    /// The same gate under other settings. What bounds a memory or a queue stays as it was at the start
    /// where it cannot be changed without losing what is in it: see [`GateLimits`].
    ///
    /// [`GateLimits`]: crate::GateLimits
    pub(crate) fn renewed(&self, mut settings: Settings) -> Result<Gate, StartError> {
        settings.limits.keep_what_stays(&self.settings.limits);
        settings.workers = self.settings.workers;
        settings.passwords.keep_what_stays(&self.settings.passwords);
        let before = Some(&self.upstreams);
        let upstreams = Upstreams::prepare(&settings.upstreams, before).map_err(unprepared)?;
        Ok(Gate {
            slow_hashes: Arc::clone(&self.slow_hashes),
            held_back: Arc::clone(&self.held_back),
            attempts: Arc::clone(&self.attempts),
            changes: Arc::clone(&self.changes),
            adoption: Arc::clone(&self.adoption),
            verified: Arc::clone(&self.verified),
            settings,
            book: Arc::clone(&self.book),
            policy: Arc::clone(&self.policy),
            events: self.events.clone(),
            verifier_key: Arc::clone(&self.verifier_key),
            kept: self.kept.clone(),
            memories: Arc::clone(&self.memories),
            tally: Arc::clone(&self.tally),
            turned_away: Arc::clone(&self.turned_away),
            counters: Arc::clone(&self.counters),
            live: Arc::clone(&self.live),
            upstreams,
            sessions: Arc::clone(&self.sessions),
            clock: self.clock,
        })
    }

    /// The number of the next session; the first one is 1.
    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Credentials that stations are being given.
    pub(crate) fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has failed, and who has not.
    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among those of its source, until it is dropped.
pub(crate) struct SourcePlace(Arc<Mutex<Tally>>, Source);

impl SourcePlace {
    /// A place, where the source has one left.
    pub(crate) fn take(gate: &Gate, source: Source, exempt: bool) -> Option<SourcePlace> {
        let max = match exempt {
            true => usize::MAX,
            false => gate.settings.limits.connections_per_source_max,
        };
        let mut tally = gate.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = tally.add(source, max);
        drop(tally);
        taken.then(|| SourcePlace(Arc::clone(&gate.tally), source))
    }
}

impl Drop for SourcePlace {
    fn drop(&mut self) {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tally.remove(self.1);
    }
}

fn unprepared((route, error): (RouteId, TlsError)) -> StartError {
    StartError::Upstream {
        route: route.0.to_string(),
        error,
    }
}

/// Whether that book still lets a session's station in.
pub(crate) fn lets_in(book: &Book, session: &SessionFacts) -> bool {
    book.find(&session.tenant, &session.station)
        .is_some_and(|record| record.enabled)
}
