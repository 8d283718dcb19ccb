//! Composed records: gathered until their handles are durable, then handed on together.

use guard::{Event, Heard, Tenant};
use journal::record::{About, Act, Gap, compose, compose_act, compose_gap};
use journal::vault::{Vault, VaultError};
use journal::{Append as _, Entry, Handle, Journal, Ticket};

use super::names::Names;
use crate::config::JournalConfig;

/// Records that are composed before they are handed on: some 30 kB.
const RECORDS_MAX: usize = 64;

/// Records of one batch.
#[derive(Default)]
pub(super) struct Page {
    text: Vec<u8>,
    handles: Vec<Handle>,
    records: Vec<Composed>,
}

struct Composed {
    about: About,
    text_to: usize,
    handles_to: usize,
}

impl Page {
    /// An event becomes a record, unless its tenant is left out.
    pub(super) fn event(
        &mut self,
        (event, heard): (&Event, Option<Heard<'_>>),
        config: &JournalConfig,
        vault: &mut Vault,
    ) -> Result<(), VaultError> {
        let is_left_out = |tenant: &Tenant| config.not_for.contains(&*tenant.0);
        if event.tenant().is_some_and(is_left_out) {
            return Ok(());
        }
        let mut names = Names { vault, config };
        let about = compose(event, heard, &mut names, &mut self.text, &mut self.handles)?;
        self.finish(about);
        Ok(())
    }

    pub(super) fn act(&mut self, act: &Act<'_>) {
        let about = compose_act(act, &mut self.text);
        self.finish(about);
    }

    pub(super) fn gap(&mut self, gap: &Gap) {
        let about = compose_gap(gap, &mut self.text);
        self.finish(about);
    }

    fn finish(&mut self, about: About) {
        self.records.push(Composed {
            about,
            text_to: self.text.len(),
            handles_to: self.handles.len(),
        });
    }

    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= RECORDS_MAX
    }

    /// Hands all of them on; gives the place of the last one that was taken in among what is to become
    /// durable.
    pub(super) fn append(&mut self, journal: &Journal) -> Option<Ticket> {
        let (mut text, mut handle) = (0, 0);
        let mut entries = self.records.iter().map(|record| {
            let about = &record.about;
            let entry = Entry {
                at: about.at,
                weight: about.weight,
                json: self.text.get(text..record.text_to).unwrap_or_default(),
                station: about.station.as_deref(),
                action: about.action,
                refused: about.is_refused,
                handles: self
                    .handles
                    .get(handle..record.handles_to)
                    .unwrap_or_default(),
            };
            (text, handle) = (record.text_to, record.handles_to);
            entry
        });
        // What finds no room is counted by the journal, which records the gap itself.
        let last = journal.appender().append_all(&mut entries);
        self.clear();
        last
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.handles.clear();
        self.records.clear();
    }
}
