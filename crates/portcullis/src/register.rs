//! The register as the commands use it: the configuration says where, the key file opens it.

use std::path::Path;

use store::{KeyFile, SqliteStore};

use crate::config::Config;
use crate::{Failure, Problem};

/// Configuration, key and store, opened together.
pub(crate) struct Register {
    pub(crate) key: KeyFile,
    pub(crate) store: SqliteStore,
}

impl Register {
    /// Opens the register that this configuration names.
    pub(crate) fn open(config_path: &Path) -> Result<Register, Failure> {
        Register::of(&Config::load(config_path)?)
    }

    /// Opens the register of a configuration; the key file is made where neither it nor the store
    /// is there yet.
    pub(crate) fn of(config: &Config) -> Result<Register, Failure> {
        let path = &config.key_file.value;
        // A lost key is not replaced in silence: the store that needs it would look damaged.
        let key = match config.store.value.exists() {
            true => KeyFile::open(path),
            false => KeyFile::open_or_create(path),
        };
        let key = key.map_err(|error| at_line(error.into(), config, config.key_file.line))?;
        let store = SqliteStore::open(&config.store.value, &key)
            .map_err(|error| at_line(error.into(), config, config.store.line))?;
        Ok(Register { key, store })
    }
}

/// Says which line of the configuration led there.
fn at_line(failure: Failure, config: &Config, line: usize) -> Failure {
    let place = |problem: Problem| problem.in_file(config.name.clone()).at_line(line);
    Failure {
        problems: failure.problems.into_iter().map(place).collect(),
        ..failure
    }
}
