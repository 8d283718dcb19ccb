//! One session's conversation so far: which CALLs are open in each direction, and which ids were
//! used, so that an answer finds its CALL and a repeated CALL is told from a re-used id.
//!
//! Nothing is kept of a message but keyed hashes. The key is random for each session and never
//! shown, so a peer cannot look for two ids with one hash; that two collide by chance is a matter of
//! 1 in 2^57 for a full table. An empty exchange owns no heap: most sessions are idle for most of
//! their life, and memory for each of them is what limits a fleet.

use std::hash::Hasher;
use std::num::NonZeroU64;
use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

use crate::catalogue::ActionFacts;
use crate::{OpenCalls, Side};

/// The open CALLs and remembered ids of one session, both directions.
///
/// Time is the [`Duration`] since the process began, as the steady clock shows it.
#[derive(Debug)]
pub struct Exchange {
    seed: u64,
    seeds: SharedSeed,
    by_station: Asked,
    by_csms: Asked,
}

/// A CALL's id and its whole text, as keyed hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallKey {
    id: u64,
    body: u64,
}

/// What the exchange remembers about a CALL that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// Its id is not remembered.
    New,
    /// The same CALL, byte for byte, is in flight: one answer will serve both.
    InFlight,
    /// The same CALL came before and is no longer in flight: answered, or out of time.
    Over,
    /// Its id was used for another body.
    OtherBody,
}

/// What one side has asked.
#[derive(Debug, Default)]
struct Asked {
    /// Oldest first.
    open: Vec<OpenCall>,
    /// A ring that grows until it holds [`Exchange::REMEMBERED_MAX`].
    remembered: Vec<CallKey>,
    /// Where the ring is written next, once it is full.
    oldest: u8,
    /// The id of the CALL that got the latest CALLRESULT: a CALLRESULTERROR may refer to it, once.
    answered: Option<NonZeroU64>,
}

#[derive(Debug)]
struct OpenCall {
    key: CallKey,
    action: Option<&'static ActionFacts>,
    since: Duration,
    /// When it is no longer in flight. It stays in the table, so that a late answer finds it.
    due: Duration,
}

impl Exchange {
    /// CALLs kept open for one side, those past their time-out included; beyond it the oldest goes,
    /// and an answer to it belongs to none. As many as may wait for their turn: where pipelining is
    /// off, a station's whole row after a reconnect is open at once.
    pub const OPEN_MAX: usize = 32;
    /// Ids remembered for one side. The CSMS's are kept like the station's: a side that never calls
    /// costs nothing. A session remembers only its own, since stations count ids anew after a reset.
    pub const REMEMBERED_MAX: usize = 64;

    /// An empty exchange; `seed` is random and secret.
    pub fn new(seed: u64) -> Exchange {
        // The hasher multiplies, so 0 and u64::MAX would make it blind; as seeds they are as likely
        // as any other, but a test is likelier to choose them.
        let seed = seed ^ 0x243f_6a88_85a3_08d3;
        Exchange {
            seed,
            seeds: SharedSeed::from_u64(seed),
            by_station: Asked::default(),
            by_csms: Asked::default(),
        }
    }

    /// The key of a CALL: its id, unescaped, and its text as it came. A retry is the same text: one
    /// that was written anew, with other spaces or key order, is another body.
    pub fn key(&self, id: &str, text: &[u8]) -> CallKey {
        CallKey {
            id: self.hash(id.as_bytes()),
            body: self.hash(text),
        }
    }

    /// What is remembered about a CALL with that key from that side.
    pub fn recall(&self, asker: Side, key: CallKey, now: Duration) -> Recall {
        let asked = self.asked(asker);
        let open = asked.open.iter().find(|call| call.key.id == key.id);
        let remembered = asked.remembered.iter().find(|old| old.id == key.id);
        match (open, remembered) {
            (None, None) => Recall::New,
            (Some(call), _) if call.key != key => Recall::OtherBody,
            (Some(call), _) if call.due > now => Recall::InFlight,
            (None, Some(old)) if *old != key => Recall::OtherBody,
            _ => Recall::Over,
        }
    }

