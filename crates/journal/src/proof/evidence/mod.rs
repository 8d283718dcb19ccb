//! Evidence: some records, and all that somebody else needs to check them.
//!
//! What is written needs neither this program nor its keys, and no network: a page that checks the
//! hashes in a browser, a script that checks them and the signatures with nothing but Python, and
//! words for somebody who wants to do it by hand.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::hash::{Hash, leaf_hash};
use super::note::VerifierKey;
use super::paths::{Nodes, inclusion, verify_inclusion};
use super::{Checkpoint, ProofError};

/// Records of one bundle, at most.
pub const RECORDS_MAX: usize = 10_000;

const SCRIPT: &str = include_str!("check.py");
const INSTRUCTIONS: &str = include_str!("README.txt");
const PAGE: &str = include_str!("page.html");
const PAGE_STYLE: &str = include_str!("page.css");
const PAGE_SCRIPT: &str = include_str!("page.js");

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The record came after the checkpoint.
    #[error(
        "record {number} is not covered: the checkpoint says {size}; the next one is at most a second away"
    )]
    Unsigned {
        /// Which one.
        number: u64,
        /// What was signed.
        size: u64,
    },
    /// The record does not lead to the root that was signed: what it says is not what was recorded.
    #[error("record {0} is not what was recorded; `portcullis journal verify` says more")]
    NotRecorded(u64),
    /// It holds what a record never does.
    #[error("record {0} is not text")]
    NotText(u64),
    /// Too many for a page.
    #[error("at most {RECORDS_MAX} records fit one bundle")]
    TooMany,
    /// Files.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// One record, and what ties it to the checkpoint.
#[derive(Serialize)]
struct Exhibit {
    number: u64,
    salt: String,
    record: String,
    path: Vec<String>,
}

/// Records, proofs, and the checkpoint that they lead to.
#[derive(Serialize)]
pub struct Evidence {
    format: &'static str,
    log_key: String,
    witness_key: Option<String>,
    checkpoint: String,
    records: Vec<Exhibit>,
    #[serde(skip)]
    size: u64,
    #[serde(skip)]
    root: Hash,
}

impl Evidence {
    /// Evidence under this checkpoint, without any record yet. A witness's key counts only where it
    /// has signed.
    pub fn new(
        log: &VerifierKey,
        witness: Option<&VerifierKey>,
        checkpoint: &Checkpoint,
    ) -> Evidence {
        let witness = witness.filter(|witness| checkpoint.witnessed(witness).is_some());
        Evidence {
            format: "portcullis-evidence-1",
            log_key: log.to_string(),
            witness_key: witness.map(VerifierKey::to_string),
            checkpoint: checkpoint.note().to_string(),
            records: Vec::new(),
            size: checkpoint.size(),
            root: *checkpoint.root(),
        }
    }

    /// Adds a record; its proof is checked before anybody else does.
    pub fn add(
        &mut self,
        nodes: &dyn Nodes,
        number: u64,
        salt: &[u8; 16],
        record: &[u8],
    ) -> Result<(), EvidenceError> {
        if number >= self.size {
            let size = self.size;
            return Err(EvidenceError::Unsigned { number, size });
        }
        if self.records.len() == RECORDS_MAX {
            return Err(EvidenceError::TooMany);
        }
        let path = inclusion(nodes, number, self.size)?;
        let leaf = leaf_hash(salt, record);
        if !verify_inclusion(&leaf, number, self.size, &path, &self.root) {
            return Err(EvidenceError::NotRecorded(number));
        }
        let record = String::from_utf8(record.to_vec());
        self.records.push(Exhibit {
            number,
            salt: STANDARD.encode(salt),
            record: record.map_err(|_| EvidenceError::NotText(number))?,
            path: path.iter().map(Hash::to_string).collect(),
        });
        Ok(())
    }

    /// Writes the bundle into a directory that is not there yet.
    pub fn write(&self, dir: &Path) -> Result<(), EvidenceError> {
        fs::create_dir(dir).map_err(ProofError::file(dir))?;
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        for (name, text) in [
            ("evidence.json", json.as_str()),
            ("check.py", SCRIPT),
            ("README.txt", INSTRUCTIONS),
            ("index.html", &page(&json)),
        ] {
            let path = dir.join(name);
            fs::write(&path, text).map_err(ProofError::file(&path))?;
        }
        Ok(())
    }
}

/// The page, with everything in it. Records are whatever a station said: what they hold is data to the
/// browser, never markup, and the page allows no script but its own, and no network.
fn page(json: &str) -> String {
    let quoted: String = json
        .chars()
        .flat_map(|letter| match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                format!("\\u{:04x}", letter as u32).chars().collect()
            }
            other => vec![other],
        })
        .collect();
    let allowed = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    // What a station said is put in last, so that nothing in it is taken for a place to fill.
    PAGE.replace("{SCRIPT_HASH}", &allowed(PAGE_SCRIPT))
        .replace("{STYLE_HASH}", &allowed(PAGE_STYLE))
        .replace("{STYLE}", PAGE_STYLE)
        .replace("{SCRIPT}", PAGE_SCRIPT)
        .replacen("{EVIDENCE}", &quoted, 1)
}

#[cfg(test)]
mod tests;
