//! What the gate learns at its door, on its way into the register: a new password is hashed here, on a
//! thread that may take its time, and what the store cannot take now waits for it.

use std::collections::{HashSet, VecDeque};

use gateway::LessonReceiver;
use guard::{Book, ChangeStep, Lesson, StationRecord, Tenant, UnixMillis};
use ocpp::StationId;
use store::{SqliteStore, Store, StoreError};
use tracing::warn;

use crate::passwords::{Passwords, renewed};

/// Lessons that wait to be written; a fleet that comes back all at once is learnt in a few turns.
pub(super) const LESSONS_MAX: usize = 16_384;

/// Stations that have shown a new credential.
pub(super) type Renewed = HashSet<(Tenant, StationId)>;

/// The register's end of the queue.
pub(super) struct Learning {
    lessons: LessonReceiver,
    pub(super) passwords: Passwords,
    /// Those that the store has not taken yet.
    waiting: VecDeque<Lesson>,
    /// Stations whose new credential is written, and not in force yet.
    pub(super) renewed: Renewed,
    /// When the first of the pending changes is over, as far as the register knows.
    next_end: Option<UnixMillis>,
}

impl Learning {
    pub(super) fn new(lessons: LessonReceiver, passwords: Passwords) -> Learning {
        Learning {
            lessons,
            passwords,
            waiting: VecDeque::new(),
            renewed: Renewed::new(),
            next_end: None,
        }
    }

    /// Writes what has been learnt since the last time, and ends the changes whose time is over.
    pub(super) fn keep(
        &mut self,
        store: &mut SqliteStore,
        book: &Book,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let new = self.lessons.take().into_iter();
        self.waiting
            .extend(new.map(|lesson| renewed::hashed(lesson, &self.passwords, book)));
        if self.next_end.is_some_and(|end| now > end) {
            self.waiting.extend(ended(book, now));
            self.next_end = None;
        }
        // The oldest are lost first: a station whose password was not kept is asked again.
        let too_many = self.waiting.len().saturating_sub(LESSONS_MAX);
        self.waiting.drain(..too_many);
        if self.waiting.is_empty() {
            return Ok(());
        }
        store.learn(self.waiting.make_contiguous())?;
        let renewed = self.waiting.drain(..).filter_map(|lesson| match lesson {
            Lesson::Renewed {
                tenant, station, ..
            } => Some((tenant, station)),
            _ => None,
        });
        self.renewed.extend(renewed);
        Ok(())
    }

    /// The register has been read anew.
    pub(super) fn follow(&mut self, book: &Book) {
        let pending = book.stations().iter().flat_map(|record| &record.pending);
        let open = pending.filter(|pending| !pending.accepted);
        self.next_end = open.map(|pending| pending.until).min();
    }
}

/// The changes whose time is over and to which the station never said a word.
fn ended(book: &Book, now: UnixMillis) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    for record in book.stations() {
        let over = record.pending.iter().filter(|pending| now > pending.until);
        for pending in over.filter(|pending| !pending.accepted) {
            tell(record);
            lessons.push(Lesson::Change {
                tenant: record.tenant.clone(),
                station: record.id.clone(),
                basis: record.credential.clone(),
                step: ChangeStep::Refused(pending.mark),
            });
        }
    }
    lessons
}

fn tell(record: &StationRecord) {
    warn!(
        station = record.id.as_str(),
        tenant = &*record.tenant.0,
        remedy = "If the station has taken it after all: portcullis station set-password",
        "the time for the new credential is over: the station has neither answered nor shown it"
    );
}
