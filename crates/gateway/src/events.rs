//! The way out for events: a bounded queue that the road never waits for.
//!
//! Waking a reader for each event would cost more than relaying the message it tells of, so nobody
//! is woken: the reader comes by every `DRAIN_INTERVAL` and takes what there is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guard::Event;

/// How often the reader comes by.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);

/// Events whose room is kept for the next batch: growing a new queue for each batch would cost more
/// than filling it.
const ROOM_KEPT_MAX: usize = 8192;

struct Queue {
    events: Mutex<VecDeque<Event>>,
    /// The room of a batch that was given back; empty.
    spare: Mutex<VecDeque<Event>>,
    capacity: usize,
    dropped: AtomicU64,
}

/// The road's end.
#[derive(Clone)]
pub struct EventSender(Arc<Queue>);

/// The end that reads.
pub struct EventReceiver(Arc<Queue>);

/// A queue for at most `capacity` events. Its last quarter is kept for what is not a message:
/// connections, refusals and farewells are the last to be lost.
pub fn event_queue(capacity: usize) -> (EventSender, EventReceiver) {
    let queue = Arc::new(Queue {
        events: Mutex::new(VecDeque::new()),
        spare: Mutex::new(VecDeque::new()),
        capacity: capacity.max(4),
        dropped: AtomicU64::new(0),
    });
    (EventSender(Arc::clone(&queue)), EventReceiver(queue))
}

impl EventSender {
    /// Leaves an event, or counts it as dropped when there is no room.
    pub fn tell(&self, event: Event) {
        let queue = &self.0;
        let room = match event {
            Event::Message { .. } => queue.capacity - queue.capacity / 4,
            _ => queue.capacity,
        };
        let mut events = lock(&queue.events);
        if events.len() < room {
            events.push_back(event);
        } else {
            drop(events);
            queue.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl EventReceiver {
    /// Takes all that is there, in order.
    pub fn take(&self) -> VecDeque<Event> {
        let spare = std::mem::take(&mut *lock(&self.0.spare));
        std::mem::replace(&mut *lock(&self.0.events), spare)
    }

    /// Gives the room of a batch back that has been worked off.
    pub fn give_back(&self, mut batch: VecDeque<Event>) {
        if batch.capacity() <= ROOM_KEPT_MAX {
            batch.clear();
            *lock(&self.0.spare) = batch;
        }
    }

    /// Waits until something is there and takes it all. Cancel-safe.
    pub async fn batch(&self) -> VecDeque<Event> {
        loop {
            let events = self.take();
            if !events.is_empty() {
                return events;
            }
            tokio::time::sleep(DRAIN_INTERVAL).await;
        }
    }

    /// How many were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

fn lock(events: &Mutex<VecDeque<Event>>) -> MutexGuard<'_, VecDeque<Event>> {
    // A panic leaves a queue whole: pushing and taking are single steps.
    events.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use guard::{Event, Moment, RefusedHandshake};

    use super::event_queue;

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
        let (sender, receiver) = event_queue(4);
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
}
