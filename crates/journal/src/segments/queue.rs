//! Where records wait for the writer: one lock, buffers that come back, and room by weight.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use guard::UnixMillis;

use super::batch::{Batch, is_fit, terms};
use super::block::GROUP_BYTES;
use crate::append::{Appended, Entry, Lost, NotDurable, Ticket, Weight};
use crate::sheet::Sheet;

/// Bytes of records that wait, after which the writer is woken before its time.
const WAKE_BYTES: usize = 1024 * 1024;
/// Bytes of buffers that are kept for reuse. A buffer that is new is page by page the system's first,
/// and one that grows is copied: both cost more than what is done with it here.
const SPARES_BYTES_MAX: usize = 16 * WAKE_BYTES;
/// What one may have grown to.
const SPARE_BYTES_MAX: usize = 4 * WAKE_BYTES;

/// What is worth a block of its own.
const ADOPTED_BYTES_MIN: usize = GROUP_BYTES / 4;

/// What is not kept since the last gap that became a record.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: UnixMillis,
    until: UnixMillis,
    lost: Lost,
}

#[derive(Default)]
struct State {
    /// Sheets, as they were handed in, and what was taken in before them.
    full: VecDeque<Batch>,
    /// What was taken in since.
    filling: Batch,
    /// Bytes of both.
    waiting: usize,
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
        let before = state.waiting;
        let found_by = terms(entry.station, entry.action, entry.refused, entry.handles);
        let appended = match is_fit(entry.json) {
            true => self.take_in(&mut state, entry.at, entry.weight, entry.json, found_by),
            false => {
                state.lose(entry.at, entry.weight);
                Appended::Unfit
            }
        };
        self.wake(state, before);
        appended
    }

    /// Takes a sheet in as it lies, and gives an empty one for it; only where there is not room for all
    /// of it is each record looked at. What is in a small one is copied, so that the many small ones of
    /// a commit become one block.
    pub(crate) fn append_sheet(&self, sheet: &mut Sheet) -> Option<Ticket> {
        let mut state = self.lock();
        let before = state.waiting;
        for (at, weight) in sheet.unfit() {
            state.lose(*at, *weight);
        }
        let bytes = sheet.text().len();
        let has_room = |weight| !state.closing && self.has_room(&state, weight, bytes);
        let last = match sheet.lightest().map(has_room) {
            Some(true) => Some(state.adopt(&mut sheet.batch)),
            Some(false) => self.take_in_each(&mut state, sheet),
            None => None,
        };
        self.wake(state, before);
        sheet.clear();
        last
    }

    fn take_in_each(&self, state: &mut State, sheet: &Sheet) -> Option<Ticket> {
        let mut last = None;
        for (number, (at, weight, json)) in sheet.records().enumerate() {
            let terms = sheet.terms_of(number).iter().copied();
            if let Appended::Queued(ticket) = self.take_in(state, at, weight, json, terms) {
                last = Some(ticket);
            }
        }
        last
    }

    fn take_in(
        &self,
        state: &mut State,
        at: UnixMillis,
        weight: Weight,
        json: &[u8],
        terms: impl Iterator<Item = u32>,
    ) -> Appended {
        if state.closing || !self.has_room(state, weight, json.len()) {
            state.lose(at, weight);
            return Appended::Dropped;
        }
        state.push(json, at, terms);
        Appended::Queued(Ticket(state.taken))
    }

    /// Wakes the writer where it sleeps, or where there is much to write now and was not `before`.
    fn wake(&self, mut state: MutexGuard<'_, State>, before: usize) {
        let much = before < WAKE_BYTES && state.waiting >= WAKE_BYTES;
        let wake = mem::take(&mut state.asleep) || much;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
    }

    fn has_room(&self, state: &State, weight: Weight, bytes: usize) -> bool {
        state.held + state.waiting + bytes < self.room(weight)
    }

    /// Waits until there is much to write, the queue is closed, or `until` has come; where `anything`
    /// is asked for, also until there is anything at all.
    pub(crate) fn wait(&self, until: Option<Instant>, anything: bool) -> Woken {
        let mut state = self.lock();
        loop {
            let waiting = state.waiting;
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
    pub(crate) fn take(&self, pending: &mut VecDeque<Batch>) {
        let mut state = self.lock();
        if let Some(gap) = state.gap
            && self.has_room(&state, Weight::Telemetry, 512)
        {
            state.gap = None;
            state.push(gap_record(&gap).as_bytes(), gap.until, std::iter::empty());
        }
        state.turn_over();
        pending.extend(state.full.drain(..));
        state.held += mem::take(&mut state.waiting);
    }

    /// Gives the batches of a commit back. As many buffers are kept as two such commits need.
    pub(crate) fn give_back(&self, batches: impl ExactSizeIterator<Item = Batch>) {
        let mut state = self.lock();
        let spares_max = 2 * batches.len();
        let mut bytes = 0;
        for mut batch in batches {
            state.held = state.held.saturating_sub(batch.text.len());
            batch.clear();
            if batch.text.capacity() <= SPARE_BYTES_MAX {
                state.spares.push(batch);
            }
        }
        state.spares.truncate(spares_max);
        state.spares.retain(|spare| {
            bytes += spare.text.capacity();
            bytes <= SPARES_BYTES_MAX
        });
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
        state.held + state.waiting
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
        self.filling.text.extend_from_slice(json);
        self.filling.end_record(at, terms);
        self.waiting += json.len() + 1;
        self.taken += 1;
    }

    /// Takes a batch in: as it lies, another's room being left for it, or a copy of what is in it.
    fn adopt(&mut self, batch: &mut Batch) -> Ticket {
        self.waiting += batch.text.len();
        self.taken += batch.records.len() as u64;
        if batch.text.len() < ADOPTED_BYTES_MIN {
            self.filling.append(batch);
        } else {
            self.turn_over();
            let next = self.spares.pop().unwrap_or_else(|| batch.as_roomy());
            self.full.push_back(mem::replace(batch, next));
        }
        Ticket(self.taken)
    }

    /// What was taken in one by one goes behind what waits.
    fn turn_over(&mut self) {
        if !self.filling.records.is_empty() {
            let next = self.spares.pop();
            let next = next.unwrap_or_else(|| self.filling.as_roomy());
            let batch = mem::replace(&mut self.filling, next);
            self.full.push_back(batch);
        }
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
