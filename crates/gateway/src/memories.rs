//! What is remembered of every station, between its sessions and for all of them: each session takes
//! its station's memory when it begins and puts back what has changed. Somebody else keeps it on disk,
//! and nobody here waits for that.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guard::{
    Book, Disputes, Ledger, News, Owner, PseudonymKey, SessionFacts, StationMemory, StationRecord,
    StationState, Tenant, TransactionId, Transactions, csms_mark,
};
use ocpp::StationId;

/// Whose memory.
pub type MemoryKey = (Tenant, StationId);

/// The memories of all stations, and whose each open transaction is.
#[derive(Debug)]
pub struct Memories {
    key: Arc<PseudonymKey>,
    /// The latest of each station, shared with its session.
    stations: Mutex<HashMap<MemoryKey, Arc<StationMemory>>>,
    /// Those that have changed since they were taken to be kept.
    changed: Mutex<HashMap<MemoryKey, Arc<StationMemory>>>,
    /// By id, so that two messages seldom ask the same one.
    ledgers: [Mutex<Ledger>; LEDGERS],
    /// Taken before a ledger, never while one is held.
    disputes: Mutex<Disputes>,
    marks: RandomState,
}

/// Into how many parts the ledger is cut.
const LEDGERS: usize = 16;

impl Memories {
    /// Stations remembered; those beyond are unknown whenever they come.
    pub const STATIONS_MAX: usize = 200_000;

    /// Nothing is remembered yet.
    pub fn new(key: PseudonymKey) -> Memories {
        Memories {
            key: Arc::new(key),
            stations: Mutex::default(),
            changed: Mutex::default(),
            ledgers: Default::default(),
            disputes: Mutex::default(),
            marks: RandomState::new(),
        }
    }

    /// Takes in what was kept. A station that has been here meanwhile is known better already.
    pub fn remember(&self, kept: impl IntoIterator<Item = (MemoryKey, StationMemory)>) {
        for (key, memory) in kept {
            let mut stations = lock(&self.stations);
            if stations.contains_key(&key) || stations.len() >= Self::STATIONS_MAX {
                continue;
            }
            let station = self.marks.hash_one(&key);
            for open in memory.transactions().open() {
                if let TransactionId::Number(id) = open.id {
                    self.begin_transaction(open.csms, id, station);
                }
            }
            stations.insert(key, Arc::new(memory));
        }
    }

