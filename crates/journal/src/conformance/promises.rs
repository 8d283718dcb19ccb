//! The promises, each a small story about one engine.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use guard::UnixMillis;

use super::{Engine, Running};
use crate::record::About;
use crate::segments::RECORD_BYTES_MAX;
use crate::{Append, Appended, Entry, Sheet, Ticket, Weight};

type Kept = Result<(), String>;
type Promise = (&'static str, fn(&dyn Engine) -> Kept);

/// All of them.
pub(super) const ALL: [Promise; 10] = [
    ("records come back as they were, in their order", in_order),
    ("tickets count what was taken in", tickets_count),
    ("what is durable outlives its process", durable_outlives),
    ("appending never waits", never_waits),
    ("whoever waits is told when patience ends", patience_ends),
    ("the lightest go first", lightest_first),
    ("a gap is counted and recorded", gap_is_recorded),
    ("what fits no record is counted", unfit_is_counted),
    ("of a sheet goes what would go alone", sheets_are_weighed),
    ("many may append at once", many_at_once),
];

/// Longer than any commit takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than an append may take that waits for nothing, on a machine that is busy with others.
const AT_ONCE: Duration = Duration::from_millis(500);
/// More records than any queue holds.
const MANY: u64 = 2_000_000;

fn hold(so: bool, what: impl Into<String>) -> Kept {
    if so { Ok(()) } else { Err(what.into()) }
}

fn record(number: u64) -> Vec<u8> {
    format!(r#"{{"at":{number},"kind":"test","number":{number}}}"#).into_bytes()
}

fn append(to: &dyn Append, weight: Weight, json: &[u8]) -> Appended {
    to.append(&entry(weight, json))
}

fn entry(weight: Weight, json: &[u8]) -> Entry<'_> {
    Entry {
        at: UnixMillis(1_795_305_600_000),
        weight,
        json,
        station: Some("CS-1"),
        action: None,
        refused: false,
        handles: &[],
    }
}

fn about(weight: Weight) -> About<'static> {
    About {
        at: UnixMillis(1_795_305_600_000),
        weight,
        station: Some("CS-1".into()),
        action: None,
        is_refused: false,
    }
}

fn queued(to: &dyn Append, number: u64) -> Result<Ticket, String> {
    match append(to, Weight::Message, &record(number)) {
        Appended::Queued(ticket) => Ok(ticket),
        other => Err(format!("record {number} was not taken in: {other:?}")),
    }
}

fn durable(to: &dyn Append, ticket: Ticket) -> Kept {
    to.wait_durable(ticket, PATIENCE)
        .map_err(|error| format!("{ticket:?}: {error}"))?;
    hold(
        to.durable() >= ticket,
        "it was waited for, and is not durable",
    )
}

fn in_order(engine: &dyn Engine) -> Kept {
    let Running { append, close } = engine.start()?;
    for number in 0..5_000 {
        queued(&*append, number)?;
    }
    let mut sheet = Sheet::default();
    for number in 5_000..6_000 {
        sheet.text().extend(record(number));
        sheet.end_record(&about(Weight::Message), &[]);
    }
    let last = append.append_sheet(&mut sheet);
    hold(
        last == Some(Ticket(6_000)),
        format!("{last:?} for the last of a sheet"),
    )?;
    hold(
        sheet.is_empty() && append.append_sheet(&mut sheet).is_none(),
        "a sheet that was taken in still holds records",
    )?;
    close();
    let records = engine.records()?;
    let expected: Vec<Vec<u8>> = (0..6_000).map(record).collect();
    hold(
        records == expected,
        format!("{} records, or others", records.len()),
    )
}

fn tickets_count(engine: &dyn Engine) -> Kept {
    for _ in 0..2 {
        let Running { append, close } = engine.start()?;
        hold(
            append.durable() == Ticket(0),
            "something is durable before it was taken in",
        )?;
        for number in 1..=100 {
            let ticket = queued(&*append, number)?;
            hold(
                ticket == Ticket(number),
                format!("{ticket:?} for record {number}"),
            )?;
        }
        durable(&*append, Ticket(100))?;
        hold(
            append.durable() == Ticket(100),
            "more is durable than was taken in",
        )?;
        close();
    }
    Ok(())
}

fn durable_outlives(engine: &dyn Engine) -> Kept {
    for start in 0..3_u64 {
        let Running { append, close } = engine.start()?;
        let mut last = Ticket(0);
        for number in start * 50..start * 50 + 50 {
            last = queued(&*append, number)?;
        }
        durable(&*append, last)?;
        close();
    }
    let records = engine.records()?;
    let expected: Vec<Vec<u8>> = (0..150).map(record).collect();
    hold(
        records == expected,
        format!("{} records, or others", records.len()),
    )
}

fn never_waits(engine: &dyn Engine) -> Kept {
    let Running { append: to, close } = engine.start()?;
    engine.stall(true);
    let mut slowest = Duration::ZERO;
    for number in 0..200_000 {
        let begun = Instant::now();
        append(&*to, Weight::Message, &record(number));
        slowest = slowest.max(begun.elapsed());
    }
    engine.stall(false);
    close();
    hold(slowest < AT_ONCE, format!("an append took {slowest:?}"))
}

fn patience_ends(engine: &dyn Engine) -> Kept {
    let Running { append, close } = engine.start()?;
    engine.stall(true);
    let ticket = queued(&*append, 1)?;
    let told = append.wait_durable(ticket, Duration::from_millis(50));
    hold(
        told.is_err(),
        "it is said to be durable, and nothing can be written",
    )?;
    engine.stall(false);
    durable(&*append, ticket)?;
    close();
    Ok(())
}

