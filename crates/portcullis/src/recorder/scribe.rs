//! The thread that makes records: it opens the record, composes what comes, and hands it on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use guard::{Event, Heard, Tenant, UnixMillis};
use journal::record::{About, Act, Gap, compose, compose_act, compose_gap};
use journal::segments::forget_days;
use journal::vault::{Vault, VaultError};
use journal::{Append as _, Appended, Entry, Handle, Journal, State, Ticket};
use tracing::{debug, info, warn};

use super::names::Names;
use super::row::{Item, Next};
use super::{Done, GATE, Recorder};
use crate::config::JournalConfig;
use crate::health::Finding;
use crate::health::conditions::Conditions;
use crate::open_record::OpenRecord;
use crate::serve::tell_findings;

/// How often is looked how the record is.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A record that could not be opened is tried again then (a passphrase costs a second of work), or
/// when a file that it needs has changed.
const OPEN_EVERY: Duration = Duration::from_secs(30);
/// What could not be made durable is tried again then.
const AGAIN: Duration = Duration::from_secs(1);
/// Records that are composed before they are handed on: some 30 kB.
const PAGE: usize = 64;
/// Less than this is how clocks are kept right.
const CLOCK_BACK_SECONDS: i64 = 2;
/// What is told of it.
const SUBJECT: &str = "record";
/// What commands have done is told to be recorded once that is so; it is tried again later.
const DURABLE_WITHIN: Duration = Duration::from_secs(5);

/// Makes records.
pub(super) struct Scribe {
    config: JournalConfig,
    recorder: Recorder,
    conditions: Arc<Mutex<Conditions>>,
    /// Events that were lost on their way here, as they have been recorded.
    recorded: Recorded,
    looked: Option<Instant>,
    page: Page,
}

/// Gaps that are records already.
#[derive(Default)]
struct Recorded {
    missed: u64,
    dropped: u64,
    words: u64,
    since: UnixMillis,
}

/// An open record.
struct Open {
    journal: Journal,
    vault: Vault,
}

/// Records of one batch, until their handles are durable.
#[derive(Default)]
struct Page {
    text: Vec<u8>,
    handles: Vec<Handle>,
    records: Vec<Composed>,
}

struct Composed {
    about: About,
    text_to: usize,
    handles_to: usize,
}

impl Scribe {
    pub(super) fn new(
        config: JournalConfig,
        recorder: Recorder,
        conditions: Arc<Mutex<Conditions>>,
    ) -> Scribe {
        let since = recorder.clock.now().wall;
        Scribe {
            config,
            recorder,
            conditions,
            recorded: Recorded {
                since,
                ..Recorded::default()
            },
            looked: None,
            page: Page::default(),
        }
    }

    /// Works until the row is closed and empty.
    pub(super) fn work(mut self) {
        let Some(mut open) = self.open() else {
            return;
        };
        self.begin(&mut open);
        loop {
            match self.recorder.row.next(LOOK_EVERY) {
                Next::Item(item) => {
                    if let Err((item, error)) = self.write(item, &mut open) {
                        self.tell(Finding::fail(
                            SUBJECT,
                            format!("nothing can be recorded: {error}"),
                            "Records wait, and will be written when it goes again; see the disk.",
                        ));
                        self.recorder.row.put_back(item);
                        if self.recorder.row.rest(AGAIN) {
                            break;
                        }
                    }
                }
                Next::Nothing => {}
                Next::Closed => break,
            }
            self.look(&mut open);
        }
        let end = self.done("record-ends", String::new());
        self.act(&end.act(), &open);
        open.journal.close();
    }

    /// Opens the record; `None` when the gate closes before it could be.
    fn open(&mut self) -> Option<Open> {
        loop {
            // Before it is tried: what is written in between is worth another try.
            let stamps = self.stamps();
            match Open::new(&self.config) {
                Ok(open) => return Some(open),
                Err(error) => {
                    self.tell(Finding::fail(
                        SUBJECT,
                        format!("no record is written: {error}"),
                        "What happens meanwhile waits in memory; then a gap is counted. \
                         `portcullis journal init` makes a record's keys.",
                    ));
                    if self.rest(&stamps) {
                        return None;
                    }
                }
            }
        }
    }

    /// Waits until it may be worth another try; true when the gate closes.
    fn rest(&self, before: &[Option<SystemTime>]) -> bool {
        let began = Instant::now();
        while !self.recorder.row.rest(AGAIN) {
            if began.elapsed() >= OPEN_EVERY || self.stamps() != before {
                return false;
            }
        }
        true
    }

