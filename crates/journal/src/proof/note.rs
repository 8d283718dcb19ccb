//! Signed notes: a text, and lines by which keys say that they stand by it (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Bytes of the longest note that is read.
const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Signatures of one note.
const SIGNATURES_MAX: usize = 32;
/// What a line with a signature begins with: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// Why a key or a note is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A name that would not stand in a note.
    #[error("a key's name is not empty and has neither blanks nor '+'")]
    Name,
    /// Not a public key.
    #[error(
        "a public key is written name+8 hexadecimal digits+base64, as `portcullis` has printed it"
    )]
    Key,
    /// The digits do not belong to name and key: something was copied wrongly.
    #[error("the digits of this public key do not belong to its name and key")]
    KeyId,
    /// Seeds that the library refuses.
    #[error("no Ed25519 key can be made of this seed")]
    Seed,
    /// Not a signed note.
    #[error(
        "this is not a signed note: a text, an empty line, and lines that begin with an em dash"
    )]
    Form,
    /// Too much for one.
    #[error("a signed note has at most 64 KiB and 32 signatures")]
    TooLong,
}

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The log's own: Ed25519 over the text.
    Log,
    /// A witness: Ed25519 over the text and the time at which it was seen (C2SP tlog-cosignature).
    Witness,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            KeyKind::Log => 0x01,
            KeyKind::Witness => 0x04,
        }
    }
}

/// A public key with its name, by which a note's signature is found and checked.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    kind: KeyKind,
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// Whose it is; for a log the origin in its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The digits that tell keys of one name apart.
    pub(super) fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(&self.name);
        hasher.update([b'\n', self.kind.byte()]);
        hasher.update(self.public);
        let hash: [u8; 32] = hasher.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Whether this key has signed the note; for a witness, when, in seconds since 1970.
    pub fn signed(&self, note: &Note) -> Option<u64> {
        let id = self.id();
        let mut mine = note
            .signatures
            .iter()
            .filter(|signature| signature.name == self.name && signature.key_id == id);
        mine.find_map(|signature| self.holds(&note.text, &signature.bytes))
    }

    fn holds(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, message, signature) = match self.kind {
            KeyKind::Log => (0, text.to_owned(), signature),
            KeyKind::Witness => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                (time, cosigned_message(text, time), signature)
            }
        };
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        key.verify(message.as_bytes(), signature).ok()?;
        Some(time)
    }
}

/// What a witness signs: the text, and when it has seen it.
fn cosigned_message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifierKey, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let key = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let (kind, public) = match key.split_first() {
            Some((0x01, public)) => (KeyKind::Log, public),
            Some((0x04, public)) => (KeyKind::Witness, public),
            _ => return Err(NoteError::Key),
        };
        let key = VerifierKey {
            kind,
            name: checked_name(name)?,
            public: public.try_into().map_err(|_| NoteError::Key)?,
        };
        if u32::from_str_radix(id, 16) != Ok(u32::from_be_bytes(key.id())) || id.len() != 8 {
            return Err(NoteError::KeyId);
        }
        Ok(key)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(&self.public);
        let id = u32::from_be_bytes(self.id());
        write!(out, "{}+{id:08x}+{}", self.name, STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

fn checked_name(name: &str) -> Result<String, NoteError> {
    let wrong = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    if name.is_empty() || name.contains(wrong) {
        return Err(NoteError::Name);
    }
    Ok(name.to_owned())
}

/// A secret key with its name.
pub(super) struct Signer {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl Signer {
    pub(super) fn new(kind: KeyKind, name: &str, seed: &[u8; 32]) -> Result<Signer, NoteError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Seed)?;
        let public = pair.public_key().as_ref();
        let verifier = VerifierKey {
            kind,
            name: checked_name(name)?,
            public: public.try_into().map_err(|_| NoteError::Seed)?,
        };
        Ok(Signer { pair, verifier })
    }

    pub(super) fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text; `time` counts for witnesses only.
    pub(super) fn sign(&self, text: &str, time: u64) -> Signature {
        let mut bytes = Vec::new();
        let message = match self.verifier.kind {
            KeyKind::Log => text.to_owned(),
            KeyKind::Witness => {
                bytes.extend_from_slice(&time.to_be_bytes());
                cosigned_message(text, time)
            }
        };
        bytes.extend_from_slice(self.pair.sign(message.as_bytes()).as_ref());
        Signature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id(),
            bytes,
        }
    }
}

/// The log's own key: it signs checkpoints, and nothing else.
pub struct LogKey(pub(super) Signer);

impl LogKey {
    /// The key of the log of this origin, from its 32 secret bytes.
    pub fn new(origin: &str, seed: &[u8; 32]) -> Result<LogKey, NoteError> {
        Ok(LogKey(Signer::new(KeyKind::Log, origin, seed)?))
    }

    /// Its public half, for everybody who checks.
    pub fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }
}

/// One line of a note: that a key stands by the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(super) name: String,
    pub(super) key_id: [u8; 4],
    pub(super) bytes: Vec<u8>,
}

impl FromStr for Signature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Signature, NoteError> {
        let rest = line.strip_prefix(SIGNATURE).ok_or(NoteError::Form)?;
        let (name, bytes) = rest.split_once(' ').ok_or(NoteError::Form)?;
        let bytes = STANDARD.decode(bytes).map_err(|_| NoteError::Form)?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        Ok(Signature {
            name: checked_name(name)?,
            key_id: *key_id,
            bytes: bytes.to_owned(),
        })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(out, "{SIGNATURE}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text and its signatures, none of which is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub(super) text: String,
    pub(super) signatures: Vec<Signature>,
}

impl Note {
    /// What is signed, its last newline included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says so.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Note, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        if text
            .chars()
            .any(|letter| letter.is_control() && letter != '\n')
        {
            return Err(NoteError::Form);
        }
        let signatures: Vec<Signature> = lines
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::TooLong);
        }
        Ok(Note {
            text: text.to_owned(),
            signatures,
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(out, "{signature}"))
    }
}