    /// Registers a CALL that is passed on; an earlier one with the same id makes way for it. `recall`
    /// is what [`Exchange::recall`] has just said of it: a new id needs not be looked for once more.
    pub fn open(
        &mut self,
        asker: Side,
        key: CallKey,
        recall: Recall,
        action: Option<&'static ActionFacts>,
        now: Duration,
        time_out: Duration,
    ) {
        let asked = self.asked_mut(asker);
        if recall != Recall::New {
            asked.open.retain(|call| call.key.id != key.id);
        }
        if asked.open.len() >= Self::OPEN_MAX {
            asked.open.remove(0);
        }
        if asked.open.capacity() == 0 {
            // Nearly always there is one at a time; four, as a list begins by itself, cost every idle
            // session 170 bytes.
            asked.open.reserve_exact(1);
        }
        asked.open.push(OpenCall {
            key,
            action,
            since: now,
            due: now.saturating_add(time_out),
        });
        asked.remember(key, recall);
    }

    /// Whether a CALL of that side with that id may still be answered.
    pub fn is_open(&self, asker: Side, id: &str) -> bool {
        self.find(asker, id).is_some()
    }

    /// Takes the answer to a CALL: it leaves the table, and how long it was open is returned. `None`
    /// when no such CALL is open. `by_result`: it was a CALLRESULT, not a CALLERROR.
    pub fn close(
        &mut self,
        asker: Side,
        id: &str,
        by_result: bool,
        now: Duration,
    ) -> Option<Duration> {
        let id = self.hash(id.as_bytes());
        let asked = self.asked_mut(asker);
        let place = asked.open.iter().position(|call| call.key.id == id)?;
        let call = asked.open.remove(place);
        asked.answered = NonZeroU64::new(id).filter(|_| by_result);
        Some(now.saturating_sub(call.since))
    }

    /// Whether a CALLRESULTERROR of that side, under that id, refers to the CALLRESULT it got last.
    pub fn may_reject(&self, asker: Side, id: &str) -> bool {
        let answered = self.asked(asker).answered;
        answered.is_some_and(|answered| answered.get() == self.hash(id.as_bytes()))
    }

    /// Takes such a CALLRESULTERROR; a second one belongs to nothing.
    pub fn reject(&mut self, asker: Side, id: &str) -> bool {
        let may = self.may_reject(asker, id);
        if may {
            self.asked_mut(asker).answered = None;
        }
        may
    }

    /// Whether that side waits for an answer that may still come in time: OCPP-J allows it no other
    /// CALL until then.
    pub fn in_flight(&self, asker: Side, now: Duration) -> bool {
        self.asked(asker).open.iter().any(|call| call.due > now)
    }

    /// When the next CALL in flight runs out of time.
    pub fn next_deadline(&self, now: Duration) -> Option<Duration> {
        let open = self.by_station.open.iter().chain(&self.by_csms.open);
        open.map(|call| call.due).filter(|due| *due > now).min()
    }

    fn find(&self, asker: Side, id: &str) -> Option<&OpenCall> {
        let open = &self.asked(asker).open;
        if open.is_empty() {
            return None;
        }
        let id = self.hash(id.as_bytes());
        open.iter().find(|call| call.key.id == id)
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.seeds);
        hasher.write(bytes);
        // The hasher reads short inputs overlapping and tells "5" from "55" by its secret seed alone;
        // the length makes that certain for every seed.
        hasher.write_usize(bytes.len());
        hasher.finish()
    }

    fn asked(&self, asker: Side) -> &Asked {
        match asker {
            Side::Station => &self.by_station,
            Side::Csms => &self.by_csms,
        }
    }

    fn asked_mut(&mut self, asker: Side) -> &mut Asked {
        match asker {
            Side::Station => &mut self.by_station,
            Side::Csms => &mut self.by_csms,
        }
    }
}

impl Asked {
    fn remember(&mut self, key: CallKey, recall: Recall) {
        let mut remembered = self.remembered.iter_mut();
        if recall != Recall::New
            && let Some(old) = remembered.find(|old| old.id == key.id)
        {
            *old = key;
        } else if self.remembered.len() < Exchange::REMEMBERED_MAX {
            self.remembered.push(key);
        } else if let Some(oldest) = self.remembered.get_mut(usize::from(self.oldest)) {
            *oldest = key;
            // REMEMBERED_MAX is 64, so the place always fits a byte.
            self.oldest = (self.oldest + 1) % Exchange::REMEMBERED_MAX as u8;
        }
    }
}

impl OpenCalls for Exchange {
    fn action_of(&self, asker: Side, id: &str) -> Option<Option<&'static ActionFacts>> {
        self.find(asker, id).map(|call| call.action)
    }
}

#[cfg(test)]
mod tests;
