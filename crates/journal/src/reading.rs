//! The record as it is read: searched, shown, followed, and request and answer put together.

mod exchange;
mod facts;
mod query;
mod reader;
mod search;
mod trace;

pub use exchange::{Exchange, Exchanges, OPEN_CALLS_MAX};
pub(crate) use facts::handles_in;
pub use facts::{Envelope, Facts};
pub use query::{Order, Query};
pub use reader::{INDEX_CACHE_BYTES_MAX, Reader, Record, ShownRecord};
pub use search::Search;
pub use trace::{SESSIONS_MAX, Traces};

#[cfg(test)]
mod tests;
