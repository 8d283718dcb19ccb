//! `portcullis journal init`: the root key, and the directories of a record.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use journal::keys::Opener;
use journal::{KeyRing, Root, RootSource};
use serde::Serialize;
use zeroize::Zeroizing;

use super::key_failure;
use crate::Failure;
use crate::config::JournalConfig;
use crate::output::Output;

#[derive(Serialize)]
struct Made {
    directory: String,
    subject_keys: String,
    root: String,
    /// A passphrase file that was not there before.
    passphrase: Option<String>,
}

/// Random bytes behind a passphrase that nobody has to remember.
const PASSPHRASE_BYTES: usize = 20;

pub(super) fn run(config: &JournalConfig, output: &mut Output) -> Result<(), Failure> {
    let passphrase = make_keys(config)?;
    let made = Made {
        directory: config.directory.value.display().to_string(),
        subject_keys: config.subject_keys.value.display().to_string(),
        root: match &config.root {
            RootSource::Age { file, .. } => file.display().to_string(),
            RootSource::Environment { name } => format!("${name}"),
            RootSource::Credential { name } => format!("credential {name}"),
        },
        passphrase,
    };
    output.result(&made, || in_words(&made))
}

/// Makes what is not there; gives the passphrase file if it was drawn now.
pub(crate) fn make_keys(config: &JournalConfig) -> Result<Option<String>, Failure> {
    let (root, passphrase) = match &config.root {
        RootSource::Age { file, opener } if !file.exists() => make(file, opener)?,
        there => (there.open().map_err(|error| key_failure(&error))?, None),
    };
    let ring = KeyRing::init(root, &config.keys(), &config.subject_keys.value);
    ring.map_err(|error| key_failure(&error))?;
    Ok(passphrase)
}

fn in_words(made: &Made) -> String {
    let mut words = format!(
        "{}  the root key; keep a copy: nothing recorded can be read without it\n",
        made.root
    );
    if let Some(passphrase) = &made.passphrase {
        words += &format!(
            "{passphrase}  what opens it, drawn just now; keep a copy apart from the root's\n"
        );
    }
    words
        + &format!(
            "{}  the record\n{}  the keys behind pseudonyms; leave them out of every backup\n\n\
             The gate records from its next start on, or after `portcullis upgrade`.",
            made.directory, made.subject_keys
        )
}

/// Draws a root into a new age file.
fn make(file: &Path, opener: &Opener) -> Result<(Root, Option<String>), Failure> {
    let key = |error| key_failure(&error);
    let root = Root::draw().map_err(key)?;
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut drawn = None;
    if let Opener::PassphraseFile(path) = opener
        && !path.exists()
    {
        draw_passphrase(path)?;
        drawn = Some(path.display().to_string());
    }
    root.write_for(file, opener).map_err(key)?;
    Ok((root, drawn))
}

fn draw_passphrase(path: &Path) -> Result<(), Failure> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut drawn = Zeroizing::new([0; PASSPHRASE_BYTES]);
    getrandom::fill(&mut *drawn).map_err(std::io::Error::from)?;
    let digits = drawn.iter().map(|byte| format!("{byte:02x}"));
    let passphrase = Zeroizing::new(digits.collect::<String>());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", *passphrase)?;
    file.sync_all()?;
    Ok(())
}
