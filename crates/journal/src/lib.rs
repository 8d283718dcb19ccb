//! What happened: every event becomes a record that is encrypted, names nobody, and cannot be changed
//! unnoticed.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Duration};
//!
//! use guard::UnixMillis;
//! use journal::proof::LogKey;
//! use journal::{Append, Appended, Entry, Journal, KeyRing, Root, Settings, Weight};
//!
//! let dir = tempfile::tempdir()?;
//! let keys = KeyRing::init(Root::draw()?, &dir.path().join("keys"), &dir.path().join("keks"))?;
//! let log = LogKey::new("gate.example/journal", keys.log_key())?;
//! let journal = Journal::open(&Settings::new(dir.path()), Arc::new(keys), log)?;
//!
//! let appender = journal.appender();
//! let appended = appender.append(&Entry {
//!     at: UnixMillis(1_795_305_600_123),
//!     weight: Weight::Kept,
//!     json: br#"{"at":1795305600123,"kind":"connected","tenant":"cpo","station":"CS-0001"}"#,
//!     station: Some("CS-0001"),
//!     action: None,
//!     refused: false,
//!     handles: &[],
//! });
//! // Whoever has to be sure waits; nobody else does.
//! if let Appended::Queued(ticket) = appended {
//!     appender.wait_durable(ticket, Duration::from_secs(5))?;
//! }
//! assert_eq!(journal.health().records, 1);
//! journal.close();
//! # Ok(())
//! # }
//! ```

mod append;
pub mod conformance;
mod day;
mod handle;
mod journal;
pub mod keys;
pub mod proof;
pub mod reading;
pub mod record;
pub mod segments;
mod sheet;
pub mod vault;

pub use append::{Append, Appended, Entry, Lost, NotDurable, Ticket, Weight};
pub use day::Day;
pub use handle::Handle;
pub use journal::{Appender, Health, Journal, Settings, State};
pub use keys::{KeyError, KeyRing, Root, RootSource, SegmentKey, SegmentKeys};
pub use reading::{Order, Query, Reader, Record};
pub use segments::JournalError;
pub use sheet::Sheet;
pub use vault::{Vault, VaultError, VaultSettings};
