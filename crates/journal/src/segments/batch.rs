//! Records one behind the other, as they wait and as blocks are cut from them.

use guard::UnixMillis;

use super::block::RECORD_BYTES_MAX;
use super::index::{TermKind, term};
use crate::Handle;

/// Handles of one record that are indexed. One that holds more is looked at for every handle.
pub const HANDLES_MAX: usize = 64;

/// Records one behind the other, each followed by a newline: what a block is cut from.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) text: Vec<u8>,
    pub(crate) records: Vec<Place>,
    pub(crate) terms: Vec<u32>,
}

/// Where a record and its terms end in their batch, and when it happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) end: u32,
    pub(crate) terms_end: u32,
    pub(crate) at: UnixMillis,
}

impl Batch {
    /// An empty one with room for what this one holds.
    pub(crate) fn as_roomy(&self) -> Batch {
        Batch {
            text: Vec::with_capacity(self.text.capacity()),
            records: Vec::with_capacity(self.records.len()),
            terms: Vec::with_capacity(self.terms.len()),
        }
    }

    /// Where record `number` of this batch begins, in the text and in the terms.
    pub(crate) fn begin(&self, number: usize) -> (usize, usize) {
        match number
            .checked_sub(1)
            .and_then(|last| self.records.get(last))
        {
            Some(place) => (place.end as usize, place.terms_end as usize),
            None => (0, 0),
        }
    }

    /// What was written behind the last record is one, found by these terms.
    pub(crate) fn end_record(&mut self, at: UnixMillis, terms: impl Iterator<Item = u32>) {
        self.text.push(b'\n');
        self.terms.extend(terms);
        self.records.push(Place {
            end: self.text.len() as u32,
            terms_end: self.terms.len() as u32,
            at,
        });
    }

    /// Takes another's records in behind its own.
    pub(crate) fn append(&mut self, other: &Batch) {
        let (text, terms) = (self.text.len() as u32, self.terms.len() as u32);
        self.text.extend_from_slice(&other.text);
        self.terms.extend_from_slice(&other.terms);
        self.records.extend(other.records.iter().map(|place| Place {
            end: place.end + text,
            terms_end: place.terms_end + terms,
            at: place.at,
        }));
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
        self.terms.clear();
    }
}

/// Whether it can be a record: a line that is not too long.
pub(crate) fn is_fit(json: &[u8]) -> bool {
    !json.is_empty() && json.len() <= RECORD_BYTES_MAX && memchr::memchr(b'\n', json).is_none()
}

/// What a record is found by.
pub(crate) fn terms<'t>(
    station: Option<&str>,
    action: Option<&str>,
    refused: bool,
    handles: &'t [Handle],
) -> impl Iterator<Item = u32> + use<'t> {
    let named = |kind: TermKind, text: &str| term(kind, text.as_bytes());
    let named = [
        station.map(|text| named(TermKind::Station, text)),
        action.map(|text| named(TermKind::Action, text)),
        refused.then(|| named(TermKind::Refused, "")),
        (handles.len() > HANDLES_MAX).then(|| named(TermKind::ManyHandles, "")),
    ];
    let handles = handles.iter().take(HANDLES_MAX);
    let handles = handles.map(|handle| term(TermKind::Handle, handle.bytes()));
    named.into_iter().flatten().chain(handles)
}
