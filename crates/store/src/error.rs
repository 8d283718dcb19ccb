//! What can go wrong with the register, whose fault it is, and what to do about it.

use std::path::PathBuf;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such station.
    #[error("no station {identity} is registered for tenant {tenant}")]
    Unknown {
        /// Which was asked for.
        identity: String,
        /// Of whom.
        tenant: String,
    },
    /// The identity is taken.
    #[error("station {identity} is already registered for tenant {tenant}")]
    Exists {
        /// Which.
        identity: String,
        /// Of whom.
        tenant: String,
    },
    /// The identity is taken by one that differs from it only in case.
    #[error("station {identity} differs only in case from {existing}, which is registered")]
    ExistsInOtherCase {
        /// The one that was to be added.
        identity: String,
        /// The one that is there.
        existing: String,
    },
    /// One certificate proves one station (threat A12).
    #[error("the certificate of station {identity} is already that of station {existing}")]
    CertificateTaken {
        /// The one that was to be added.
        identity: String,
        /// The one that has the certificate.
        existing: String,
    },
    /// Two routes cannot have one name.
    #[error("the route name {id} or its path is already taken by another route")]
    RouteTaken {
        /// The name.
        id: String,
    },
    /// The database cannot be opened or made.
    #[error("{}: cannot be opened: {why}", path.display())]
    Unopened {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A newer program has written the database.
    #[error("{}: is of schema {found}, and this program knows schemas up to {known}", path.display())]
    NewerSchema {
        /// Where.
        path: PathBuf,
        /// The schema found there.
        found: u32,
        /// The newest that we know.
        known: u32,
    },
    /// The database was made with another key file.
    #[error("{}: was made with key {wanted}, and the key file holds {held}", path.display())]
    OtherKey {
        /// Where.
        path: PathBuf,
        /// The name of the key it was made with.
        wanted: String,
        /// The name of the key that we have.
        held: String,
    },
    /// Something is stored that cannot be read back.
    #[error("the store holds something that cannot be read: {what}")]
    Damaged {
        /// What, by its name.
        what: String,
    },
    /// The disk is full.
    #[error("the disk that holds the store is full")]
    Full,
    /// Somebody else is writing, and did not stop in time.
    #[error("the store was busy with another program for too long")]
    Busy,
    /// We may read it, and not write it.
    #[error("the store is read-only")]
    ReadOnly,
    /// The engine failed otherwise.
    #[error("the store failed: {0}")]
    Engine(String),
}

impl StoreError {
    /// What the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            StoreError::Unknown { .. } => {
                "See `portcullis station list` for what is registered; identities are case-sensitive."
            }
            StoreError::Exists { .. } => "Remove the registered one first, or leave this one out.",
            StoreError::ExistsInOtherCase { .. } => {
                "Use the registered spelling, or remove the registered station first."
            }
            StoreError::CertificateTaken { .. } => {
                "Give each station a certificate of its own: `portcullis ca issue station`."
            }
            StoreError::RouteTaken { .. } => "Give each route a name and a path of its own.",
            StoreError::Unopened { .. } => {
                "See that the directory exists and that this user may write in it."
            }
            StoreError::NewerSchema { .. } => {
                "Run the newer version of Portcullis that wrote it, or restore the copy of the database from before that upgrade."
            }
            StoreError::OtherKey { .. } => {
                "Bring back the key file that the database was made with. If it is lost, so are the upstream passwords and the passwords of stations: move the database away and import the stations anew."
            }
            StoreError::Damaged { .. } => {
                "Restore the database from a backup, or remove that entry and add it anew."
            }
            StoreError::Full => "Make room on that disk; nothing was written by halves.",
            StoreError::Busy => "Try again; if it stays so, see which program holds the database.",
            StoreError::ReadOnly => {
                "Give this user the right to write the database and its directory."
            }
            StoreError::Engine(_) => {
                "See `portcullis doctor`; restore from a backup if the disk is at fault."
            }
        }
    }

    /// Whether it is the caller's input that is at odds with what is registered.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            StoreError::Exists { .. }
                | StoreError::ExistsInOtherCase { .. }
                | StoreError::CertificateTaken { .. }
                | StoreError::RouteTaken { .. }
        )
    }
}

/// Why an import changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// These rows cannot be registered; nor was any other.
    #[error("{} stations cannot be registered, so none was", .0.len())]
    Rejected(Vec<Rejected>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One row of an import that cannot be registered.
#[derive(Debug)]
pub struct Rejected {
    /// Its place among the stations given, from 0.
    pub index: usize,
    /// Why not.
    pub why: StoreError,
}
