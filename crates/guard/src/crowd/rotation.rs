//! Whose turn it is: sources one after another, in two lanes.

use std::collections::BTreeMap;

use crate::attempts::Source;

/// Of so many turns strangers have one while known sources wait, too.
const TURNS: u8 = 4;

#[derive(Debug, Default)]
pub(super) struct Rotation {
    known: BTreeMap<u64, Source>,
    strangers: BTreeMap<u64, Source>,
    /// Who is in a lane: in which, true for the known, and where.
    places: BTreeMap<Source, (bool, u64)>,
    last: u64,
    turn: u8,
}

impl Rotation {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A source has somebody ready. It joins the end of its lane, where it is not in one already.
    pub(super) fn add(&mut self, source: Source, known: bool) {
        if !self.places.contains_key(&source) {
            self.join(source, known);
        }
    }

    /// Nobody of that source is ready any more.
    pub(super) fn remove(&mut self, source: Source) {
        if let Some((known, place)) = self.places.remove(&source) {
            self.lane(known).remove(&place);
        }
    }

    /// The source whose turn it is, of those that have room; it goes to the end of its lane.
    pub(super) fn next(&mut self, has_room: impl Fn(Source) -> bool) -> Option<Source> {
        self.turn = (self.turn + 1) % TURNS;
        let strangers_first = self.turn == 0;
        for known in [!strangers_first, strangers_first] {
            // Sources at their cap are few: so many caps make up all places.
            let mut lane = self.lane(known).values().copied();
            if let Some(source) = lane.find(|source| has_room(*source)) {
                self.remove(source);
                self.join(source, known);
                return Some(source);
            }
        }
        None
    }

    /// Whether anybody in a lane has room.
    pub(super) fn any(&self, has_room: impl Fn(Source) -> bool) -> bool {
        let mut all = self.known.values().chain(self.strangers.values());
        all.any(|source| has_room(*source))
    }

    fn join(&mut self, source: Source, known: bool) {
        self.last += 1;
        let place = self.last;
        self.places.insert(source, (known, place));
        self.lane(known).insert(place, source);
    }

    fn lane(&mut self, known: bool) -> &mut BTreeMap<u64, Source> {
        match known {
            true => &mut self.known,
            false => &mut self.strangers,
        }
    }
}
