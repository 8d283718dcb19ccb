//! Whoever reads a record: in the process that writes it, or in another one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use guard::UnixMillis;

use super::exchange::partner;
use super::{Exchange, Facts, Order, Query, Search};
use crate::Day;
use crate::keys::{KeyError, SegmentKeys};
use crate::segments::{
    Group, GroupText, JournalError, Live, Opener, Position, Scan, SealedIndex, SegmentFile, Shared,
    directory, list, read_sidecar,
};

/// Bytes of indexes that are kept for the next search.
pub const INDEX_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One record and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the record, and its leaf's in the tree.
    pub number: u64,
    /// What it says: a JSON object.
    pub json: Vec<u8>,
}

impl Record {
    /// What it says of itself.
    pub fn facts(&self) -> Facts<'_> {
        Facts::read(&self.json)
    }
}

/// A record that was asked for by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRecord {
    /// It.
    pub record: Record,
    /// What its leaf is salted with: SHA-256(0x00 ‖ salt ‖ record) is the leaf.
    pub salt: [u8; 16],
}

/// Reads a record.
pub struct Reader {
    dir: PathBuf,
    keys: Arc<dyn SegmentKeys>,
    shared: Option<Arc<Shared>>,
    indexes: Mutex<Vec<(PathBuf, Arc<SealedIndex>)>>,
}

/// A segment and what is known of it without opening it.
pub(super) struct Place {
    pub(super) first: u64,
    pub(super) path: PathBuf,
    /// Where the next one begins.
    pub(super) until: u64,
    pub(super) is_last: bool,
}

/// What is known of a segment's groups.
pub(super) enum Known {
    Sealed(Arc<SealedIndex>),
    Live(Arc<Live>),
    /// Only where they are.
    Groups(Vec<Group>),
}

impl Reader {
    /// Reads the record in this directory, also while another process writes it.
    pub fn new(dir: &Path, keys: Arc<dyn SegmentKeys>) -> Reader {
        Reader {
            dir: dir.to_path_buf(),
            keys,
            shared: None,
            indexes: Mutex::default(),
        }
    }

    pub(crate) fn of_writer(dir: &Path, keys: Arc<dyn SegmentKeys>, shared: Arc<Shared>) -> Reader {
        Reader {
            shared: Some(shared),
            ..Reader::new(dir, keys)
        }
    }

