//! `portcullis journal search` and `show`: records that were asked for.

use journal::reading::{Exchange, Exchanges};
use journal::{Order, Record};
use serde_json::Value;

use super::lines;
use super::records::{Records, read_failure};
use crate::Failure;
use crate::cli::SearchArgs;
use crate::config::JournalConfig;
use crate::output::Output;

pub(super) fn search(
    config: &JournalConfig,
    args: &SearchArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let records = Records::open(config)?;
    let order = match args.oldest_first || args.exchanges {
        true => Order::OldestFirst,
        false => Order::NewestFirst,
    };
    let query = records.query(&args.filter, order)?;
    let from = query.from;
    let mut found = records
        .reader
        .search(query)
        .map_err(|error| read_failure(&error))?;
    let shown = if args.exchanges {
        let exchanges: Result<Vec<Exchange>, _> =
            Exchanges::new(found.by_ref()).take(args.limit).collect();
        let exchanges = exchanges.map_err(|error| read_failure(&error))?;
        let values: Vec<Value> = exchanges.iter().map(lines::exchange_value).collect();
        told(&values, exchanges.iter().map(lines::exchange_line), output)?;
        values.len()
    } else {
        let some: Result<Vec<Record>, _> = found.by_ref().take(args.limit).collect();
        let some = some.map_err(|error| read_failure(&error))?;
        let values: Vec<Value> = some.iter().map(lines::value).collect();
        told(&values, some.iter().map(lines::line), output)?;
        values.len()
    };
    // Whoever has seen the newest has not asked how far back it goes.
    if shown < args.limit || order == Order::OldestFirst {
        for words in records.not_kept(found.closed(), from)? {
            output.note(&words);
        }
    }
    Ok(())
}

fn told(
    values: &[Value],
    lines: impl Iterator<Item = String>,
    output: &mut Output,
) -> Result<(), Failure> {
    output.result(&values, || match values.is_empty() {
        true => "Nothing of the kind is recorded.".to_owned(),
        false => lines.collect::<Vec<_>>().join("\n"),
    })
}

pub(super) fn show(
    config: &JournalConfig,
    number: u64,
    output: &mut Output,
) -> Result<(), Failure> {
    let records = Records::open(config)?;
    let exchange = records.reader.exchange(number);
    let exchange = exchange.map_err(|error| read_failure(&error))?;
    output.result(&lines::exchange_value(&exchange), || {
        let mut text = format!(
            "record {}\n{}",
            exchange.said.number,
            lines::page(&exchange.said)
        );
        if let (Some(answer), Some(latency)) = (&exchange.answer, exchange.latency()) {
            text += &format!(
                "\n\nanswered by record {} after {:.1} ms\n{}",
                answer.number,
                latency.as_secs_f64() * 1000.0,
                lines::page(answer)
            );
        }
        text
    })
}
