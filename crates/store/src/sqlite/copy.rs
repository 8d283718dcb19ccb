//! Copies of the database that are whole at one moment, also while others write to it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::engine::create_private;
use super::{SqliteStore, engine_error};
use crate::StoreError;

impl SqliteStore {
    /// Writes a copy, as it is at one moment, into a file that is not there yet. What was removed from
    /// the database is not in it.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        copy(&self.connection, path)
    }
}

/// Where the copy stands that is made before the schema moves on from that one.
pub(super) fn beside(path: &Path, schema: u32) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".schema-{schema}"));
    PathBuf::from(name)
}

pub(super) fn copy(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let unopened = |why: String| StoreError::Unopened {
        path: path.to_owned(),
        why,
    };
    if path.metadata().is_ok_and(|there| there.len() > 0) {
        return Err(unopened("it is there already".to_owned()));
    }
    // Made first, for its owner alone; SQLite writes into a file that is empty.
    create_private(path).map_err(|error| unopened(error.to_string()))?;
    let Some(name) = path.to_str() else {
        return Err(unopened("its name is not UTF-8".to_owned()));
    };
    connection
        .execute("VACUUM INTO ?1", [name])
        .map_err(engine_error)?;
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| unopened(error.to_string()))
}
