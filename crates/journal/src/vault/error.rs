//! What can be wrong in the vault. No error holds an identifier or a handle's original.

use std::path::PathBuf;

use crate::keys::KeyError;
use crate::segments::JournalError;

/// The vault could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A key could not be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Which records a day holds could not be read.
    #[error(transparent)]
    Records(#[from] JournalError),
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
    /// Originals are shown for a purpose only.
    #[error("no purpose is named: say what the originals are for; the record keeps it")]
    NoPurpose,
    /// A request for more than is ever shown at once.
    #[error("more than {max} originals in one request: ask for fewer at a time")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// There is no such request, or it is older than a day.
    #[error("no request waits under that case number: it is another one, or older than a day")]
    NoCase,
    /// Whoever asked cannot be the one who agrees.
    #[error("whoever asked cannot agree to it: another person has to")]
    SamePerson,
    /// Only whoever asked gets the answer.
    #[error("somebody else has asked for these: the answer is theirs")]
    AnotherPerson,
    /// Nobody has agreed yet.
    #[error("nobody has agreed to it yet: another person has to, with `portcullis journal agree`")]
    NotAgreed,
}