    /// How many stations are remembered.
    pub fn len(&self) -> usize {
        lock(&self.stations).len()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes what has changed, to be kept.
    pub fn take_changed(&self) -> Vec<(MemoryKey, Arc<StationMemory>)> {
        let mut changed = lock(&self.changed);
        match changed.is_empty() {
            true => Vec::new(),
            false => changed.drain().collect(),
        }
    }

    /// Gives back what could not be kept. What has changed again since then is newer.
    pub fn give_back(&self, unkept: Vec<(MemoryKey, Arc<StationMemory>)>) {
        let mut changed = lock(&self.changed);
        for (key, memory) in unkept {
            changed.entry(key).or_insert(memory);
        }
    }

    /// A session's state with what is remembered of its station.
    pub(crate) fn begin(
        &self,
        state: StationState,
        session: &SessionFacts,
        book: &Book,
    ) -> StationState {
        let record = book.find(&session.tenant, &session.station);
        let mut routes = book.routes();
        let route = routes.find(|route| route.id == session.route);
        let csms = route.map_or(0, |route| csms_mark(&route.upstream));
        let memory = record.map_or_else(Arc::default, |record| self.of_record(record));
        state.remembering(memory, Arc::clone(&self.key), csms)
    }

    fn of_record(&self, record: &StationRecord) -> Arc<StationMemory> {
        let mut stations = lock(&self.stations);
        let full = stations.len() >= Self::STATIONS_MAX;
        let key = (record.tenant.clone(), record.id.clone());
        let Some(kept) = stations.get_mut(&key) else {
            let fresh = Arc::new(StationMemory::default().for_session(record));
            if !full {
                stations.insert(key, Arc::clone(&fresh));
            }
            return fresh;
        };
        let now = StationMemory::clone(kept).for_session(record);
        if now != **kept {
            // Another station stands in its place: nothing of the one before it is open any more.
            self.lapse(
                now.transactions(),
                kept.transactions(),
                self.marks.hash_one(&key),
            );
            *kept = Arc::new(now);
        }
        Arc::clone(kept)
    }

    /// Whether a transaction is known to be another station's.
    pub(crate) fn is_anothers(&self, session: &SessionFacts, csms: u64, id: i64) -> bool {
        let station = || self.mark(session);
        self.ledger(id).owner(csms, id, station) == Owner::Another
    }

    /// What a session has learnt is remembered from now on.
    pub(crate) fn put_back(&self, session: &SessionFacts, state: &StationState, news: News) {
        let (csms, station) = (state.csms(), self.mark(session));
        if let Some(id) = news.ended {
            lock(&self.disputes).was_ended(csms, id, station);
            self.ledger(id).ended(csms, id, station);
        }
        let key = (session.tenant.clone(), session.station.clone());
        // A station that is not remembered, because there are too many, is not kept either.
        if let Some(kept) = lock(&self.stations).get_mut(&key) {
            let memory = Arc::clone(state.memory());
            self.lapse(memory.transactions(), kept.transactions(), station);
            *kept = Arc::clone(&memory);
            lock(&self.changed).insert(key, memory);
        }
        if let Some(id) = news.began {
            self.begin_transaction(csms, id, station);
        }
    }

    fn begin_transaction(&self, csms: u64, id: i64, station: u64) {
        let before = self.ledger(id).began(csms, id, station);
        if let Some(before) = before {
            let mut disputes = lock(&self.disputes);
            if disputes.begin(csms, id, [before, station]) {
                for ledger in &self.ledgers {
                    lock(ledger).doubt(csms);
                }
            }
        }
    }

    /// What a station had open and has no more was over, also where it never said so: its owner is not
    /// held against whom the CSMS gives that id next.
    fn lapse(&self, now: &Transactions, before: &Transactions, station: u64) {
        for (csms, id) in now.over_since(before) {
            self.ledger(id).ended(csms, id, station);
            let mut disputes = lock(&self.disputes);
            if disputes.lapsed(csms, id, station) {
                for ledger in &self.ledgers {
                    lock(ledger).believe(csms);
                }
            }
        }
    }

    /// Forgets stations that are not in the book any more.
    pub(crate) fn forget_strangers(&self, book: &Book) {
        let is_known = |(tenant, station): &MemoryKey| book.find(tenant, station).is_some();
        lock(&self.changed).retain(|key, _| is_known(key));
        lock(&self.stations).retain(|key, memory| {
            let is_known = is_known(key);
            if !is_known {
                let none = Transactions::default();
                self.lapse(&none, memory.transactions(), self.marks.hash_one(key));
            }
            is_known
        });
    }

    /// Whether the operator has put another station in this one's place since its session began.
    pub(crate) fn is_replaced(&self, session: &SessionFacts, book: &Book) -> bool {
        let Some(record) = book.find(&session.tenant, &session.station) else {
            return false;
        };
        let key = (session.tenant.clone(), session.station.clone());
        let stations = lock(&self.stations);
        stations
            .get(&key)
            .is_some_and(|kept| kept.replaced() != record.replaced)
    }

    fn mark(&self, session: &SessionFacts) -> u64 {
        // As a `MemoryKey` hashes, without making one.
        self.marks.hash_one((&session.tenant, &session.station))
    }

    fn ledger(&self, id: i64) -> MutexGuard<'_, Ledger> {
        let place = id.unsigned_abs() as usize % LEDGERS;
        // LEDGERS is not 0, so the place is one of them.
        #[expect(clippy::indexing_slicing, reason = "the place is below LEDGERS")]
        lock(&self.ledgers[place])
    }
}

impl Default for Memories {
    /// Without a key of its own, for a gate whose memories nobody keeps: SIMs are told apart as long
    /// as it runs.
    fn default() -> Memories {
        let mut key = [0; 32];
        // Without randomness TLS would not have come about either.
        let _ = getrandom::fill(&mut key);
        Memories::new(PseudonymKey::new(key))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while one of these is held leaves nothing half-done: each change is one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
