//! Whether a file has changed, without reading it.

use std::path::Path;
use std::time::SystemTime;

/// What of a file changes when it is written anew or put in another's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    number: u64,
}

impl Stamp {
    /// The file as it is now; one that is not there has a stamp, too.
    pub(crate) fn of(path: &Path) -> Stamp {
        use std::os::unix::fs::MetadataExt;
        let Ok(meta) = std::fs::metadata(path) else {
            return Stamp::default();
        };
        Stamp {
            modified: meta.modified().ok(),
            length: meta.len(),
            number: meta.ino(),
        }
    }

    /// Its number in the file system; 0 when it is not there.
    pub(crate) fn number(self) -> u64 {
        self.number
    }
}
