//! Every promise of [`Append`], walked one by one. Whatever passes [`run`] may take the gate's records
//! in: segments do, and a stream of another system that is to stand in their place will have to.
//!
//! Promises return what broke instead of panicking, so that the suite is ordinary code.

mod promises;

use std::sync::Arc;

use crate::Append;

/// What takes records in, started anew in every promise, always over the same place.
pub trait Engine {
    /// Starts it.
    fn start(&self) -> Result<Running, String>;

    /// From now on nothing can be written, as on a full disk; or everything can again.
    fn stall(&self, stalled: bool);

    /// Every record there is, in its order. Asked while nothing runs.
    fn records(&self) -> Result<Vec<Vec<u8>>, String>;
}

/// One that was started.
pub struct Running {
    /// Takes records in.
    pub append: Arc<dyn Append>,
    /// Writes what waits, and ends.
    pub close: Box<dyn FnOnce()>,
}

/// A promise that was not kept.
#[derive(Debug, thiserror::Error)]
#[error("the promise {promise:?} is broken: {what}")]
pub struct Broken {
    /// Which promise.
    pub promise: &'static str,
    /// What was seen instead.
    pub what: String,
}

/// Walks every promise, each with a fresh engine of its own.
pub fn run<E: Engine>(mut fresh: impl FnMut() -> E) -> Result<(), Broken> {
    for (promise, walk) in promises::ALL {
        walk(&fresh()).map_err(|what| Broken { promise, what })?;
    }
    Ok(())
}

/// The promises by name, for a report.
pub fn names() -> impl Iterator<Item = &'static str> {
    promises::ALL.iter().map(|(name, _)| *name)
}
