//! One station's place: its session, the orders for it, and the question whether it lives.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Waker;
use std::time::Duration;

use guard::SessionFacts;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::lock;
use crate::certificate::ShownCertificate;
use crate::relay::Release;

/// Orders to a relay, one bit each.
pub(super) const LEAVE: u8 = 1;
pub(super) const SHOW_LIFE: u8 = 2;
/// Leave when nobody waits for an answer.
pub(super) const DEPART: u8 = 4;
pub(super) const RELEASE: u8 = 8;

/// One station's place, from authentication to the end of both sockets.
#[derive(Default)]
pub(crate) struct Place {
    /// Set once the relay runs.
    pub(super) session: Mutex<Option<Arc<SessionFacts>>>,
    pub(super) orders: AtomicU8,
    pub(super) relay: Mutex<Option<Waker>>,
    pub(super) gone: Notify,
    /// Its station is connected to the process before this one.
    pub(super) is_elsewhere: AtomicBool,
    /// Somebody waits for this place already.
    pub(super) wanted: AtomicBool,
    pub(super) question: Mutex<Option<Box<Question>>>,
    pub(super) answered: Mutex<Option<Instant>>,
    /// A refused message that is to be sent after all.
    pub(super) release: Mutex<Option<Box<Release>>>,
    /// The station's certificate, where it came with one.
    pub(super) shown: OnceLock<Arc<ShownCertificate>>,
}

/// "Are you still there?", asked of a relay. Dropping it says that the session is ending.
pub(crate) struct Question {
    /// Who stands at the door.
    pub(crate) newcomer: SocketAddr,
    pub(super) answer: oneshot::Sender<()>,
}

/// One newcomer's turn to ask for a place; dropping it lets others ask.
pub(super) struct Takeover<'p>(&'p Place);

impl Place {
    /// With which certificate its station came.
    pub(crate) fn shown(&self) -> Option<&Arc<ShownCertificate>> {
        self.shown.get()
    }

    pub(super) fn end(&self) {
        self.order(LEAVE);
    }

    pub(super) fn order(&self, order: u8) {
        self.orders.fetch_or(order, Ordering::AcqRel);
        if let Some(relay) = lock(&self.relay).as_ref() {
            relay.wake_by_ref();
        }
    }

    /// Its session has been told to end, whether its station lives or not.
    pub(super) fn is_leaving(&self) -> bool {
        self.orders.load(Ordering::Acquire) & LEAVE != 0
    }

    pub(super) fn take_turn(&self) -> Option<Takeover<'_>> {
        let free = !self.wanted.swap(true, Ordering::AcqRel);
        // Made only where it is ours to drop again.
        free.then(|| Takeover(self))
    }

    pub(super) fn has_answered_within(&self, pause: Duration) -> bool {
        lock(&self.answered).is_some_and(|at| at.elapsed() < pause)
    }

    /// Puts the question; an error instead of an answer says that the session is ending.
    pub(super) fn ask(&self, newcomer: SocketAddr) -> oneshot::Receiver<()> {
        let (answer, receiver) = oneshot::channel();
        *lock(&self.question) = Some(Box::new(Question { newcomer, answer }));
        self.order(SHOW_LIFE);
        receiver
    }
}

impl Drop for Takeover<'_> {
    fn drop(&mut self) {
        // What the relay has not heard yet is for nobody any more.
        *lock(&self.0.question) = None;
        self.0.wanted.store(false, Ordering::Release);
    }
}
