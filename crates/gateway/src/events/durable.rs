//! How far what was told is on the disk, and which sessions wait for that: only where the gate is told
//! to pass nothing on before its record is durable.
//!
//! Whoever keeps the record says how far it is; a session leaves its waker here, one at most. When
//! patience runs out once, nobody waits any more until the record has caught up: a disk that hangs
//! must cost each session one wait, not one a message.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;

/// An event's place among all that were told, from 1. Before place 0 is nothing, so nobody waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ordinal(pub u64);

/// How far events are durable, and who waits.
pub struct Durable {
    patience: Duration,
    through: AtomicU64,
    /// Patience has run out: messages pass before their records are durable.
    has_gone_on: AtomicBool,
    /// How often that has happened, and how many messages have passed so.
    times: AtomicU32,
    unwaited: AtomicU64,
    row: Mutex<Row>,
    /// Somebody waits: whoever reads events is wanted at once.
    wanted: Notify,
}

#[derive(Default)]
struct Row {
    /// By the last event that a session waits for: an event is of one session, so that there are never
    /// more of them than sessions.
    wakers: BTreeMap<Ordinal, Waker>,
    /// What was told last, and when: by how long it takes to become durable is known whether the
    /// record has caught up.
    mark: Option<(Ordinal, Duration)>,
}

impl Durable {
    /// Nothing is durable yet, and who waits does so for that long at most.
    pub fn new(patience: Duration) -> Durable {
        Durable {
            patience,
            through: AtomicU64::new(0),
            has_gone_on: AtomicBool::new(false),
            times: AtomicU32::new(0),
            unwaited: AtomicU64::new(0),
            row: Mutex::default(),
            wanted: Notify::new(),
        }
    }

    /// How long a message waits for its record at most.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether that event, and all before it, are durable.
    pub fn is_through(&self, event: Ordinal) -> bool {
        self.through.load(Ordering::Acquire) >= event.0
    }

    /// Whether patience has run out, and the record has not caught up since.
    pub fn has_gone_on(&self) -> bool {
        self.has_gone_on.load(Ordering::Acquire)
    }

    /// How often patience has run out.
    pub fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }

    /// Messages that have passed before their records were durable.
    pub fn unwaited(&self) -> u64 {
        self.unwaited.load(Ordering::Relaxed)
    }

    /// Sessions that wait now.
    pub fn waiting(&self) -> usize {
        self.row().wakers.len()
    }

    /// All events up to this one are durable; `newest` is the last one told. Wakes whoever has waited
    /// for no more than that.
    pub fn publish(&self, through: Ordinal, newest: Ordinal, now: Duration) {
        let mut row = self.row();
        if through.0 <= self.through.load(Ordering::Relaxed) {
            return;
        }
        self.through.store(through.0, Ordering::Release);
        if self.has_gone_on.load(Ordering::Relaxed) && self.has_caught_up(&mut row, newest, now) {
            self.has_gone_on.store(false, Ordering::Release);
        }
        let behind = row.wakers.split_off(&Ordinal(through.0.saturating_add(1)));
        let ready = std::mem::replace(&mut row.wakers, behind);
        drop(row);
        wake(ready);
    }

    /// Whether a message told now would be durable in half the time that is borne. Were it enough that
    /// anything becomes durable, a disk that lags behind would cost every message all of that time.
    fn has_caught_up(&self, row: &mut Row, newest: Ordinal, now: Duration) -> bool {
        let mark = row.mark.filter(|(told, _)| self.is_through(*told));
        let in_time = mark.is_some_and(|(_, at)| now.saturating_sub(at) <= self.patience / 2);
        if in_time || self.is_through(newest) {
            return true;
        }
        if mark.is_some() || row.mark.is_none() {
            row.mark = Some((newest, now));
        }
        false
    }

    /// Waits for an event on behalf of a session; false when there is nothing to wait for.
    pub(crate) fn wait(&self, event: Ordinal, waker: &Waker) -> bool {
        let mut row = self.row();
        if self.is_through(event) || self.has_gone_on() {
            return false;
        }
        row.wakers.insert(event, waker.clone());
        drop(row);
        self.wanted.notify_one();
        true
    }

    /// A session waits for that event no more.
    pub(crate) fn forget(&self, event: Ordinal) {
        self.row().wakers.remove(&event);
    }

    /// Patience has run out for one: everybody goes on.
    pub(crate) fn go_on(&self) {
        let mut row = self.row();
        if !self.has_gone_on.swap(true, Ordering::AcqRel) {
            self.times.fetch_add(1, Ordering::Relaxed);
            row.mark = None;
        }
        let all = std::mem::take(&mut row.wakers);
        drop(row);
        wake(all);
    }

    /// So many messages pass before their records are durable.
    pub(crate) fn count_unwaited(&self, messages: u32) {
        self.unwaited
            .fetch_add(u64::from(messages), Ordering::Relaxed);
    }

    /// Comes when somebody waits who did not before. Cancel-safe.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        // Each change of it is one step: a panic leaves it whole.
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(wakers: BTreeMap<Ordinal, Waker>) {
    for waker in wakers.into_values() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
