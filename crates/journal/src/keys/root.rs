//! The root: the one key that somebody has to keep. It opens every other key of the record and is
//! never in the record's directory.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fmt, fs};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, IdentityFile, scrypt};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::file::{failed, write_new};
use super::{KeyError, Sealer, derive, random};

/// The record's root key.
#[derive(Clone)]
pub struct Root(Zeroizing<[u8; 32]>);

/// Where the root comes from.
#[derive(Clone, Debug)]
pub enum RootSource {
    /// A file that age has encrypted.
    Age {
        /// The file.
        file: PathBuf,
        /// What opens it.
        opener: Opener,
    },
    /// An environment variable that holds the root itself.
    Environment {
        /// Its name.
        name: String,
    },
    /// A systemd credential that holds the root itself.
    Credential {
        /// Its name.
        name: String,
    },
}

/// What opens an age file.
#[derive(Clone)]
pub enum Opener {
    /// This passphrase.
    Passphrase(SecretString),
    /// The passphrase in this environment variable.
    PassphraseVariable(String),
    /// The passphrase in this systemd credential.
    PassphraseCredential(String),
    /// The passphrase in this file's first line.
    PassphraseFile(PathBuf),
    /// One of the identities in this file, as `age-keygen` writes it.
    Identity(PathBuf),
}

/// A start waits for some seconds of scrypt at most; `age` itself asks for 2^18.
const WORK_MAX: u8 = 20;
/// Bytes of a file that holds a root, a passphrase or an identity.
const FILE_BYTES_MAX: u64 = 64 * 1024;

impl RootSource {
    /// Fetches the root from there.
    pub fn open(&self) -> Result<Root, KeyError> {
        let (text, place) = match self {
            RootSource::Age { file, opener } => {
                let text = decrypted(file, opener)?;
                (text, file.display().to_string())
            }
            RootSource::Environment { name } => (variable(name)?, format!("${name}")),
            RootSource::Credential { name } => {
                (credential(name)?, format!("the credential {name}"))
            }
        };
        Root::parse(&text).ok_or(KeyError::NotARoot { place })
    }
}

impl Root {
    /// Takes 32 random bytes as the root.
    pub fn new(bytes: [u8; 32]) -> Root {
        Root(Zeroizing::new(bytes))
    }

    /// Draws a new one.
    pub fn draw() -> Result<Root, KeyError> {
        random().map(Root::new)
    }

    /// The root that a text holds: 64 hexadecimal digits, or base64 of 32 bytes.
    pub fn parse(text: &str) -> Option<Root> {
        let text = text.trim();
        let mut bytes = Zeroizing::new(Vec::new());
        if text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            for pair in text.as_bytes().chunks_exact(2) {
                let pair = std::str::from_utf8(pair).ok()?;
                bytes.push(u8::from_str_radix(pair, 16).ok()?);
            }
        } else {
            bytes.extend(BASE64_STANDARD.decode(text).ok()?);
        }
        let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Root::new(bytes))
    }

    /// Writes it into a new age file that this passphrase opens.
    pub fn write_for_passphrase(
        &self,
        file: &Path,
        passphrase: SecretString,
    ) -> Result<(), KeyError> {
        self.write(file, &scrypt::Recipient::new(passphrase))
    }

    /// Writes it into a new age file that the first identity of `identity` opens.
    pub fn write_for_identity(&self, file: &Path, identity: &Path) -> Result<(), KeyError> {
        let recipients = identities(identity)?
            .to_recipients()
            .map_err(|_| not_identities(identity))?;
        match recipients.first() {
            Some(recipient) => self.write(file, recipient.as_ref()),
            None => Err(not_identities(identity)),
        }
    }

    /// Writes it into a new age file that this opens.
    pub fn write_for(&self, file: &Path, opener: &Opener) -> Result<(), KeyError> {
        match (opener, opener.passphrase()?) {
            (_, Some(passphrase)) => self.write_for_passphrase(file, passphrase),
            (other, None) => self.write_for_identity(file, other.path()),
        }
    }

    fn write(&self, file: &Path, recipient: &dyn age::Recipient) -> Result<(), KeyError> {
        let encrypted = self.encrypted(recipient);
        encrypted
            .and_then(|bytes| write_new(file, &bytes))
            .map_err(|source| failed("made", file, source))
    }

    fn encrypted(&self, recipient: &dyn age::Recipient) -> io::Result<Vec<u8>> {
        let encryptor =
            Encryptor::with_recipients(std::iter::once(recipient)).map_err(io::Error::other)?;
        let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armored)?;
        let text = Zeroizing::new(BASE64_STANDARD.encode(*self.0));
        writer.write_all(text.as_bytes())?;
        writer.write_all(b"\n")?;
        writer.finish()?.finish()
    }

    /// What seals the key files of a kind.
    pub(crate) fn sealer(&self, purpose: &str) -> Result<Sealer, KeyError> {
        Sealer::new(&*derive(&[&*self.0], purpose)?)
    }

    /// A key that takes the root *and* another secret.
    pub(crate) fn derive_with(
        &self,
        other: &[u8; 32],
        purpose: &str,
    ) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        derive(&[&*self.0, other], purpose)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Root")
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opener::Passphrase(_) => out.write_str("a passphrase"),
            Opener::PassphraseVariable(name) => write!(out, "the passphrase in ${name}"),
            Opener::PassphraseCredential(name) => write!(out, "the passphrase credential {name}"),
            Opener::PassphraseFile(path) => write!(out, "the passphrase in {}", path.display()),
            Opener::Identity(path) => write!(out, "the identity in {}", path.display()),
        }
    }
}

