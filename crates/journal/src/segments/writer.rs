//! The thread that writes: it takes what waits, makes blocks of it, and commits them in groups.
//!
//! The order of a commit: the segment's bytes, then fdatasync, then the leaves, then everybody who
//! waits is told. What failed is written again into a new segment; a file whose sync failed is not
//! trusted any more, and left as it is.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use guard::UnixMillis;
use rustix::fs::{FlockOperation, flock};

use super::batch::Batch;
use super::disk::Disk;
use super::error::JournalError;
use super::format::FileHeader;
use super::leaves::Leaves;
use super::open::{Live, OpenSegment, Workbench};
use super::queue::Queue;
use super::recover::recover;
use super::reindex;
use crate::keys::SegmentKeys;
use crate::proof::Hash;
use crate::{Day, Health, State};

/// Between two attempts, after one has failed.
pub const RETRY: Duration = Duration::from_secs(1);
/// Between two checkpoints.
pub const CHECKPOINT: Duration = Duration::from_secs(1);
/// How long a closing journal tries to write what still waits, when the disk or the key is missing.
pub const CLOSING: Duration = Duration::from_secs(5);
/// Bytes that may be on their way to the disk before they are synced, however short the time.
const UNSYNCED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the writer and the readers of one process share.
#[derive(Default)]
pub(crate) struct Shared {
    live: Mutex<Option<Arc<Live>>>,
    health: Mutex<Health>,
}

impl Shared {
    pub(crate) fn live(&self) -> Option<Arc<Live>> {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, live: Option<Arc<Live>>) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
    }
}

/// Makes the tree, once its key is there.
pub(crate) type OpenLeaves = Box<dyn Fn() -> Result<Box<dyn Leaves>, JournalError> + Send>;

/// What a writer needs before it can begin.
pub(crate) struct Plan {
    /// The directory of segments.
    pub(crate) dir: PathBuf,
    pub(crate) commit: Duration,
    pub(crate) closing: Duration,
    pub(crate) retry: Duration,
    pub(crate) segment_bytes_max: u64,
    pub(crate) keys: Arc<dyn SegmentKeys>,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) leaves: OpenLeaves,
}

impl Plan {
    /// Opens the record: alone, whole, and with its tree.
    pub(crate) fn begin(&self) -> Result<Begun, JournalError> {
        let lock_path = self.dir.join("lock");
        let lock = File::create(&lock_path).map_err(JournalError::disk(&lock_path))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| JournalError::Busy(self.dir.clone()))?;
        let mut leaves = (self.leaves)()?;
        let recovered = recover(&self.dir, &*self.keys, &mut *leaves)?;
        Ok(Begun {
            lock,
            leaves,
            next: recovered.next,
            aside: recovered.aside,
        })
    }
}

/// A record that has been opened for writing.
pub(crate) struct Begun {
    /// Held while it is written; the system lets go of it with the process.
    lock: File,
    leaves: Box<dyn Leaves>,
    next: u64,
    aside: Vec<PathBuf>,
}

impl Begun {
    /// Says what was found.
    pub(crate) fn tell(&self, shared: &Shared) {
        let mut health = shared.health();
        health.state = State::Recording;
        health.records = self.next;
        health.checkpoint = self.leaves.sealed();
        health.aside.clone_from(&self.aside);
    }
}

/// The writing thread: opens the record, if that is still to be done, and writes it to its end.
pub(crate) fn write(plan: Plan, begun: Option<Begun>, queue: Arc<Queue>, shared: Arc<Shared>) {
    let writer = match begun.or_else(|| begin_in_time(&plan, &queue, &shared)) {
        Some(begun) => Writer::new(plan, begun, Arc::clone(&queue), Arc::clone(&shared)),
        None => return queue.closed(),
    };
    match writer {
        Ok(writer) => {
            let stop = Arc::new(AtomicBool::new(false));
            let indexing = writer.index_what_is_not(&stop);
            writer.run();
            stop.store(true, Ordering::Relaxed);
            if let Some(Ok(thread)) = indexing {
                // Whatever it has not done is done at the next start.
                let _ = thread.join();
            }
        }
        Err(error) => {
            shared.health().state = State::Failing(error.to_string());
            queue.closed();
        }
    }
}

