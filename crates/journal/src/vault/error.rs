//! What can be wrong in the vault. No error holds an identifier or a handle's original.

use std::path::PathBuf;

use crate::keys::KeyError;

/// The vault could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A key could not be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The subjects' file could not be read or written.
    #[error("{}: {source}; the road is not touched, and nothing is recorded that would need it", path.display())]
    Subjects {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The subjects' file was made by a later version.
    #[error("{} was made by a later version of portcullis (its schema is {found}, ours {known})", path.display())]
    LaterSchema {
        /// The file.
        path: PathBuf,
        /// The schema found there.
        found: i64,
        /// The latest schema that we know.
        known: i64,
    },
    /// A row's key opens it no longer, though its day's key is there.
    #[error("{}: a row does not open under the key of its day: it was changed, or moved here", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Nobody is known under that identifier or handle.
    #[error("the vault knows nobody by that: never seen, erased, or its retention has ended")]
    Unknown,
    /// A legal hold stands on the subject.
    #[error(
        "a legal hold stands on this subject: release it first (`portcullis journal hold --release`)"
    )]
    Held,
    /// More new subjects came than a day may bring.
    #[error(
        "{max} new subjects today, which is the limit: further ones are recorded as a length only"
    )]
    TooManyNew {
        /// The limit.
        max: u32,
    },
}
