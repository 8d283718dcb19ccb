//! `portcullis journal evidence`: records that somebody else can check.

use std::path::Path;

use journal::JournalError;
use journal::proof::evidence::{Evidence, EvidenceError, RECORDS_MAX};
use journal::proof::{Checkpoint, Checkpoints, TileReader};
use serde::Serialize;

use super::records::{note, purposeful};
use super::{log, open, proof_failure, verifier};
use crate::config::JournalConfig;
use crate::output::Output;
use crate::{Exit, Failure};

/// Ranges of records that the act names one by one.
const RANGES_NAMED_MAX: usize = 100;

#[derive(Serialize)]
struct View {
    directory: String,
    records: usize,
    signed: u64,
    witnessed: bool,
}

pub(super) fn run(
    config: &JournalConfig,
    numbers: &[(u64, u64)],
    into: &Path,
    (purpose, witness): (&str, Option<&str>),
    output: &mut Output,
) -> Result<(), Failure> {
    let details = format!("{}; for: {}", named(numbers), purposeful(purpose)?);
    let record = open(config)?;
    let log = log(&record)?;
    let witness = witness.map(verifier).transpose()?;
    let numbers = in_order(numbers)?;
    let tree = record.tree();
    let checkpoints = Checkpoints::read(&tree, &log).map_err(|error| proof_failure(&error))?;
    let needed = numbers.last().map_or(0, |last| last + 1);
    // The one with a witness's signature where it covers all of them.
    let seen = checkpoints.witnessed().filter(|seen| seen.size() >= needed);
    let Some(checkpoint) = seen.or(checkpoints.latest()) else {
        return Err(Failure::new(Exit::NotFound, "nothing is signed yet", ""));
    };
    let signed_by_witness = witness
        .as_ref()
        .and_then(|witness| checkpoint.witnessed(witness));
    if witness.is_some() && signed_by_witness.is_none() {
        let what = format!(
            "that witness has not signed a checkpoint that covers record {}",
            needed.saturating_sub(1)
        );
        let remedy = "Ask it first (`portcullis journal ask-witness`), or leave --witness out.";
        return Err(Failure::new(Exit::NotFound, what, remedy));
    }
    let reader = record.reader();
    let mut evidence = Evidence::new(&log, witness.as_ref(), checkpoint);
    let nodes = TileReader::new(&tree);
    for number in &numbers {
        let shown = reader.show(*number).map_err(|error| unread(&error))?;
        evidence
            .add(&nodes, *number, &shown.salt, &shown.record.json)
            .map_err(|error| unproved(&error))?;
    }
    // First the note: a bundle of which the record knows nothing must not get about.
    note(&record, "evidence", &details)?;
    evidence.write(into).map_err(|error| unproved(&error))?;
    let view = View {
        directory: into.display().to_string(),
        records: numbers.len(),
        signed: Checkpoint::size(checkpoint),
        witnessed: signed_by_witness.is_some(),
    };
    output.result(&view, || {
        format!(
            "{}  {} records under the checkpoint of {}; README.txt in it says how to check them\n\
             Whoever checks needs the record's public key by another way: `portcullis journal public-key`",
            view.directory, view.records, view.signed
        )
    })
}

/// The records, as the record is to name them.
fn named(ranges: &[(u64, u64)]) -> String {
    if ranges.len() > RANGES_NAMED_MAX {
        let first = ranges.iter().map(|range| range.0).min().unwrap_or_default();
        let last = ranges.iter().map(|range| range.1).max().unwrap_or_default();
        return format!("{} ranges of records from {first} to {last}", ranges.len());
    }
    let words: Vec<_> = ranges
        .iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect();
    format!("records {}", words.join(", "))
}

fn in_order(ranges: &[(u64, u64)]) -> Result<Vec<u64>, Failure> {
    let mut numbers = Vec::new();
    for (first, last) in ranges {
        if last - first >= RECORDS_MAX as u64 || numbers.len() > RECORDS_MAX {
            return Err(unproved(&EvidenceError::TooMany));
        }
        numbers.extend(*first..=*last);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn unread(error: &JournalError) -> Failure {
    let exit = match error {
        JournalError::NoRecord(_) => Exit::NotFound,
        _ => Exit::Failed,
    };
    Failure::new(exit, error.to_string(), "")
}

fn unproved(error: &EvidenceError) -> Failure {
    let exit = match error {
        EvidenceError::Unsigned { .. } => Exit::NotFound,
        EvidenceError::NotRecorded(_) => Exit::Conflict,
        EvidenceError::TooMany => Exit::Input,
        EvidenceError::NotText(_) | EvidenceError::Proof(_) => Exit::Failed,
    };
    Failure::new(exit, error.to_string(), "")
}
