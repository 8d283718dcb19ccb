//! `portcullis journal …`: the record, from outside of the running gate.

mod evidence;
mod export;
mod init;
mod lines;
mod records;
mod retention;
mod reveal;
mod search;
mod subjects;
mod tail;
mod verify;
mod witnessed;

pub(crate) use init::make_keys;

use std::path::Path;

use journal::proof::VerifierKey;
use journal::{KeyError, Vault, VaultError};

use crate::cli::JournalCommand;
use crate::config::{Config, JournalConfig};
use crate::open_record::OpenRecord;
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
        JournalCommand::Retention { now } => retention::run(&config, *now, output),
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
            purpose,
            witness,
        } => evidence::run(
            &config,
            numbers,
            into,
            (purpose, witness.as_deref()),
            output,
        ),
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

/// The record, its keys open.
fn open(config: &JournalConfig) -> Result<OpenRecord<'_>, Failure> {
    OpenRecord::new(config).map_err(|error| key_failure(&error))
}

/// Whom the record's handles stand for.
fn vault(record: &OpenRecord<'_>) -> Result<Vault, Failure> {
    record.vault().map_err(|error| vault_failure(&error))
}

/// The public key of the record's checkpoints.
fn log(record: &OpenRecord<'_>) -> Result<VerifierKey, Failure> {
    let log = record.log().map_err(|error| proof_failure(&error))?;
    Ok(log.verifier().clone())
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

/// Errors of the vault say themselves what helps.
fn vault_failure(error: &VaultError) -> Failure {
    let (what, remedy) = split(&error.to_string());
    let exit = match error {
        VaultError::Unknown | VaultError::NoCase => Exit::NotFound,
        VaultError::Held
        | VaultError::SamePerson
        | VaultError::AnotherPerson
        | VaultError::NotAgreed => Exit::Conflict,
        VaultError::NoPurpose | VaultError::TooMany { .. } => Exit::Input,
        _ => Exit::Failed,
    };
    Failure::new(exit, what, remedy)
}

/// What is wrong, and behind a colon what helps, where an error says both.
fn split(text: &str) -> (String, String) {
    match text.split_once(": ") {
        Some((what, remedy)) => (what.to_owned(), remedy.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}
