//! Between accept and handshake: where connections wait, and who is called in or sent away
//! (threats A18 and A20). [`guard::crowd`] decides; here its steps reach the tasks that hold the sockets.
//!
//! Each worker has a lobby of its own. Nobody in it has been listened to: what a peer has said lies in
//! the kernel, and is looked at without being read.

mod turned_away;
mod words;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guard::RefusedHandshake;
use guard::attempts::Source;
use guard::crowd::{Crowd, CrowdLimits, Guest, Standing, Step};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::settings::GateLimits;
pub(crate) use turned_away::TurnedAway;
pub(crate) use words::first_words;

/// How often a crowd is looked at while somebody waits for a place.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// One worker's waiting room.
pub(crate) struct Lobby {
    state: Mutex<State>,
    clock: Clock,
    pressed: Notify,
}

struct State {
    crowd: Crowd,
    calls: BTreeMap<Guest, Arc<Call>>,
}

/// What a guest's task listens for.
#[derive(Default)]
struct Call {
    word: AtomicU8,
    wake: Notify,
}

const WAIT: u8 = 0;
const ENTER: u8 = 1;
const LEAVE: u8 = 2;

impl Call {
    fn say(&self, word: u8) {
        self.word.store(word, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Waits until something else is said than `words`.
    async fn other_than(&self, words: &[u8]) -> u8 {
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if !words.contains(&word) {
                return word;
            }
            self.wake.notified().await;
        }
    }
}

/// A guest's stay, from accept to the end of its handshake. When it is dropped, the next one is called.
pub(crate) struct Ticket {
    lobby: Arc<Lobby>,
    guest: Guest,
    call: Arc<Call>,
}

impl Lobby {
    pub(crate) fn new(limits: &GateLimits, clock: Clock) -> Arc<Lobby> {
        let crowd = Crowd::new(CrowdLimits {
            waiting_max: limits.waiting_max,
            handshakes_max: limits.handshakes_max,
            handshakes_per_source_max: limits.handshakes_per_source_max,
            grace: limits.handshake_grace,
        });
        let calls = BTreeMap::new();
        Arc::new(Lobby {
            state: Mutex::new(State { crowd, calls }),
            clock,
            pressed: Notify::new(),
        })
    }

    /// Somebody has connected. `None`: there is no room, and it is to be closed at once.
    pub(crate) fn arrive(self: &Arc<Lobby>, source: Source, standing: Standing) -> Option<Ticket> {
        let mut state = self.lock();
        let arrival = state.crowd.arrive(source, standing).ok()?;
        if let Some(call) = arrival
            .gave_way
            .and_then(|guest| state.calls.remove(&guest))
        {
            call.say(LEAVE);
        }
        let call = Arc::new(Call::default());
        state.calls.insert(arrival.guest, Arc::clone(&call));
        Some(Ticket {
            lobby: Arc::clone(self),
            guest: arrival.guest,
            call,
        })
    }

    /// A guest's first words are there.
    fn hear(&self, guest: Guest) {
        let mut state = self.lock();
        state.crowd.ready(guest);
        self.settle(state);
    }

    /// Calls in or sends away whoever's turn it is.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        let now = self.clock.now().elapsed;
        while let Some(step) = state.crowd.next(now) {
            match step {
                Step::Enter(guest) => {
                    if let Some(call) = state.calls.get(&guest) {
                        call.say(ENTER);
                    }
                }
                Step::Leave(guest) => {
                    if let Some(call) = state.calls.remove(&guest) {
                        call.say(LEAVE);
                    }
                }
            }
        }
        if state.crowd.is_pressed() {
            self.pressed.notify_one();
        }
    }

    /// As long as somebody waits for a place, dawdlers give way in time.
    pub(crate) async fn keep(&self) {
        loop {
            self.pressed.notified().await;
            tokio::time::sleep(LOOK_EVERY).await;
            self.settle(self.lock());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// A load balancer has said whose connection it is.
    pub(crate) fn speaks_for(&self, source: Source, standing: Standing) {
        let mut state = self.lobby.lock();
        state.crowd.speaks_for(self.guest, source, standing);
    }

    /// The guest has spoken: waits until its handshake may begin, or says why it may not.
    pub(crate) async fn enter(&self, patience: Duration) -> Result<(), RefusedHandshake> {
        self.lobby.hear(self.guest);
        match tokio::time::timeout(patience, self.call.other_than(&[WAIT])).await {
            Ok(ENTER) => Ok(()),
            Ok(_) => Err(RefusedHandshake::Limit("waiting_max")),
            Err(_) => Err(RefusedHandshake::Deadline("waiting_deadline")),
        }
    }

    /// Runs what may be broken off when others need the room.
    pub(crate) async fn unless_it_gives_way<T>(
        &self,
        limit: &'static str,
        work: impl Future<Output = Result<T, RefusedHandshake>>,
    ) -> Result<T, RefusedHandshake> {
        tokio::select! {
            biased;
            done = work => done,
            _ = self.call.other_than(&[WAIT, ENTER]) => Err(RefusedHandshake::Limit(limit)),
        }
    }

    /// From now on the handshake waits for its peer's words.
    pub(crate) fn listens(&self) {
        let now = self.lobby.clock.now().elapsed;
        self.lobby.lock().crowd.listens(self.guest, now);
    }

    /// The peer has said what it wants: what takes time from now on is not its doing.
    pub(crate) fn is_busy(&self) {
        self.lobby.lock().crowd.is_busy(self.guest);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.lobby.lock();
        state.crowd.leave(self.guest);
        state.calls.remove(&self.guest);
        self.lobby.settle(state);
    }
}
