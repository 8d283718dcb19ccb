//! Who waits at the door, who begins a handshake next, and who gives way when there are too many
//! (threats A18 and A20). Pure and bounded: the door says who comes and goes, and does what it is told.
//!
//! A guest is *silent* until its first words have arrived whole, then *ready*, and then has a *place*
//! among the handshakes. Silence costs next to nothing, so it takes no place: half-open connections
//! wait, and whoever speaks goes past them. Places go to sources in turn, one at a time, and those
//! from which a station came in before have three turns of four. What gives way, and when:
//!
//! | too many | gives way |
//! |---|---|
//! | guests that wait | of the source with the most (a known one counts a quarter): its longest silent guest, else its last |
//! | handshakes, or those of one source | one that we have listened to for longer than the grace, of the source with the most |
//!
//! So a source that opens ten thousand connections crowds itself out, and within a source those who
//! speak like a station go before those who dawdle.

mod group;
mod rotation;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::attempts::Source;
use group::Group;
use rotation::Rotation;
pub use tally::Tally;

/// How large a crowd may become. The bounds of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrowdLimits {
    /// Guests that wait, silent or ready.
    pub waiting_max: usize,
    /// Handshakes under way.
    pub handshakes_max: usize,
    /// Handshakes of one source.
    pub handshakes_per_source_max: usize,
    /// While others wait, a handshake may keep us listening for so long.
    pub grace: Duration,
}

/// What is known of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing.
    Stranger,
    /// A station came in from there before.
    Known,
    /// The operator has named it: no cap for one source holds for it, and it counts as known.
    Exempt,
}

/// One connection, from accept to the end of its handshake. Older ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guest(u64);

/// A guest that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The newcomer.
    pub guest: Guest,
    /// Who has given way to it, and is to be closed.
    pub gave_way: Option<Guest>,
}

/// There is no room, and nobody gives way to this newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What the door is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This guest's handshake begins.
    Enter(Guest),
    /// This guest dawdles while others wait: its connection is to be closed. Its place is free.
    Leave(Guest),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Silent,
    Ready,
    /// In a handshake, and we listen to it since then.
    Listening(Duration),
    /// In a handshake, and it is not its peer that takes the time.
    Busy,
}

/// Everybody between accept and the end of the handshake, at one worker.
#[derive(Debug)]
pub struct Crowd {
    limits: CrowdLimits,
    guests: BTreeMap<Guest, (Source, Stage)>,
    sources: BTreeMap<Source, Group>,
    /// Sources of those who wait, by their burden.
    burdens: BTreeSet<(usize, Source)>,
    /// Sources that have somebody ready.
    rotation: Rotation,
    /// Handshakes that we listen to, the longest first.
    listening: BTreeSet<(Duration, Guest)>,
    waiting: usize,
    placed: usize,
    last: u64,
}

impl Crowd {
    /// Nobody is there.
    pub fn new(limits: CrowdLimits) -> Crowd {
        Crowd {
            limits,
            guests: BTreeMap::new(),
            sources: BTreeMap::new(),
            burdens: BTreeSet::new(),
            rotation: Rotation::default(),
            listening: BTreeSet::new(),
            waiting: 0,
            placed: 0,
            last: 0,
        }
    }

    /// Somebody has connected, and said nothing yet.
    pub fn arrive(&mut self, source: Source, standing: Standing) -> Result<Arrival, Full> {
        let gave_way = match self.waiting >= self.limits.waiting_max {
            true => Some(self.make_room(source, standing)?),
            false => None,
        };
        self.last += 1;
        let guest = Guest(self.last);
        self.guests.insert(guest, (source, Stage::Silent));
        self.change(source, |group| {
            group.standing = group.standing.max(standing);
            group.silent.insert(guest);
        });
        Ok(Arrival { guest, gave_way })
    }

    /// A load balancer has said whose connection this guest is.
    pub fn speaks_for(&mut self, guest: Guest, source: Source, standing: Standing) {
        let Some((from, Stage::Silent)) = self.guests.get(&guest).copied() else {
            return;
        };
        self.change(from, |group| {
            group.silent.remove(&guest);
        });
        self.guests.insert(guest, (source, Stage::Silent));
        self.change(source, |group| {
            group.standing = group.standing.max(standing);
            group.silent.insert(guest);
        });
    }

    /// A guest's first words are there: it wants a place.
    pub fn ready(&mut self, guest: Guest) {
        if let Some((source, stage)) = self.guests.get_mut(&guest)
            && *stage == Stage::Silent
        {
            *stage = Stage::Ready;
            let source = *source;
            self.change(source, |group| {
                group.silent.remove(&guest);
                group.ready.insert(guest);
            });
        }
    }

    /// What to do next, if anything. To be asked until there is nothing, whenever somebody is ready or
    /// has left; and once in a while as long as [`Crowd::is_pressed`].
    pub fn next(&mut self, now: Duration) -> Option<Step> {
        if self.rotation.is_empty() {
            return None;
        }
        let max = self.limits.handshakes_per_source_max;
        let sources = &self.sources;
        let has_room = |source| {
            sources
                .get(&source)
                .is_some_and(|group| group.has_room(max))
        };
        if self.placed < self.limits.handshakes_max
            && let Some(source) = self.rotation.next(has_room)
        {
            return self.enter(source, now).map(Step::Enter);
        }
        let dawdler = self.dawdler(now)?;
        self.leave(dawdler);
        Some(Step::Leave(dawdler))
    }

