//! The record that the demo's gate has kept: read, checked, and checked again with one byte changed.

use std::fs;
use std::path::{Path, PathBuf};

use journal::proof::LogKey;
use journal::proof::verify::{Against, Forgotten, Report, verify};
use journal::{Order, Query};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::{Config, JournalConfig};
use crate::open_record::OpenRecord;
use crate::{Exit, Failure};

/// Messages that are shown.
const SHOWN: usize = 3;
/// Characters of each.
const SHOWN_CHARS: usize = 230;

/// What the record says of the demo, and whether it is whole. To be asked when the gate is closed.
pub(super) fn shown(config: &Path) -> Result<String, Failure> {
    let config = Config::load(config)?.journal;
    let config =
        config.ok_or_else(|| Failure::new(Exit::Failed, "the demo keeps no record", ""))?;
    let record = OpenRecord::new(&config).map_err(failed)?;
    let log = record.log().map_err(failed)?;
    let whole = checked(&record, &log)?;
    let mut text = format!(
        "── the record ──\n\
         {} records are kept, sealed and signed, and none names a token; of those with one:\n",
        whole.end
    );
    for line in messages(&record)? {
        text += &format!("  {line}\n");
    }
    text += &match &whole.finding {
        None => format!(
            "verify: whole; {} records compared with the tree, {} of them signed\n",
            whole.compared, whole.signed
        ),
        Some(finding) => format!("verify: NOT WHOLE: {finding}\n"),
    };
    let (changed, file) = one_byte_flipped(&config)?;
    let told = checked(&record.copied_to(&changed), &log)?;
    text += &format!("one byte of a copy of {file} flipped\n");
    text += &match &told.finding {
        None => "verify: UNNOTICED\n".to_owned(),
        Some(finding) => format!("verify: {finding}\n"),
    };
    Ok(text)
}

/// What was said, in the record of a message.
#[derive(Deserialize)]
struct Said<'r> {
    #[serde(borrow)]
    message: &'r RawValue,
}

/// The latest messages that name somebody, as they are recorded.
fn messages(record: &OpenRecord<'_>) -> Result<Vec<String>, Failure> {
    let reader = record.reader();
    let mut lines = Vec::new();
    for action in ["Authorize", "StartTransaction", "TransactionEvent"] {
        let query = Query {
            action: Some(action.to_owned()),
            order: Order::NewestFirst,
            limit: Some(200),
            ..Query::default()
        };
        for record in reader.search(query).map_err(failed)? {
            let record = record.map_err(failed)?;
            let Ok(said) = serde_json::from_slice::<Said<'_>>(&record.json) else {
                continue;
            };
            let message = said.message.get();
            if message.contains("\"idTag\":\"z") || message.contains("\"idToken\":\"z") {
                let shown: String = message.chars().take(SHOWN_CHARS).collect();
                lines.push(format!("{}  {shown}", record.number));
                break;
            }
        }
    }
    lines.truncate(SHOWN);
    Ok(lines)
}

fn checked(record: &OpenRecord<'_>, log: &LogKey) -> Result<Report, Failure> {
    let mut blocks = record.audit().map_err(failed)?;
    let forgotten = Forgotten::default();
    let against = Against {
        log: log.verifier(),
        witnessed: None,
        forgotten: &|record| forgotten.in_record(record),
    };
    verify(&mut blocks, &record.tree(), &against, &mut |_, _| {}).map_err(failed)
}

/// A copy of the record with one bit less or more in the middle of its first segment.
fn one_byte_flipped(config: &JournalConfig) -> Result<(PathBuf, String), Failure> {
    let copy = config.directory.value.with_extension("changed");
    let mut first: Option<PathBuf> = None;
    for folder in ["segments", "tree"] {
        copy_tree(&config.directory.value.join(folder), &copy.join(folder))?;
    }
    for entry in fs::read_dir(copy.join("segments"))? {
        let path = entry?.path();
        let is_earlier = first.as_ref().is_none_or(|first| path < *first);
        if path.extension().is_some_and(|end| end == "seg") && is_earlier {
            first = Some(path);
        }
    }
    let first = first.ok_or_else(|| Failure::new(Exit::Failed, "the record has no segment", ""))?;
    let mut bytes = fs::read(&first)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(&first, bytes)?;
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    Ok((copy, format!("{name}, byte {middle},")))
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_tree(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    let what = format!("the record cannot be read: {error}");
    Failure::new(Exit::Failed, what, "")
}
