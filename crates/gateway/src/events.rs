//! The way out for events: a bounded queue that the road never waits for.
//!
//! Waking a reader for each event would cost more than relaying the message it tells of, so nobody
//! is woken: the reader comes by every `DRAIN_INTERVAL` and takes what there is. Where a record is
//! kept, a message's own words lie beside its event, all of a batch in one room. Only where messages
//! wait for their records is the reader called.

mod batch;
mod durable;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guard::{Event, Heard};

pub use batch::Batch;
pub use durable::{Durable, Ordinal};

/// How often the reader comes by.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);

/// And how often at most, while much happens.
const DRAIN_INTERVAL_MIN: Duration = Duration::from_millis(2);

/// Events that a visit is to find under load: so few that they still lie in the processor's cache when
/// they are read, and when their room is filled again. With ten times as many a call costs 3 % more.
const BATCH_AIM: u32 = 1024;

/// Batches are under way to be told, to be recorded, and being filled.
const SPARES_MAX: usize = 4;

struct Queue {
    batch: Mutex<Batch>,
    /// The room of batches that were given back; empty ones.
    spares: Mutex<Vec<Batch>>,
    capacity: usize,
    /// Messages leave their own words, too.
    with_words: bool,
    dropped: AtomicU64,
    words_dropped: AtomicU64,
    /// Messages wait for their records.
    durable: Option<Arc<Durable>>,
}

/// The road's end.
#[derive(Clone)]
pub struct EventSender(Arc<Queue>);

/// The end that reads.
pub struct EventReceiver(Arc<Queue>);

/// A queue for at most `capacity` events, of messages with their own words if those are wanted. Its
/// last quarter is kept for what is not a message: connections, refusals and farewells are the last
/// to be lost.
pub fn event_queue(capacity: usize, with_words: bool) -> (EventSender, EventReceiver) {
    queue(capacity, with_words, None)
}

/// The same, of a gate that passes no message on before its record is durable, or `patience` is over.
/// Whoever keeps the record says how far it is: [`EventReceiver::made_durable`].
pub fn event_queue_waited_for(capacity: usize, patience: Duration) -> (EventSender, EventReceiver) {
    queue(capacity, true, Some(Arc::new(Durable::new(patience))))
}

fn queue(
    capacity: usize,
    with_words: bool,
    durable: Option<Arc<Durable>>,
) -> (EventSender, EventReceiver) {
    let queue = Arc::new(Queue {
        batch: Mutex::new(Batch::default()),
        spares: Mutex::default(),
        capacity: capacity.max(4),
        with_words,
        dropped: AtomicU64::new(0),
        words_dropped: AtomicU64::new(0),
        durable,
    });
    (EventSender(Arc::clone(&queue)), EventReceiver(queue))
}

impl EventSender {
    /// Leaves an event, or counts it as dropped when there is no room; its place, or 0.
    pub fn tell(&self, event: Event) -> Ordinal {
        self.leave(event, None)
    }

    /// Leaves a message's event with what was said. Where there is room for the event alone, its
    /// words are counted as dropped.
    pub fn tell_heard(&self, event: Event, heard: Heard<'_>) -> Ordinal {
        self.leave(event, self.0.with_words.then_some(heard))
    }

    /// How far the record is, where messages wait for it.
    pub(crate) fn durable(&self) -> Option<&Arc<Durable>> {
        self.0.durable.as_ref()
    }

    fn leave(&self, event: Event, heard: Option<Heard<'_>>) -> Ordinal {
        let queue = &self.0;
        let room = match event {
            Event::Message(_) => queue.capacity - queue.capacity / 4,
            _ => queue.capacity,
        };
        let mut batch = lock(&queue.batch);
        if batch.len() >= room {
            drop(batch);
            queue.dropped.fetch_add(1, Ordering::Relaxed);
            return Ordinal::default();
        }
        let is_whole = batch.push(event, heard);
        let told = batch.through();
        drop(batch);
        if !is_whole {
            queue.words_dropped.fetch_add(1, Ordering::Relaxed);
        }
        told
    }
}

impl EventReceiver {
    /// Takes all that is there, in order.
    pub fn take(&self) -> Batch {
        let mut spare = lock(&self.0.spares).pop().unwrap_or_default();
        let mut batch = lock(&self.0.batch);
        spare.begin_after(batch.through());
        std::mem::replace(&mut *batch, spare)
    }

    /// Gives the room of a batch back that has been worked off.
    pub fn give_back(&self, mut batch: Batch) {
        if batch.is_worth_keeping() {
            batch.clear();
            let mut spares = lock(&self.0.spares);
            if spares.len() < SPARES_MAX {
                spares.push(batch);
            }
        }
    }

    /// Waits until something is there and takes it all. Cancel-safe.
    pub async fn batch(&self) -> Batch {
        loop {
            let events = self.take();
            if !events.is_empty() {
                return events;
            }
            self.stay_away(DRAIN_INTERVAL).await;
        }
    }

    /// Stays away for so long, or until a message waits for its record. Cancel-safe.
    pub async fn stay_away(&self, pause: Duration) {
        match &self.0.durable {
            None => tokio::time::sleep(pause).await,
            Some(durable) => {
                let _ = tokio::time::timeout(pause, durable.wanted()).await;
            }
        }
    }

    /// How far the record is, where messages wait for it.
    pub fn durable(&self) -> Option<&Arc<Durable>> {
        self.0.durable.as_ref()
    }

