//! What waits to be recorded, bounded by its bytes. Where it is full, messages that passed unremarked
//! go first; what went is counted, and becomes a record itself.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway::Batch;
use guard::Event;

use super::Done;

/// One thing to record.
pub(super) enum Item {
    /// Events, and how many of them are recorded already.
    Events(Batch, usize),
    Done(Done),
}

/// Events that were not recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) events: u64,
}

/// The row.
pub(super) struct Row {
    waiting: Mutex<Waiting>,
    came: Condvar,
    bytes_max: usize,
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
    missed: Missed,
    is_closed: bool,
}

/// What an act takes, roughly.
const DONE_BYTES: usize = 256;

/// What the row gives.
pub(super) enum Next {
    /// An item; those behind it keep their turn.
    Item(Item),
    /// Nothing for now.
    Nothing,
    /// Nothing any more.
    Closed,
}

impl Row {
    pub(super) fn new(bytes_max: usize) -> Row {
        Row {
            waiting: Mutex::default(),
            came: Condvar::new(),
            bytes_max,
        }
    }

    /// Takes an item in, or what is left of it where there is little room.
    pub(super) fn put(&self, item: Item) {
        let mut row = self.row();
        let item = match item {
            // Three quarters are for all; the last one is for what must not be missed.
            Item::Events(mut batch, 0) if row.bytes + batch.bytes() > self.bytes_max / 4 * 3 => {
                row.missed.events += batch.keep(is_remarkable) as u64;
                Item::Events(batch, 0)
            }
            other => other,
        };
        let bytes = bytes(&item);
        if row.bytes + bytes > self.bytes_max {
            row.missed.events += events(&item);
            return;
        }
        row.bytes += bytes;
        row.items.push_back(item);
        drop(row);
        self.came.notify_one();
    }

    /// Puts an item back that could not be recorded yet: it comes first again.
    pub(super) fn put_back(&self, item: Item) {
        let mut row = self.row();
        row.bytes += bytes(&item);
        row.items.push_front(item);
    }

    /// The next item; waits for one, but no longer than `patience`.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let mut row = self.row();
        if row.items.is_empty() && !row.is_closed {
            let waited = self.came.wait_timeout(row, patience);
            row = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match row.items.pop_front() {
            Some(item) => {
                row.bytes -= bytes(&item);
                Next::Item(item)
            }
            None if row.is_closed => Next::Closed,
            None => Next::Nothing,
        }
    }

    /// Waits without taking anything; true when the row is closed.
    pub(super) fn rest(&self, patience: Duration) -> bool {
        let row = self.row();
        let waited = self
            .came
            .wait_timeout_while(row, patience, |row| !row.is_closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    pub(super) fn close(&self) {
        self.row().is_closed = true;
        self.came.notify_all();
    }

    pub(super) fn bytes(&self) -> usize {
        self.row().bytes
    }

    pub(super) fn missed(&self) -> Missed {
        self.row().missed
    }

    fn row(&self) -> MutexGuard<'_, Waiting> {
        // A panic leaves the row whole but for its bytes, which are counted anew when it is empty.
        let mut row = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if row.items.is_empty() {
            row.bytes = 0;
        }
        row
    }
}

fn bytes(item: &Item) -> usize {
    match item {
        Item::Events(batch, _) => batch.bytes(),
        Item::Done(done) => DONE_BYTES + done.details.len(),
    }
}

fn events(item: &Item) -> u64 {
    match item {
        Item::Events(batch, done) => (batch.len() - done) as u64,
        Item::Done(_) => 1,
    }
}

/// Whether it must be recorded before what passed unremarked.
fn is_remarkable(event: &Event) -> bool {
    match event {
        Event::Message(message) => message.is_remarkable(),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
