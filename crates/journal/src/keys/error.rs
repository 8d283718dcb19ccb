//! What can be wrong with a key, and what to do about it. No error holds a byte of one.

use std::io;
use std::path::PathBuf;

use crate::Day;

use super::KeyKind;

/// A key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The root's file is not where the configuration says.
    #[error(
        "the root key's file {} is not there: bring it back from where you keep its copy; \
         without it nothing that was recorded can be read", path.display()
    )]
    RootMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The age file does not open with this passphrase.
    #[error(
        "the passphrase does not open {}: it is another one, or the file is another one", path.display()
    )]
    WrongPassphrase {
        /// The age file.
        path: PathBuf,
    },
    /// The age file opens for none of the identities.
    #[error(
        "no identity in {} opens {}: encrypt the root for one of them with `age -R`, or name the \
         identity file that it was encrypted for", identity.display(), path.display()
    )]
    WrongIdentity {
        /// The age file.
        path: PathBuf,
        /// The identity file.
        identity: PathBuf,
    },
    /// The identity file holds something else.
    #[error(
        "{} is no age identity file: it should hold a line that begins with AGE-SECRET-KEY-1, as \
         `age-keygen` writes it", path.display()
    )]
    NotIdentities {
        /// The identity file.
        path: PathBuf,
    },
    /// It opens with a passphrase, and an identity was given, or the other way round.
    #[error("{} opens with {wants}, and {given} was given", path.display())]
    OtherOpener {
        /// The age file.
        path: PathBuf,
        /// What it opens with.
        wants: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// The file is not in age's format.
    #[error(
        "{} is no age file: encrypt the root with `age`, or make one with `portcullis journal init`",
        path.display()
    )]
    NotAge {
        /// The file.
        path: PathBuf,
    },
    /// The age file asks for more work than a start may cost.
    #[error(
        "{} asks for 2^{required} steps of scrypt to open, and 2^{max} are the limit: encrypt it \
         anew with `age`, which asks for 2^18", path.display()
    )]
    TooMuchWork {
        /// The age file.
        path: PathBuf,
        /// The work factor it asks for.
        required: u8,
        /// The highest that is done.
        max: u8,
    },
    /// An environment variable that should hold a key or a passphrase is not set.
    #[error("the environment variable {name} is not set, or is empty")]
    VariableMissing {
        /// Its name.
        name: String,
    },
    /// A systemd credential that should hold a key or a passphrase is not there.
    #[error(
        "systemd handed over no credential {name}: name it in the unit, as \
         LoadCredentialEncrypted={name} or LoadCredential={name}:<path>"
    )]
    CredentialMissing {
        /// Its name.
        name: String,
    },
    /// What was found where the root should be is no root.
    #[error(
        "{place} holds no root key: 32 random bytes are asked for, as 64 hexadecimal digits or in \
         base64 (`openssl rand -hex 32`)"
    )]
    NotARoot {
        /// Where it was looked for.
        place: String,
    },
    /// There is no record here yet.
    #[error("{} holds no keys of a record yet: make them with `portcullis journal init`", dir.display())]
    NotInitialised {
        /// Where they should be.
        dir: PathBuf,
    },
    /// Keys of days are there, and the log key is not.
    #[error(
        "{} holds keys and no log.key: bring log.key back from a backup; a new one would sign a \
         record that no witness knows", dir.display()
    )]
    LogKeyMissing {
        /// Where it should be.
        dir: PathBuf,
    },
    /// There is no such key: never made, or destroyed when its retention ended.
    #[error("there is no {kind} of {day}: its retention has ended, or {} was lost", path.display())]
    Missing {
        /// Which kind of key.
        kind: KeyKind,
        /// Of which day.
        day: Day,
        /// Where it would be.
        path: PathBuf,
    },
    /// A key file that this root does not open.
    #[error(
        "the root key does not open {}: it was sealed under another root, or the file is damaged; \
         nothing has been changed", path.display()
    )]
    Sealed {
        /// The key file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{} could not be {doing}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes; no key was made")]
    NoRandomness,
}
