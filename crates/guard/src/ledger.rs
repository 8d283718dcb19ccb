//! Which station each open transaction belongs to, over all stations of a CSMS (C04): OCPP 1.6 lets
//! the CSMS give out the ids, so that one id is one transaction.
//!
//! A CSMS that gives one id to two stations at once may count for each of them anew. While that is in
//! doubt ([`Disputes`]) nothing can be said of its ids, and nothing is.

mod disputes;

use std::collections::{HashMap, HashSet};

pub use disputes::Disputes;

/// Whose a transaction is, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody knows.
    Unknown,
    /// The one who asks.
    Same,
    /// Another station.
    Another,
}

/// The open transactions of all stations.
#[derive(Debug, Default)]
pub struct Ledger {
    owners: HashMap<(u64, i64), u64>,
    /// CSMSs of whose ids nothing is said.
    doubted: HashSet<u64>,
}

impl Ledger {
    /// Transactions remembered; those beyond are nobody's.
    pub const OPEN_MAX: usize = 1 << 18;

    /// A CSMS has given an id to a station; both by their marks. Ids of 0 and less are what a CSMS
    /// says that has none to give. Where it was another station's until now, whose.
    pub fn began(&mut self, csms: u64, id: i64, station: u64) -> Option<u64> {
        if id <= 0 {
            return None;
        }
        let full = self.owners.len() >= Self::OPEN_MAX;
        match self.owners.get_mut(&(csms, id)) {
            Some(owner) if *owner != station => Some(std::mem::replace(owner, station)),
            None if !full => self.owners.insert((csms, id), station),
            _ => None,
        }
    }

    /// Of that CSMS's ids nothing is said any more.
    pub fn doubt(&mut self, csms: u64) {
        if self.doubted.len() < Disputes::CSMS_MAX {
            self.doubted.insert(csms);
        }
    }

    /// They mean one transaction each after all.
    pub fn believe(&mut self, csms: u64) {
        self.doubted.remove(&csms);
    }

    /// A station's transaction is over.
    pub fn ended(&mut self, csms: u64, id: i64, station: u64) {
        if self.owners.get(&(csms, id)) == Some(&station) {
            self.owners.remove(&(csms, id));
        }
    }

    /// Whose it is, asked by `station`, whose mark is made only where somebody has that transaction.
    pub fn owner(&self, csms: u64, id: i64, station: impl FnOnce() -> u64) -> Owner {
        if self.doubted.len() >= Disputes::CSMS_MAX || self.doubted.contains(&csms) {
            return Owner::Unknown;
        }
        match self.owners.get(&(csms, id)) {
            None => Owner::Unknown,
            Some(owner) if *owner == station() => Owner::Same,
            Some(_) => Owner::Another,
        }
    }

    /// How many transactions are open.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// None is open.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_its_stations_until_it_ends() {
        let mut ledger = Ledger::default();
        ledger.began(1, 7, 100);
        assert_eq!(ledger.owner(1, 7, || 100), Owner::Same);
        assert_eq!(ledger.owner(1, 7, || 200), Owner::Another);
        assert_eq!(ledger.owner(2, 7, || 200), Owner::Unknown, "another CSMS");
        assert_eq!(ledger.owner(1, 8, || 200), Owner::Unknown);
        ledger.ended(1, 7, 200);
        assert_eq!(
            ledger.owner(1, 7, || 200),
            Owner::Another,
            "not its own to end"
        );
        ledger.ended(1, 7, 100);
        assert_eq!(ledger.owner(1, 7, || 200), Owner::Unknown);
    }

    #[test]
    fn of_a_csms_in_doubt_nothing_is_said() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.began(1, 7, 100), None);
        assert_eq!(ledger.began(2, 7, 100), None);
        assert_eq!(ledger.began(1, 7, 100), None, "once more its own");
        assert_eq!(ledger.began(1, 7, 200), Some(100));
        ledger.doubt(1);
        for station in [100, 200, 300] {
            assert_eq!(ledger.owner(1, 7, || station), Owner::Unknown);
        }
        assert_eq!(ledger.owner(2, 7, || 200), Owner::Another);
        ledger.believe(1);
        assert_eq!(ledger.owner(1, 7, || 300), Owner::Another);
        for id in [0, -1] {
            ledger.began(2, id, 100);
            assert_eq!(ledger.owner(2, id, || 200), Owner::Unknown);
        }
    }

    #[test]
    fn it_is_bounded_and_what_is_beyond_is_nobodys() {
        let mut ledger = Ledger::default();
        for id in 1..=Ledger::OPEN_MAX as i64 + 10 {
            ledger.began(1, id, 100);
        }
        assert_eq!(ledger.len(), Ledger::OPEN_MAX);
        assert_eq!(
            ledger.owner(1, Ledger::OPEN_MAX as i64 + 1, || 200),
            Owner::Unknown
        );
    }
}
