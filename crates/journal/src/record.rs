//! A record: one thing that happened, as one JSON object on one line.
//!
//! It stands alone, so that one record can be opened, read and checked by somebody who has neither
//! the others nor this program. Nothing is written into one that was not asked of [`Pseudonyms`]
//! first.

mod compose;
mod json;

use std::borrow::Cow;

use guard::{Heard, UnixMillis};
use ocpp::StationId;

use crate::{Handle, Weight};

pub use compose::{Act, Gap, compose, compose_act, compose_gap};

/// What may be written in place of what was said.
pub trait Pseudonyms {
    /// Why it cannot be said; in words without any identifier.
    type Error: std::fmt::Display;

    /// Writes a message as JSON with everything replaced that names a person, token, vehicle or SIM,
    /// and notes the handles that it wrote.
    fn message(
        &mut self,
        tenant: &str,
        heard: Heard<'_>,
        at: UnixMillis,
        out: &mut Vec<u8>,
        handles: &mut Vec<Handle>,
    ) -> Result<(), Self::Error>;

    /// The name under which a station is recorded: its identity, or its handle if it is private. The
    /// tenant is not known of one that was turned away before its route was.
    fn station<'i>(
        &mut self,
        tenant: Option<&str>,
        identity: &'i StationId,
        at: UnixMillis,
        handles: &mut Vec<Handle>,
    ) -> Result<Cow<'i, str>, Self::Error>;

    /// Words of ours, into which a peer's may have found their way.
    fn words(&mut self, text: &str) -> String;
}

/// The name of a private station for which there is no handle.
pub const PRIVATE: &str = "private";

/// What the index needs to know of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About<'e> {
    /// When.
    pub at: UnixMillis,
    /// What goes first when there is no room.
    pub weight: Weight,
    /// Under which name its station is recorded, if it is about one.
    pub station: Option<Cow<'e, str>>,
    /// The action, for a message.
    pub action: Option<&'static str>,
    /// Something was refused, or a session ended by policy.
    pub is_refused: bool,
}

#[cfg(test)]
mod tests;