    /// The record holds all that was told up to there.
    pub fn made_durable(&self, through: Ordinal, now: Duration) {
        if let Some(durable) = &self.0.durable {
            let newest = lock(&self.0.batch).through();
            durable.publish(through, newest, now);
        }
    }

    /// How many were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Of how many messages the event is there, and the words are not.
    pub fn words_dropped(&self) -> u64 {
        self.0.words_dropped.load(Ordering::Relaxed)
    }
}

/// How long a reader stays away after a batch: the more there was, the sooner it comes back.
#[derive(Clone, Copy, Debug)]
pub struct Pace(Duration);

impl Default for Pace {
    fn default() -> Pace {
        Pace(DRAIN_INTERVAL)
    }
}

impl Pace {
    /// The time to stay away after a batch of so many events.
    pub fn after(&mut self, events: usize) -> Duration {
        let events = u32::try_from(events).unwrap_or(u32::MAX).max(1);
        let wanted = self.0.saturating_mul(BATCH_AIM) / events;
        self.0 = wanted.clamp(DRAIN_INTERVAL_MIN, DRAIN_INTERVAL);
        self.0
    }
}

fn lock<T>(batch: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves a batch whole: what is told last is pushed last, and refers to what is there.
    batch.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use guard::{Event, Heard, Moment, RefusedHandshake};
    use ocpp::Facts;

    use super::{BATCH_AIM, Batch, DRAIN_INTERVAL, DRAIN_INTERVAL_MIN, Pace, event_queue};

    fn refusal() -> Event {
        Event::Refused {
            at: Moment::default(),
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            station: None,
            why: RefusedHandshake::NoRoute,
        }
    }

    #[test]
    fn a_full_queue_counts_and_never_grows() {
        let (sender, receiver) = event_queue(4, false);
        for _ in 0..10 {
            sender.tell(refusal());
        }
        assert_eq!(receiver.take().len(), 4);
        assert_eq!(receiver.dropped(), 6);
        sender.tell(refusal());
        let batch = receiver.take();
        assert_eq!(batch.len(), 1, "there is room again");
        receiver.give_back(batch);
        assert!(receiver.take().is_empty(), "what was given back is gone");
    }

    fn words(batch: &Batch) -> Vec<Option<String>> {
        let text = |heard: Heard<'_>| String::from_utf8_lossy(heard.text).into_owned();
        batch.iter().map(|(_, heard)| heard.map(text)).collect()
    }

    #[test]
    fn words_lie_beside_their_events() {
        let (sender, receiver) = event_queue(10, true);
        let heard = |text: &'static str| Heard {
            text: text.as_bytes(),
            facts: Facts::NONE,
        };
        sender.tell_heard(refusal(), heard("first"));
        sender.tell(refusal());
        sender.tell_heard(refusal(), heard("second"));
        let expected = [Some("first".to_owned()), None, Some("second".to_owned())];
        assert_eq!(words(&receiver.take()), expected);
        let (sender, receiver) = event_queue(10, false);
        sender.tell_heard(refusal(), heard("first"));
        assert_eq!(words(&receiver.take()), [None], "nobody wants them");
    }

    #[test]
    fn a_batch_gives_up_what_is_not_wanted() {
        let (sender, receiver) = event_queue(10, true);
        for (count, text) in ["first", "second", "third"].into_iter().enumerate() {
            let heard = Heard {
                text: text.as_bytes(),
                facts: Facts::NONE,
            };
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, count as u16));
            let why = RefusedHandshake::NoRoute;
            let (at, station) = (Moment::default(), None);
            sender.tell_heard(
                Event::Refused {
                    at,
                    peer,
                    station,
                    why,
                },
                heard,
            );
        }
        let mut batch = receiver.take();
        let before = batch.bytes();
        let gone =
            batch.keep(|event| !matches!(event, Event::Refused { peer, .. } if peer.port() == 1));
        assert_eq!(gone, 1);
        assert_eq!(
            words(&batch),
            [Some("first".to_owned()), Some("third".to_owned())]
        );
        assert!(batch.bytes() < before);
    }

    #[test]
    fn words_without_room_are_counted_and_their_event_stays() {
        let (sender, receiver) = event_queue(1000, true);
        let text = vec![b'x'; Batch::WORDS_BYTES_MAX / 3];
        let heard = Heard {
            text: &text,
            facts: Facts::NONE,
        };
        for _ in 0..5 {
            sender.tell_heard(refusal(), heard);
        }
        let batch = receiver.take();
        assert_eq!(batch.len(), 5);
        let told = batch.iter().filter(|(_, heard)| heard.is_some());
        assert_eq!((told.count(), receiver.words_dropped()), (3, 2));
    }

    #[test]
    fn a_reader_comes_sooner_while_much_happens_and_later_when_it_is_over() {
        let mut pace = Pace::default();
        let aim = BATCH_AIM as usize;
        assert_eq!(pace.after(3), DRAIN_INTERVAL);
        assert_eq!(pace.after(aim * 10), DRAIN_INTERVAL / 10);
        assert_eq!(pace.after(aim), DRAIN_INTERVAL / 10, "as it should be");
        assert_eq!(pace.after(usize::MAX), DRAIN_INTERVAL_MIN);
        assert_eq!(pace.after(0), DRAIN_INTERVAL);
    }
}
