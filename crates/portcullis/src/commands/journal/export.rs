//! `portcullis journal export`: records for other tools, in a stream.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;

use journal::reading::Traces;
use journal::{Order, Record};
use serde::Serialize;

use super::lines;
use super::records::{Records, read_failure};
use crate::cli::{ExportArgs, ExportForm};
use crate::config::JournalConfig;
use crate::output::Output;
use crate::{Exit, Failure};

/// In a file's place.
const STANDARD_OUTPUT: &str = "-";
/// The columns of a CSV file.
const COLUMNS: [&str; 11] = [
    "record",
    "at",
    "kind",
    "tenant",
    "station",
    "session",
    "from",
    "action",
    "verdict",
    "latency_us",
    "message",
];

#[derive(Serialize)]
struct Exported {
    file: String,
    records: u64,
    left_out: u64,
    days_without_key: Vec<String>,
}

pub(super) fn run(
    config: &JournalConfig,
    args: &ExportArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let records = Records::open(config)?;
    records.note("export", args.filter.purpose.as_deref().unwrap_or_default())?;
    let query = records.query(&args.filter, Order::OldestFirst)?;
    let from = query.from;
    let mut found = records
        .reader
        .search(query)
        .map_err(|error| read_failure(&error))?;
    let mut writer = Writer::new(args.form, target(&args.to)?)?;
    let mut exported = Exported {
        file: args.to.clone(),
        records: 0,
        left_out: 0,
        days_without_key: Vec::new(),
    };
    for record in found.by_ref() {
        let record = record.map_err(|error| read_failure(&error))?;
        match writer.write(&record)? {
            true => exported.records += 1,
            false => exported.left_out += 1,
        }
    }
    writer.finish()?;
    exported.days_without_key = found.closed().iter().map(ToString::to_string).collect();
    for words in records.not_kept(found.closed(), from)? {
        output.note(&words);
    }
    if args.to == STANDARD_OUTPUT {
        return Ok(());
    }
    output.result(&exported, || in_words(&exported))
}

fn in_words(exported: &Exported) -> String {
    let mut words = format!("{}  {} records", exported.file, exported.records);
    if exported.left_out > 0 {
        words += &format!(
            "; {} that are no messages have no place in a trace (`--as jsonl` has them)",
            exported.left_out
        );
    }
    words
}

/// A new file that only its owner reads, or standard output.
fn target(to: &str) -> Result<Box<dyn Write>, Failure> {
    if to == STANDARD_OUTPUT {
        return Ok(Box::new(io::stdout().lock()));
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to);
    match file {
        Ok(file) => Ok(Box::new(BufWriter::new(file))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::new(
            Exit::Conflict,
            format!("{to} is there already"),
            "Name another file; nothing is written over.",
        )),
        Err(error) => Err(Failure::new(Exit::Failed, format!("{to}: {error}"), "")),
    }
}

enum Writer {
    Trace(Traces, Box<dyn Write>),
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Jsonl(Box<dyn Write>),
}

impl Writer {
    fn new(form: ExportForm, target: Box<dyn Write>) -> Result<Writer, Failure> {
        Ok(match form {
            ExportForm::Trace => Writer::Trace(Traces::default(), target),
            ExportForm::Jsonl => Writer::Jsonl(target),
            ExportForm::Csv => {
                let mut writer = csv::Writer::from_writer(target);
                writer.write_record(COLUMNS).map_err(io::Error::other)?;
                Writer::Csv(Box::new(writer))
            }
        })
    }

    /// Writes a record; whether the form has a place for it.
    fn write(&mut self, record: &Record) -> Result<bool, Failure> {
        match self {
            Writer::Trace(traces, target) => match traces.line(record) {
                Some(line) => writeln!(target, "{line}")?,
                None => return Ok(false),
            },
            Writer::Csv(writer) => writer.write_record(row(record)).map_err(io::Error::other)?,
            Writer::Jsonl(target) => writeln!(target, "{}", lines::value(record))?,
        }
        Ok(true)
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Writer::Trace(_, mut target) | Writer::Jsonl(mut target) => target.flush()?,
            Writer::Csv(mut writer) => writer.flush()?,
        }
        Ok(())
    }
}

fn row(record: &Record) -> [String; COLUMNS.len()] {
    let facts = record.facts();
    let whole = lines::value(record);
    let message = whole.get("message").map(ToString::to_string);
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        record.number.to_string(),
        lines::at(facts.at),
        cell(&facts.kind),
        cell(&facts.tenant),
        cell(&facts.station),
        number(facts.session),
        cell(&facts.from),
        cell(&facts.action),
        cell(&facts.verdict),
        number(facts.latency_us),
        cell(&message.unwrap_or_default()),
    ]
}

/// A text that no spreadsheet takes for a formula, or for a cell that ends early.
fn cell(text: &str) -> String {
    let text = lines::harmless(text);
    let begins = text.trim_start().chars().next();
    match begins {
        Some('=' | '+' | '-' | '@' | '|' | '%') => format!("'{text}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1+1",
            "+49",
            "-2",
            "@SUM(A1)",
            "  =cmd|' /C calc'!A0",
            "|x",
            "%y",
        ] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("\t=1"), r"\u{9}=1");
        assert_eq!(cell("CS-1"), "CS-1");
        assert_eq!(
            cell(r#"[2,"1","Heartbeat",{}]"#),
            r#"[2,"1","Heartbeat",{}]"#
        );
    }

    #[test]
    fn a_row_has_what_its_columns_say() {
        let record = Record {
            number: 3,
            json: br#"{"at":1795305600123,"kind":"call","tenant":"cpo","station":"=CS-1","session":4,"from":"station","action":"Heartbeat","message":[2,"1","Heartbeat",{}]}"#.to_vec(),
        };
        assert_eq!(
            row(&record),
            [
                "3",
                "2026-11-22T00:00:00.123Z",
                "call",
                "cpo",
                "'=CS-1",
                "4",
                "station",
                "Heartbeat",
                "forwarded",
                "",
                r#"[2,"1","Heartbeat",{}]"#,
            ]
        );
    }
}