fn decrypted(file: &Path, opener: &Opener) -> Result<Zeroizing<String>, KeyError> {
    let bytes = read_small(file)?.ok_or_else(|| KeyError::RootMissing {
        path: file.to_owned(),
    })?;
    let not_age = || KeyError::NotAge {
        path: file.to_owned(),
    };
    let decryptor =
        Decryptor::new_buffered(ArmoredReader::new(bytes.as_slice())).map_err(|_| not_age())?;
    let other = |wants, given| KeyError::OtherOpener {
        path: file.to_owned(),
        wants,
        given,
    };
    let reader = match (opener.passphrase()?, decryptor.is_scrypt()) {
        (Some(passphrase), true) => {
            let mut identity = scrypt::Identity::new(passphrase);
            identity.set_max_work_factor(WORK_MAX);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        }
        (None, false) => {
            let found = identities(opener.path())?
                .into_identities()
                .map_err(|_| not_identities(opener.path()))?;
            decryptor.decrypt(
                found
                    .iter()
                    .map(|found| found.as_ref() as &dyn age::Identity),
            )
        }
        (Some(_), false) => return Err(other("an identity file", "a passphrase")),
        (None, true) => return Err(other("a passphrase", "an identity file")),
    };
    let mut reader = reader.map_err(|error| unopened(&error, file, opener))?;
    let mut text = Zeroizing::new(String::new());
    reader.read_to_string(&mut text).map_err(|_| not_age())?;
    Ok(text)
}

fn unopened(error: &DecryptError, file: &Path, opener: &Opener) -> KeyError {
    let path = file.to_owned();
    match (error, opener) {
        (DecryptError::ExcessiveWork { required, .. }, _) => KeyError::TooMuchWork {
            path,
            required: *required,
            max: WORK_MAX,
        },
        (DecryptError::InvalidHeader | DecryptError::UnknownFormat | DecryptError::Io(_), _) => {
            KeyError::NotAge { path }
        }
        (_, Opener::Identity(identity)) => KeyError::WrongIdentity {
            path,
            identity: identity.clone(),
        },
        _ => KeyError::WrongPassphrase { path },
    }
}

impl Opener {
    fn passphrase(&self) -> Result<Option<SecretString>, KeyError> {
        let text = match self {
            Opener::Passphrase(passphrase) => return Ok(Some(passphrase.clone())),
            Opener::PassphraseVariable(name) => variable(name)?,
            Opener::PassphraseCredential(name) => credential(name)?,
            Opener::PassphraseFile(path) => {
                let missing = io::Error::from(io::ErrorKind::NotFound);
                text(read_small(path)?.ok_or_else(|| failed("read", path, missing))?)
            }
            Opener::Identity(_) => return Ok(None),
        };
        let line = text.lines().next().unwrap_or_default();
        Ok(Some(SecretString::from(line.to_owned())))
    }

    fn path(&self) -> &Path {
        match self {
            Opener::Identity(path) | Opener::PassphraseFile(path) => path,
            _ => Path::new(""),
        }
    }
}

fn identities(path: &Path) -> Result<IdentityFile<age::NoCallbacks>, KeyError> {
    let bytes = read_small(path)?.ok_or_else(|| not_identities(path))?;
    IdentityFile::from_buffer(bytes.as_slice()).map_err(|_| not_identities(path))
}

fn not_identities(path: &Path) -> KeyError {
    KeyError::NotIdentities {
        path: path.to_owned(),
    }
}

fn variable(name: &str) -> Result<Zeroizing<String>, KeyError> {
    let value = Zeroizing::new(env::var(name).unwrap_or_default());
    match value.is_empty() {
        true => Err(KeyError::VariableMissing {
            name: name.to_owned(),
        }),
        false => Ok(value),
    }
}

/// systemd puts a unit's credentials into a directory that only the unit can read, and names it in
/// the environment.
fn credential(name: &str) -> Result<Zeroizing<String>, KeyError> {
    let missing = || KeyError::CredentialMissing {
        name: name.to_owned(),
    };
    let dir = env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(missing)?;
    if name.contains(['/', '\0']) {
        return Err(missing());
    }
    let path = Path::new(&dir).join(name);
    read_small(&path)?.map(text).ok_or_else(missing)
}

fn read_small(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read =
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path, source)),
    }
}

fn text(bytes: Zeroizing<Vec<u8>>) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
