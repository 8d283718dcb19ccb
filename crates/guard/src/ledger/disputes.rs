//! Ids that a CSMS has given to two stations at once. Either it counts for each station anew, and then
//! none of its ids says whose a transaction is; or one of the two transactions was over long ago and
//! nobody said so: its last words were lost, and the CSMS has begun to count from the front.
//!
//! Which of the two it is shows later. When both stations end what they have of that id, both lived,
//! and the CSMS counts for each. When one of them goes on to something else without a word of it, its
//! transaction had been over, and the id says again whose it is.

use std::collections::HashMap;

/// The CSMSs in doubt, by their marks.
#[derive(Debug, Default)]
pub struct Disputes(HashMap<u64, Doubt>);

#[derive(Debug)]
enum Doubt {
    /// Whom each id was given to that has not ended its transaction since.
    Open(HashMap<i64, Vec<u64>>),
    /// It counts for each station anew.
    Settled,
}

impl Disputes {
    /// CSMSs in doubt; from there on nothing is said of any CSMS.
    pub const CSMS_MAX: usize = 1024;
    /// Ids of one CSMS in dispute; one that has more of them counts for each station anew.
    pub const IDS_MAX: usize = 64;

    /// An id is two stations' at once. Whether its CSMS was believed until now.
    pub fn begin(&mut self, csms: u64, id: i64, stations: [u64; 2]) -> bool {
        let is_news = !self.0.contains_key(&csms);
        if is_news && self.0.len() >= Self::CSMS_MAX {
            return false;
        }
        let fresh = || Doubt::Open(HashMap::new());
        let doubt = self.0.entry(csms).or_insert_with(fresh);
        let is_settled = match doubt {
            Doubt::Settled => true,
            // Three stations with one id are no accident.
            Doubt::Open(ids) => {
                ids.len() >= Self::IDS_MAX || ids.insert(id, stations.to_vec()).is_some()
            }
        };
        if is_settled {
            *doubt = Doubt::Settled;
        }
        is_news
    }

    /// A station has said that its transaction has ended.
    pub fn was_ended(&mut self, csms: u64, id: i64, station: u64) {
        let Some(doubt) = self.0.get_mut(&csms) else {
            return;
        };
        let Doubt::Open(ids) = doubt else { return };
        let Some(unheard) = ids.get_mut(&id) else {
            return;
        };
        unheard.retain(|one| *one != station);
        if unheard.is_empty() {
            *doubt = Doubt::Settled;
        }
    }

    /// A station's transaction is over and it never said so. Whether its CSMS is believed again.
    pub fn lapsed(&mut self, csms: u64, id: i64, station: u64) -> bool {
        // Beyond the bound nobody knows any more who is in doubt.
        let is_full = self.0.len() >= Self::CSMS_MAX;
        let Some(Doubt::Open(ids)) = self.0.get_mut(&csms) else {
            return false;
        };
        if ids
            .get(&id)
            .is_some_and(|unheard| unheard.contains(&station))
        {
            ids.remove(&id);
        }
        let is_over = ids.is_empty() && !is_full;
        if is_over {
            self.0.remove(&csms);
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSMS: u64 = 1;

    #[test]
    fn who_goes_on_without_a_word_had_nothing_open() {
        let mut disputes = Disputes::default();
        assert!(disputes.begin(CSMS, 7, [100, 200]));
        assert!(!disputes.begin(CSMS, 8, [100, 300]), "in doubt already");
        disputes.was_ended(CSMS, 7, 200);
        assert!(!disputes.lapsed(CSMS, 7, 200), "it has said so");
        assert!(!disputes.lapsed(CSMS, 7, 100), "the other id is left");
        assert!(disputes.lapsed(CSMS, 8, 300));
        assert!(disputes.begin(CSMS, 9, [100, 200]), "believed meanwhile");
    }

    #[test]
    fn two_that_end_the_same_id_settle_it_for_good() {
        let mut disputes = Disputes::default();
        disputes.begin(CSMS, 7, [100, 200]);
        disputes.begin(CSMS, 8, [100, 200]);
        disputes.was_ended(CSMS, 7, 100);
        disputes.was_ended(CSMS, 7, 100);
        disputes.was_ended(CSMS, 7, 200);
        for (id, station) in [(8, 100), (8, 200), (7, 200)] {
            assert!(!disputes.lapsed(CSMS, id, station));
        }
        assert!(!disputes.begin(CSMS, 9, [100, 200]));
        assert!(disputes.begin(2, 7, [100, 200]), "of that CSMS alone");
    }

    #[test]
    fn three_with_one_id_or_too_many_ids_settle_it_at_once() {
        let mut disputes = Disputes::default();
        disputes.begin(CSMS, 7, [100, 200]);
        disputes.begin(CSMS, 7, [200, 300]);
        assert!(!disputes.lapsed(CSMS, 7, 200));
        for id in 0..=Disputes::IDS_MAX as i64 {
            disputes.begin(2, id, [100, 200]);
        }
        for id in 0..=Disputes::IDS_MAX as i64 {
            assert!(!disputes.lapsed(2, id, 100));
        }
    }

    #[test]
    fn it_is_bounded_and_who_found_no_room_stays_in_doubt_with_all() {
        let mut disputes = Disputes::default();
        for csms in 0..Disputes::CSMS_MAX as u64 {
            assert!(disputes.begin(csms, 7, [100, 200]));
        }
        assert!(!disputes.begin(u64::MAX, 7, [100, 200]));
        assert!(!disputes.lapsed(3, 7, 100));
    }
}
