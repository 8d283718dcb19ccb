//! Keeps the gate's snapshot of the register true: whoever adds or removes a station, by whichever
//! process, the gate sees it within seconds. When the store fails, the last snapshot stays: losing
//! the database stops changes, not stations.
//!
//! A register that would send too much of the fleet away is held back as a whole, and so is everything
//! that is changed in it afterwards, until it is confirmed or undone. That also holds for an empty one:
//! it is what a wrong path, or a restored file that is none, looks like.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::{Book, Route, SessionFacts, UnixMillis};
use store::{SqliteStore, Store, StoreError};
use tracing::{info, warn};

use super::Keeper;
use super::leaving::Leaving;
use crate::config::Stamp;
use crate::health::Finding;
use crate::passwords::audit::Audit;
use crate::recorder::GATE;
use crate::register::Register;
use crate::serve::learning::{Learning, Renewed};
use crate::serve::orders::Ended;
use crate::{Exit, Failure};

/// Reads a snapshot of the register, with these routes.
pub(in crate::serve) fn read(store: &dyn Store, routes: &[Route]) -> Result<Book, Failure> {
    Book::new(routes.to_vec(), store.stations(None)?).map_err(|error| {
        let remedy = "Remove one of the two stations or routes: `portcullis station list`.";
        Failure::new(Exit::Conflict, error.to_string(), remedy)
    })
}

/// Writes the route table down for `route list`, unless it stands there. The gate itself goes by what
/// the configuration says, so a disk that is full keeps it from nothing.
pub(in crate::serve) fn write_routes(store: &mut dyn Store, routes: &[Route]) {
    let is_written = store.routes().is_ok_and(|written| written == routes);
    if is_written {
        return;
    }
    if let Err(error) = store.replace_file_routes(routes) {
        warn!(
            remedy = error.remedy(),
            "the route table is in force, and could not be written to the store: {error}"
        );
    }
}

/// The store, and how far it has been read.
pub(super) struct RegisterState {
    register: Register,
    learning: Learning,
    /// How the fleet's passwords stand.
    passwords: Option<Finding>,
    /// The file that is open, by its number.
    file: u64,
    /// It was found unsound, so it is opened anew when it is well again.
    is_lost: bool,
    /// As it was when it was last found sound, and when that was.
    sound: Option<(Stamp, Instant)>,
    /// The revision that the snapshot shows; 0 is none, so the first look reads the register.
    seen: u64,
    /// The revision that the mode in force shows.
    seen_by_mode: u64,
    held: Option<Held>,
    trouble: Option<Stale>,
}

/// A register that nobody has confirmed.
struct Held {
    revision: u64,
    ended: Ended,
    /// Who was connected when it was held back: what it means for them is asked, not what it means
    /// for those who are left when half of them have lost their connection.
    sessions: Vec<Arc<SessionFacts>>,
}

/// Why the snapshot could not be renewed.
enum Stale {
    Store(StoreError),
    Book(String),
}

impl From<StoreError> for Stale {
    fn from(error: StoreError) -> Stale {
        Stale::Store(error)
    }
}

/// Orders wait while the keeper waits for the store.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file that looks the same is opened only so often to see whether it is sound: each time costs as
/// much as relaying fifty messages.
const CHECK_UNCHANGED_EVERY: Duration = Duration::from_secs(10);

fn be_quick(store: &SqliteStore) {
    if let Err(error) = store.wait_at_most(PATIENCE) {
        warn!("{error}");
    }
}

impl RegisterState {
    pub(super) fn new(register: Register, learning: Learning) -> RegisterState {
        be_quick(&register.store);
        RegisterState {
            learning,
            passwords: None,
            file: Stamp::of(register.store.path()).number(),
            register,
            is_lost: false,
            sound: None,
            seen: 0,
            seen_by_mode: 0,
            held: None,
            trouble: None,
        }
    }

    /// Stations whose new credential is written, and not in force yet.
    pub(super) fn renewed(&self) -> &Renewed {
        &self.learning.renewed
    }

    pub(super) fn store(&mut self) -> &mut SqliteStore {
        &mut self.register.store
    }