    /// When the files that open a record were last written.
    fn stamps(&self) -> Vec<Option<SystemTime>> {
        let files = self.config.key_files();
        let stamp = |file: &PathBuf| std::fs::metadata(file).and_then(|meta| meta.modified());
        files.iter().map(|file| stamp(file).ok()).collect()
    }

    fn begin(&mut self, open: &mut Open) {
        self.compare_clocks(open);
        let version = env!("CARGO_PKG_VERSION");
        let begin = self.done("record-begins", format!("portcullis {version}"));
        self.act(&begin.act(), open);
        for tenant in self.config.not_for.clone() {
            let act = self.done("record-off", format!("tenant {tenant}"));
            self.act(&act.act(), open);
        }
    }

    /// A clock that shows less than the last record does has gone back: records say what it shows,
    /// and whoever reads them has to know.
    fn compare_clocks(&mut self, open: &Open) {
        let reader = open.journal.reader();
        let last = reader.end().ok().and_then(|end| end.checked_sub(1));
        let Some(Ok(last)) = last.map(|last| reader.show(last)) else {
            return;
        };
        let now = self.recorder.clock.now().wall;
        let back = last.record.facts().at.saturating_sub(now.0) / 1000;
        if back < CLOCK_BACK_SECONDS {
            return;
        }
        warn!(
            seconds = back,
            remedy = "See that the clock is right: `timedatectl status`.",
            "the clock has gone back since the last record: records say what it shows, and their \
             numbers in which order they came"
        );
        let act = self.done("clock-back", format!("{back} s behind the record before"));
        self.act(&act.act(), open);
    }

    fn done(&self, what: &'static str, details: String) -> Done {
        Done {
            at: self.recorder.clock.now().wall,
            what,
            by: GATE,
            details,
        }
    }

    fn write(&mut self, item: Item, open: &mut Open) -> Result<(), (Item, String)> {
        self.gaps(open);
        match item {
            Item::Done(done) => {
                self.act(&done.act(), open);
                Ok(())
            }
            Item::Events(batch, mut done) => {
                if let Err(error) = self.record(&batch, &mut done, open) {
                    self.page.clear();
                    return Err((Item::Events(batch, done), error.to_string()));
                }
                self.recorder.events.give_back(batch);
                Ok(())
            }
        }
    }

    /// Makes records of a batch, from the event on that `done` counts.
    ///
    /// A page is handed on while it is still in the processor's cache, unless there are new handles
    /// in it: those are made durable for the whole batch at once.
    fn record(
        &mut self,
        batch: &gateway::Batch,
        done: &mut usize,
        open: &mut Open,
    ) -> Result<(), VaultError> {
        for (place, (event, heard)) in batch.iter().enumerate().skip(*done) {
            self.page
                .compose((event, heard), &self.config, &mut open.vault)?;
            if self.page.records.len() >= PAGE && open.vault.is_settled() {
                self.page.append(&open.journal);
                *done = place + 1;
            }
        }
        open.vault.settle()?;
        self.page.append(&open.journal);
        *done = batch.len();
        Ok(())
    }

    /// What was lost on the way here since the last look becomes a record.
    fn gaps(&mut self, open: &Open) {
        let events = &self.recorder.events;
        let missed = self.recorder.row.missed().events;
        let (dropped, words) = (events.dropped(), events.words_dropped());
        let before = &self.recorded;
        if (missed, dropped, words) == (before.missed, before.dropped, before.words) {
            return;
        }
        let now = self.recorder.clock.now().wall;
        let gap = Gap {
            at: now,
            since: before.since,
            events: (missed - before.missed) + (dropped - before.dropped),
            words: words - before.words,
            why: "queue-full",
        };
        self.recorded = Recorded {
            missed,
            dropped,
            words,
            since: now,
        };
        let about = compose_gap(&gap, &mut self.page.text);
        self.page.finish(about);
        self.page.append(&open.journal);
    }

    fn act(&mut self, act: &Act<'_>, open: &Open) -> Option<Ticket> {
        let about = compose_act(act, &mut self.page.text);
        self.page.finish(about);
        self.page.append(&open.journal)
    }

