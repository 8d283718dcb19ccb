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
struct Written {
    configuration: String,
}

#[derive(Serialize)]
struct Made {
    configuration: String,
    key_file: String,
    key_name: String,
}

/// Where our systemd unit and Debian package want the store and the key: the configuration's own
/// directory can only be read from there.
const SERVICE_FILES: [(&str, &str); 2] = [
    (
        "path = \"portcullis.db\"",
        "path = \"/var/lib/portcullis/portcullis.db\"",
    ),
    (
        "file = \"keys/portcullis.key\"",
        "file = \"/var/lib/portcullis/keys/portcullis.key\"",
    ),
];

pub(crate) fn run(path: &Path, service: bool, output: &mut Output) -> Result<(), Failure> {
    let mut text = EXAMPLE.to_owned();
    if service {
        for (usual, there) in SERVICE_FILES {
            text = text.replace(usual, there);
        }
        write_new(path, &text)?;
        let made = Written {
            configuration: path.display().to_string(),
        };
        return output.result(&made, || {
            format!(
                "{}  the configuration, for the service; read it, and set your CSMS in [[route]]\n\n\
                 Next: certificates (your own, or `portcullis ca init`), then, as the service's user, \
                 `portcullis check`. The key is made at the first start; keep a copy, apart from the \
                 copies of the store.",
                made.configuration
            )
        });
    }
    write_new(path, &text)?;
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

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
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
    file.write_all(text.as_bytes())?;
    Ok(())
}