    /// What it would end, if it is held back.
    pub(super) fn unconfirmed(&self) -> Option<Ended> {
        self.held.as_ref().map(|held| held.ended.clone())
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = Finding> {
        [self.finding()].into_iter().chain(self.passwords.clone())
    }

    fn finding(&self) -> Finding {
        let subject = format!("store {}", self.register.store.path().display());
        match (&self.trouble, &self.held) {
            (Some(Stale::Store(error)), _) => Finding::fail(
                subject,
                format!("{error}; the gate goes on with what it knew"),
                error.remedy(),
            ),
            (Some(Stale::Book(what)), _) => Finding::fail(
                subject,
                format!("{what}; the gate goes on with what it knew"),
                "Remove one of the two: `portcullis station list`.",
            ),
            (None, Some(held)) => Finding::warn(
                subject,
                format!(
                    "what has changed in it would end {}: it is held back, with everything changed since",
                    held.ended.in_words()
                ),
                "Undo it, or, if it is meant: portcullis reload --force",
            ),
            (None, None) => Finding::ok(subject, "can be read"),
        }
    }

    /// Whether the file is the one that is open, and could be opened again. One that has been put in
    /// its place, or has come back, is opened anew.
    fn check(&mut self) -> Result<(), StoreError> {
        let stamp = Stamp::of(self.register.store.path());
        let is_unchanged = |(before, at): (Stamp, Instant)| {
            before == stamp && at.elapsed() < CHECK_UNCHANGED_EVERY
        };
        if self.sound.is_some_and(is_unchanged) {
            return Ok(());
        }
        self.sound = None;
        if let Err(error) = self.register.store.check_file() {
            self.is_lost = true;
            return Err(error);
        }
        self.sound = Some((stamp, Instant::now()));
        let file = stamp.number();
        if self.is_lost || file != self.file {
            let path = self.register.store.path().to_owned();
            self.register.store = SqliteStore::open(&path, &self.register.key)?;
            be_quick(&self.register.store);
            (self.is_lost, self.file) = (false, file);
            // Another file may have come to the same number.
            (self.seen, self.seen_by_mode) = (0, 0);
        }
        Ok(())
    }
}

impl Keeper {
    /// Takes in what has changed in the register; whom that sent away, if anything has.
    pub(super) fn look_at_register(&mut self, force: bool) -> Option<Ended> {
        match self.renew_register(force) {
            Ok(left) => {
                self.register.trouble = None;
                left
            }
            Err(stale) => {
                self.register.trouble = Some(stale);
                None
            }
        }
    }

    fn renew_register(&mut self, force: bool) -> Result<Option<Ended>, Stale> {
        self.register.check()?;
        let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
        let RegisterState {
            learning, register, ..
        } = &mut self.register;
        learning.keep(&mut register.store, &self.book.load(), now)?;
        let revision = self.register.register.store.revision()?;
        if self.register.seen_by_mode != revision || self.mode.is_unstored() {
            self.look_at_mode()?;
            self.register.seen_by_mode = revision;
        }
        let held = self.register.held.as_ref();
        let is_known = held.map_or(self.register.seen, |held| held.revision) == revision;
        if is_known && !(force && held.is_some()) {
            return Ok(None);
        }
        let stations = self.register.register.store.stations(None)?;
        let book = Book::new(self.routes.clone(), stations)
            .map_err(|error| Stale::Book(error.to_string()))?;
        if !force && self.holds_back(&book, revision) {
            return Ok(None);
        }
        let records = book.stations().iter().map(AsRef::as_ref);
        let learning = &mut self.register.learning;
        let audit = Audit::of(records, &learning.passwords.rules);
        learning.follow(&book);
        let renewed = std::mem::take(&mut learning.renewed);
        self.register.passwords = Some(audit.finding());
        let book = Arc::new(book);
        let older = self.book.swap(Arc::clone(&book));
        tell_replaced(&older, &book);
        self.register.held = None;
        self.register.seen = revision;
        let left = self.send_away(&older, &HashSet::new(), &renewed);
        let stations = book.stations();
        if older.stations() == stations && left.ended == 0 {
            // The revision also counts what the gate has written itself.
            return Ok(None);
        }
        let stations = stations.len();
        info!(stations, ended = left.ended, "the register has changed");
        let ended = left.ended;
        self.done(
            "register",
            GATE,
            format!("{stations} stations, {ended} sessions end"),
        );
        Ok(Some(left))
    }

    /// Whether that book has to be confirmed; it is remembered then.
    fn holds_back(&mut self, book: &Book, revision: u64) -> bool {
        let mut sessions = self.sessions();
        if let Some(held) = &self.register.held {
            let live: HashSet<u64> = sessions.iter().map(|session| session.number).collect();
            let gone = held.sessions.iter();
            let gone = gone.filter(|session| !live.contains(&session.number));
            sessions.extend(gone.cloned());
        }
        let older = self.book.load();
        let renewed = &self.register.learning.renewed;
        let leaving = Leaving::judge(&sessions, book, &older, &HashSet::new(), renewed);
        let is_emptied = book.stations().is_empty() && older.stations().len() > 1;
        if !leaving.must_be_confirmed() && !is_emptied {
            return false;
        }
        let ended = leaving.told();
        if self.register.unconfirmed().as_ref() != Some(&ended) {
            warn!(
                "the register has changed, and is held back: it would end {}",
                ended.in_words()
            );
        }
        self.register.held = Some(Held {
            revision,
            ended,
            sessions,
        });
        true
    }
}

/// An operator's act that the log must show: a certificate is going to be bound anew.
fn tell_replaced(older: &Book, book: &Book) {
    for record in book.stations() {
        let before = older.find(&record.tenant, &record.id);
        if before.is_some_and(|before| before.replaced != record.replaced) {
            let (station, tenant) = (record.id.as_str(), &*record.tenant.0);
            info!(
                station,
                tenant, "the operator says that another station stands in its place"
            );
        }
    }
}
