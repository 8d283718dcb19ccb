//! Who is here: one place a station, taken before its upstream is opened and left when both its
//! sockets are gone, so that no CSMS ever sees two connections of one station (counterparts: two of
//! them silence each other).
//!
//! A place that is taken is given up only by a station that is no longer there: whoever comes with
//! the station's credential while its session lives makes the gate ask that session for a sign of
//! life, and is refused when there is one (threats A02, A03).

mod place;
mod seat;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guard::{Secret, SessionFacts, Tenant};
use ocpp::StationId;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

pub(crate) use self::place::Question;
use self::place::{DEPART, Place, RELEASE};
pub(crate) use self::seat::Seat;
use crate::certificate::ShownCertificate;
use crate::relay::{Release, Released};

type Key = (Tenant, StationId);

/// How often the next ones of a spread departure are told.
const DEPARTURE_TICK: Duration = Duration::from_millis(10);

/// All places taken.
#[derive(Default)]
pub(crate) struct Live {
    places: Mutex<HashMap<Key, Arc<Place>>>,
    /// Stations that are still connected to the process before this one.
    elsewhere: Mutex<HashMap<Key, Seat>>,
}

/// How long a newcomer waits, and how often a live session is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the sign of life and for the end of the old session together.
    pub(crate) takeover: Duration,
    /// Whoever has shown life is not asked again within this time.
    pub(crate) pause: Duration,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Another handshake of the same station is under way, or waits for its place.
    Arriving,
    /// The live session has shown that it lives; where its station is.
    Alive(SocketAddr),
    /// The older session did not end in time.
    WillNotLeave,
}

