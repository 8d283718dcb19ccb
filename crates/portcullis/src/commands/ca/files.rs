//! The authority's directory: what is written there, for whom it is readable, and nothing twice.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use rcgen::Certificate;
use serde::Serialize;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::{Exit, Failure};

/// The directory.
pub(super) struct Files<'a> {
    directory: &'a Path,
}

/// A certificate that was written.
#[derive(Serialize)]
pub(super) struct Written {
    certificate: String,
    key: String,
    subject: String,
    not_after: String,
    sha256: String,
}

impl fmt::Display for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Written {
            certificate,
            key,
            subject,
            not_after,
            ..
        } = self;
        write!(out, "{certificate}, {key}\n  {subject}, until {not_after}")
    }
}

impl<'a> Files<'a> {
    pub(super) fn new(directory: &'a Path) -> Files<'a> {
        Files { directory }
    }

    /// Refuses to go on where one of these files is there already.
    pub(super) fn must_be_free(&self, names: &[&str]) -> Result<(), Failure> {
        match names
            .iter()
            .map(|name| self.directory.join(name))
            .find(|path| path.exists())
        {
            None => Ok(()),
            Some(path) => Err(Failure::new(
                Exit::Conflict,
                format!("{}: there is a file already", path.display()),
                "Move it away, or name another --directory; nothing was written.",
            )),
        }
    }

    pub(super) fn write_public(&self, name: &str, text: &str) -> Result<(), Failure> {
        self.write(name, text, 0o644)
    }

    /// Writes a key for its owner alone, and then its certificate.
    pub(super) fn write_pair(
        &self,
        stem: &str,
        certificate: &Certificate,
        key: &Zeroizing<String>,
    ) -> Result<Written, Failure> {
        let (certificate_name, key_name) = (format!("{stem}.pem"), format!("{stem}.key"));
        self.write(&key_name, key, 0o600)?;
        self.write(&certificate_name, &certificate.pem(), 0o644)?;
        let path = |name: String| self.directory.join(name).display().to_string();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.der());
        let (subject, not_after) = match X509Certificate::from_der(certificate.der()) {
            Ok((_, parsed)) => (
                parsed.subject().to_string(),
                day(parsed.validity().not_after.timestamp()),
            ),
            Err(_) => Default::default(),
        };
        Ok(Written {
            certificate: path(certificate_name),
            key: path(key_name),
            subject,
            not_after,
            sha256: digest
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        })
    }

    /// Reads a certificate and its key.
    pub(super) fn read_pair(&self, stem: &str) -> Result<(String, Zeroizing<String>), Failure> {
        let certificate = self.read(&format!("{stem}.pem"))?;
        let key = self.read(&format!("{stem}.key")).map(Zeroizing::new)?;
        Ok((certificate, key))
    }

    /// Reads a text.
    pub(super) fn read(&self, name: &str) -> Result<String, Failure> {
        let path = self.directory.join(name);
        std::fs::read_to_string(&path).map_err(|error| {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            Failure::new(
                if missing { Exit::NotFound } else { Exit::Failed },
                format!("{}: {error}", path.display()),
                "Name the authority's directory with --directory, or make one: `portcullis ca init`.",
            )
        })
    }

    /// Puts a file in the place of what was there, if anything: as a whole, and by one at a time,
    /// since two who both add to the old one would lose what the other added.
    pub(super) fn replace_public(
        &self,
        name: &str,
        make: impl FnOnce(Option<&[u8]>) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let (path, new) = (self.directory.join(name), format!("{name}.new"));
        self.write(&new, "", 0o644).map_err(|failure| {
            if !self.directory.join(&new).exists() {
                return failure;
            }
            Failure::new(
                Exit::Conflict,
                format!("{}: somebody else is at it", self.directory.join(&new).display()),
                "Try again in a moment; remove the file if it was left behind by an interrupted call.",
            )
        })?;
        let new = self.directory.join(new);
        let failed = |error: std::io::Error| {
            let remedy = "See that this user may write in the directory.";
            Failure::new(Exit::Failed, format!("{}: {error}", path.display()), remedy)
        };
        let replaced = (|| {
            let old = match std::fs::read(&path) {
                Ok(old) => Some(old),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(failed(error)),
            };
            let text = make(old.as_deref())?;
            let mut file = std::fs::File::create(&new).map_err(failed)?;
            let written = file.write_all(text.as_bytes());
            written.and_then(|()| file.sync_all()).map_err(failed)?;
            std::fs::rename(&new, &path).map_err(failed)
        })();
        if replaced.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        replaced
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> Result<(), Failure> {
        let path = self.directory.join(name);
        let failed = |error: std::io::Error| {
            Failure::new(
                Exit::Failed,
                format!("{}: {error}", path.display()),
                "See that the directory exists and that this user may write in it.",
            )
        };
        std::fs::create_dir_all(self.directory).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(mode);
        }
        let mut file = options.open(&path).map_err(failed)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)
    }
}

/// An identity as a file's name: what is not plain becomes `_`, with a short hash to tell two apart.
pub(super) fn plain(identity: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if identity.chars().all(is_plain) {
        return identity.to_owned();
    }
    let kept: String = identity
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, identity.as_bytes());
    let hash: String = digest
        .as_ref()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{kept}-{hash}")
}

/// The day of a moment given in Unix seconds.
pub(super) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
