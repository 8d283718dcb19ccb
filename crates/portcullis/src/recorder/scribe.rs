//! The thread that makes records: it opens the record, composes what comes, and hands it on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use journal::record::Act;
use journal::vault::VaultError;
use journal::{Health, State, Ticket};
use tracing::{debug, warn};

use super::gaps::Gaps;
use super::opening::Open;
use super::page::Page;
use super::publisher::Handed;
use super::row::{Item, Next};
use super::{AGAIN, Done, GATE, Recorder, upkeep};
use crate::config::JournalConfig;
use crate::health::conditions::Conditions;
use crate::health::{self, Finding};

/// How often is looked how the record is.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Less than this is how clocks are kept right.
const CLOCK_BACK_SECONDS: i64 = 2;
/// What is told of it.
const SUBJECT: &str = "record";

/// Makes records.
pub(super) struct Scribe {
    config: JournalConfig,
    recorder: Recorder,
    conditions: Arc<Mutex<Conditions>>,
    gaps: Gaps,
    looked: Option<Instant>,
    page: Page,
    /// Where messages wait for their records, what is with the journal is told here.
    handed: Option<Handed>,
    /// The last record of an event that the journal has taken in. It outlives its batch: of one that is
    /// taken up again nothing more may be recorded, and what was before must still become durable.
    last: Option<Ticket>,
}

impl Scribe {
    pub(super) fn new(
        config: JournalConfig,
        recorder: Recorder,
        conditions: Arc<Mutex<Conditions>>,
        handed: Option<Handed>,
    ) -> Scribe {
        Scribe {
            gaps: Gaps::new(recorder.clock.now().wall),
            config,
            recorder,
            conditions,
            looked: None,
            page: Page::default(),
            handed,
            last: None,
        }
    }

    /// Works until the row is closed and empty.
    pub(super) fn work(mut self) {
        let Some(mut open) = self.open() else {
            return;
        };
        if let Some(handed) = &self.handed {
            handed.to(Arc::new(open.journal.appender()));
        }
        self.begin(&open);
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

    fn open(&self) -> Option<Open> {
        Open::sooner_or_later(&self.config, &self.recorder.row, |why| {
            self.tell(Finding::fail(
                SUBJECT,
                format!("no record is written: {why}"),
                "What happens meanwhile waits in memory; then a gap is counted. \
                 `portcullis journal init` makes a record's keys.",
            ));
        })
    }

    fn begin(&mut self, open: &Open) {
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
    /// A page is handed on when it is full, unless there are new handles in it: those are made durable
    /// for the whole batch at once.
    fn record(
        &mut self,
        batch: &gateway::Batch,
        done: &mut usize,
        open: &mut Open,
    ) -> Result<(), VaultError> {
        for (place, (event, heard)) in batch.iter().enumerate().skip(*done) {
            self.page
                .event((event, heard), &self.config, &mut open.vault)?;
            if self.page.is_full() && open.vault.is_settled() {
                self.hand_on(open);
                *done = place + 1;
            }
        }
        open.vault.settle()?;
        self.hand_on(open);
        *done = batch.len();
        if let Some(handed) = &self.handed {
            handed.on(batch.through(), self.last);
        }
        Ok(())
    }

    fn hand_on(&mut self, open: &Open) {
        self.last = self.page.append(&open.journal).or(self.last);
    }

    /// What was lost on the way here since the last look becomes a record.
    fn gaps(&mut self, open: &Open) {
        let Recorder {
            row, events, clock, ..
        } = &self.recorder;
        if let Some(gap) = self.gaps.since_last(row, events, clock.now().wall) {
            self.page.gap(&gap);
            self.page.append(&open.journal);
        }
    }

    fn act(&mut self, act: &Act<'_>, open: &Open) -> Option<Ticket> {
        self.page.act(act);
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
        self.tell(finding(&health, self.gaps.events()));
        let subjects = open.vault.health();
        self.tell(upkeep::finding(&subjects));
        let mut figures = lock(&self.recorder.figures);
        figures.durable = health.records;
        figures.waiting = health.queued_bytes as u64;
        figures.missed = health.lost.total() + self.gaps.dropped();
        figures.withheld = subjects.withheld;
        figures.damaged = subjects.damaged;
        figures.unopened = upkeep::lost_rows(&subjects);
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
            upkeep::acts_recorded(open, ticket, number)?;
        }
        upkeep::forget(&self.config, open, self.recorder.clock.now().wall)
    }

    fn tell(&self, finding: Finding) {
        health::tell(&self.conditions, vec![finding]);
    }
}

/// How the record is, in words; `lost` is how many events never came as far as the journal.
fn finding(health: &Health, lost: u64) -> Finding {
    let missed = health.lost.total() + lost;
    match &health.state {
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
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
