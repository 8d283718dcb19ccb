//! Records that are composed where they will wait: taken in as they lie, without being copied.

use guard::UnixMillis;

use crate::record::About;
use crate::segments::{Batch, GROUP_BYTES, is_fit, terms};
use crate::{Handle, Weight};

/// Records one behind the other. What takes them in leaves an empty sheet in its place.
#[derive(Debug, Default)]
pub struct Sheet {
    pub(crate) batch: Batch,
    weights: Vec<Weight>,
    /// Of records that are none; counted as lost where the others are taken in.
    unfit: Vec<(UnixMillis, Weight)>,
}

impl Sheet {
    /// Where the next record is written, behind those that are there.
    pub fn text(&mut self) -> &mut Vec<u8> {
        &mut self.batch.text
    }

    /// What was written behind the last record is the next one.
    pub fn end_record(&mut self, about: &About<'_>, handles: &[Handle]) {
        let (begin, _) = self.batch.begin(self.len());
        if !is_fit(self.batch.text.get(begin..).unwrap_or_default()) {
            self.batch.text.truncate(begin);
            self.unfit.push((about.at, about.weight));
            return;
        }
        let found_by = terms(
            about.station.as_deref(),
            about.action,
            about.is_refused,
            handles,
        );
        self.batch.end_record(about.at, found_by);
        self.weights.push(about.weight);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// It holds as much as is compressed together: it is best handed on.
    pub fn is_full(&self) -> bool {
        self.batch.text.len() >= GROUP_BYTES
    }

    /// Every record: when it happened, what it weighs, and what it says.
    pub fn records(&self) -> impl Iterator<Item = (UnixMillis, Weight, &[u8])> {
        self.weights.iter().enumerate().map(|(number, weight)| {
            let ((begin, _), (end, _)) = (self.batch.begin(number), self.batch.begin(number + 1));
            let at = self.batch.records.get(number).map(|place| place.at);
            let json = self.batch.text.get(begin..end.saturating_sub(1));
            (at.unwrap_or_default(), *weight, json.unwrap_or_default())
        })
    }

    /// What is none, and was to be a record.
    pub fn unfit(&self) -> &[(UnixMillis, Weight)] {
        &self.unfit
    }

    /// Forgets all of it, and keeps the room.
    pub fn clear(&mut self) {
        self.batch.clear();
        self.weights.clear();
        self.unfit.clear();
    }

    /// What goes first when there is no room.
    pub(crate) fn lightest(&self) -> Option<Weight> {
        self.weights.iter().copied().min()
    }

    /// The terms of a record.
    pub(crate) fn terms_of(&self, number: usize) -> &[u32] {
        let ((_, begin), (_, end)) = (self.batch.begin(number), self.batch.begin(number + 1));
        self.batch.terms.get(begin..end).unwrap_or_default()
    }
}
