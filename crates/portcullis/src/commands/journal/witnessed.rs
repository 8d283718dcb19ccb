//! `portcullis journal public-key`, `ask-witness` and `witnessed`: the record and its witness.

use std::io::{self, Write as _};
use std::path::Path;

use journal::proof::{Checkpoint, Checkpoints, Request, TileReader};
use serde::Serialize;

use super::{log, open, proof_failure, verifier};
use crate::commands::witness::read;
use crate::config::JournalConfig;
use crate::output::Output;
use crate::{Exit, Failure};

pub(super) fn public_key(config: &JournalConfig, output: &mut Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct View {
        public_key: String,
    }
    let log = log(&open(config)?)?;
    let view = View {
        public_key: log.to_string(),
    };
    output.result(&view, || view.public_key.clone())
}

/// What a witness is asked goes to standard output as it is, whatever the format: it is piped on.
pub(super) fn ask(config: &JournalConfig, seen: Option<u64>) -> Result<(), Failure> {
    let record = open(config)?;
    let log = log(&record)?;
    let tree = record.tree();
    let checkpoints = Checkpoints::read(&tree, &log).map_err(|error| proof_failure(&error))?;
    let latest = checkpoints.latest().ok_or_else(|| {
        let remedy = "It is, a second after the first record.";
        Failure::new(Exit::NotFound, "nothing is signed yet", remedy)
    })?;
    let seen = seen.unwrap_or_else(|| checkpoints.witnessed().map_or(0, Checkpoint::size));
    let request = Request::new(&TileReader::new(&tree), seen, latest);
    let request = request.map_err(|error| proof_failure(&error))?;
    io::stdout()
        .lock()
        .write_all(request.to_string().as_bytes())?;
    Ok(())
}

pub(super) fn keep(
    config: &JournalConfig,
    witness: &str,
    file: Option<&Path>,
    output: &mut Output,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct View {
        witness: String,
        records: u64,
        seen_at: u64,
    }
    let record = open(config)?;
    let log = log(&record)?;
    let witness = verifier(witness)?;
    let refused = |what: String| {
        let remedy = "Nothing is kept. `portcullis witness sign` says on its standard error why it \
                      did not sign.";
        Failure::new(Exit::Input, what, remedy)
    };
    let checkpoint = Checkpoint::verified(&read(file)?, &log);
    let checkpoint = checkpoint.map_err(|error| refused(error.to_string()))?;
    let Some(seen_at) = checkpoint.witnessed(&witness) else {
        return Err(refused(format!("{} has not signed it", witness.name())));
    };
    let view = View {
        witness: witness.name().to_owned(),
        records: checkpoint.size(),
        seen_at,
    };
    let mut checkpoints =
        Checkpoints::open(&record.tree(), &log).map_err(|error| proof_failure(&error))?;
    let before = checkpoints.witnessed().map_or(0, Checkpoint::size);
    if checkpoint.size() >= before {
        checkpoints
            .write_witnessed(checkpoint)
            .map_err(|error| proof_failure(&error))?;
    }
    output.result(&view, || {
        format!("{} has seen {} records", view.witness, view.records)
    })
}