    /// Looks for records.
    pub fn search(&self, query: Query) -> Result<Search<'_>, JournalError> {
        Search::new(self, query)
    }

    /// One record.
    pub fn show(&self, number: u64) -> Result<ShownRecord, JournalError> {
        let places = self.places()?;
        let after = places.partition_point(|place| place.first <= number);
        let place = after.checked_sub(1).and_then(|at| places.get(at));
        let place = place.ok_or(JournalError::NoRecord(number))?;
        let file = SegmentFile::open(&place.path, &*self.keys)?;
        let known = self.known(place, &file)?;
        let at = known.with_groups(|groups| {
            let after = groups.partition_point(|group| group.first <= number);
            after
                .checked_sub(1)
                .and_then(|at| groups.get(at))
                .map(position)
        });
        let at = at.ok_or(JournalError::NoRecord(number))?;
        let mut opener = Opener::new().map_err(JournalError::disk(&place.path))?;
        let mut text = GroupText::default();
        file.group(at, known.until(place), &mut opener, &mut text)?;
        let found = text.records().find(|(found, _)| *found == number);
        let (_, json) = found.ok_or(JournalError::NoRecord(number))?;
        Ok(ShownRecord {
            record: Record {
                number,
                json: json.to_vec(),
            },
            salt: file.salt(number),
        })
    }

    /// A message together with its request, or with its answer, if it has one.
    pub fn exchange(&self, number: u64) -> Result<Exchange, JournalError> {
        let record = self.show(number)?.record;
        partner(self, record)
    }

    /// The first record that is kept, and its day; `None` where that is record 0, or where none is.
    pub fn kept_since(&self) -> Result<Option<(u64, Day)>, JournalError> {
        for place in self.places()? {
            match SegmentFile::open(&place.path, &*self.keys) {
                Ok(_) if place.first == 0 => return Ok(None),
                Ok(file) => return Ok(Some((place.first, file.header.day))),
                Err(JournalError::Key(KeyError::Missing { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The records from a number on that are kept and there now, in their order; what comes later is
    /// read by asking again from [`Scan::position`].
    pub fn tail(&self, from: u64) -> Result<Scan, JournalError> {
        Scan::new(&self.dir, Arc::clone(&self.keys), from)
    }

    /// The number behind the last record that can be read.
    pub fn end(&self) -> Result<u64, JournalError> {
        let Some(place) = self.places()?.pop() else {
            return Ok(0);
        };
        let newest = Query {
            limit: Some(1),
            order: Order::NewestFirst,
            ..Query::default()
        };
        let mut found = self.search(newest)?;
        let last = found.next().transpose()?;
        Ok(last.map_or(place.first, |last| last.number + 1))
    }

    pub(super) fn keys(&self) -> &dyn SegmentKeys {
        &*self.keys
    }

    /// The segments there are, in their order.
    pub(super) fn places(&self) -> Result<Vec<Place>, JournalError> {
        let found = list(&directory(&self.dir))?;
        let mut places: Vec<Place> = Vec::with_capacity(found.len());
        for (first, path) in found {
            if let Some(last) = places.last_mut() {
                last.until = first;
                last.is_last = false;
            }
            places.push(Place {
                first,
                path,
                until: u64::MAX,
                is_last: true,
            });
        }
        Ok(places)
    }

    /// What is known of a segment's groups, from wherever it is known soonest.
    pub(super) fn known(&self, place: &Place, file: &SegmentFile) -> Result<Known, JournalError> {
        let live = self.shared.as_ref().and_then(|shared| shared.live());
        if let Some(live) = live.filter(|live| live.path == place.path) {
            return Ok(Known::Live(live));
        }
        if let Some(index) = self.cached(&place.path) {
            return Ok(Known::Sealed(index));
        }
        if let Some(sidecar) = read_sidecar(&place.path, &file.ciphers)
            && (!place.is_last || sidecar.covers == file.bytes()?)
        {
            let index = Arc::new(sidecar.index);
            self.cache(&place.path, &index);
            return Ok(Known::Sealed(index));
        }
        Ok(Known::Groups(file.groups(place.until, place.is_last)?))
    }

    fn cached(&self, path: &Path) -> Option<Arc<SealedIndex>> {
        let indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        let found = indexes.iter().find(|(known, _)| known == path);
        found.map(|(_, index)| Arc::clone(index))
    }

    fn cache(&self, path: &Path, index: &Arc<SealedIndex>) {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        indexes.push((path.to_path_buf(), Arc::clone(index)));
        let mut bytes: usize = indexes.iter().map(|(_, index)| index.weight()).sum();
        while bytes > INDEX_CACHE_BYTES_MAX && !indexes.is_empty() {
            bytes -= indexes.remove(0).1.weight();
        }
    }
}

impl Known {
    /// Records from this one on are not there, or not in this segment.
    pub(super) fn until(&self, place: &Place) -> u64 {
        match self {
            Known::Live(live) => live.next().min(place.until),
            Known::Sealed(_) | Known::Groups(_) => place.until,
        }
    }

    pub(super) fn with_groups<T>(&self, read: impl FnOnce(&[Group]) -> T) -> T {
        match self {
            Known::Sealed(index) => read(&index.groups),
            Known::Live(live) => read(&live.index().groups),
            Known::Groups(groups) => read(groups),
        }
    }

    /// The groups that may have a term, in order. `None`: any may.
    pub(super) fn groups_of(&self, term: u32) -> Option<Vec<u32>> {
        match self {
            Known::Sealed(index) => Some(index.groups_of(term)),
            Known::Live(live) => Some(live.index().groups_of(term)),
            Known::Groups(_) => None,
        }
    }
}

pub(super) fn position(group: &Group) -> Position {
    Position {
        offset: group.offset,
        block: group.block,
        record: group.first,
    }
}

/// Whether records of a segment of this day can have happened then.
pub(super) fn day_meets(day: crate::Day, meets: impl Fn(UnixMillis, UnixMillis) -> bool) -> bool {
    let before = crate::Day(day.0.saturating_sub(1));
    let after = crate::Day(day.0.saturating_add(1));
    meets(before.begins(), UnixMillis(after.begins().0 - 1))
}
