//! What happened: every event becomes a record that is encrypted, names nobody, and cannot be changed
//! unnoticed.

mod day;
mod handle;
pub mod keys;
pub mod proof;
pub mod record;
pub mod vault;

pub use day::Day;
pub use handle::Handle;
pub use keys::{KeyError, KeyRing, Root, RootSource, SegmentKey, SegmentKeys};
pub use vault::{Vault, VaultError, VaultSettings};
