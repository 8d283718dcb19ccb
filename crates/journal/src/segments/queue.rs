//! Where records wait for the writer: one lock, buffers that come back, and room by weight.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use guard::UnixMillis;

use super::block::RECORD_BYTES_MAX;
use super::index::{TermKind, term};
use crate::append::{Appended, Entry, Lost, NotDurable, Ticket, Weight};

/// Bytes of records that wait, after which the writer is woken before its time.
const WAKE_BYTES: usize = 1024 * 1024;
/// Buffers that are kept for reuse, and what one may have grown to. A buffer that is new is page by
/// page the system's first, and one that grows is copied: both cost more than what is done with it here.
const SPARES_MAX: usize = 16;
const SPARE_BYTES_MAX: usize = 4 * WAKE_BYTES;
/// What a new buffer has room for, where many records come.
const ROOMY_BYTES: usize = WAKE_BYTES + WAKE_BYTES / 4;
/// Handles of one record that are indexed. One that holds more is looked at for every handle.
pub const HANDLES_MAX: usize = 64;

/// Records one behind the other, each followed by a newline: what a block is cut from.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) text: Vec<u8>,
    pub(crate) records: Vec<Place>,
    pub(crate) terms: Vec<u32>,
}

/// Where a record and its terms end in their batch, and when it happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) end: u32,
    pub(crate) terms_end: u32,
    pub(crate) at: UnixMillis,
}

impl Batch {
    /// Where record `number` of this batch begins, in the text and in the terms.
    pub(crate) fn begin(&self, number: usize) -> (usize, usize) {
        match number
            .checked_sub(1)
            .and_then(|last| self.records.get(last))
        {
            Some(place) => (place.end as usize, place.terms_end as usize),
            None => (0, 0),
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
        self.terms.clear();
    }

    /// An empty one, to follow this one.
    fn next(&self) -> Batch {
        let mut next = Batch::default();
        if self.text.len() >= WAKE_BYTES {
            next.text.reserve(ROOMY_BYTES);
            next.records.reserve(self.records.len());
            next.terms.reserve(self.terms.len());
        }
        next
    }
}

/// What is not kept since the last gap that became a record.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: UnixMillis,
    until: UnixMillis,
    lost: Lost,
}

#[derive(Default)]
struct State {
    filling: Batch,
    spares: Vec<Batch>,
    /// Bytes that the writer holds and that are not durable yet.
    held: usize,
    taken: u64,
    gap: Option<Gap>,
    lost: Lost,
    durable: u64,
    /// The writer sleeps until somebody wakes it.
    asleep: bool,
    closing: bool,
    closed: bool,
}

/// Why the writer goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Woken {
    pub(crate) closing: bool,
    /// There is much to write, whether or not it is time to commit it.
    pub(crate) much: bool,
}