/// Tries to open the record until it goes or nobody wants it any more.
fn begin_in_time(plan: &Plan, queue: &Queue, shared: &Shared) -> Option<Begun> {
    while !queue.is_closing() {
        queue.rest(plan.retry);
        match plan.begin() {
            Ok(begun) => return Some(begun),
            Err(error) if error.may_pass() => {
                shared.health().state = State::Waiting(error.to_string());
            }
            Err(error) => shared.health().state = State::Failing(error.to_string()),
        }
    }
    None
}

/// How far something has come in the batches that are not durable.
#[derive(Clone, Copy, Default)]
struct Cursor {
    batch: usize,
    record: usize,
}

/// The writing thread's own.
pub(crate) struct Writer {
    plan: Plan,
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    _lock: File,
    leaves: Box<dyn Leaves>,
    /// The number of the next record to be made durable.
    next: u64,
    segment: Option<OpenSegment>,
    bench: Workbench,
    pending: VecDeque<Batch>,
    written: Cursor,
    durable: Cursor,
    /// Of records that are written and not yet in the tree.
    hashes: Vec<Hash>,
    unsynced: usize,
    /// The segment is synced, the tree still lacks its leaves.
    settling: bool,
    checkpoint_at: Instant,
}

impl Writer {
    pub(crate) fn new(
        plan: Plan,
        begun: Begun,
        queue: Arc<Queue>,
        shared: Arc<Shared>,
    ) -> Result<Writer, JournalError> {
        let bench = Workbench::new().map_err(JournalError::disk(&plan.dir))?;
        begun.tell(&shared);
        Ok(Writer {
            plan,
            queue,
            shared,
            _lock: begun.lock,
            leaves: begun.leaves,
            next: begun.next,
            segment: None,
            bench,
            pending: VecDeque::new(),
            written: Cursor::default(),
            durable: Cursor::default(),
            hashes: Vec::new(),
            unsynced: 0,
            settling: false,
            checkpoint_at: Instant::now(),
        })
    }

    /// Writes until the queue is closed and empty, or [`CLOSING`] is over.
    pub(crate) fn run(mut self) {
        let mut commit_at = None;
        let mut give_up_at = None;
        loop {
            let until = self.deadline(commit_at);
            let woken = self.queue.wait(until, commit_at.is_none());
            let now = Instant::now();
            let due = woken.closing || commit_at.is_some_and(|at| now >= at);
            let turned = self.turn(due || woken.much, due);
            let failed = turned.is_err();
            let turned = turned.and_then(|()| self.checkpoint(false));
            self.tell(&turned);
            commit_at = match commit_at {
                Some(_) if due && !failed => None,
                Some(at) => Some(at),
                None if woken.closing => None,
                None => Some(now + self.plan.commit),
            };
            if woken.closing {
                let give_up_at = *give_up_at.get_or_insert(now + self.plan.closing);
                if !failed && self.pending.is_empty() || now >= give_up_at {
                    break;
                }
            }
            if failed {
                self.abandon();
                self.pause(woken.closing);
            }
        }
        self.close();
    }

    /// A crash, or a disk without room, leaves segments without an index: they get one meanwhile.
    fn index_what_is_not(
        &self,
        stop: &Arc<AtomicBool>,
    ) -> Option<std::io::Result<thread::JoinHandle<()>>> {
        let unindexed = reindex::unindexed(&self.plan.dir).ok()?;
        if unindexed.is_empty() {
            return None;
        }
        let (keys, stop, end) = (Arc::clone(&self.plan.keys), Arc::clone(stop), self.next);
        let thread = thread::Builder::new().name("journal-index".into());
        Some(thread.spawn(move || {
            for (path, until) in unindexed {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // One that cannot be read is told by whoever reads it.
                let _ = reindex::reindex(&path, until.min(end), &*keys, &stop);
            }
        }))
    }

    /// After a failure.
    fn pause(&self, closing: bool) {
        if closing {
            thread::sleep(self.plan.retry / 10);
        } else {
            self.queue.rest(self.plan.retry);
        }
    }

    /// When there is something to do, whatever comes until then.
    fn deadline(&self, commit_at: Option<Instant>) -> Option<Instant> {
        let unsealed = self.leaves.size() > self.leaves.sealed();
        let checkpoint_at = unsealed.then_some(self.checkpoint_at);
        commit_at.into_iter().chain(checkpoint_at).min()
    }