impl Live {
    /// Takes the station's place. A live session of the same station is asked for a sign of life
    /// first; only one that gives none is ended, and its sockets awaited.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: Key,
        newcomer: SocketAddr,
        patience: Patience,
    ) -> Result<Seat, Taken> {
        let holder = match self.try_take(&key) {
            Ok(seat) => return Ok(seat),
            Err(holder) => holder,
        };
        if holder.is_elsewhere.load(Ordering::Acquire) {
            return self.take_after(key, &holder, patience).await;
        }
        let Some(session) = lock(&holder.session).clone() else {
            return Err(Taken::Arriving);
        };
        let turn = holder.take_turn().ok_or(Taken::Arriving)?;
        if !holder.is_leaving() && holder.has_answered_within(patience.pause) {
            return Err(Taken::Alive(session.peer));
        }
        // Made before the question is put, so that a farewell in between is not missed.
        let mut gone = pin!(holder.gone.notified());
        let mut answer = holder.ask(newcomer);
        let leaving = async {
            tokio::select! {
                biased;
                () = &mut gone => return Ok(()),
                // An error instead of an answer: the session is ending, and its end is awaited.
                alive = &mut answer => if alive.is_ok() {
                    return Err(Taken::Alive(session.peer));
                },
            }
            gone.await;
            Ok(())
        };
        if self.holds(&key, &holder) {
            let outcome = timeout(patience.takeover, leaving).await;
            outcome.unwrap_or(Err(Taken::WillNotLeave))?;
        }
        drop(turn);
        self.try_take(&key).map_err(|_| Taken::Arriving)
    }

    /// Waits until the process before this one has let go of the station: it cannot be asked for a
    /// sign of life from here, and is about to send everybody away.
    async fn take_after(
        self: &Arc<Self>,
        key: Key,
        holder: &Arc<Place>,
        patience: Patience,
    ) -> Result<Seat, Taken> {
        let turn = holder.take_turn().ok_or(Taken::Arriving)?;
        let gone = holder.gone.notified();
        if self.holds(&key, holder) && timeout(patience.takeover, gone).await.is_err() {
            return Err(Taken::WillNotLeave);
        }
        drop(turn);
        self.try_take(&key).map_err(|_| Taken::Arriving)
    }

    /// Keeps these stations' places until [`Live::let_go`]: they are connected elsewhere.
    pub(crate) fn keep_for_others(self: &Arc<Self>, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            if let Ok(seat) = self.try_take(&key) {
                seat.place.is_elsewhere.store(true, Ordering::Release);
                lock(&self.elsewhere).insert(key, seat);
            }
        }
    }

    /// These are connected elsewhere no more.
    pub(crate) fn let_go(&self, keys: impl IntoIterator<Item = Key>) {
        let mut elsewhere = lock(&self.elsewhere);
        let seats: Vec<_> = keys.into_iter().map(|key| elsewhere.remove(&key)).collect();
        drop(elsewhere);
        drop(seats);
    }

    /// The process before this one is gone, and all that it had.
    pub(crate) fn let_all_go(&self) {
        let seats = std::mem::take(&mut *lock(&self.elsewhere));
        drop(seats);
    }

    /// Whose places are taken here, arrivals included.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let elsewhere = lock(&self.elsewhere);
        let places = lock(&self.places);
        let here = places.keys().filter(|key| !elsewhere.contains_key(*key));
        here.cloned().collect()
    }

    fn try_take(self: &Arc<Self>, key: &Key) -> Result<Seat, Arc<Place>> {
        match lock(&self.places).entry(key.clone()) {
            Entry::Occupied(taken) => Err(Arc::clone(taken.get())),
            Entry::Vacant(free) => {
                let place = Arc::new(Place::default());
                free.insert(Arc::clone(&place));
                Ok(Seat {
                    live: Arc::clone(self),
                    key: key.clone(),
                    place,
                    watched_by: None,
                })
            }
        }
    }

    fn holds(&self, key: &Key, place: &Arc<Place>) -> bool {
        lock(&self.places)
            .get(key)
            .is_some_and(|holder| Arc::ptr_eq(holder, place))
    }

    /// Ends one station's session; false if it has none.
    pub(crate) fn end(&self, tenant: &Tenant, station: &StationId) -> bool {
        let place = lock(&self.places)
            .get(&(tenant.clone(), station.clone()))
            .cloned();
        place.inspect(|place| place.end()).is_some()
    }

    /// Has a refused message sent in its station's session; `None`: it has none. No outcome: the
    /// session has ended before there was one.
    pub(crate) fn release(
        &self,
        tenant: &Tenant,
        station: &StationId,
        text: Secret,
    ) -> Option<oneshot::Receiver<Released>> {
        let key = (tenant.clone(), station.clone());
        let place = lock(&self.places).get(&key).cloned()?;
        lock(&place.session).as_ref()?;
        let (release, outcome) = Release::of(text);
        // One that has not been taken up yet makes way, and is told so by its end.
        *lock(&place.release) = Some(Box::new(release));
        place.order(RELEASE);
        Some(outcome)
    }

    /// Ends every session that `leave` says should.
    pub(crate) fn end_where(&self, leave: impl Fn(&SessionFacts) -> bool) -> usize {
        let places: Vec<_> = lock(&self.places).values().cloned().collect();
        let leaving = |place: &&Arc<Place>| lock(&place.session).as_deref().is_some_and(&leave);
        places
            .iter()
            .filter(leaving)
            .map(|place| place.end())
            .count()
    }

    /// Ends every session whose station's certificate has been taken back.
    pub(crate) fn end_revoked(&self) -> usize {
        let places: Vec<_> = lock(&self.places).values().cloned().collect();
        let revoked =
            |place: &&Arc<Place>| place.shown.get().is_some_and(|shown| shown.is_revoked());
        places
            .iter()
            .filter(revoked)
            .map(|place| place.end())
            .count()
    }

    /// Tells every session that `leave` says should to depart, in no order that anybody could know,
    /// spread over that time. Each one still gets the answers it waits for, within its close deadline.
    pub(crate) async fn depart(
        self: Arc<Self>,
        leave: impl Fn(&SessionFacts) -> bool,
        window: Duration,
    ) {
        let places: Vec<_> = lock(&self.places).values().cloned().collect();
        let leaving = |place: &Arc<Place>| lock(&place.session).as_deref().is_some_and(&leave);
        let mut places: Vec<_> = places.into_iter().filter(leaving).collect();
        // Without randomness they go in an order of the hash map's, which nobody knows either.
        places.sort_by_cached_key(|_| getrandom::u64().unwrap_or_default());
        let (begin, total) = (Instant::now(), places.len());
        let mut told = 0;
        while told < total {
            let gone_by = begin.elapsed().as_secs_f64() / window.as_secs_f64().max(f64::EPSILON);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a list's length, bounded by it"
            )]
            let due = ((total as f64 * gone_by) as usize + 1).min(total);
            for place in places.get(told..due).unwrap_or_default() {
                place.order(DEPART);
            }
            told = told.max(due);
            if told < total {
                tokio::time::sleep(DEPARTURE_TICK).await;
            }
        }
    }

    /// The sessions live now.
    pub(crate) fn sessions(&self) -> Vec<Arc<SessionFacts>> {
        self.sessions_where(|_| true)
    }

    /// The sessions live now, of these places.
    pub(crate) fn sessions_where(&self, wanted: impl Fn(&Place) -> bool) -> Vec<Arc<SessionFacts>> {
        lock(&self.places)
            .values()
            .filter(|place| wanted(place))
            .filter_map(|place| lock(&place.session).clone())
            .collect()
    }

    /// With which certificate that station is connected now.
    pub(crate) fn shown_by(
        &self,
        tenant: &Tenant,
        station: &StationId,
    ) -> Option<Arc<ShownCertificate>> {
        let places = lock(&self.places);
        let place = places.get(&(tenant.clone(), station.clone()))?;
        place.shown.get().cloned()
    }

    /// Places taken here, arrivals included.
    pub(crate) fn len(&self) -> usize {
        let elsewhere = lock(&self.elsewhere).len();
        lock(&self.places).len().saturating_sub(elsewhere)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while one of these is held leaves nothing half-done: each section is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
