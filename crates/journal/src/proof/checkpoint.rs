//! A checkpoint: what the log says of itself, signed (C2SP tlog-checkpoint).

use super::hash::Hash;
use super::note::{LogKey, Note, NoteError, Signature, VerifierKey};

/// Why a text is no checkpoint of this log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A note that says something else.
    #[error("a checkpoint says the log's origin, a size and a root, each on its line")]
    Form,
    /// Another log's.
    #[error("this is a checkpoint of \u{201c}{got}\u{201d}, not of \u{201c}{wanted}\u{201d}")]
    Origin {
        /// Whose it is.
        got: String,
        /// Whose was wanted.
        wanted: String,
    },
    /// Nobody who counts has signed it.
    #[error("the key of \u{201c}{name}\u{201d} has not signed this checkpoint")]
    Unsigned {
        /// Whose signature is missing.
        name: String,
    },
}

/// A signed statement: the log of this origin has so many records, and this root.
///
/// There are two doors: [`LogKey::checkpoint`] signs one, [`Checkpoint::verified`] reads one and
/// checks its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    size: u64,
    root: Hash,
    note: Note,
}

impl LogKey {
    /// Signs that the log has so many records, and this root.
    pub fn checkpoint(&self, size: u64, root: Hash) -> Checkpoint {
        let text = format!("{}\n{size}\n{root}\n", self.verifier().name());
        let signatures = vec![self.0.sign(&text, 0)];
        Checkpoint {
            size,
            root,
            note: Note { text, signatures },
        }
    }
}

impl Checkpoint {
    /// Reads a checkpoint that this log has signed.
    pub fn verified(text: &str, log: &VerifierKey) -> Result<Checkpoint, CheckpointError> {
        let (origin, checkpoint) = unverified(text)?;
        if origin != log.name() {
            return Err(CheckpointError::Origin {
                got: origin,
                wanted: log.name().to_owned(),
            });
        }
        if log.signed(&checkpoint.note).is_none() {
            return Err(CheckpointError::Unsigned {
                name: log.name().to_owned(),
            });
        }
        Ok(checkpoint)
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        self.note.text.lines().next().unwrap_or_default()
    }

    /// How many records it had.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The signed note, to be written or sent.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// When this witness has seen it, in seconds since 1970.
    pub fn witnessed(&self, witness: &VerifierKey) -> Option<u64> {
        witness.signed(&self.note)
    }

    /// Adds a witness's signature; one of another text, or by another key, is refused.
    pub fn add(&mut self, line: &Signature, witness: &VerifierKey) -> Result<(), CheckpointError> {
        let alone = Note {
            text: self.note.text.clone(),
            signatures: vec![line.clone()],
        };
        if witness.signed(&alone).is_none() {
            return Err(CheckpointError::Unsigned {
                name: witness.name().to_owned(),
            });
        }
        let id = witness.id();
        self.note
            .signatures
            .retain(|known| known.name != witness.name() || known.key_id != id);
        self.note.signatures.push(line.clone());
        Ok(())
    }
}

/// A checkpoint as it reads, by whomever: never to be handed out without a look at its signatures.
pub(super) fn unverified(text: &str) -> Result<(String, Checkpoint), CheckpointError> {
    let note: Note = text.parse()?;
    let mut lines = note.text.lines();
    let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(CheckpointError::Form);
    };
    let number: u64 = size.parse().map_err(|_| CheckpointError::Form)?;
    // Two writings of one size would be two texts to sign.
    if origin.is_empty() || number.to_string() != size || lines.any(str::is_empty) {
        return Err(CheckpointError::Form);
    }
    let root = Hash::parse(root).ok_or(CheckpointError::Form)?;
    let origin = origin.to_owned();
    Ok((
        origin,
        Checkpoint {
            size: number,
            root,
            note,
        },
    ))
}
