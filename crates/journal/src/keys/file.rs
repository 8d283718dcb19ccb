//! One key in one file: sealed, bound to its kind and day, written whole or not at all, and never
//! written over.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::Day;

use super::{KeyError, Sealer, random};

/// What a key file begins with: says how the rest is to be read, should that ever change.
const MAGIC: &[u8; 8] = b"pckey 1\n";

/// Bytes of a key file: longer ones are not read.
const FILE_BYTES_MAX: usize = 4096;

/// The kinds of keys that are kept in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// Opens a day's segments.
    Segments,
    /// Opens a day's free texts.
    Texts,
    /// Opens the subject rows that were wrapped on a day.
    Subjects,
    /// Signs checkpoints; of no day.
    Log,
}

impl KeyKind {
    /// The kinds that have a key for each day.
    pub(crate) const OF_DAYS: [KeyKind; 3] = [KeyKind::Segments, KeyKind::Texts, KeyKind::Subjects];

    /// The name of its file.
    pub(crate) fn file_name(self, day: Day) -> String {
        match self {
            KeyKind::Segments => format!("seg-{day}.key"),
            KeyKind::Texts => format!("text-{day}.key"),
            KeyKind::Subjects => format!("kek-{day}.key"),
            KeyKind::Log => "log.key".to_owned(),
        }
    }

    /// The day of a file of that kind, if its name says so.
    pub(crate) fn day_of(self, file_name: &str) -> Option<Day> {
        let prefix = match self {
            KeyKind::Segments => "seg-",
            KeyKind::Texts => "text-",
            KeyKind::Subjects => "kek-",
            KeyKind::Log => return None,
        };
        Day::named(file_name.strip_prefix(prefix)?.strip_suffix(".key")?)
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            KeyKind::Segments => "segment key",
            KeyKind::Texts => "text key",
            KeyKind::Subjects => "wrapping key",
            KeyKind::Log => "log key",
        })
    }
}

/// Reads a key; `None` if there is no such file.
pub(crate) fn read(
    path: &Path,
    sealer: &Sealer,
    (kind, day): (KeyKind, Day),
) -> Result<Option<Zeroizing<[u8; 32]>>, KeyError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", path, source)),
    };
    let sealed = || KeyError::Sealed {
        path: path.to_owned(),
    };
    let inner = bytes.strip_prefix(MAGIC).ok_or_else(sealed)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(sealed());
    }
    let plain = sealer
        .open(&place(kind, day), inner)
        .map_err(|_| sealed())?;
    let key: [u8; 32] = plain.as_slice().try_into().map_err(|_| sealed())?;
    Ok(Some(Zeroizing::new(key)))
}

/// Makes a key and its file. Whoever comes second finds the first one's: the key that is returned is
/// always the one in the file.
pub(crate) fn make(
    path: &Path,
    sealer: &Sealer,
    (kind, day): (KeyKind, Day),
) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let key = Zeroizing::new(random::<32>()?);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(sealer.seal(&place(kind, day), &*key)?);
    match write_new(path, &bytes) {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(path, sealer, (kind, day))?.ok_or_else(|| failed("made", path, error))
        }
        Err(source) => Err(failed("made", path, source)),
    }
}

/// Removes a key for good, as far as a file system can: where blocks are remapped, writing over the
/// old bytes reaches other blocks than theirs. What lies there is sealed under the root.
pub(crate) fn destroy(path: &Path) -> Result<(), KeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed
            .and_then(|()| sync_parent(path))
            .map_err(|source| failed("removed", path, source)),
    }
}

/// Makes a directory that only we may enter, and those above it.
pub(crate) fn make_dir(dir: &Path) -> Result<(), KeyError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| failed("made", dir, source))
}

/// Writes a file that was not there: under another name first, so that it is there whole, and
/// durable, or not at all.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let random = random::<8>().map_err(|_| io::Error::other("no random bytes"))?;
    let draft = path.with_extension(format!("draft-{:016x}", u64::from_be_bytes(random)));
    let written = write_draft(&draft, bytes).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    written.and(removed).and_then(|()| sync_parent(path))
}

fn write_draft(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if dir != Path::new("") => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

pub(crate) fn failed(doing: &'static str, path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// What a sealed key is bound to.
fn place(kind: KeyKind, day: Day) -> Vec<u8> {
    format!("{kind} {day}").into_bytes()
}
