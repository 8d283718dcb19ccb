//! The one secret that is not in the database: a file with 32 random bytes, from which every key we
//! use is derived. Who has the database alone can read no upstream password and test no station's.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf;
use guard::{FingerprintKey, PseudonymKey, Secret, VerifierKey};
use zeroize::Zeroizing;

use crate::sealed::SealingKey;

/// First word of the file, so that another file given by mistake is told apart at once.
const MARK: &str = "portcullis-key-1";
const KEY_BYTES: usize = 32;
/// A key file is a few lines long; more is another file.
const FILE_BYTES_MAX: u64 = 4096;

/// The master key, and the keys derived from it, one for each purpose.
pub struct KeyFile {
    master: Zeroizing<[u8; KEY_BYTES]>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("{}: there is no key file", .0.display())]
    Missing(PathBuf),
    /// There is one already, and it is not overwritten.
    #[error("{}: there is a file already", .0.display())]
    Exists(PathBuf),
    /// It is not a key file.
    #[error("{}: this is not a key file of Portcullis", .0.display())]
    NotAKey(PathBuf),
    /// It cannot be read or written.
    #[error("{}: {why}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl KeyFileError {
    /// What the operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            KeyFileError::Missing(_) => {
                "Restore it from where it is kept; for a new gate, `portcullis init` makes one."
            }
            KeyFileError::Exists(_) => {
                "Keep it: stations registered under it need it. To start afresh, move it away with its database."
            }
            KeyFileError::NotAKey(_) => {
                "Name the file that `portcullis init` made; it begins with `portcullis-key-1`."
            }
            KeyFileError::Io { .. } => {
                "See that the directory exists and that this user may read and write in it."
            }
        }
    }
}

impl KeyFile {
    /// Makes a new key and writes it where there is no file yet, readable by its owner alone.
    pub fn create(path: &Path) -> Result<KeyFile, KeyFileError> {
        let mut master = Zeroizing::new([0_u8; KEY_BYTES]);
        aws_lc_rs::rand::fill(master.as_mut_slice()).map_err(|_| KeyFileError::Io {
            path: path.to_owned(),
            why: "the system gives no random numbers".to_owned(),
        })?;
        let text = Zeroizing::new(format!(
            "{MARK} {}\n\
             # Without this file the database of stations is of no use, and with both somebody can\n\
             # read the passwords the gate shows to the CSMS: keep it apart from the database's backups.\n",
            *hex(master.as_slice())
        ));
        write_new(path, text.as_bytes()).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
            _ => KeyFileError::Io {
                path: path.to_owned(),
                why: error.to_string(),
            },
        })?;
        Ok(KeyFile { master })
    }

    /// Reads a key file.
    pub fn open(path: &Path) -> Result<KeyFile, KeyFileError> {
        let mut text = Zeroizing::new(String::new());
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
                ErrorKind::InvalidData => KeyFileError::NotAKey(path.to_owned()),
                _ => KeyFileError::Io {
                    path: path.to_owned(),
                    why: error.to_string(),
                },
            })?;
        let master = read(&text).ok_or_else(|| KeyFileError::NotAKey(path.to_owned()))?;
        Ok(KeyFile { master })
    }

    /// Reads a key file, or makes it where there is none.
    pub fn open_or_create(path: &Path) -> Result<KeyFile, KeyFileError> {
        match KeyFile::open(path) {
            Err(KeyFileError::Missing(_)) => KeyFile::create(path),
            other => other,
        }
    }

    /// Whether anybody but the owner may read the file.
    pub fn is_open_to_others(path: &Path) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            false
        }
    }

    /// A short name of the key, which says nothing about it: a database remembers it to tell a
    /// wrong key file from a damaged entry.
    pub fn name(&self) -> String {
        let mut name = [0_u8; 8];
        self.derive(b"name", &mut name);
        hex(&name).to_string()
    }

    /// The key under which fast password verifiers are made and checked.
    pub fn verifier_key(&self) -> VerifierKey {
        VerifierKey::new(*self.subkey(b"password-verifier"))
    }

    /// The key under which passwords get a fingerprint, by which equal ones are found.
    pub fn fingerprint_key(&self) -> FingerprintKey {
        FingerprintKey::new(*self.subkey(b"password-fingerprint"))
    }

    /// The key under which identifiers of persons and tokens become pseudonyms.
    pub fn pseudonym_key(&self) -> PseudonymKey {
        PseudonymKey::new(*self.subkey(b"pseudonym"))
    }

    /// The key that seals what we must be able to read again.
    pub(crate) fn sealing_key(&self) -> SealingKey {
        SealingKey::new(&Secret::new(self.subkey(b"seal").to_vec()))
    }

    fn subkey(&self, purpose: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        self.derive(purpose, bytes.as_mut_slice());
        bytes
    }

    fn derive(&self, purpose: &[u8], out: &mut [u8]) {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, MARK.as_bytes()).extract(&*self.master);
        // Invariant: HKDF-SHA-256 gives up to 8,160 bytes and we ask for 32, so neither step fails.
        if let Ok(expanded) = extracted.expand(&[purpose], Bytes(out.len())) {
            let _ = expanded.fill(out);
        }
    }
}

/// How many bytes are wanted, as HKDF's caller has to say it.
struct Bytes(usize);

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn write_new(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn read(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let digits = line.strip_prefix(MARK)?.trim().as_bytes();
    let mut master = Zeroizing::new([0_u8; KEY_BYTES]);
    if digits.len() != KEY_BYTES * 2 {
        return None;
    }
    for (byte, pair) in master.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(master)
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_every_purpose_has_its_own_key() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("keys/gate.key");
        let made = KeyFile::create(&path).unwrap();
        let read = KeyFile::open(&path).unwrap();
        assert_eq!(made.name(), read.name());
        let purposes: [&[u8]; 4] = [
            b"password-verifier",
            b"password-fingerprint",
            b"pseudonym",
            b"seal",
        ];
        for (place, purpose) in purposes.into_iter().enumerate() {
            let key = made.subkey(purpose);
            assert_eq!(key, read.subkey(purpose));
            assert_ne!(*key, [0; 32]);
            assert_ne!(*key, *made.master);
            for other in &purposes[place + 1..] {
                assert_ne!(key, made.subkey(other));
            }
        }
        assert!(!KeyFile::is_open_to_others(&path));
        let again = KeyFile::create(&path);
        assert!(matches!(again, Err(KeyFileError::Exists(_))));
    }

    #[test]
    fn what_is_no_key_file_is_told_apart() {
        let room = tempfile::tempdir().unwrap();
        let missing = KeyFile::open(&room.path().join("none"));
        assert!(matches!(missing, Err(KeyFileError::Missing(_))));
        let path = room.path().join("other");
        for content in [
            "".as_bytes(),
            b"-----BEGIN PRIVATE KEY-----",
            b"portcullis-key-1 00ff",
            b"portcullis-key-1 zz",
            b"\xff\xfe\x00",
            &[b'a'; 9000],
        ] {
            std::fs::write(&path, content).unwrap();
            let read = KeyFile::open(&path);
            assert!(matches!(read, Err(KeyFileError::NotAKey(_))), "{content:?}");
        }
    }
}
