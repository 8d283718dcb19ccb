//! `portcullis init`: a commented configuration and a key file, where there are none.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use store::{KeyFile, KeyFileError};

use crate::config::{Config, EXAMPLE};
use crate::output::Output;
use crate::{Exit, Failure};

#[derive(Serialize)]
struct Made {
    configuration: String,
    key_file: String,
    key_name: String,
}

pub(crate) fn run(path: &Path, output: &mut Output) -> Result<(), Failure> {
    write_new(path)?;
    let config = Config::load(path)?;
    // A key that is there stays: another configuration may have been removed and is made anew.
    let key = match KeyFile::create(&config.key_file.value) {
        Err(KeyFileError::Exists(path)) => KeyFile::open(&path)?,
        other => other?,
    };
    let made = Made {
        configuration: path.display().to_string(),
        key_file: config.key_file.value.display().to_string(),
        key_name: key.name(),
    };
    output.result(&made, || {
        format!(
            "{}  the configuration; read it, and set your CSMS in [[route]]\n\
             {}  the key; keep a copy, apart from the copies of the store\n\n\
             Next: certificates (your own, or `portcullis ca init`), then `portcullis check`.",
            made.configuration, made.key_file
        )
    })
}

fn write_new(path: &Path) -> Result<(), Failure> {
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(directory)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(
            Exit::Conflict,
            format!("{}: there is a configuration already", path.display()),
            "Keep it, move it away, or name another with --config.",
        ),
        _ => Failure::new(
            Exit::Failed,
            format!("{}: {error}", path.display()),
            "See that the directory exists and that this user may write in it.",
        ),
    })?;
    file.write_all(EXAMPLE.as_bytes())?;
    Ok(())
}
