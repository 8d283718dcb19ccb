//! `portcullis journal tail`: the last records, and those that come.

use std::io::Write;
use std::thread;
use std::time::Duration;

use journal::segments::Scan;
use journal::{JournalError, Order, Query, Record};

use super::lines;
use super::records::{Records, read_failure};
use crate::Failure;
use crate::cli::TailArgs;
use crate::config::JournalConfig;
use crate::output::{Format, Output};

/// Between two looks for more. A commit is a tenth of a second.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn run(
    config: &JournalConfig,
    args: &TailArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let records = Records::open(config)?;
    let newest = Query {
        station: args.station.clone(),
        limit: Some(usize::try_from(args.lines).unwrap_or(usize::MAX)),
        order: Order::NewestFirst,
        ..Query::default()
    };
    let mut next = records.reader.end().map_err(|error| read_failure(&error))?;
    let found = records
        .reader
        .search(newest)
        .map_err(|error| read_failure(&error))?;
    let last: Result<Vec<Record>, _> = found.collect();
    let last = last.map_err(|error| read_failure(&error))?;
    if (last.len() as u64) < args.lines {
        for words in records.not_kept(&[], None)? {
            output.note(&words);
        }
    }
    for record in last.iter().rev() {
        next = next.max(record.number + 1);
        if !say(record, output.format())? {
            return Ok(());
        }
    }
    if !args.follow {
        return Ok(());
    }
    let tail = records.reader.tail(next);
    let mut tail = tail.map_err(|error| read_failure(&error))?;
    while more(&mut tail, args, output.format())? {
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Says what has come since. Whether anybody listens.
fn more(tail: &mut Scan, args: &TailArgs, format: Format) -> Result<bool, Failure> {
    loop {
        let sealed = match tail.advance() {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return Ok(true),
            // The gate is writing there; the next look finds it whole.
            Err(JournalError::Corrupt { .. }) => return Ok(true),
            Err(error) => return Err(read_failure(&error)),
        };
        for (number, json, _) in sealed.records() {
            let record = Record {
                number,
                json: json.to_vec(),
            };
            let station = args.station.as_deref();
            let is_meant = station.is_none_or(|station| record.facts().station == station);
            if is_meant && !say(&record, format)? {
                return Ok(false);
            }
        }
    }
}

/// Says one record. Whether anybody listens.
fn say(record: &Record, format: Format) -> Result<bool, Failure> {
    let said = match format {
        Format::Text => lines::line(record),
        Format::Json => lines::value(record).to_string(),
    };
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{said}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}
