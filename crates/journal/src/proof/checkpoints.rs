//! Checkpoints on disk: the latest, the last that a witness has signed, and some from before.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::checkpoint::{self, Checkpoint};
use super::note::VerifierKey;
use super::{CheckpointError, ProofError};

/// The latest checkpoint.
const LATEST: &str = "checkpoint";
/// The latest that a witness has signed.
const WITNESSED: &str = "witnessed";
/// Those that are kept: each a JSON string on its line.
const HISTORY: &str = "history.jsonl";
/// Bytes of a line of the history, and of any of these files, at most.
const LINE_BYTES_MAX: u64 = 128 * 1024;
/// A checkpoint is kept in the history when the log has passed a multiple of so many records, so that a
/// change is placed within as many; one a second would cost more than the records of a small fleet.
const KEPT_EVERY: u64 = 65_536;

/// The files of checkpoints beside the tree's tiles.
pub struct Checkpoints {
    dir: PathBuf,
    log: VerifierKey,
    latest: Option<Checkpoint>,
    witnessed: Option<Checkpoint>,
}

impl Checkpoints {
    /// Reads those of this directory. One that is there and that the log has not signed is an error:
    /// it is not written over.
    pub fn open(dir: &Path, log: &VerifierKey) -> Result<Checkpoints, ProofError> {
        fs::create_dir_all(dir).map_err(ProofError::file(dir))?;
        Checkpoints::read(dir, log)
    }

    /// The same for somebody who only looks.
    pub fn read(dir: &Path, log: &VerifierKey) -> Result<Checkpoints, ProofError> {
        Ok(Checkpoints {
            dir: dir.to_owned(),
            log: log.clone(),
            latest: verified(&dir.join(LATEST), log)?,
            witnessed: verified(&dir.join(WITNESSED), log)?,
        })
    }

    /// The latest.
    pub fn latest(&self) -> Option<&Checkpoint> {
        self.latest.as_ref()
    }

    /// The latest with a witness's signature, as this disk has it. Whoever checks the log asks the
    /// witness for it, because whoever changes the disk can take this file back as well.
    pub fn witnessed(&self) -> Option<&Checkpoint> {
        self.witnessed.as_ref()
    }

    /// Writes a new checkpoint so that it outlives a power failure. Only after the tree, and the
    /// records, have been synced.
    pub fn write(&mut self, checkpoint: Checkpoint) -> Result<(), ProofError> {
        replace(&self.dir.join(LATEST), &checkpoint.note().to_string())?;
        let before = self.latest.as_ref().map_or(0, Checkpoint::size);
        if checkpoint.size() / KEPT_EVERY > before / KEPT_EVERY {
            self.keep(&checkpoint)?;
        }
        self.latest = Some(checkpoint);
        Ok(())
    }

    /// Keeps a checkpoint that a witness has signed.
    pub fn write_witnessed(&mut self, checkpoint: Checkpoint) -> Result<(), ProofError> {
        replace(&self.dir.join(WITNESSED), &checkpoint.note().to_string())?;
        self.keep(&checkpoint)?;
        self.witnessed = Some(checkpoint);
        Ok(())
    }

