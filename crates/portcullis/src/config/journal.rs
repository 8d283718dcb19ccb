//! `[journal]`: whether a record is kept, where, and under which root key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use journal::RootSource;
use journal::keys::Opener;
use journal::vault::Retention;

use super::source::Placed;
use super::table::Section;
use super::{CREDENTIAL, located};

/// What the file says about the record.
#[derive(Clone, Debug)]
pub struct JournalConfig {
    /// Where segments, tiles, keys and pseudonyms are.
    pub directory: Placed<PathBuf>,
    /// Where the keys are that tie pseudonyms to identifiers; never part of a backup.
    pub subject_keys: Placed<PathBuf>,
    /// The root key.
    pub root: RootSource,
    /// What the log is called in its checkpoints.
    pub origin: String,
    /// How long records gather before they are written and made durable together.
    pub commit: Duration,
    /// How long a message waits until its record is durable at most; `None`: messages do not wait.
    pub wait: Option<Duration>,
    /// Tenants whose stations are not recorded.
    pub not_for: BTreeSet<String>,
    /// Stations at people's homes: identities, or how they begin and `*`.
    pub private: Vec<String>,
    /// What waits while the record cannot be written, in bytes.
    pub waiting_bytes_max: usize,
    /// Days after which the same identifier gets another pseudonym.
    pub epoch_days: u32,
    /// Days after which a backup of the record reveals nobody any more.
    pub backup_days: u32,
    /// How long what is kept.
    pub retention: Retention,
}

impl JournalConfig {
    /// Where the keys of segments and texts are, and that of the log.
    pub(crate) fn keys(&self) -> PathBuf {
        self.directory.value.join("keys")
    }

    /// Whether a station stands at somebody's home, so that its identity is a person's.
    pub(crate) fn is_private(&self, identity: &str) -> bool {
        self.private
            .iter()
            .any(|named| match named.strip_suffix('*') {
                Some(start) => identity.starts_with(start),
                None => identity == named,
            })
    }

    /// The files that a record cannot be opened without.
    pub(crate) fn key_files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.keys().join("log.key")];
        if let RootSource::Age { file, opener } = &self.root {
            files.push(file.clone());
            if let Opener::PassphraseFile(path) | Opener::Identity(path) = opener {
                files.push(path.clone());
            }
        }
        files
    }
}

/// Begins the name of an environment variable in place of a file.
const VARIABLE: &str = "env:";
/// Some ten years.
const DAYS_MAX: u64 = 3660;

/// `None` without a section: no record is kept.
pub(super) fn journal(mut section: Section<'_>, directory: &Path) -> Option<JournalConfig> {
    let is_there = section.is_there();
    let (path, subject_keys) = places(&mut section, directory);
    let root = root(&mut section, directory);
    let origin = origin(&mut section);
    let (commit, wait) = pace(&mut section);
    let not_for = section.texts("not_for_tenants");
    let private = section.texts("private_stations");
    let waiting = section.number("waiting_mb", 1..=4096, 64);
    let config = JournalConfig {
        directory: path,
        subject_keys,
        root,
        origin,
        commit,
        wait,
        not_for: not_for.into_iter().map(|tenant| tenant.value).collect(),
        private: private.into_iter().map(|station| station.value).collect(),
        waiting_bytes_max: usize::try_from(waiting << 20).unwrap_or(usize::MAX),
        epoch_days: days(&mut section, "epoch_days", 90),
        backup_days: days(&mut section, "backup_days", 7),
        retention: Retention {
            identifiers_days: days(&mut section, "identifiers_days", 180),
            texts_days: days(&mut section, "texts_days", 30),
            records_days: days(&mut section, "records_days", 365),
        },
    };
    section.finish();
    is_there.then_some(config)
}

