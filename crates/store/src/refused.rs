//! Refused messages that money hangs on: kept sealed until somebody has looked at them.

use guard::{Secret, Tenant, UnixMillis};
use ocpp::StationId;

use crate::StoreError;

/// One refused message, to be kept.
#[derive(Clone, Debug)]
pub struct RefusedMessage {
    /// When it was refused.
    pub at: UnixMillis,
    /// Whose station sent it.
    pub tenant: Tenant,
    /// Which station.
    pub station: StationId,
    /// The OCPP version it is of: `1.6`.
    pub version: String,
    /// Its action; `?` where it could not be read.
    pub action: String,
    /// What refused it: a control's name, or `hard fault`.
    pub by: String,
    /// Why, in words without any identifier.
    pub why: String,
    /// The message as it came.
    pub text: Secret,
}

/// A kept message, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// By which it is asked for; never used twice.
    pub number: u64,
    /// When it was refused.
    pub at: UnixMillis,
    /// Whose station sent it.
    pub tenant: Tenant,
    /// Which station, as it was registered.
    pub station: String,
    /// The OCPP version it is of.
    pub version: String,
    /// Its action.
    pub action: String,
    /// What refused it.
    pub by: String,
    /// Why.
    pub why: String,
    /// Bytes of its text.
    pub bytes: u64,
    /// What was done with it, and when.
    pub settled: Option<(Settlement, UnixMillis)>,
}

/// What was done with a kept message. Its text is gone then, and its row says what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The CSMS has it.
    Released,
    /// Somebody decided that nobody needs it.
    Dropped,
    /// Nobody looked at it in time.
    Expired,
}

impl Settlement {
    /// Every settlement with its name.
    pub const NAMED: [(&'static str, Settlement); 3] = [
        ("released", Settlement::Released),
        ("dropped", Settlement::Dropped),
        ("expired", Settlement::Expired),
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Settlement::Released => "released",
            Settlement::Dropped => "dropped",
            Settlement::Expired => "expired",
        }
    }
}

/// How many may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedRoom {
    /// Of all stations.
    pub all: u64,
    /// Of one station, so that none takes the room of all.
    pub of_a_station: u64,
}

/// Where refused messages are kept. None of this moves the register's revision.
pub trait RefusedStore: Send {
    /// Keeps them, as far as there is room for them beside those that are open: the oldest stay. How
    /// many were kept.
    fn keep(&mut self, messages: &[RefusedMessage], room: RefusedRoom)
    -> Result<usize, StoreError>;

    /// How many are open.
    fn refused_open(&self) -> Result<u64, StoreError>;

    /// Those that are open, or all, oldest first.
    fn refused(&self, open_only: bool) -> Result<Vec<RefusedRow>, StoreError>;

    /// One of them with its text, if it is open; `None` when there is none of that number.
    fn refused_message(
        &self,
        number: u64,
    ) -> Result<Option<(RefusedRow, Option<Secret>)>, StoreError>;

    /// Says what was done with an open one and forgets its text; `false` when there is no open one of
    /// that number.
    fn settle(&mut self, number: u64, how: Settlement, at: UnixMillis) -> Result<bool, StoreError>;

    /// Forgets the text of open ones that were refused before `open_since`, and the rows of those
    /// settled before `settled_since`. How many of each.
    fn expire(
        &mut self,
        open_since: UnixMillis,
        settled_since: UnixMillis,
        at: UnixMillis,
    ) -> Result<(usize, usize), StoreError>;
}
