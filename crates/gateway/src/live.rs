//! Who is here: one place a station, taken before its upstream is opened and left when both its
//! sockets are gone, so that no CSMS ever sees two connections of one station (counterparts: two of
//! them silence each other).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use guard::{Closing, SessionFacts, Tenant};
use ocpp::StationId;
use tokio::sync::Notify;

type Key = (Tenant, StationId);

/// Nobody has told the session to end.
const STAYS: u8 = 0;
/// The operator did, or the gate is shutting down.
const BY_US: u8 = 1;
/// The same station has come again, and proved itself.
const DISPLACED: u8 = 2;

/// All places taken.
#[derive(Default)]
pub(crate) struct Live {
    places: Mutex<HashMap<Key, Arc<Place>>>,
}

/// One station's place, from authentication to the end of both sockets.
pub(crate) struct Place {
    /// Set once the relay runs.
    session: Mutex<Option<Arc<SessionFacts>>>,
    /// [`STAYS`], or who wants it to end.
    told_to_end: AtomicU8,
    relay: Mutex<Option<Waker>>,
    gone: Notify,
}

/// Holds a place; dropping it frees the place, whatever ended the session.
pub(crate) struct Seat {
    live: Arc<Live>,
    key: Key,
    place: Arc<Place>,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Another handshake of the same station is under way.
    Arriving,
    /// The older session did not end in time.
    WillNotLeave,
}

impl Live {
    /// Takes the station's place. A live session of the same station is ended first, and its
    /// sockets awaited: the newcomer has proved who it is, and stations reconnect because their old
    /// socket is dead.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: Key,
        patience: Duration,
    ) -> Result<Seat, Taken> {
        let holder = match self.try_take(&key) {
            Ok(seat) => return Ok(seat),
            Err(holder) => holder,
        };
        // Made before the order is given, so that a farewell in between is not missed.
        let gone = holder.gone.notified();
        if lock(&holder.session).is_none() {
            return Err(Taken::Arriving);
        }
        holder.end(DISPLACED);
        if !self.holds(&key, &holder) || tokio::time::timeout(patience, gone).await.is_ok() {
            return self.try_take(&key).map_err(|_| Taken::Arriving);
        }
        Err(Taken::WillNotLeave)
    }

    fn try_take(self: &Arc<Self>, key: &Key) -> Result<Seat, Arc<Place>> {
        match lock(&self.places).entry(key.clone()) {
            Entry::Occupied(taken) => Err(Arc::clone(taken.get())),
            Entry::Vacant(free) => {
                let place = Arc::new(Place {
                    session: Mutex::new(None),
                    told_to_end: AtomicU8::new(STAYS),
                    relay: Mutex::new(None),
                    gone: Notify::new(),
                });
                free.insert(Arc::clone(&place));
                Ok(Seat {
                    live: Arc::clone(self),
                    key: key.clone(),
                    place,
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
        place.inspect(|place| place.end(BY_US)).is_some()
    }

    /// Ends every session that `leave` says should.
    pub(crate) fn end_where(&self, leave: impl Fn(&SessionFacts) -> bool) -> usize {
        let places: Vec<_> = lock(&self.places).values().cloned().collect();
        let leaving = |place: &&Arc<Place>| lock(&place.session).as_deref().is_some_and(&leave);
        places
            .iter()
            .filter(leaving)
            .map(|place| place.end(BY_US))
            .count()
    }

    /// The sessions live now.
    pub(crate) fn sessions(&self) -> Vec<Arc<SessionFacts>> {
        lock(&self.places)
            .values()
            .filter_map(|place| lock(&place.session).clone())
            .collect()
    }

    /// Places taken, arrivals included.
    pub(crate) fn len(&self) -> usize {
        lock(&self.places).len()
    }
}

impl Place {
    fn end(&self, why: u8) {
        self.told_to_end.store(why, Ordering::Release);
        if let Some(relay) = lock(&self.relay).as_ref() {
            relay.wake_by_ref();
        }
    }
}

impl Seat {
    /// The relay runs from now on.
    pub(crate) fn sit(&self, session: Arc<SessionFacts>) {
        *lock(&self.place.session) = Some(session);
    }

    /// Remembers whom to wake when the session is to end; cheap when nothing changed.
    pub(crate) fn watch(&self, waker: &Waker) {
        let mut relay = lock(&self.place.relay);
        if !relay.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *relay = Some(waker.clone());
        }
    }

    /// Whether somebody wants this session to end, and why.
    pub(crate) fn told_to_end(&self) -> Option<Closing> {
        match self.place.told_to_end.load(Ordering::Acquire) {
            STAYS => None,
            DISPLACED => Some(Closing::Displaced),
            _ => Some(Closing::Operator),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = lock(&self.live.places);
        if places
            .get(&self.key)
            .is_some_and(|holder| Arc::ptr_eq(holder, &self.place))
        {
            places.remove(&self.key);
        }
        drop(places);
        self.place.gone.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while one of these is held leaves nothing half-done: each section is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::{ConnectionKind, RouteId};
    use ocpp::Version;

    const PATIENCE: Duration = Duration::from_secs(15);

    fn key() -> Key {
        let station = StationId::parse("CP1", Version::V16).unwrap();
        (Tenant(Arc::from("cpo")), station)
    }

    fn session() -> Arc<SessionFacts> {
        let (tenant, station) = key();
        Arc::new(SessionFacts {
            number: 1,
            station,
            tenant,
            route: RouteId(Arc::from("main")),
            version: Version::V16,
            kind: ConnectionKind::TlsBasic,
            peer: "127.0.0.1:1".parse().unwrap(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn two_arrivals_of_one_station_do_not_both_get_in() {
        let live = Arc::new(Live::default());
        let first = live.take(key(), PATIENCE).await.unwrap();
        assert_eq!(
            live.take(key(), PATIENCE).await.err(),
            Some(Taken::Arriving)
        );
        drop(first);
        assert!(live.take(key(), PATIENCE).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_ended_and_awaited_before_the_newcomer_sits() {
        let live = Arc::new(Live::default());
        let old = live.take(key(), PATIENCE).await.unwrap();
        old.sit(session());
        let relay = tokio::spawn(async move {
            while old.told_to_end().is_none() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
        });
        let newcomer = live.take(key(), PATIENCE).await.unwrap();
        assert!(relay.await.is_ok());
        // The late end of the old one has not touched the new one's place.
        assert_eq!(live.len(), 1);
        drop(newcomer);
        assert_eq!(live.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_will_not_leave_keeps_the_seat() {
        let live = Arc::new(Live::default());
        let old = live.take(key(), PATIENCE).await.unwrap();
        old.sit(session());
        let refused = live.take(key(), PATIENCE).await.err();
        assert_eq!(refused, Some(Taken::WillNotLeave));
        assert_eq!(old.told_to_end(), Some(Closing::Displaced));
    }
}
