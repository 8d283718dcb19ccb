//! `portcullis journal …`: the record, from outside of the running gate.

mod evidence;
mod export;
mod init;
mod lines;
mod records;
mod reveal;
mod search;
mod subjects;
mod tail;
mod verify;
mod witnessed;

pub(crate) use init::make_keys;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::proof::{LogKey, VerifierKey};
use journal::{KeyError, KeyRing};

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
        JournalCommand::Search(args) => search::search(&config, args, output),
        JournalCommand::Show { number } => search::show(&config, *number, output),
        JournalCommand::Tail(args) => tail::run(&config, args, output),
        JournalCommand::Export(args) => export::run(&config, args, output),
        JournalCommand::Erase(who) => subjects::erase(&config, who, output),
        JournalCommand::Hold(args) => subjects::hold(&config, args, output),
        JournalCommand::Reveal(args) => reveal::reveal(&config, args, output),
        JournalCommand::Agree { case } => reveal::agree(&config, case, output),
        JournalCommand::Retention { now } => subjects::retention(&config, *now, output),
        JournalCommand::Verify { witnessed, witness } => {
            verify::run(&config, witnessed.as_deref(), witness.as_deref(), output)
        }
        JournalCommand::PublicKey => witnessed::public_key(&config, output),
        JournalCommand::AskWitness { seen } => witnessed::ask(&config, *seen),
        JournalCommand::Witnessed { witness, file } => {
            witnessed::keep(&config, witness, file.as_deref(), output)
        }
        JournalCommand::Evidence {
            numbers,
            into,
            witness,
        } => evidence::run(&config, numbers, into, witness.as_deref(), output),
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

/// The record's keys, and the public key of its checkpoints.
fn open(config: &JournalConfig) -> Result<(Arc<KeyRing>, VerifierKey), Failure> {
    let failed = |error: KeyError| key_failure(&error);
    let root = config.root.open().map_err(failed)?;
    let keys = KeyRing::open(root, &config.keys(), &config.subject_keys.value).map_err(failed)?;
    let log = LogKey::new(&config.origin, keys.log_key()).map_err(|error| proof_failure(&error))?;
    Ok((Arc::new(keys), log.verifier().clone()))
}

/// Where the tree and its checkpoints are.
fn tree(config: &JournalConfig) -> PathBuf {
    config.directory.value.join("tree")
}

/// A public key from the command line.
fn verifier(key: &str) -> Result<VerifierKey, Failure> {
    key.parse::<VerifierKey>()
        .map_err(|error| Failure::new(Exit::Input, error.to_string(), ""))
}

/// Errors of proofs say themselves what helps.
fn proof_failure(error: &impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, error.to_string(), "")
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