    /// Writes what waits, and commits it, where that is due.
    fn turn(&mut self, take: bool, due: bool) -> Result<(), JournalError> {
        if self.settling {
            self.settle()?;
        }
        if take {
            self.queue.take(&mut self.pending);
            self.write()?;
        }
        if due || self.unsynced >= UNSYNCED_BYTES_MAX {
            self.commit()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), JournalError> {
        while let Some(batch) = self.pending.get(self.written.batch) {
            let Some(place) = batch.records.get(self.written.record) else {
                self.written = Cursor {
                    batch: self.written.batch + 1,
                    record: 0,
                };
                continue;
            };
            let at = place.at;
            let fits = self.segment.as_ref().is_some_and(|segment| {
                segment.takes(at) && !segment.is_full(self.plan.segment_bytes_max)
            });
            if fits {
                self.write_block()?;
            } else {
                self.begin_segment(at)?;
            }
        }
        Ok(())
    }

    fn write_block(&mut self) -> Result<(), JournalError> {
        let (Some(batch), Some(segment)) =
            (self.pending.get(self.written.batch), self.segment.as_mut())
        else {
            return Ok(());
        };
        let from = batch.begin(self.written.record).0;
        let until = segment
            .add_block(
                &mut self.bench,
                batch,
                self.written.record,
                &mut self.hashes,
            )
            .map_err(JournalError::disk(&segment.live.path))?;
        self.unsynced += batch.begin(until).0 - from;
        self.written.record = until;
        Ok(())
    }

    /// Ends the segment there is, and begins one for records of this time.
    fn begin_segment(&mut self, at: UnixMillis) -> Result<(), JournalError> {
        self.commit()?;
        self.end_segment()?;
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| JournalError::Derivation)?;
        let header = FileHeader {
            id,
            first: self.next,
            day: Day::of(at),
        };
        let plan = &self.plan;
        self.segment = Some(OpenSegment::create(
            &plan.dir,
            &*plan.disk,
            &*plan.keys,
            header,
        )?);
        Ok(())
    }

    /// The segment there is ends; its index goes beside it.
    fn end_segment(&mut self) -> Result<(), JournalError> {
        let Some(segment) = self.segment.take() else {
            return Ok(());
        };
        self.shared.show(None);
        if segment.is_named() {
            segment.finish()?;
        }
        Ok(())
    }

    /// Makes everything that was written durable, and tells who waits.
    fn commit(&mut self) -> Result<(), JournalError> {
        if self.hashes.is_empty() {
            return Ok(());
        }
        let Some(segment) = &mut self.segment else {
            return Ok(());
        };
        segment.sync(&mut self.bench, &*self.plan.disk)?;
        self.next = segment.next;
        self.shared.show(Some(Arc::clone(&segment.live)));
        self.settling = true;
        self.settle()
    }

    /// Adds the leaves of what was synced, and lets go of it.
    fn settle(&mut self) -> Result<(), JournalError> {
        self.leaves.append(&self.hashes)?;
        let records = self.hashes.len() as u64;
        self.hashes.clear();
        self.settling = false;
        self.unsynced = 0;
        let batches = self.written.batch.min(self.pending.len());
        self.queue.give_back(self.pending.drain(..batches));
        self.written.batch = 0;
        self.durable = self.written;
        self.shared.health().records = self.next;
        self.queue.settle(records);
        Ok(())
    }

    /// Signs the tree as it is, at most once a second.
    fn checkpoint(&mut self, now: bool) -> Result<(), JournalError> {
        let unsealed = self.leaves.size() > self.leaves.sealed();
        if unsealed && (now || Instant::now() >= self.checkpoint_at) {
            self.leaves.seal()?;
            self.checkpoint_at = Instant::now() + CHECKPOINT;
            self.shared.health().checkpoint = self.leaves.sealed();
        }
        Ok(())
    }

    /// After a failure: what is not durable will be written again, into a new segment.
    fn abandon(&mut self) {
        self.bench.clear();
        if self.settling || self.hashes.is_empty() {
            return;
        }
        self.hashes.clear();
        self.unsynced = 0;
        self.written = self.durable;
        self.shared.show(None);
        if let Some(segment) = self.segment.take()
            && segment.is_named()
        {
            // A disk that has no room for records has none for an index: it is made again when needed.
            let _ = segment.finish();
        }
    }

    fn tell(&self, turned: &Result<(), JournalError>) {
        let mut health = self.shared.health();
        health.state = match turned {
            Ok(()) => State::Recording,
            Err(error) => State::Failing(error.to_string()),
        };
    }

    fn close(mut self) {
        let closed = self.end_segment().and_then(|()| self.checkpoint(true));
        self.tell(&closed);
        self.queue.closed();
    }
}
