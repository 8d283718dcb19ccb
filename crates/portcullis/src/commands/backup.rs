//! `portcullis backup` and `portcullis restore`: the store and the configuration as they are at one
//! moment, with a list of what is there. The key file is not part of it: whoever has both can read
//! what is sealed, so its copy is kept elsewhere.

use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use store::{KeyFile, SqliteStore, Store};

use crate::admin::Ticket;
use crate::config::Config;
use crate::output::Output;
use crate::private_file::{self, with_suffix};
use crate::register::Register;
use crate::{Exit, Failure};

const STORE: &str = "portcullis.db";
const CONFIGURATION: &str = "portcullis.toml";
const MANIFEST: &str = "manifest.json";
/// A manifest names two files.
const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// How to read the rest.
    format: u32,
    program: String,
    made_at: String,
    stations: u64,
    /// The short name of the key file that the store needs.
    key: String,
    files: Vec<File>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    name: String,
    sha256: String,
}

const FORMAT: u32 = 1;

pub(crate) fn backup(config: &Path, into: &Path, output: &mut Output) -> Result<(), Failure> {
    let register = Register::open(config)?;
    if into.exists() {
        let what = format!("{} is there already", into.display());
        let remedy = "Name a directory that is not there yet: a backup overwrites nothing.";
        return Err(Failure::new(Exit::Conflict, what, remedy));
    }
    // Whatever breaks off in between leaves a directory that is no backup yet, by its name.
    let parts = with_suffix(into, ".part");
    let _ = std::fs::remove_dir_all(&parts);
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(&parts)
        .map_err(|error| failed(&parts, &error))?;
    register.store.copy_to(&parts.join(STORE))?;
    let text = std::fs::read(config).map_err(|error| failed(config, &error))?;
    write_private(&parts.join(CONFIGURATION), &text)?;
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: jiff::Timestamp::now().to_string(),
        stations: register.store.stations_count()?,
        key: register.key.name(),
        files: [STORE, CONFIGURATION]
            .into_iter()
            .map(|name| digest(&parts, name))
            .collect::<Result<_, _>>()?,
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    write_private(&parts.join(MANIFEST), text.as_bytes())?;
    std::fs::rename(&parts, into).map_err(|error| failed(into, &error))?;
    output.result(&manifest, || {
        format!(
            "{} holds the store ({} stations) and the configuration. The key file {} is not in it: \
             keep a copy of that elsewhere, or the store cannot be opened again.",
            into.display(),
            manifest.stations,
            manifest.key
        )
    })
}

pub(crate) fn restore(
    config: &Path,
    from: &Path,
    force: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let manifest = read_manifest(from)?;
    for file in &manifest.files {
        if digest(from, &file.name)?.sha256 != file.sha256 {
            let what = format!(
                "{} is not as it was backed up",
                from.join(&file.name).display()
            );
            return Err(Failure::new(Exit::Input, what, "Take another backup."));
        }
    }
    let settings = Config::load(config)?;
    let target = &settings.store.value;
    if Ticket::read(target).is_ok_and(|ticket| is_running(&ticket)) {
        let what = format!("a gate runs on {}", target.display());
        return Err(Failure::new(Exit::Conflict, what, "Stop it first."));
    }
    if target.exists() && !force {
        let what = format!("{} is there already", target.display());
        let remedy = "`--force` puts it aside, beside itself with the ending .replaced.";
        return Err(Failure::new(Exit::Conflict, what, remedy));
    }
    let key = KeyFile::open(&settings.key_file.value)?;
    let new = with_suffix(target, ".restoring");
    remove_database(&new);
    std::fs::copy(from.join(STORE), &new).map_err(|error| failed(&new, &error))?;
    // Opened once before it takes the place: the key fits, and the schema is brought up to date.
    let opened = SqliteStore::open(&new, &key).and_then(|store| store.stations_count());
    let stations = opened.inspect_err(|_| remove_database(&new))?;
    put_in_place(&new, target)?;
    output.result(&manifest, || {
        format!(
            "{} holds the {stations} stations of {}. The configuration in the backup was left where it \
             is: compare it with {}.",
            target.display(),
            manifest.made_at,
            config.display()
        )
    })
}

fn read_manifest(from: &Path) -> Result<Manifest, Failure> {
    let path = from.join(MANIFEST);
    let length = std::fs::metadata(&path)
        .map_err(|error| failed(&path, &error))?
        .len();
    let text = match length {
        0..=MANIFEST_BYTES_MAX => std::fs::read(&path).map_err(|error| failed(&path, &error))?,
        _ => Vec::new(),
    };
    let manifest = serde_json::from_slice::<Manifest>(&text).ok();
    let known = |manifest: &Manifest| {
        let named = |file: &File| [STORE, CONFIGURATION].contains(&file.name.as_str());
        manifest.format == FORMAT && manifest.files.iter().all(named)
    };
    manifest.filter(known).ok_or_else(|| {
        let what = format!(
            "{} is no list of a backup that this program can read",
            path.display()
        );
        Failure::new(
            Exit::Input,
            what,
            "Name a directory that `portcullis backup` has made.",
        )
    })
}

/// The ticket may be that of a gate that was killed.
fn is_running(ticket: &Ticket) -> bool {
    crate::admin::client::ask(ticket, "GET", "/healthz", "").is_ok()
}

/// The database that was there is put aside; a journal of its own would not fit the new one.
fn put_in_place(new: &Path, target: &Path) -> Result<(), Failure> {
    if target.exists() {
        let aside = with_suffix(target, ".replaced");
        remove_database(&aside);
        for ending in ["", "-wal", "-shm"] {
            let (from, to) = (with_suffix(target, ending), with_suffix(&aside, ending));
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|error| failed(&from, &error))?;
            }
        }
    }
    for ending in ["-wal", "-shm", ""] {
        let (from, to) = (with_suffix(new, ending), with_suffix(target, ending));
        if from.exists() {
            std::fs::rename(&from, &to).map_err(|error| failed(&to, &error))?;
        }
    }
    Ok(())
}

fn remove_database(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_suffix(path, ending));
    }
}

fn digest(directory: &Path, name: &str) -> Result<File, Failure> {
    let path = directory.join(name);
    let mut file = std::fs::File::open(&path).map_err(|error| failed(&path, &error))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = [0; 64 << 10];
    loop {
        match file
            .read(&mut buffer)
            .map_err(|error| failed(&path, &error))?
        {
            0 => break,
            count => context.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    let digest = context.finish();
    Ok(File {
        name: name.to_owned(),
        sha256: digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    })
}

fn write_private(path: &Path, text: &[u8]) -> Result<(), Failure> {
    private_file::create(path, text).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("{}: {error}", path.display());
    Failure::new(
        Exit::Failed,
        what,
        "See that this user may read and write there.",
    )
}
