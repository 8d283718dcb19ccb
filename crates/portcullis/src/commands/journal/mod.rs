//! `portcullis journal …`: the record, from outside of the running gate.

mod init;
mod subjects;

pub(crate) use init::make_keys;

use std::path::Path;

use journal::KeyError;

use crate::cli::JournalCommand;
use crate::config::{Config, JournalConfig};
use crate::output::Output;
use crate::{Exit, Failure};

pub(crate) fn run(
    command: &JournalCommand,
    path: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let config = config(path)?;
    match command {
        JournalCommand::Init => init::run(&config, output),
        JournalCommand::Erase(who) => subjects::erase(&config, who, output),
        JournalCommand::Hold(args) => subjects::hold(&config, args, output),
        JournalCommand::Retention { now } => subjects::retention(&config, *now, output),
    }
}

/// What the configuration says of the record; without a record there is nothing to do.
fn config(path: &Path) -> Result<JournalConfig, Failure> {
    Config::load(path)?.journal.ok_or_else(|| {
        let what = format!("{} has no [journal] section", path.display());
        let remedy = "Add one; `portcullis init` shows its settings, and `portcullis journal init` \
                      makes the keys.";
        Failure::new(Exit::Input, what, remedy)
    })
}

/// Errors of keys say themselves what helps.
fn key_failure(error: &KeyError) -> Failure {
    let (what, remedy) = split(&error.to_string());
    Failure::new(Exit::Failed, what, remedy)
}

/// What is wrong, and behind a colon what helps, where an error says both.
fn split(text: &str) -> (String, String) {
    match text.split_once(": ") {
        Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}
