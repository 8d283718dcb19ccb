//! A witness: it sees that a log only grows, and says so in its own name (C2SP tlog-witness and
//! tlog-cosignature).
//!
//! It knows nothing of the records: a checkpoint, a proof that the one it saw before is its beginning,
//! and its own memory are all it needs. That memory is what a thief of the log's disk cannot take back,
//! so it is durable before a signature is given out.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::checkpoints::replace;
use super::hash::Hash;
use super::note::{KeyKind, NoteError, Signer, VerifierKey};
use super::paths::{Nodes, consistency, verify_consistency};
use super::{Checkpoint, CheckpointError, ProofError};

/// Hashes of the longest proof that is looked at: that of a tree of 2^63 leaves.
const PROOF_HASHES_MAX: usize = 63;

/// The key of a witness, by its name.
pub struct WitnessKey(Signer);

impl WitnessKey {
    /// From its 32 secret bytes.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<WitnessKey, NoteError> {
        Ok(WitnessKey(Signer::new(KeyKind::Witness, name, seed)?))
    }

    /// Its public half, for everybody who checks.
    pub fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }
}

/// What a log asks of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The size that the witness has seen, as the log believes.
    pub old: u64,
    /// That the tree of that size is the beginning of the new one.
    pub proof: Vec<Hash>,
    /// The new checkpoint, a signed note; not checked yet.
    pub checkpoint: String,
}

impl Request {
    /// Asks for a signature under this checkpoint, of a witness that has seen `old` records.
    pub fn new(nodes: &dyn Nodes, old: u64, checkpoint: &Checkpoint) -> Result<Self, ProofError> {
        Ok(Request {
            old,
            proof: consistency(nodes, old, checkpoint.size())?,
            checkpoint: checkpoint.note().to_string(),
        })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(out, "{hash}")?;
        }
        write!(out, "\n{}", self.checkpoint)
    }
}

impl FromStr for Request {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Request, Refusal> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Refusal::Form)?;
        let mut lines = head.lines();
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(|old| old.parse().ok()).ok_or(Refusal::Form)?;
        let proof: Option<Vec<Hash>> = lines.take(PROOF_HASHES_MAX + 1).map(Hash::parse).collect();
        let proof = proof.ok_or(Refusal::Form)?;
        if proof.len() > PROOF_HASHES_MAX {
            return Err(Refusal::Form);
        }
        Ok(Request {
            old,
            proof,
            checkpoint: checkpoint.to_owned(),
        })
    }
}

/// Why a witness does not sign.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not a request.
    #[error(
        "this is not a request to a witness: \"old\" and a size, the hashes of a proof, an empty line, a checkpoint"
    )]
    Form,
    /// Not a checkpoint of the log that it watches.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log takes it to have seen another size; it may ask again with the right one.
    #[error(
        "the witness has seen {seen} records, and the proof begins at {asked}; ask again from {seen}"
    )]
    Conflict {
        /// What it has seen.
        seen: u64,
        /// What the log believes.
        asked: u64,
    },
    /// The log has become shorter.
    #[error("the log says {size} records, and the witness has seen {seen}: it was rolled back")]
    RolledBack {
        /// What the log says.
        size: u64,
        /// What it has seen.
        seen: u64,
    },
    /// The log has two histories.
    #[error(
        "the checkpoint at {size} is not shown to continue the one that the witness has seen at {seen}: unless the request was damaged on its way, the log was forked; keep both"
    )]
    Forked {
        /// What the log says.
        size: u64,
        /// What it has seen.
        seen: u64,
    },
    /// The witness's own files.
    #[error(transparent)]
    State(#[from] ProofError),
    /// A witness without memory would sign anything.
    #[error(
        "{}: the witness's memory is not there. It is never begun anew by itself: put it back from a copy, or make a new witness with a new key", .0.display()
    )]
    NoMemory(PathBuf),
}

/// A witness of one log, and its memory on disk.
pub struct Witness {
    key: WitnessKey,
    log: VerifierKey,
    memory: PathBuf,
    seen: Option<Checkpoint>,
    // Held as long as this lives: two at once could sign two histories.
    _lock: File,
}

impl Witness {
    /// Begins a memory that has seen nothing; one that is there is left alone and is an error.
    pub fn begin(memory: &Path) -> Result<(), ProofError> {
        File::create_new(memory)
            .and_then(|file| file.sync_all())
            .map_err(ProofError::file(memory))?;
        match memory.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            Some(dir) => File::open(dir)
                .and_then(|dir| dir.sync_all())
                .map_err(ProofError::file(dir)),
            None => Ok(()),
        }
    }

    /// Opens the witness of this log. Waits while another process does.
    pub fn open(memory: &Path, key: WitnessKey, log: VerifierKey) -> Result<Witness, Refusal> {
        let lock_path = memory.with_extension("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(ProofError::file(&lock_path))?;
        lock.lock().map_err(ProofError::file(&lock_path))?;
        let text = match fs::read_to_string(memory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Refusal::NoMemory(memory.to_owned()));
            }
            text => text.map_err(ProofError::file(memory))?,
        };
        let seen = match text.as_str() {
            "" => None,
            text => {
                let seen = Checkpoint::verified(text, &log)?;
                // Its own signature is why it believes its memory.
                if seen.witnessed(key.verifier()).is_none() {
                    return Err(CheckpointError::Unsigned {
                        name: key.verifier().name().to_owned(),
                    }
                    .into());
                }
                Some(seen)
            }
        };
        Ok(Witness {
            key,
            log,
            memory: memory.to_owned(),
            seen,
            _lock: lock,
        })
    }

    /// The last checkpoint that it has signed: what a log is to be checked against.
    pub fn seen(&self) -> Option<&Checkpoint> {
        self.seen.as_ref()
    }

    /// Signs the checkpoint if it continues what was seen before; `now` is in seconds since 1970.
    pub fn cosign(&mut self, request: &Request, now: u64) -> Result<Checkpoint, Refusal> {
        let mut checkpoint = Checkpoint::verified(&request.checkpoint, &self.log)?;
        let size = checkpoint.size();
        let (seen, root) = match &self.seen {
            Some(seen) => (seen.size(), *seen.root()),
            None => (0, Hash::EMPTY),
        };
        if size < seen {
            return Err(Refusal::RolledBack { size, seen });
        }
        if size == seen && *checkpoint.root() != root {
            return Err(Refusal::Forked { size, seen });
        }
        if request.old != seen {
            return Err(Refusal::Conflict {
                seen,
                asked: request.old,
            });
        }
        if !verify_consistency((seen, &root), (size, checkpoint.root()), &request.proof) {
            return Err(Refusal::Forked { size, seen });
        }
        let line = self.key.0.sign(checkpoint.note().text(), now);
        checkpoint.add(&line, self.key.verifier())?;
        replace(&self.memory, &checkpoint.note().to_string())?;
        self.seen = Some(checkpoint.clone());
        Ok(checkpoint)
    }
}