/// The queue, shared by those who append and the writer.
pub(crate) struct Queue {
    bytes_max: usize,
    state: Mutex<State>,
    filled: Condvar,
    settled: Condvar,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize) -> Queue {
        Queue {
            // Places in a batch count with 32 bits.
            bytes_max: bytes_max.min(u32::MAX as usize / 2),
            state: Mutex::default(),
            filled: Condvar::new(),
            settled: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How full the queue may be for another record of this weight.
    fn room(&self, weight: Weight) -> usize {
        match weight {
            Weight::Telemetry => self.bytes_max / 2,
            Weight::Message => self.bytes_max / 4 * 3,
            Weight::Kept => self.bytes_max,
        }
    }

    pub(crate) fn append(&self, entry: &Entry<'_>) -> Appended {
        let mut state = self.lock();
        let before = state.filling.text.len();
        let appended = self.take_in(&mut state, entry);
        self.wake(state, before);
        appended
    }

    /// Under one lock: to let go of it after each record would mean to wait, each time, until the record
    /// has reached a buffer that is in no cache. That is a tenth of what a record costs.
    pub(crate) fn append_all(
        &self,
        entries: &mut dyn Iterator<Item = Entry<'_>>,
    ) -> Option<Ticket> {
        let mut state = self.lock();
        let before = state.filling.text.len();
        let mut last = None;
        for entry in entries {
            if let Appended::Queued(ticket) = self.take_in(&mut state, &entry) {
                last = Some(ticket);
            }
        }
        self.wake(state, before);
        last
    }

    fn take_in(&self, state: &mut State, entry: &Entry<'_>) -> Appended {
        let fits = !entry.json.is_empty()
            && entry.json.len() <= RECORD_BYTES_MAX
            && memchr::memchr(b'\n', entry.json).is_none();
        if state.closing || !fits || !self.has_room(state, entry.weight, entry.json.len()) {
            state.lose(entry.at, entry.weight);
            return match fits {
                true => Appended::Dropped,
                false => Appended::Unfit,
            };
        }
        let handles = entry.handles.iter().take(HANDLES_MAX);
        let handles = handles.map(|handle| term(TermKind::Handle, handle.bytes()));
        let terms = named_terms(entry).into_iter().flatten().chain(handles);
        state.push(entry.json, entry.at, terms);
        Appended::Queued(Ticket(state.taken))
    }

    /// Wakes the writer where it sleeps, or where there is much to write now and was not `before`.
    fn wake(&self, mut state: MutexGuard<'_, State>, before: usize) {
        let much = before < WAKE_BYTES && state.filling.text.len() >= WAKE_BYTES;
        let wake = mem::take(&mut state.asleep) || much;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
    }

    fn has_room(&self, state: &State, weight: Weight, bytes: usize) -> bool {
        state.held + state.filling.text.len() + bytes < self.room(weight)
    }

    /// Waits until there is much to write, the queue is closed, or `until` has come; where `anything`
    /// is asked for, also until there is anything at all.
    pub(crate) fn wait(&self, until: Option<Instant>, anything: bool) -> Woken {
        let mut state = self.lock();
        loop {
            let waiting = state.filling.text.len();
            let left = until.map_or(Duration::MAX, |until| {
                until.saturating_duration_since(Instant::now())
            });
            let woken = Woken {
                closing: state.closing,
                much: waiting >= WAKE_BYTES,
            };
            let something = anything && (waiting > 0 || state.gap.is_some());
            if woken.closing || woken.much || something || left.is_zero() {
                state.asleep = false;
                return woken;
            }
            state.asleep = anything;
            state = match until {
                Some(_) => {
                    let slept = self.filled.wait_timeout(state, left);
                    slept.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .filled
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Waits after a failure, however much there is to write, unless the queue is being closed.
    pub(crate) fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.closing || left.is_zero() {
                return;
            }
            let woken = self.filled.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Takes what waits. A gap becomes a record as soon as there is room for telemetry again.
    pub(crate) fn take(&self) -> Option<Batch> {
        let mut state = self.lock();
        if let Some(gap) = state.gap
            && self.has_room(&state, Weight::Telemetry, 512)
        {
            state.gap = None;
            state.push(gap_record(&gap).as_bytes(), gap.until, std::iter::empty());
        }
        if state.filling.records.is_empty() {
            return None;
        }
        let next = state.spares.pop();
        let next = next.unwrap_or_else(|| state.filling.next());
        let batch = mem::replace(&mut state.filling, next);
        state.held += batch.text.len();
        Some(batch)
    }

    /// Gives the batches of a commit back. As many buffers are kept as two such commits need.
    pub(crate) fn give_back(&self, batches: impl ExactSizeIterator<Item = Batch>) {
        let spares_max = (2 * batches.len()).min(SPARES_MAX);
        let mut state = self.lock();
        for mut batch in batches {
            state.held = state.held.saturating_sub(batch.text.len());
            batch.clear();
            if batch.text.capacity() <= SPARE_BYTES_MAX {
                state.spares.push(batch);
            }
        }
        state.spares.truncate(spares_max);
    }

    /// So many more records are durable.
    pub(crate) fn settle(&self, records: u64) {
        self.lock().durable += records;
        self.settled.notify_all();
    }

    pub(crate) fn durable(&self) -> Ticket {
        Ticket(self.lock().durable)
    }

    pub(crate) fn wait_durable(
        &self,
        ticket: Ticket,
        patience: Duration,
    ) -> Result<(), NotDurable> {
        let until = Instant::now().checked_add(patience);
        let mut state = self.lock();
        while state.durable < ticket.0 {
            let left = until.map_or(Duration::MAX, |until| {
                until.saturating_duration_since(Instant::now())
            });
            if left.is_zero() || state.closed {
                return Err(NotDurable);
            }
            let woken = self.settled.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    pub(crate) fn lost(&self) -> Lost {
        self.lock().lost
    }

    /// Bytes that wait or are being written.
    pub(crate) fn bytes(&self) -> usize {
        let state = self.lock();
        state.held + state.filling.text.len()
    }

    /// Takes nothing in any more, and wakes the writer.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.filled.notify_all();
    }

    /// The writer is gone: nothing becomes durable any more.
    pub(crate) fn closed(&self) {
        self.lock().closed = true;
        self.settled.notify_all();
    }
}

impl State {
    fn push(&mut self, json: &[u8], at: UnixMillis, terms: impl Iterator<Item = u32>) {
        let batch = &mut self.filling;
        batch.text.extend_from_slice(json);
        batch.text.push(b'\n');
        batch.terms.extend(terms);
        batch.records.push(Place {
            end: batch.text.len() as u32,
            terms_end: batch.terms.len() as u32,
            at,
        });
        self.taken += 1;
    }

    fn lose(&mut self, at: UnixMillis, weight: Weight) {
        self.lost.count(weight);
        let gap = self.gap.get_or_insert(Gap {
            from: at,
            until: at,
            lost: Lost::default(),
        });
        gap.lost.count(weight);
        gap.from = gap.from.min(at);
        gap.until = gap.until.max(at);
    }
}

/// What a record is found by, but for its handles.
fn named_terms(entry: &Entry<'_>) -> [Option<u32>; 4] {
    let named = |kind: TermKind, text: &str| term(kind, text.as_bytes());
    [
        entry.station.map(|text| named(TermKind::Station, text)),
        entry.action.map(|text| named(TermKind::Action, text)),
        entry.refused.then(|| named(TermKind::Refused, "")),
        (entry.handles.len() > HANDLES_MAX).then(|| named(TermKind::ManyHandles, "")),
    ]
}

fn gap_record(gap: &Gap) -> String {
    let Lost {
        telemetry,
        messages,
        kept,
    } = gap.lost;
    format!(
        r#"{{"at":{},"kind":"gap","since":{},"telemetry":{telemetry},"messages":{messages},"kept":{kept},"why":"no-room"}}"#,
        gap.until.0, gap.from.0
    )
}
