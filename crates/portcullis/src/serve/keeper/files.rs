//! The configuration and the files it names, watched for changes.

use std::path::PathBuf;

use crate::config::{Config, Stamp};

/// What was there when it was last read.
pub(super) struct Files {
    files: Vec<PathBuf>,
    read: Vec<Stamp>,
    /// At the last look.
    seen: Vec<Stamp>,
}

impl Files {
    pub(super) fn of(config: &Config) -> Files {
        let mut files = Files {
            files: Vec::new(),
            read: Vec::new(),
            seen: Vec::new(),
        };
        files.are(config.files());
        files
    }

    /// From now on it is these.
    pub(super) fn are(&mut self, files: Vec<PathBuf>) {
        self.files = files;
        self.look();
    }

    /// What is there now is being read.
    pub(super) fn look(&mut self) {
        self.seen = self.stamps();
        self.read.clone_from(&self.seen);
    }

    /// Whether there is something new to be read. Whoever writes a certificate and its key, or a file
    /// in several goes, gets until the next look for it: nothing is read while it still changes.
    pub(super) fn have_changed(&mut self) -> bool {
        let now = self.stamps();
        let is_new = now != self.read && now == self.seen;
        self.seen = now;
        if is_new {
            self.read.clone_from(&self.seen);
        }
        is_new
    }

    fn stamps(&self) -> Vec<Stamp> {
        self.files.iter().map(|file| Stamp::of(file)).collect()
    }
}
