//! `portcullis journal verify`: the whole record, against what was signed.

use std::fs;
use std::path::Path;

use journal::proof::Checkpoint;
use journal::proof::verify::{Against, Forgotten, Part, Report, verify};
use serde::Serialize;

use super::{log, open, proof_failure, verifier};
use crate::config::JournalConfig;
use crate::output::Output;
use crate::{Exit, Failure};

#[derive(Serialize)]
struct View {
    whole: bool,
    records: u64,
    compared: u64,
    no_longer_kept: u64,
    signed: u64,
    witnessed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<FindingView>,
}

#[derive(Serialize)]
struct FindingView {
    kind: String,
    part: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tile_level: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tile: Option<u64>,
    first_record: u64,
    /// The number behind the last one.
    end: u64,
    why: String,
    #[serde(skip)]
    words: String,
}

pub(super) fn run(
    config: &JournalConfig,
    witnessed: Option<&Path>,
    witness: Option<&str>,
    output: &mut Output,
) -> Result<(), Failure> {
    let record = open(config)?;
    let log = log(&record)?;
    let witnessed = match witnessed {
        None => None,
        Some(file) => {
            let checkpoint = Checkpoint::verified(&fs::read_to_string(file)?, &log);
            let checkpoint = checkpoint.map_err(|error| {
                let what = format!("{}: {error}", file.display());
                let remedy = "Take it from the witness itself: `portcullis witness show`.";
                Failure::new(Exit::Input, what, remedy)
            })?;
            if let Some(witness) = witness {
                let witness = verifier(witness)?;
                if checkpoint.witnessed(&witness).is_none() {
                    let what = format!("{}: {} has not signed it", file.display(), witness.name());
                    return Err(Failure::new(Exit::Input, what, ""));
                }
            }
            Some(checkpoint)
        }
    };
    let mut blocks = record.audit().map_err(|error| proof_failure(&error))?;
    let forgotten = Forgotten::default();
    let against = Against {
        log: &log,
        witnessed: witnessed.as_ref(),
        forgotten: &|record| forgotten.in_record(record),
    };
    let bar = output.progress("checking", 0);
    let report = verify(&mut blocks, &record.tree(), &against, &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let view = view(&report.map_err(|error| proof_failure(&error))?);
    output.result(&view, || in_words(&view, witnessed.is_some()))?;
    match view.whole {
        true => Ok(()),
        // The report has said what is wrong.
        false => Err(Failure {
            exit: Exit::Conflict,
            problems: Vec::new(),
        }),
    }
}

fn view(report: &Report) -> View {
    let finding = report.finding.as_ref().map(|finding| FindingView {
        kind: finding.kind.to_string(),
        part: match finding.part {
            Part::Records => "records",
            Part::Tiles { .. } => "tiles",
            Part::Checkpoint => "checkpoint",
        },
        tile_level: match finding.part {
            Part::Tiles { level, .. } => Some(level),
            _ => None,
        },
        tile: match finding.part {
            Part::Tiles { tile, .. } => Some(tile),
            _ => None,
        },
        first_record: finding.records.start,
        end: finding.records.end,
        why: finding.why.clone(),
        words: finding.to_string(),
    });
    View {
        whole: finding.is_none(),
        records: report.end,
        compared: report.compared,
        no_longer_kept: report.forgotten,
        signed: report.signed,
        witnessed: report.witnessed,
        finding,
    }
}

fn in_words(view: &View, with_witness: bool) -> String {
    let mut lines = vec![match &view.finding {
        None => "The record is whole.".to_owned(),
        Some(finding) => format!("The record is not whole. {}", finding.words),
    }];
    lines.push(format!(
        "{} records, {} compared with the tree, {} signed",
        view.records, view.compared, view.signed
    ));
    if view.no_longer_kept > 0 {
        lines.push(format!(
            "{} are no longer kept, by the record's own word; their hashes are",
            view.no_longer_kept
        ));
    }
    lines.push(if with_witness {
        format!("up to {}: against what a witness has seen", view.witnessed)
    } else {
        "against what this disk says was signed; whether all of it was put back to an earlier state, \
         only a witness can tell (--witnessed)"
            .to_owned()
    });
    lines.join("\n")
}
