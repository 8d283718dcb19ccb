//! Ten thousand changes to a log by somebody who has its disk: each is found, by its name and place.
//!
//! Whoever changes it here is stronger than a thief of the disk: they have the segments' keys too, and
//! change records as they please. They have not got the log's key, but in one row that says so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may say what they mean"
)]

mod changes;
mod disk;
mod log;

use std::collections::BTreeMap;
use std::iter;

use changes::{CHANGES, Change, LOG_KEY_CHANGES};
use journal::proof::verify::{Broken, Kind, Report};
use log::{Chance, Log};

/// Changes that are tried, spread over all sorts of them.
const TRIED: usize = 10_000;

#[derive(Default)]
struct Row {
    tried: usize,
    seen: usize,
    named: usize,
    placed: usize,
}

/// Tries each sort of change equally often and counts what a check says.
fn table(changes: &[Change], tried: usize, witnessed: bool) -> BTreeMap<&'static str, Row> {
    let mut log = Log::honest();
    let mut chance = Chance(0x0c99_5eed);
    let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
    for number in 0..tried {
        let change = &changes[number % changes.len()];
        let expected = (change.make)(&mut log, &mut chance);
        let report: Report = log.verify(witnessed);
        let row = rows.entry(change.name).or_default();
        row.tried += 1;
        if let Some(finding) = &report.finding {
            row.seen += 1;
            row.named += usize::from(finding.kind == expected.kind);
            let within = finding.records.start <= expected.records.start
                && expected.records.start < finding.records.end
                && finding.records.end <= expected.records.end.max(expected.within);
            let placed = finding.part == expected.part && within;
            row.placed += usize::from(placed);
            if witnessed && !(placed && finding.kind == expected.kind) {
                println!("{}: expected {expected:?}, found {finding}", change.name);
            }
        } else if witnessed {
            println!("{}: expected {expected:?}, found nothing", change.name);
        }
        log.restore();
    }
    print(&rows);
    rows
}

fn print(rows: &BTreeMap<&'static str, Row>) {
    println!("| change | tried | seen | kind right | place right |");
    println!("|---|---|---|---|---|");
    for (name, row) in rows {
        let Row {
            tried,
            seen,
            named,
            placed,
        } = row;
        println!("| {name} | {tried} | {seen} | {named} | {placed} |");
    }
}

#[test]
fn an_honest_log_is_found_whole() {
    let log = Log::honest();
    for witnessed in [false, true] {
        let report = log.verify(witnessed);
        assert_eq!(report.finding, None);
        assert_eq!(report.compared, log::RECORDS);
        assert_eq!(report.signed, log::SIGNED);
        assert_eq!(report.witnessed, if witnessed { log::WITNESSED } else { 0 });
    }
}

#[test]
fn what_the_log_says_is_no_longer_kept_is_no_drop() {
    // The last record that is signed speaks of the second day.
    let told = |record: &[u8]| match record == log::record(log::SIGNED - 1) {
        true => iter::once(100..200).collect(),
        false => Vec::new(),
    };
    let mut log = Log::honest();
    log.blocks.drain(10..20);
    let report = log.verify_with(true, &told);
    assert_eq!((report.finding, report.forgotten), (None, 100));
    // When it says nothing, it is a drop; and so is what is taken out along with it, before or behind.
    let finding = log.verify(true).finding.unwrap();
    assert_eq!((finding.kind, finding.records), (Kind::Drop, 100..200));
    for (blocks, dropped) in [
        (3..5, 30..50),
        (9..20, 90..100),
        (10..22, 200..220),
        (21..24, 210..240),
    ] {
        let mut log = Log::honest();
        log.blocks.drain(blocks);
        let finding = log.verify_with(true, &told).finding.unwrap();
        assert_eq!((finding.kind, finding.records), (Kind::Drop, dropped));
    }
}

/// Behind the last checkpoint whoever has the segments' keys can write a record and its leaf.
#[test]
fn what_is_not_signed_excuses_nothing() {
    let told = |record: &[u8]| match record == log::record(log::SIGNED) {
        true => iter::once(100..200).collect(),
        false => Vec::new(),
    };
    let mut log = Log::honest();
    log.blocks.drain(10..20);
    let finding = log.verify_with(true, &told).finding.unwrap();
    assert_eq!((finding.kind, finding.records), (Kind::Drop, 100..200));
}

#[test]
fn what_was_never_signed_may_be_lost_to_a_power_failure() {
    let mut log = Log::honest();
    log.blocks.pop();
    log.blocks.push(log::Stored::Broken(Broken {
        first: log::SIGNED,
        end: None,
        torn: true,
        without_key: None,
        place: "a segment".to_owned(),
    }));
    let report = log.verify(true);
    assert_eq!((report.finding, report.end), (None, log::SIGNED));
}

#[test]
fn every_change_is_found_against_what_a_witness_has_seen() {
    for (name, row) in table(CHANGES, TRIED, true) {
        assert_eq!(row.seen, row.tried, "{name}");
        assert_eq!(row.named, row.tried, "{name}");
        assert_eq!(row.placed, row.tried, "{name}");
    }
}

#[test]
fn without_a_witness_going_back_is_not_seen_and_the_rest_is() {
    for (name, row) in table(CHANGES, TRIED / 10, false) {
        let change = CHANGES.iter().find(|change| change.name == name).unwrap();
        let expected = if change.needs_witness { 0 } else { row.tried };
        assert_eq!(row.seen, expected, "{name}");
    }
}

#[test]
fn whoever_has_the_logs_key_is_seen_by_witnesses_alone() {
    for (name, row) in table(LOG_KEY_CHANGES, 50, true) {
        assert_eq!((row.seen, row.named, row.placed), (50, 50, 50), "{name}");
    }
    for (name, row) in table(LOG_KEY_CHANGES, 50, false) {
        assert_eq!(row.seen, 0, "{name}");
    }
}
