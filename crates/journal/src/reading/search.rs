//! What a query finds, one after the other; of the record never more than one group is in memory.

use std::collections::VecDeque;

use super::query::Filter;
use super::reader::{Known, Place, day_meets, position};
use super::{Order, Query, Reader, Record};
use crate::Day;
use crate::keys::KeyError;
use crate::segments::{
    BlockFault, GroupText, JournalError, Opener, Position, SegmentFile, header_of,
};

/// What a query finds. Segments whose key is gone with their retention are passed over; see
/// [`Search::closed`].
pub struct Search<'r> {
    reader: &'r Reader,
    filter: Filter,
    places: VecDeque<Place>,
    current: Option<Current>,
    found: VecDeque<Record>,
    left: usize,
    opener: Opener,
    group: GroupText,
    closed: Vec<Day>,
    over: bool,
}

struct Current {
    file: SegmentFile,
    /// Groups that may hold what is meant, in the order in which they are read.
    groups: std::vec::IntoIter<Position>,
    until: u64,
    /// Another process may be writing behind what is there.
    grows: bool,
}

impl<'r> Search<'r> {
    pub(super) fn new(reader: &'r Reader, query: Query) -> Result<Search<'r>, JournalError> {
        Ok(Search {
            places: reader.places()?.into(),
            left: query.limit.unwrap_or(usize::MAX),
            filter: Filter::new(query),
            current: None,
            found: VecDeque::new(),
            opener: Opener::new().map_err(JournalError::disk(std::path::Path::new("")))?,
            group: GroupText::default(),
            closed: Vec::new(),
            over: false,
            reader,
        })
    }

    /// Days that could not be searched because their key is not there any more, in the order in which
    /// they were met.
    pub fn closed(&self) -> &[Day] {
        &self.closed
    }

    fn order(&self) -> Order {
        self.filter.query().order
    }

    /// Reads on until something is found. Whether there is.
    fn advance(&mut self) -> Result<bool, JournalError> {
        while self.found.is_empty() {
            let Some(current) = &mut self.current else {
                if !self.enter()? {
                    return Ok(false);
                }
                continue;
            };
            let Some(at) = current.groups.next() else {
                self.current = None;
                continue;
            };
            let read = current
                .file
                .group(at, current.until, &mut self.opener, &mut self.group);
            match read {
                Ok(_) => {}
                // What is being written right now ends in the middle; what is whole was read.
                Err(JournalError::Corrupt { fault, .. })
                    if current.grows && fault != BlockFault::Order => {}
                Err(error) => return Err(error),
            }
            self.collect();
        }
        Ok(true)
    }

    /// Keeps what is meant of the group that was read.
    fn collect(&mut self) {
        let until = self
            .current
            .as_ref()
            .map_or(u64::MAX, |current| current.until);
        let wanted = self
            .group
            .records()
            .filter(|(number, record)| *number < until && self.filter.wants(record));
        let found = wanted.map(|(number, record)| Record {
            number,
            json: record.to_vec(),
        });
        self.found.extend(found);
        if self.order() == Order::NewestFirst {
            self.found.make_contiguous().reverse();
        }
    }

    /// Goes to the next segment that may hold what is meant. Whether there is one.
    fn enter(&mut self) -> Result<bool, JournalError> {
        let next = match self.order() {
            Order::OldestFirst => self.places.pop_front(),
            Order::NewestFirst => self.places.pop_back(),
        };
        let Some(place) = next else {
            return Ok(false);
        };
        let day = header_of(&place.path)?.day;
        if !day_meets(day, |earliest, latest| self.filter.meets(earliest, latest)) {
            return Ok(true);
        }
        let file = match SegmentFile::open(&place.path, self.reader.keys()) {
            Ok(file) => file,
            Err(JournalError::Key(KeyError::Missing { day, .. })) => {
                if !self.closed.contains(&day) {
                    self.closed.push(day);
                }
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        let known = self.reader.known(&place, &file)?;
        let until = known.until(&place);
        let mut groups = self.groups(&known, until);
        if self.order() == Order::NewestFirst {
            groups.reverse();
        }
        self.current = Some(Current {
            file,
            groups: groups.into_iter(),
            until,
            grows: place.is_last && matches!(known, Known::Groups(_)),
        });
        Ok(true)
    }

    /// The groups of a segment that may hold what is meant.
    fn groups(&self, known: &Known, until: u64) -> Vec<Position> {
        let mut wanted: Option<Vec<u32>> = None;
        let mut any: Vec<u32> = Vec::new();
        let of_any = self.filter.any.iter().map(|term| known.groups_of(*term));
        for groups in of_any.flatten() {
            any.extend(groups);
        }
        any.sort_unstable();
        any.dedup();
        let indexed = !matches!(known, Known::Groups(_));
        if indexed && !self.filter.any.is_empty() {
            wanted = Some(any);
        }
        for groups in self
            .filter
            .terms
            .iter()
            .filter_map(|term| known.groups_of(*term))
        {
            wanted = Some(match wanted {
                Some(before) => both(&before, &groups),
                None => groups,
            });
        }
        known.with_groups(|groups| {
            let meets = |group: &&crate::segments::Group| {
                group.first < until && self.filter.meets(group.earliest, group.latest)
            };
            match wanted {
                Some(wanted) => {
                    let wanted = wanted
                        .iter()
                        .filter_map(|number| groups.get(*number as usize));
                    wanted.filter(meets).map(position).collect()
                }
                None => groups.iter().filter(meets).map(position).collect(),
            }
        })
    }
}

/// What is in both lists; each is in order.
fn both(left: &[u32], right: &[u32]) -> Vec<u32> {
    let is_right = |number: &&u32| right.binary_search(number).is_ok();
    left.iter().filter(is_right).copied().collect()
}

impl Iterator for Search<'_> {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over || self.left == 0 {
            return None;
        }
        match self.advance() {
            Ok(true) => {
                self.left -= 1;
                self.found.pop_front().map(Ok)
            }
            Ok(false) => None,
            Err(error) => {
                self.over = true;
                Some(Err(error))
            }
        }
    }
}
