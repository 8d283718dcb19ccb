//! Files that are for the gate's own user alone, and the names of those that lie beside another.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A path with something behind its last letter: `portcullis.db` and `portcullis.db.admin`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a file that was not there, on the disk when this returns.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = opened(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a file in the place of what was there: whoever reads it meanwhile has the old one or the new one,
/// and whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = with_suffix(path, ".new");
    // Made anew each time: a file that is there already may be readable by others.
    let _ = std::fs::remove_file(&new);
    opened(&new)?.write_all(bytes)?;
    std::fs::rename(new, path)
}

fn opened(path: &Path) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_nobody_elses() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("gate.db.admin");
        fs::write(&path, "before").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        // What an earlier run has left behind when it broke off.
        let left = with_suffix(&path, ".new");
        fs::write(&left, "half").unwrap();
        fs::set_permissions(&left, Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"after").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"after");
        assert_eq!(mode(&path), 0o600);
        assert!(!left.exists());
    }

    #[test]
    fn a_file_that_is_there_is_not_made() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("manifest");
        create(&path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(create(&path, b"two").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }
}