    /// Somebody is ready and has no place.
    pub fn is_pressed(&self) -> bool {
        !self.rotation.is_empty()
    }

    /// From now on a handshake waits for its peer's words.
    pub fn listens(&mut self, guest: Guest, now: Duration) {
        self.set_stage(guest, Stage::Listening(now));
    }

    /// From now on a handshake waits for others, or for us: it gives way to nobody.
    pub fn is_busy(&mut self, guest: Guest) {
        self.set_stage(guest, Stage::Busy);
    }

    /// A guest is gone, or its handshake is over. Nothing happens to one that has left already.
    pub fn leave(&mut self, guest: Guest) {
        let Some((source, stage)) = self.guests.remove(&guest) else {
            return;
        };
        if let Stage::Listening(since) = stage {
            self.listening.remove(&(since, guest));
        }
        let placed = matches!(stage, Stage::Listening(_) | Stage::Busy);
        self.placed -= usize::from(placed);
        self.change(source, |group| {
            group.placed -= usize::from(placed);
            group.silent.remove(&guest);
            group.ready.remove(&guest);
        });
    }

    /// Guests that wait, silent or ready.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Handshakes under way.
    pub fn handshakes(&self) -> usize {
        self.placed
    }

    /// Lets the guest that has been ready longest begin.
    fn enter(&mut self, source: Source, now: Duration) -> Option<Guest> {
        let guest = self.sources.get(&source)?.ready.first().copied()?;
        self.guests.insert(guest, (source, Stage::Listening(now)));
        self.listening.insert((now, guest));
        self.placed += 1;
        self.change(source, |group| {
            group.ready.remove(&guest);
            group.placed += 1;
        });
        Some(guest)
    }

    /// Who keeps us listening while others wait.
    fn dawdler(&self, now: Duration) -> Option<Guest> {
        let max = self.limits.handshakes_per_source_max;
        let has_room = |source| {
            let group: Option<&Group> = self.sources.get(&source);
            group.is_some_and(|group| group.has_room(max))
        };
        // Where everybody who is ready is at the cap of its own source, no other's place helps.
        let any_helps = self.rotation.any(has_room);
        let places = |guest: &Guest| {
            let (source, _) = self.guests.get(guest)?;
            let group = self.sources.get(source)?;
            (any_helps || !group.ready.is_empty()).then_some(group.placed)
        };
        let listening = self.listening.iter().take(DAWDLERS_LOOKED_AT_MAX);
        let over = listening.take_while(|(since, _)| *since + self.limits.grace <= now);
        let (_, dawdler) = over
            .filter_map(|(_, guest)| Some((places(guest)?, *guest)))
            .max_by_key(|(places, guest)| (*places, std::cmp::Reverse(*guest)))?;
        Some(dawdler)
    }

    /// Who gives way to a newcomer.
    fn make_room(&mut self, source: Source, standing: Standing) -> Result<Guest, Full> {
        let mut own = self.sources.get(&source).cloned().unwrap_or_default();
        own.standing = own.standing.max(standing);
        let own_burden = own.burden_of(own.waiting() + 1);
        let (burden, heaviest) = self.burdens.last().copied().ok_or(Full)?;
        let heaviest = match burden > own_burden {
            true => heaviest,
            false => source,
        };
        let group = self.sources.get(&heaviest).ok_or(Full)?;
        let silent = group.silent.first().copied();
        let last = group.ready.last().copied().filter(|_| heaviest != source);
        let guest = silent.or(last).ok_or(Full)?;
        self.leave(guest);
        Ok(guest)
    }

    fn set_stage(&mut self, guest: Guest, new: Stage) {
        let Some((_, stage)) = self.guests.get_mut(&guest) else {
            return;
        };
        match *stage {
            Stage::Silent | Stage::Ready => return,
            Stage::Listening(since) => {
                self.listening.remove(&(since, guest));
            }
            Stage::Busy => {}
        }
        *stage = new;
        if let Stage::Listening(since) = new {
            self.listening.insert((since, guest));
        }
    }

    /// Changes a source's group and keeps what is derived from it.
    fn change(&mut self, source: Source, act: impl FnOnce(&mut Group)) {
        let group = self.sources.entry(source).or_default();
        let (before, burden) = (group.waiting(), group.burden());
        act(group);
        let (after, new_burden) = (group.waiting(), group.burden());
        self.waiting = self.waiting + after - before;
        if burden != new_burden {
            self.burdens.remove(&(burden, source));
            if new_burden > 0 {
                self.burdens.insert((new_burden, source));
            }
        }
        let known = group.standing > Standing::Stranger;
        match group.ready.is_empty() {
            true => self.rotation.remove(source),
            false => self.rotation.add(source, known),
        }
        if group.is_empty() {
            self.sources.remove(&source);
        }
    }
}

/// How long a guest waits for its place: a random part of the deadline, no less than half of it, so that
/// those turned away together do not come back together.
pub fn patience(deadline: Duration, random: u64) -> Duration {
    // 16 bits of chance are plenty to spread a fleet.
    let part = (random & 0xffff) as u32;
    deadline / 2 + (deadline / 2) * part / 0xffff
}

/// Dawdlers compared with one another, the longest first: so that a look costs the same whatever the
/// limits are.
const DAWDLERS_LOOKED_AT_MAX: usize = 64;

#[cfg(test)]
mod tests;
