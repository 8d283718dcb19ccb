//! Where messages wait for their records (`wait_for_disk`): the thread that tells the gate how far the
//! record is on the disk, and says so when the gate had to go on without it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gateway::{Durable, Ordinal};
use journal::{Append, Ticket};
use tracing::warn;

use super::{GATE, Recorder};
use crate::health::conditions::Conditions;
use crate::health::{self, Finding};

/// How often is looked whether messages are waited for, and whether what was handed on is durable.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Batches that were handed on and are not durable. Beyond it the last ones count as one: they are
/// durable when the last of them is.
const HANDED_MAX: usize = 4096;
/// What is told of it.
const SUBJECT: &str = "record waited for";

/// What the scribe has handed to the journal: events up to there, and the ticket behind which they are
/// durable.
#[derive(Clone, Default)]
pub(super) struct Handed(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    row: VecDeque<(Ordinal, Ticket)>,
    last: Ticket,
    appender: Option<Arc<dyn Append>>,
    is_closed: bool,
}

impl Handed {
    /// What the journal takes in is durable when this says so.
    pub(super) fn to(&self, appender: Arc<dyn Append>) {
        self.state().appender = Some(appender);
    }

    /// All events up to this one are with the journal, the last of them under that ticket: none, where
    /// nothing of it was taken in, and what was before suffices.
    pub(super) fn on(&self, through: Ordinal, ticket: Option<Ticket>) {
        let mut state = self.state();
        state.last = ticket.unwrap_or(state.last).max(state.last);
        let (last, is_full) = (state.last, state.row.len() >= HANDED_MAX);
        match state.row.back_mut() {
            Some(behind) if is_full || behind.1 == last => *behind = (through, last),
            _ => state.row.push_back((through, last)),
        }
        drop(state);
        self.0.came.notify_one();
    }

    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.0.came.notify_one();
    }

    /// What is to become durable next, and by what; `None` when there is nothing for now.
    fn next(&self) -> Option<(Ticket, Arc<dyn Append>)> {
        let mut state = self.state();
        if state.row.is_empty() && !state.is_closed {
            let waited = self.0.came.wait_timeout(state, LOOK_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let (_, ticket) = *state.row.front()?;
        Some((ticket, Arc::clone(state.appender.as_ref()?)))
    }

    /// Takes away what is durable up to that ticket; the last event of it.
    fn take(&self, durable: Ticket) -> Option<Ordinal> {
        let mut state = self.state();
        let mut through = None;
        while let Some((event, _)) = state.row.pop_front_if(|(_, ticket)| *ticket <= durable) {
            through = Some(event);
        }
        through
    }

    fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic leaves the row whole: each change of it is one step.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread, and what it has told.
struct Publisher {
    handed: Handed,
    durable: Arc<Durable>,
    recorder: Recorder,
    conditions: Arc<Mutex<Conditions>>,
    looked: Option<Instant>,
    /// How often the gate had gone on by then, and with how many messages.
    told_times: u32,
    told_unwaited: u64,
    has_gone_on: bool,
}

/// Begins to publish.
pub(super) fn begin(
    handed: Handed,
    durable: Arc<Durable>,
    recorder: Recorder,
    conditions: Arc<Mutex<Conditions>>,
) -> std::io::Result<JoinHandle<()>> {
    let publisher = Publisher {
        handed,
        durable,
        recorder,
        conditions,
        looked: None,
        told_times: 0,
        told_unwaited: 0,
        has_gone_on: false,
    };
    let thread = std::thread::Builder::new().name("publisher".to_owned());
    thread.spawn(move || publisher.work())
}

impl Publisher {
    /// Publishes until the scribe has ended, and what it has handed on is durable or never will be.
    fn work(mut self) {
        loop {
            let next = self.handed.next();
            let is_closed = self.handed.is_closed();
            let became = next.and_then(|(ticket, appender)| durable(ticket, &*appender));
            if let Some(through) = became.and_then(|ticket| self.handed.take(ticket)) {
                let now = self.recorder.clock.now().elapsed;
                self.recorder.events.made_durable(through, now);
            }
            self.look();
            if is_closed && became.is_none() {
                break;
            }
        }
    }

    /// Tells, and has recorded, when messages go on without their records, and when they wait again.
    fn look(&mut self) {
        let has_gone_on = self.durable.has_gone_on();
        let is_news = has_gone_on != self.has_gone_on || self.durable.times() != self.told_times;
        let is_time = self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if !is_news && !is_time {
            return;
        }
        self.looked = Some(Instant::now());
        // What came and went since the last look is told as well.
        self.tell(has_gone_on || self.durable.times() != self.told_times);
        if !is_news {
            return;
        }
        if self.durable.times() != self.told_times {
            self.told_times = self.durable.times();
            let details = "patience ran out: none was durable in time";
            self.recorder.done("record-not-awaited", GATE, details);
        }
        if !has_gone_on {
            let unwaited = self.durable.unwaited();
            let passed = unwaited - self.told_unwaited;
            self.told_unwaited = unwaited;
            warn!(
                messages = passed,
                remedy = "See why the disk took so long; the messages are in the record unless it \
                          holds a gap.",
                "messages wait for their records again; some had passed before theirs were durable"
            );
            let details = format!("{passed} messages had passed before their records were durable");
            self.recorder.done("record-awaited", GATE, details);
        }
        self.has_gone_on = has_gone_on;
    }

    fn tell(&self, has_gone_on: bool) {
        let finding = match has_gone_on {
            false => Finding::ok(SUBJECT, "messages wait until their records are durable"),
            true => Finding::fail(
                SUBJECT,
                format!(
                    "messages pass before their records are durable: {} so far",
                    self.durable.unwaited()
                ),
                "See \"record\" and the disk. They wait again by themselves when the record has \
                 caught up; `wait_patience_ms` in [journal] is how long they wait at most.",
            ),
        };
        health::tell(&self.conditions, vec![finding]);
    }
}

/// Waits until that ticket is durable; up to which one all are by then.
fn durable(ticket: Ticket, appender: &dyn Append) -> Option<Ticket> {
    let began = Instant::now();
    if appender.wait_durable(ticket, LOOK_EVERY).is_ok() {
        return Some(appender.durable());
    }
    // A journal whose writer has given up says so at once, each time.
    std::thread::sleep(LOOK_EVERY.saturating_sub(began.elapsed()));
    None
}

#[cfg(test)]
mod tests;