    /// Tells how the record is, now and then.
    fn look(&mut self, open: &mut Open) {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        if let Err(error) = self.tend(open) {
            // Nothing is lost by it: what is due stays due.
            debug!(%error, "the vault is not tended now");
        }
        let health = open.journal.health();
        let missed = health.lost.total() + self.recorded.missed + self.recorded.dropped;
        self.tell(match &health.state {
            State::Recording | State::Opening if missed == 0 => {
                Finding::ok(SUBJECT, "everything is recorded")
            }
            State::Recording | State::Opening => Finding::warn(
                SUBJECT,
                format!("{missed} events are not recorded; the record holds the gaps"),
                "See whether disk and processor keep up; `waiting_mb` in [journal] is the room there is.",
            ),
            State::Waiting(what) | State::Failing(what) => Finding::fail(
                SUBJECT,
                format!("records wait: {what}"),
                "They are written when it goes again, as far as `waiting_mb` in [journal] reaches.",
            ),
        });
        let mut figures = lock(&self.recorder.figures);
        figures.durable = health.records;
        figures.waiting = health.queued_bytes as u64;
        figures.missed = health.lost.total() + self.recorded.dropped;
    }

    /// Records what commands have done to subjects, and does what is due by itself.
    fn tend(&mut self, open: &mut Open) -> Result<(), VaultError> {
        let mut last = None;
        for done in open.vault.acts()? {
            let act = Act {
                at: done.at,
                what: &done.what,
                by: &done.by,
                details: &done.details,
            };
            let ticket = self.act(&act, open);
            last = ticket.map(|ticket| (ticket, done.number)).or(last);
        }
        if let Some((ticket, number)) = last {
            let appender = open.journal.appender();
            if appender.wait_durable(ticket, DURABLE_WITHIN).is_ok() {
                open.vault.acts_recorded(number)?;
            }
        }
        let now = self.recorder.clock.now().wall;
        let tended = open.vault.tend(&self.config.retention, now)?;
        if !tended.records.is_empty() {
            match forget_days(&self.config.directory.value, &tended.records) {
                Ok(freed) => info!(freed, "records whose time was over are gone"),
                Err(error) => warn!(%error, "the disk of old records is not given back"),
            }
        }
        if tended.damaged > 0 {
            let damaged = tended.damaged;
            warn!("{damaged} rows of the record's subjects cannot be opened under their day's key");
        }
        Ok(())
    }

    fn tell(&self, finding: Finding) {
        tell_findings(&self.conditions, vec![finding]);
    }
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

impl Open {
    fn new(config: &JournalConfig) -> Result<Open, String> {
        let words = |error: &dyn std::error::Error| error.to_string();
        let record = OpenRecord::new(config).map_err(|error| words(&error))?;
        let vault = record.vault();
        let log = record.log().map_err(|error| words(&error))?;
        let journal = record.journal(log);
        Ok(Open {
            vault: vault.map_err(|error| words(&error))?,
            journal: journal.map_err(|error| words(&error))?,
        })
    }
}

impl Page {
    fn compose(
        &mut self,
        (event, heard): (&Event, Option<Heard<'_>>),
        config: &JournalConfig,
        vault: &mut Vault,
    ) -> Result<(), VaultError> {
        let is_left_out = |tenant: &Tenant| config.not_for.contains(&*tenant.0);
        if event.tenant().is_some_and(is_left_out) {
            return Ok(());
        }
        let mut names = Names { vault, config };
        let about = compose(event, heard, &mut names, &mut self.text, &mut self.handles)?;
        self.finish(about);
        Ok(())
    }

    fn finish(&mut self, about: About) {
        self.records.push(Composed {
            about,
            text_to: self.text.len(),
            handles_to: self.handles.len(),
        });
    }

    /// Hands all of them on; gives the last one's place among what is to become durable.
    fn append(&mut self, journal: &Journal) -> Option<Ticket> {
        let appender = journal.appender();
        let mut last = None;
        let (mut text, mut handle) = (0, 0);
        for record in &self.records {
            let about = &record.about;
            // What finds no room is counted by the journal, which records the gap itself.
            let appended = appender.append(&Entry {
                at: about.at,
                weight: about.weight,
                json: self.text.get(text..record.text_to).unwrap_or_default(),
                station: about.station.as_deref(),
                action: about.action,
                refused: about.is_refused,
                handles: self
                    .handles
                    .get(handle..record.handles_to)
                    .unwrap_or_default(),
            });
            last = match appended {
                Appended::Queued(ticket) => Some(ticket),
                Appended::Dropped | Appended::Unfit => None,
            };
            (text, handle) = (record.text_to, record.handles_to);
        }
        self.clear();
        last
    }

    fn clear(&mut self) {
        self.text.clear();
        self.handles.clear();
        self.records.clear();
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
