//! Every promise of [`Store`], walked one by one. An engine that passes [`run`] may stand behind the
//! gate; the SQLite one does so in its tests, and the next one will have to.
//!
//! Promises return what broke instead of panicking, so that the suite is ordinary code.

mod changes;
pub mod memories;
mod promises;
mod records;
pub mod refused;

use crate::{Store, StoreError};

/// Opens the same store once more: another handle, as another process would have.
pub type Reopen = Box<dyn Fn() -> Result<Box<dyn Store>, StoreError> + Send + Sync>;

/// A promise that was not kept.
#[derive(Debug, thiserror::Error)]
#[error("the store breaks its promise {promise:?}: {what}")]
pub struct Broken {
    /// Which promise.
    pub promise: &'static str,
    /// What was seen instead.
    pub what: String,
}

/// What one promise has to say: nothing, or what it saw.
type Kept = Result<(), String>;

/// Walks every promise, each in a fresh and empty store of its own.
pub fn run(mut fresh: impl FnMut() -> Reopen) -> Result<(), Broken> {
    for (promise, walk) in promises::ALL {
        walk(&fresh()).map_err(|what| Broken { promise, what })?;
    }
    Ok(())
}

/// The promises by name, for a report.
pub fn names() -> impl Iterator<Item = &'static str> {
    promises::ALL.iter().map(|(name, _)| *name)
}

fn open(reopen: &Reopen) -> Result<Box<dyn Store>, String> {
    reopen().map_err(|error| format!("it does not open: {error}"))
}

/// Says what was seen unless it is so.
fn hold(so: bool, what: impl Into<String>) -> Kept {
    if so { Ok(()) } else { Err(what.into()) }
}

/// An error where none belongs.
fn fine<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("an error where none belongs: {error}"))
}
