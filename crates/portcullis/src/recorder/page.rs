//! Composed records: gathered until their handles are durable, then handed on together.

use guard::{Event, Heard, Tenant};
use journal::record::{Act, Gap, compose, compose_act, compose_gap};
use journal::vault::{Vault, VaultError};
use journal::{Append as _, Handle, Journal, Sheet, Ticket};

use super::names::Names;
use crate::config::JournalConfig;

/// Records of one batch.
#[derive(Default)]
pub(super) struct Page {
    sheet: Sheet,
    /// Those of the record that is being composed.
    handles: Vec<Handle>,
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
        self.handles.clear();
        let (out, handles) = (self.sheet.text(), &mut self.handles);
        let about = compose(event, heard, &mut names, out, handles)?;
        self.sheet.end_record(&about, &self.handles);
        Ok(())
    }

    pub(super) fn act(&mut self, act: &Act<'_>) {
        let about = compose_act(act, self.sheet.text());
        self.sheet.end_record(&about, &[]);
    }

    pub(super) fn gap(&mut self, gap: &Gap) {
        let about = compose_gap(gap, self.sheet.text());
        self.sheet.end_record(&about, &[]);
    }

    pub(super) fn is_full(&self) -> bool {
        self.sheet.is_full()
    }

    /// Hands all of them on; gives the place of the last one that was taken in among what is to become
    /// durable. What finds no room is counted by the journal, which records the gap itself.
    pub(super) fn append(&mut self, journal: &Journal) -> Option<Ticket> {
        journal.appender().append_sheet(&mut self.sheet)
    }

    pub(super) fn clear(&mut self) {
        self.sheet.clear();
    }
}
