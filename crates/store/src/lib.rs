//! What we know: stations, credentials and routes.
//!
//! Everything asks the trait [`Store`]; [`SqliteStore`] is the embedded one. [`conformance`] walks
//! every promise of the trait, so that another engine can show that it keeps them too. The gate
//! itself never asks a store: it reads a snapshot that the program makes of it.
//!
//! At rest there is no secret in clear text: of a station's password only a verifier is kept, and
//! what we must be able to show to a CSMS is sealed under a [`KeyFile`] that is not in the database.

pub mod conformance;
mod error;
mod key_file;
mod memories;
mod refused;
mod sealed;
mod sqlite;

pub use error::{ImportError, Rejected, StoreError};
pub use key_file::{KeyFile, KeyFileError};
pub use memories::{KeptMemories, MemoryStore, Remembered};
pub use refused::{RefusedMessage, RefusedRoom, RefusedRow, RefusedStore, Settlement};
pub use sqlite::SqliteStore;

use guard::{Credential, Lesson, PasswordTraits, Relaxed, Route, StationRecord, Tenant};
use ocpp::StationId;

/// Whom an operator has reduced to TLS, authentication and relay, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayBack {
    /// Who.
    pub relaxed: Relaxed,
    /// When the first of them was, RFC 3339; `None` when nobody is.
    pub since: Option<String>,
}

/// The register of stations and the route table.
///
/// Calls block for as long as the engine takes, so they belong on a thread that may wait. An
/// identity is unique within its tenant, and so is its lower-case form: two stations that differ
/// only in case are one mistake or one attack (threat A15).
pub trait Store: Send {
    /// Registers a station.
    fn add(&mut self, station: &StationRecord) -> Result<(), StoreError>;

    /// Registers all of these stations, or, if a single one cannot be, none of them. `progress` is
    /// called with the number of rows looked at, now and then.
    fn import(
        &mut self,
        stations: &[StationRecord],
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), ImportError>;

    /// Forgets a station.
    fn remove(&mut self, tenant: &Tenant, id: &StationId) -> Result<(), StoreError>;

    /// Allows or forbids a station to connect; its registration stays.
    fn enable(&mut self, tenant: &Tenant, id: &StationId, enabled: bool) -> Result<(), StoreError>;

    /// Replaces what a station has to show, and what is known of its password.
    fn set_credential(
        &mut self,
        tenant: &Tenant,
        id: &StationId,
        credential: &Credential,
        password: Option<&PasswordTraits>,
    ) -> Result<(), StoreError>;

    /// Another station stands in this one's place: nothing that was learnt of the one before holds for
    /// it, and this is the serial number it must say; `None`: the first one it says.
    fn replace(
        &mut self,
        tenant: &Tenant,
        id: &StationId,
        serial: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Somebody has looked at a station that was adopted: it stays.
    fn accept(&mut self, tenant: &Tenant, id: &StationId) -> Result<(), StoreError>;

    /// Keeps what the gate has learnt, and returns how many lessons were news. A lesson that no longer
    /// fits what is registered is left out: the operator's word is the later one.
    fn learn(&mut self, lessons: &[Lesson]) -> Result<usize, StoreError>;

    /// One station.
    fn station(&self, tenant: &Tenant, id: &StationId) -> Result<StationRecord, StoreError>;

    /// All stations, or those of one tenant, by tenant and then identity, byte for byte.
    fn stations(&self, tenant: Option<&Tenant>) -> Result<Vec<StationRecord>, StoreError>;

    /// How many stations are registered.
    fn stations_count(&self) -> Result<u64, StoreError>;

    /// The route table, in the order in which it was written.
    fn routes(&self) -> Result<Vec<Route>, StoreError>;

    /// Replaces those routes that came from the configuration file by these, in one go.
    fn replace_file_routes(&mut self, routes: &[Route]) -> Result<(), StoreError>;

    /// Whom an operator has reduced to TLS, authentication and relay.
    fn way_back(&self) -> Result<WayBack, StoreError>;

    /// Makes it these and no others.
    fn set_relaxed(&mut self, relaxed: &Relaxed) -> Result<(), StoreError>;

    /// Changes whenever anything above has changed, by whichever process; never else.
    fn revision(&self) -> Result<u64, StoreError>;
}
