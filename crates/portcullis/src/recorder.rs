//! The record, kept while the gate runs: events go into a bounded row, and a thread of its own makes
//! records of them. The road and whoever tells of events never wait for it.

mod gaps;
mod names;
mod opening;
mod page;
mod publisher;
mod row;
mod scribe;
mod upkeep;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gateway::{Batch, Clock, EventReceiver};
use guard::UnixMillis;
use journal::record::Act;

use self::publisher::Handed;
use self::row::{Item, Row};
use self::scribe::Scribe;
use crate::config::JournalConfig;
use crate::health::conditions::Conditions;

/// Where events and acts are put; cheap to clone.
#[derive(Clone)]
pub(crate) struct Recorder {
    row: Arc<Row>,
    events: Arc<EventReceiver>,
    figures: Arc<Mutex<RecorderFigures>>,
    clock: Clock,
}

/// The thread behind it.
pub(crate) struct Recording {
    recorder: Recorder,
    thread: JoinHandle<()>,
    /// Where messages wait for their records: who tells the gate how far those are.
    publisher: Option<(Handed, JoinHandle<()>)>,
}

/// What `/metrics` tells of the record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecorderFigures {
    /// Records that are durable.
    pub(crate) durable: u64,
    /// Events that are not recorded, for whatever reason.
    pub(crate) missed: u64,
    /// Bytes that wait.
    pub(crate) waiting: u64,
    /// Values that are recorded as a length, since too many new subjects came.
    pub(crate) withheld: u64,
    /// Rows of subjects that do not open under their day's key.
    pub(crate) damaged: u64,
    /// Rows of subjects whose day's key is gone.
    pub(crate) unopened: u64,
}

/// Who does what nobody has asked for.
pub(crate) const GATE: &str = "gate";

/// What cannot be done now is tried again then.
const AGAIN: Duration = Duration::from_secs(1);

/// What somebody has done, to be recorded.
#[derive(Debug)]
struct Done {
    at: UnixMillis,
    what: &'static str,
    by: &'static str,
    details: String,
}

impl Done {
    fn act(&self) -> Act<'_> {
        Act {
            at: self.at,
            what: self.what,
            by: self.by,
            details: &self.details,
        }
    }
}

impl Recording {
    /// Begins to record. What keeps the record from being opened is told, and tried again.
    pub(crate) fn begin(
        config: &JournalConfig,
        events: Arc<EventReceiver>,
        conditions: Arc<Mutex<Conditions>>,
        clock: Clock,
    ) -> std::io::Result<Recording> {
        let recorder = Recorder {
            row: Arc::new(Row::new(config.waiting_bytes_max)),
            events,
            figures: Arc::default(),
            clock,
        };
        let publisher = recorder.events.durable().map(|durable| {
            let (handed, told_to) = (Handed::default(), Arc::clone(&conditions));
            let durable = Arc::clone(durable);
            publisher::begin(handed.clone(), durable, recorder.clone(), told_to)
                .map(|thread| (handed, thread))
        });
        let publisher = publisher.transpose()?;
        let handed = publisher.as_ref().map(|(handed, _)| handed.clone());
        let scribe = Scribe::new(config.clone(), recorder.clone(), conditions, handed);
        let thread = std::thread::Builder::new().name("scribe".to_owned());
        let thread = thread.spawn(move || scribe.work())?;
        Ok(Recording {
            recorder,
            thread,
            publisher,
        })
    }

    /// Where events and acts are put.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Records what waits, and ends.
    pub(crate) fn close(self) {
        self.recorder.row.close();
        // A panic of the thread has been told by the panic itself.
        let _ = self.thread.join();
        if let Some((handed, thread)) = self.publisher {
            handed.close();
            let _ = thread.join();
        }
    }
}

impl Recorder {
    /// Takes events that have been told; their room goes back when they are recorded.
    pub(crate) fn take(&self, batch: Batch) {
        self.row.put(Item::Events(batch, 0));
    }

    /// Takes something that somebody has done.
    pub(crate) fn done(&self, what: &'static str, by: &'static str, details: impl Into<String>) {
        self.row.put(Item::Done(Done {
            at: self.clock.now().wall,
            what,
            by,
            details: details.into(),
        }));
    }

    /// What there is to count.
    pub(crate) fn figures(&self) -> RecorderFigures {
        let figures = *self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        RecorderFigures {
            waiting: figures.waiting + self.row.bytes() as u64,
            missed: figures.missed + self.row.missed().events,
            ..figures
        }
    }
}
