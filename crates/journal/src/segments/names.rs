//! The names of a record's files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::JournalError;

/// Files that were moved aside and have the same name but for a number.
const ASIDE_MAX: u32 = 10_000;

/// The directory of segments.
pub(crate) fn segments(dir: &Path) -> PathBuf {
    dir.join("segments")
}

/// A segment that begins with this record.
pub(crate) fn segment(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.seg"))
}

/// The same before anything in it is durable.
pub(crate) fn nameless(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.new"))
}

/// The number of the first record of a segment, by its name.
pub(crate) fn first(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".seg")?.parse().ok()
}

/// All segments of a directory, in the order of their records. One that nothing was ever recorded in
/// may not be there.
pub(crate) fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(JournalError::disk(dir))?,
    };
    for entry in entries {
        let path = entry.map_err(JournalError::disk(dir))?.path();
        if let Some(first) = first(&path) {
            found.push((first, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The attempts at segments that came to nothing.
pub(crate) fn leftovers(dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(JournalError::disk(dir))? {
        let path = entry.map_err(JournalError::disk(dir))?.path();
        if path.extension().is_some_and(|end| end == "new") {
            found.push(path);
        }
    }
    Ok(found)
}

/// A free name for what is moved aside from this file: nothing is ever deleted.
pub(crate) fn aside(path: &Path) -> PathBuf {
    let free = (0..ASIDE_MAX)
        .map(|number| path.with_extension(format!("seg.torn-{number}")))
        .find(|path| !path.exists());
    free.unwrap_or_else(|| path.with_extension("seg.torn"))
}