/// Where the record is, and the keys that no backup may hold.
fn places(section: &mut Section<'_>, directory: &Path) -> (Placed<PathBuf>, Placed<PathBuf>) {
    let line = section.line;
    let place = |text: Option<Placed<String>>, default: &str| match text {
        Some(text) => text.with(located(directory, &text.value)),
        None => Placed {
            value: directory.join(default),
            line,
        },
    };
    let path = place(section.text("directory"), "journal");
    let subject_keys = place(section.text("subject_keys"), "journal-keys");
    if section.is_there() && subject_keys.value.starts_with(&path.value) {
        section.problem(
            subject_keys.line,
            "`subject_keys` lies inside `directory`, and would be backed up with it",
            "Name a directory beside it, and leave that one out of every backup: erasing somebody \
             relies on it.",
        );
    }
    (path, subject_keys)
}

fn origin(section: &mut Section<'_>) -> String {
    let Some(origin) = section.text("origin") else {
        return "portcullis".to_owned();
    };
    let is_unfit = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if origin.value.contains(is_unfit) {
        section.problem(
            origin.line,
            format!("`origin` is \"{}\"", origin.value.escape_debug()),
            "Write a name without spaces and `+`, such as \"gate.example.com/record\".",
        );
    }
    origin.value
}

/// How long records gather, and how patiently messages wait for them, where they do.
fn pace(section: &mut Section<'_>) -> (Duration, Option<Duration>) {
    let waits = section.flag("wait_for_disk", false);
    let patience = Duration::from_millis(section.number("wait_patience_ms", 50..=10_000, 2000));
    // A message and its answer both wait that long before the disk is even asked.
    let (commit_min, commit) = if waits { (1, 2) } else { (10, 100) };
    let commit = section.number("commit_ms", commit_min..=10_000, commit);
    let commit = Duration::from_millis(commit);
    if waits && commit >= patience {
        section.problem(
            section.line,
            "no message would be durable within `wait_patience_ms`: records gather for `commit_ms`",
            "Take `commit_ms` out (2 ms where messages wait), or be more patient.",
        );
    }
    (commit, waits.then_some(patience))
}

fn days(section: &mut Section<'_>, key: &'static str, default: u64) -> u32 {
    u32::try_from(section.number(key, 1..=DAYS_MAX, default)).unwrap_or(u32::MAX)
}

/// An age file and what opens it, or the root itself from the environment or systemd.
fn root(section: &mut Section<'_>, directory: &Path) -> RootSource {
    let root = section.text("root");
    let passphrase = section.text("root_passphrase");
    let identity = section.text("root_identity");
    let line = root.as_ref().map_or(section.line, |root| root.line);
    let named = root.map_or_else(|| "keys/journal.age".to_owned(), |root| root.value);
    let bare = match (named.strip_prefix(VARIABLE), named.strip_prefix(CREDENTIAL)) {
        (Some(name), _) => Some(RootSource::Environment { name: name.into() }),
        (_, Some(name)) => Some(RootSource::Credential { name: name.into() }),
        _ => None,
    };
    let openers = usize::from(passphrase.is_some()) + usize::from(identity.is_some());
    match (&bare, openers) {
        (Some(_), 1..) => section.problem(
            line,
            "`root` holds the root itself, and something is named to open it with",
            "Take `root_passphrase` and `root_identity` out, or name an age file as `root`.",
        ),
        (None, 2..) => section.problem(
            line,
            "both `root_passphrase` and `root_identity` are named",
            "Keep the one that opens the age file.",
        ),
        _ => {}
    }
    let opener = match (passphrase, identity) {
        (_, Some(file)) => Opener::Identity(located(directory, &file.value)),
        (Some(named), None) => {
            let variable = named.value.strip_prefix(VARIABLE);
            let credential = named.value.strip_prefix(CREDENTIAL);
            match (variable, credential) {
                (Some(name), _) => Opener::PassphraseVariable(name.into()),
                (_, Some(name)) => Opener::PassphraseCredential(name.into()),
                _ => Opener::PassphraseFile(located(directory, &named.value)),
            }
        }
        (None, None) => Opener::PassphraseFile(directory.join("keys/journal.passphrase")),
    };
    bare.unwrap_or_else(|| RootSource::Age {
        file: directory.join(named),
        opener,
    })
}
