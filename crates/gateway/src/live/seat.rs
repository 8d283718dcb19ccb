//! Who holds a place: the relay's way to hear what it is told to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use guard::SessionFacts;
use tokio::time::Instant;

use super::place::{DEPART, LEAVE, Place, Question, RELEASE, SHOW_LIFE};
use super::{Key, Live, lock};
use crate::certificate::ShownCertificate;
use crate::relay::Release;

/// Holds a place; dropping it frees the place, whatever ended the session.
pub(crate) struct Seat {
    pub(super) live: Arc<Live>,
    pub(super) key: Key,
    pub(super) place: Arc<Place>,
    /// Whom the place was told to wake: asking it each time would take its lock.
    pub(super) watched_by: Option<Waker>,
}

impl Seat {
    /// Remembers with which certificate the station came.
    pub(crate) fn shows(&self, certificate: ShownCertificate) {
        let _ = self.place.shown.set(Arc::new(certificate));
    }

    /// With which certificate the station came.
    pub(crate) fn shown(&self) -> Option<Arc<ShownCertificate>> {
        self.place.shown.get().cloned()
    }

    /// The relay runs from now on.
    pub(crate) fn sit(&self, session: Arc<SessionFacts>) {
        *lock(&self.place.session) = Some(session);
    }

    /// Remembers whom to wake when the session is to end; cheap when nothing changed. Whether it is
    /// somebody else than before.
    pub(crate) fn watch(&mut self, waker: &Waker) -> bool {
        let known = self.watched_by.as_ref();
        if known.is_some_and(|known| known.will_wake(waker)) {
            return false;
        }
        self.watched_by = Some(waker.clone());
        *lock(&self.place.relay) = Some(waker.clone());
        true
    }

    /// Whether there is any order for this session; asked at every turn.
    pub(crate) fn has_orders(&self) -> bool {
        self.place.orders.load(Ordering::Acquire) != 0
    }

    /// Whether somebody wants this session to end.
    pub(crate) fn told_to_end(&self) -> bool {
        self.place.orders.load(Ordering::Acquire) & LEAVE != 0
    }

    /// Whether somebody wants this session to end when it is quiet; told once.
    pub(crate) fn told_to_depart(&self) -> bool {
        self.place.orders.fetch_and(!DEPART, Ordering::AcqRel) & DEPART != 0
    }

    /// The question whether this session's station is still there, once.
    pub(crate) fn question(&self) -> Option<Box<Question>> {
        self.place.orders.fetch_and(!SHOW_LIFE, Ordering::AcqRel);
        lock(&self.place.question).take()
    }

    /// The message to be released, once.
    pub(crate) fn release(&self) -> Option<Box<Release>> {
        self.place.orders.fetch_and(!RELEASE, Ordering::AcqRel);
        lock(&self.place.release).take()
    }

    /// The station was heard after the question.
    pub(crate) fn alive(&self, question: Question) {
        *lock(&self.place.answered) = Some(Instant::now());
        // A newcomer that waits no longer needs no answer.
        let _ = question.answer.send(());
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