/// Appends until one is not taken. How many were.
fn fill(to: &dyn Append, weight: Weight) -> Result<u64, String> {
    let json = vec![b'1'; 4_096];
    for taken in 0..MANY {
        if append(to, weight, &json) == Appended::Dropped {
            return Ok(taken);
        }
    }
    Err(format!(
        "{MANY} records of {weight:?} were taken in, and none could be written"
    ))
}

fn lightest_first(engine: &dyn Engine) -> Kept {
    let Running { append: to, close } = engine.start()?;
    engine.stall(true);
    let taken = [
        fill(&*to, Weight::Telemetry)?,
        fill(&*to, Weight::Message)?,
        fill(&*to, Weight::Kept)?,
    ];
    hold(
        taken.iter().all(|taken| *taken > 0),
        format!("no room was left: {taken:?}"),
    )?;
    let lost = to.lost();
    hold(
        (lost.telemetry, lost.messages, lost.kept) == (1, 1, 1),
        format!("one of each was dropped, and {lost:?} counted"),
    )?;
    engine.stall(false);
    close();
    let big = engine
        .records()?
        .iter()
        .filter(|record| record.len() == 4_096)
        .count() as u64;
    hold(
        big == taken.iter().sum::<u64>(),
        format!("{taken:?} were taken in, {big} are there"),
    )
}

fn sheets_are_weighed(engine: &dyn Engine) -> Kept {
    let Running { append: to, close } = engine.start()?;
    engine.stall(true);
    let before = fill(&*to, Weight::Telemetry)?;
    let (mut sheet, json) = (Sheet::default(), vec![b'2'; 4_096]);
    for weight in [Weight::Telemetry, Weight::Kept, Weight::Kept] {
        sheet.text().extend_from_slice(&json);
        sheet.end_record(&about(weight), &[]);
    }
    sheet.text().extend(b"{\n}");
    sheet.end_record(&about(Weight::Message), &[]);
    let last = to.append_sheet(&mut sheet);
    hold(
        last == Some(Ticket(before + 2)),
        format!("{last:?} for two of three, behind {before}"),
    )?;
    let lost = to.lost();
    hold(
        (lost.telemetry, lost.messages, lost.kept) == (2, 1, 0),
        format!("one that was light and one that is none, and {lost:?} counted"),
    )?;
    engine.stall(false);
    close();
    let records = engine.records()?;
    let there = records.iter().filter(|there| **there == json);
    hold(
        there.count() == 2,
        "what was taken in of a sheet is not there",
    )
}

fn gap_is_recorded(engine: &dyn Engine) -> Kept {
    let Running { append: to, close } = engine.start()?;
    engine.stall(true);
    let before = fill(&*to, Weight::Telemetry)?;
    for _ in 0..9 {
        append(&*to, Weight::Telemetry, &vec![b'1'; 4_096]);
    }
    engine.stall(false);
    durable(&*to, Ticket(before + 1))?;
    close();
    let records = engine.records()?;
    let gaps: Vec<serde_json::Value> = records
        .iter()
        .filter_map(|record| serde_json::from_slice(record).ok())
        .filter(|record: &serde_json::Value| record["kind"] == "gap")
        .collect();
    let counted = gaps.iter().filter_map(|gap| gap["telemetry"].as_u64());
    let (counted, lost) = (counted.sum::<u64>(), to.lost().telemetry);
    hold(lost == 10, format!("10 were dropped, and {lost} counted"))?;
    hold(
        counted == lost,
        format!("{lost} were dropped, and {counted} recorded as a gap"),
    )
}

fn unfit_is_counted(engine: &dyn Engine) -> Kept {
    let Running { append: to, close } = engine.start()?;
    let too_long = vec![b'1'; RECORD_BYTES_MAX + 1];
    for unfit in [&b""[..], b"{\n}", &too_long] {
        let appended = append(&*to, Weight::Kept, unfit);
        hold(
            appended == Appended::Unfit,
            format!("{appended:?} for what is no record"),
        )?;
    }
    let longest = append(&*to, Weight::Kept, &too_long[1..]);
    hold(
        matches!(longest, Appended::Queued(_)),
        "the longest record was not taken in",
    )?;
    hold(to.lost().kept == 3, format!("{:?} for three", to.lost()))?;
    close();
    let records = engine.records()?;
    hold(
        records
            .iter()
            .any(|record| record.len() == RECORD_BYTES_MAX),
        "the longest is not there",
    )
}

fn many_at_once(engine: &dyn Engine) -> Kept {
    let Running { append, close } = engine.start()?;
    let threads: Vec<_> = (0..4_u64)
        .map(|thread| {
            let append = Arc::clone(&append);
            thread::spawn(move || {
                (0..500).try_for_each(|at| queued(&*append, at * 4 + thread).map(drop))
            })
        })
        .collect();
    for thread in threads {
        thread
            .join()
            .map_err(|_| "an appending thread panicked".to_owned())??;
    }
    close();
    let records = engine.records()?;
    let mut next = [0_u64, 1, 2, 3];
    for json in &records {
        let place = next.iter().position(|number| record(*number) == *json);
        let place = place.ok_or("a record is not the next of its thread")?;
        next[place] += 4;
    }
    hold(
        records.len() == 2_000,
        format!("{} records of 2,000", records.len()),
    )
}
