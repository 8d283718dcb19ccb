//! The changes that are under way, beside what the register knows: valid at once, before anything is
//! written. Bounded. An entry is forgotten when the register has followed.

use std::collections::BTreeMap;

use ocpp::StationId;

use super::{CredentialMark, PendingCredential};
use crate::{Book, Credential, StationRecord, Tenant, UnixMillis};

/// Credentials that one station may have been given and not shown, the newest last: a CSMS whose
/// answers are lost tries again.
const PENDING_MAX: usize = 4;

/// Changes under way, by station.
#[derive(Debug)]
pub struct Changes {
    stations: BTreeMap<(Tenant, StationId), Change>,
    stations_max: usize,
}

#[derive(Debug)]
struct Change {
    /// What was registered when it began: with another, the register has gone on.
    basis: Credential,
    open: Vec<PendingCredential>,
    refused: Vec<CredentialMark>,
    proved: Option<CredentialMark>,
}

/// There are too many changes under way to take part in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// What the changes under way say of what a station shows. Only [`Changes::standing`] makes one that
/// lets somebody in, and only for the station that it was asked about.
#[derive(Clone, Debug)]
pub struct Changing {
    stands: Stands,
    station: Option<(Tenant, StationId)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// Nothing: the registered credential decides.
    Ordinary,
    /// It is a new one of its own.
    Changed(CredentialMark),
    /// It is not the new one, and nothing else is good any more.
    Over,
}

impl Changing {
    /// The registered credential decides.
    pub const ORDINARY: Changing = Changing {
        stands: Stands::Ordinary,
        station: None,
    };

    pub(crate) fn stands(&self) -> Stands {
        self.stands
    }

    /// Whether that is the station it was asked about.
    pub(crate) fn is_of(&self, record: &StationRecord) -> bool {
        let of = self.station.as_ref();
        of.is_none_or(|(tenant, id)| *tenant == record.tenant && *id == record.id)
    }
}

impl Changes {
    /// Stations with a change under way at most, some 200 bytes each.
    pub const STATIONS_MAX: usize = 65_536;

    /// None is under way.
    pub fn new() -> Changes {
        Changes::bounded(Changes::STATIONS_MAX)
    }

    /// The same for at most that many stations.
    pub fn bounded(stations_max: usize) -> Changes {
        Changes {
            stations: BTreeMap::new(),
            stations_max,
        }
    }

    /// The station has been given a new credential. `book` is today's register: what it has followed
    /// makes room.
    pub fn offered(
        &mut self,
        record: &StationRecord,
        pending: PendingCredential,
        book: &Book,
        now: UnixMillis,
    ) -> Result<(), NoRoom> {
        if self.stations.len() >= self.stations_max {
            self.forget_followed(book, now);
        }
        let full = self.stations.len() >= self.stations_max;
        let change = self.of(record);
        if change.is_none() && full {
            return Err(NoRoom);
        }
        let change = self.begin(record);
        change.refused.retain(|mark| *mark != pending.mark);
        change.open.retain(|other| other.mark != pending.mark);
        if change.open.len() >= PENDING_MAX {
            change.open.remove(0);
        }
        change.open.push(pending);
        Ok(())
    }

    /// The station has said yes or no to one of them.
    pub fn answered(&mut self, record: &StationRecord, mark: CredentialMark, accepted: bool) {
        let registered = record.pending.iter().find(|one| one.mark == mark);
        if self.of(record).is_none() && registered.is_none() {
            return;
        }
        let change = self.begin(record);
        let before = change.open.iter().find(|one| one.mark == mark).copied();
        change.open.retain(|other| other.mark != mark);
        match (accepted, before.or(registered.copied())) {
            (true, Some(pending)) => change.open.push(PendingCredential {
                accepted,
                ..pending
            }),
            (true, None) => {}
            (false, _) => {
                if change.refused.len() >= PENDING_MAX {
                    change.refused.remove(0);
                }
                change.refused.push(mark);
            }
        }
    }

