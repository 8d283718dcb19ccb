//! The record of one gate: opened whole, written by a thread of its own, read by whoever may.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::append::{Append, Appended, Entry, Lost, NotDurable, Ticket};
use crate::keys::SegmentKeys;
use crate::proof::LogKey;
use crate::reading::Reader;
use crate::segments::{self, JournalError, Plan, Queue, RealDisk, Shared, SignedTiles};
use crate::sheet::Sheet;

/// Where a record is, and how it is written.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of the record; made if it is not there.
    pub dir: PathBuf,
    /// Between two commits: how much a loss of power may take, and how long [`Append::wait_durable`]
    /// waits for more to come.
    pub commit: Duration,
    /// Bytes of records that wait or are being written. Telemetry has half of it, messages three
    /// quarters, what is always kept all of it.
    pub queue_bytes_max: usize,
    /// A segment ends when its file has so many bytes, and with its day.
    pub segment_bytes_max: u64,
}

impl Settings {
    /// A record in this directory, as it is meant.
    pub fn new(dir: &Path) -> Settings {
        Settings {
            dir: dir.to_path_buf(),
            commit: Duration::from_millis(100),
            queue_bytes_max: 64 * 1024 * 1024,
            segment_bytes_max: 128 * 1024 * 1024,
        }
    }
}

/// How the record is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Whether records are written, and why not.
    pub state: State,
    /// The number behind the last durable record.
    pub records: u64,
    /// How many of them the last signed checkpoint covers.
    pub checkpoint: u64,
    /// Bytes that wait or are being written.
    pub queued_bytes: usize,
    /// What was handed in since the start and is not kept.
    pub lost: Lost,
    /// What the start has moved aside.
    pub aside: Vec<PathBuf>,
}

/// Whether records are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// They wait until the record could be opened; for what, in words.
    Waiting(String),
    /// It is being opened.
    #[default]
    Opening,
    /// They are.
    Recording,
    /// They wait until it goes again; why it does not, in words.
    Failing(String),
}

/// A record that is being written. There is one writer of a directory.
pub struct Journal {
    appender: Appender,
    shared: Arc<Shared>,
    dir: PathBuf,
    keys: Arc<dyn SegmentKeys>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens a record, makes whole what a crash has left, and begins to write.
    ///
    /// What may pass (another process that still writes, a full disk, a key that is not there) is no
    /// error: records wait, and [`Journal::health`] says for what.
    pub fn open(
        settings: &Settings,
        keys: Arc<dyn SegmentKeys>,
        log: LogKey,
    ) -> Result<Journal, JournalError> {
        let log = Arc::new(log);
        let tree = settings.dir.join("tree");
        let plan = Plan {
            dir: segments::directory(&settings.dir),
            commit: settings.commit,
            closing: segments::CLOSING,
            retry: segments::RETRY,
            segment_bytes_max: settings.segment_bytes_max,
            keys,
            disk: Box::new(RealDisk),
            leaves: Box::new(move || Ok(Box::new(SignedTiles::open(&tree, Arc::clone(&log))?))),
        };
        Journal::start(plan, settings.queue_bytes_max)
    }

    pub(crate) fn start(plan: Plan, queue_bytes_max: usize) -> Result<Journal, JournalError> {
        let queue = Arc::new(Queue::new(queue_bytes_max));
        let shared = Arc::new(Shared::default());
        fs::create_dir_all(&plan.dir).map_err(JournalError::disk(&plan.dir))?;
        let begun = match plan.begin() {
            Ok(begun) => {
                begun.tell(&shared);
                Some(begun)
            }
            Err(error) if error.may_pass() => {
                shared.health().state = State::Waiting(error.to_string());
                None
            }
            Err(error) => return Err(error),
        };
        let (dir, keys) = (plan.dir.clone(), Arc::clone(&plan.keys));
        let thread = thread::Builder::new().name("journal".into()).spawn({
            let (queue, shared) = (Arc::clone(&queue), Arc::clone(&shared));
            move || segments::write(plan, begun, queue, shared)
        });
        Ok(Journal {
            appender: Appender { queue },
            shared,
            thread: Some(thread.map_err(JournalError::disk(&dir))?),
            dir,
            keys,
        })
    }

    /// What takes records in; there may be many.
    pub fn appender(&self) -> Appender {
        self.appender.clone()
    }

    /// Reads what is written, up to the last durable record.
    pub fn reader(&self) -> Reader {
        Reader::of_writer(
            self.dir.parent().unwrap_or(&self.dir),
            Arc::clone(&self.keys),
            Arc::clone(&self.shared),
        )
    }

    /// How it is.
    pub fn health(&self) -> Health {
        let mut health = self.shared.health().clone();
        health.queued_bytes = self.appender.queue.bytes();
        health.lost = self.appender.queue.lost();
        health
    }

    /// Writes what waits, signs it, and ends. What cannot be written within
    /// [`segments::CLOSING`] is lost.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.appender.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told by the panic itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}

/// Takes records in for a [`Journal`].
#[derive(Clone)]
pub struct Appender {
    queue: Arc<Queue>,
}

impl Append for Appender {
    fn append(&self, entry: &Entry<'_>) -> Appended {
        self.queue.append(entry)
    }

    fn append_sheet(&self, sheet: &mut Sheet) -> Option<Ticket> {
        self.queue.append_sheet(sheet)
    }

    fn durable(&self) -> Ticket {
        self.queue.durable()
    }

    fn wait_durable(&self, ticket: Ticket, patience: Duration) -> Result<(), NotDurable> {
        self.queue.wait_durable(ticket, patience)
    }

    fn lost(&self) -> Lost {
        self.queue.lost()
    }
}