    /// Those that are kept, in the order in which they were. A line that a power failure has cut off,
    /// or that somebody else has written, is left out.
    pub fn history(&self) -> Result<impl Iterator<Item = Checkpoint> + '_, ProofError> {
        Checkpoints::history_of(&self.dir, &self.log)
    }

    /// What the latest checkpoint on disk says, for whoever checks: it may be anything.
    pub(super) fn stated(dir: &Path, log: &VerifierKey) -> Result<Stated, ProofError> {
        match verified(&dir.join(LATEST), log) {
            Ok(Some(checkpoint)) => Ok(Stated::Signed(checkpoint)),
            Ok(None) => Ok(Stated::Missing),
            Err(ProofError::Checkpoint { source, .. }) => Ok(Stated::Refused(source)),
            Err(error) => Err(error),
        }
    }

    pub(super) fn history_of<'a>(
        dir: &Path,
        log: &'a VerifierKey,
    ) -> Result<impl Iterator<Item = Checkpoint> + use<'a>, ProofError> {
        let path = dir.join(HISTORY);
        let file = match File::open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(ProofError::file(&path)(error)),
        };
        let mut reader = file.map(BufReader::new);
        let lines = std::iter::from_fn(move || next_line(reader.as_mut()?));
        Ok(lines.filter_map(move |line| {
            let note: String = serde_json::from_slice(&line).ok()?;
            Checkpoint::verified(&note, log).ok()
        }))
    }

    fn keep(&self, checkpoint: &Checkpoint) -> Result<(), ProofError> {
        let path = self.dir.join(HISTORY);
        let new = !path.exists();
        let line = serde_json::Value::String(checkpoint.note().to_string());
        let file = File::options().create(true).append(true).open(&path);
        let mut file = file.map_err(ProofError::file(&path))?;
        // A line that was cut off must not swallow this one: an empty line between them is harmless.
        write!(file, "\n{line}\n").map_err(ProofError::file(&path))?;
        file.sync_data().map_err(ProofError::file(&path))?;
        if new {
            sync_dir(&self.dir)?;
        }
        Ok(())
    }
}

/// What lies where the latest checkpoint should.
pub(super) enum Stated {
    /// One that the log has signed.
    Signed(Checkpoint),
    /// Nothing.
    Missing,
    /// Something else.
    Refused(CheckpointError),
}

/// What the latest checkpoint on disk was made of, whoever has signed it; nothing when there is none.
pub(super) fn size_on_disk(dir: &Path) -> Result<u64, ProofError> {
    let path = dir.join(LATEST);
    let Some(text) = read(&path)? else {
        return Ok(0);
    };
    match checkpoint::unverified(&text) {
        Ok((_, checkpoint)) => Ok(checkpoint.size()),
        Err(source) => Err(ProofError::Checkpoint { path, source }),
    }
}

fn verified(path: &Path, log: &VerifierKey) -> Result<Option<Checkpoint>, ProofError> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    Checkpoint::verified(&text, log)
        .map(Some)
        .map_err(|source| ProofError::Checkpoint {
            path: path.to_owned(),
            source,
        })
}

/// The next line, or an empty one in place of one that is longer than any of ours.
fn next_line(reader: &mut BufReader<File>) -> Option<Vec<u8>> {
    let mut too_long = false;
    loop {
        let mut line = Vec::new();
        let mut portion = reader.by_ref().take(LINE_BYTES_MAX);
        let read = portion.read_until(b'\n', &mut line).ok()?;
        if read == 0 {
            return None;
        }
        if line.last() == Some(&b'\n') {
            return Some(if too_long { Vec::new() } else { line });
        }
        // Cut off by its length, or by the end of the file: then the next turn finds nothing.
        too_long = true;
    }
}

fn read(path: &Path) -> Result<Option<String>, ProofError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        // What is longer than any checkpoint is cut off, and is none.
        file.take(LINE_BYTES_MAX).read_to_end(&mut bytes)
    });
    match read.map(|_| bytes) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| ProofError::Checkpoint {
                path: path.to_owned(),
                source: CheckpointError::Form,
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ProofError::file(path)(error)),
    }
}

/// Puts a text in a file's place: whoever reads it finds the old one or the new one, also after a
/// power failure.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), ProofError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = File::create(&new).map_err(ProofError::file(&new))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(ProofError::file(&new))?;
    fs::rename(&new, path).map_err(ProofError::file(path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

fn sync_dir(dir: &Path) -> Result<(), ProofError> {
    let handle = File::open(dir).map_err(ProofError::file(dir))?;
    handle.sync_all().map_err(ProofError::file(dir))
}