    /// The station has shown a new one: the old one and all others are over. Whether that is news.
    pub fn proved(&mut self, record: &StationRecord, mark: CredentialMark) -> bool {
        let change = self.begin(record);
        change.proved.replace(mark) != Some(mark)
    }

    /// How what a station shows stands to the changes under way.
    pub fn standing(
        &mut self,
        record: &StationRecord,
        shown: &[CredentialMark],
        now: UnixMillis,
    ) -> Changing {
        match self.stands(record, shown, now) {
            Stands::Ordinary => Changing::ORDINARY,
            stands => Changing {
                stands,
                station: Some(key(record)),
            },
        }
    }

    fn stands(
        &mut self,
        record: &StationRecord,
        shown: &[CredentialMark],
        now: UnixMillis,
    ) -> Stands {
        if self.stations.is_empty() && record.pending.is_empty() {
            return Stands::Ordinary;
        }
        let change = self.of(record);
        if let Some(proved) = change.and_then(|change| change.proved) {
            return match shown.contains(&proved) {
                true => Stands::Changed(proved),
                false => Stands::Over,
            };
        }
        let is_current = |pending: &&PendingCredential| {
            change.is_none_or(|change| {
                !change.refused.contains(&pending.mark)
                    && change.open.iter().all(|newer| newer.mark != pending.mark)
            })
        };
        let registered = record.pending.iter().filter(is_current);
        let open = change
            .map(|change| change.open.as_slice())
            .unwrap_or_default();
        // Who comes in by exception shows nothing, and need not begin to because it was told a password:
        // a station that keeps one for a profile it does not use is none that has lost its way in.
        let ends_by_time = record.credential != Credential::ByException;
        let mut over = false;
        for pending in registered.chain(open) {
            let late = now > pending.until;
            if late && !pending.accepted {
                continue;
            }
            if shown.contains(&pending.mark) {
                return Stands::Changed(pending.mark);
            }
            over |= late && ends_by_time;
        }
        match over {
            true => Stands::Over,
            false => Stands::Ordinary,
        }
    }

    /// Whether the station may have been given another credential than the registered one, and not
    /// have shown it yet.
    pub fn is_under_way(&mut self, record: &StationRecord) -> bool {
        !record.pending.is_empty() || self.of(record).is_some()
    }

    /// Stations with a change under way that the register has not followed, as far as we know.
    pub fn len(&self) -> usize {
        self.stations.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.stations.is_empty()
    }

    /// The station's change, unless the register has gone on without it.
    fn of(&mut self, record: &StationRecord) -> Option<&Change> {
        if self.stations.is_empty() {
            return None;
        }
        let key = key(record);
        if self
            .stations
            .get(&key)
            .is_some_and(|change| change.basis != record.credential)
        {
            self.stations.remove(&key);
        }
        self.stations.get(&key)
    }

    fn begin(&mut self, record: &StationRecord) -> &mut Change {
        let fresh = || Change {
            basis: record.credential.clone(),
            open: Vec::new(),
            refused: Vec::new(),
            proved: None,
        };
        let change = self.stations.entry(key(record)).or_insert_with(fresh);
        if change.basis != record.credential {
            *change = fresh();
        }
        change
    }

    /// Forgets what stands in the register by now, or is over.
    fn forget_followed(&mut self, book: &Book, now: UnixMillis) {
        self.stations.retain(|(tenant, id), change| {
            let Some(record) = book.find(tenant, id) else {
                return false;
            };
            let is_written = |pending: &PendingCredential| record.pending.contains(pending);
            let is_refused =
                |mark: &CredentialMark| record.pending.iter().any(|pending| pending.mark == *mark);
            let goes_on = change.proved.is_some()
                || !change
                    .open
                    .iter()
                    .all(|one| is_written(one) || now > one.until)
                || change.refused.iter().any(is_refused);
            change.basis == record.credential && goes_on
        });
    }
}

impl Default for Changes {
    fn default() -> Changes {
        Changes::new()
    }
}

fn key(record: &StationRecord) -> (Tenant, StationId) {
    (record.tenant.clone(), record.id.clone())
}
