//! What takes records in: it never waits, and says later what has come to rest.

use std::time::Duration;

use guard::UnixMillis;

use crate::{Handle, Sheet};

/// One record that is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// When it happened, by the wall clock.
    pub at: UnixMillis,
    /// What goes first when there is no room.
    pub weight: Weight,
    /// The record itself: one JSON object without a newline.
    pub json: &'a [u8],
    /// The station that it is about, as the record names it.
    pub station: Option<&'a str>,
    /// The action of a message.
    pub action: Option<&'a str>,
    /// Whether somebody was refused something.
    pub refused: bool,
    /// The handles in it.
    pub handles: &'a [Handle],
}

/// How much a record is missed. The lightest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Benign telemetry: heartbeats, meter values, and the answers to them.
    Telemetry,
    /// Other messages that were passed on.
    Message,
    /// Connections, refusals, what an operator did, gaps.
    Kept,
}

/// The place of a record among those that were taken in, counted from 1 since this start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What became of a record that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It waits for its turn; the ticket says when it is durable.
    Queued(Ticket),
    /// There was no room for its weight. It is counted, and the gap becomes a record.
    Dropped,
    /// It holds a newline, nothing, or more than [`crate::segments::RECORD_BYTES_MAX`] bytes. It is
    /// counted as dropped ones are.
    Unfit,
}

/// How many records were handed in and are not kept, by weight, since this start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Of [`Weight::Telemetry`].
    pub telemetry: u64,
    /// Of [`Weight::Message`].
    pub messages: u64,
    /// Of [`Weight::Kept`].
    pub kept: u64,
}

impl Lost {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.telemetry + self.messages + self.kept
    }

    pub(crate) fn count(&mut self, weight: Weight) {
        match weight {
            Weight::Telemetry => self.telemetry += 1,
            Weight::Message => self.messages += 1,
            Weight::Kept => self.kept += 1,
        }
    }
}

/// A record was not durable when patience ended; it may still become so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record is not durable yet")]
pub struct NotDurable;

/// Takes records in. Whoever implements it keeps the promises of [`crate::conformance`].
pub trait Append: Send + Sync {
    /// Takes a record in. Never waits for a disk, a key or a network.
    fn append(&self, entry: &Entry<'_>) -> Appended;

    /// Takes in what it can of a sheet's records, in their order, at less than it costs one by one, and
    /// leaves the sheet empty; gives the last one that it took in.
    fn append_sheet(&self, sheet: &mut Sheet) -> Option<Ticket>;

    /// Everything up to this ticket is durable: it survives the loss of power.
    fn durable(&self) -> Ticket;

    /// Waits until a record is durable, but no longer than `patience`.
    fn wait_durable(&self, ticket: Ticket, patience: Duration) -> Result<(), NotDurable>;

    /// What was handed in and is not kept.
    fn lost(&self) -> Lost;
}
