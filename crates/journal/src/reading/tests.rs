//! Scenes of looking for records: live, from another process, sealed, and without an index.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guard::UnixMillis;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::segments::HANDLES_MAX;
use crate::segments::tests::{MIDNIGHT, PATIENCE, PlainKeys, entry, open, queued, settings};
use crate::{Append, Entry, Handle, Settings, Ticket, Weight};

const ACTIONS: [&str; 4] = ["Authorize", "Heartbeat", "MeterValues", "Reset"];
const VERDICTS: [&str; 5] = [
    "forwarded",
    "joined",
    "forwarded",
    "refused",
    "disconnected",
];

/// The action and the verdict of a message; not all records tell of one.
fn message(number: u64) -> Option<(&'static str, &'static str)> {
    let verdict = VERDICTS[(number / 5 % 5) as usize];
    (number % 13 != 7).then_some((ACTIONS[number as usize % 4], verdict))
}

/// A record that is told apart by its number. What was said itself may speak of verdicts.
fn json(number: u64) -> String {
    let (at, station, handle) = (at(number), number % 7, handle(number / 9));
    let of = format!(r#""tenant":"cpo","station":"CS-{station}","session":{station}"#);
    let Some((action, verdict)) = message(number) else {
        return format!(
            r#"{{"at":{at},"kind":"connected",{of},"number":{number},"by":"{handle}"}}"#
        );
    };
    let verdict = match verdict {
        "forwarded" => String::new(),
        verdict => format!(r#""verdict":"{verdict}","#),
    };
    let word = VERDICTS[number as usize % 5];
    format!(
        r#"{{"at":{at},"kind":"call",{of},"from":"station","action":"{action}",{verdict}"message":[2,"{number}","{action}",{{"idTag":"{handle}","verdict":"{word}"}}]}}"#
    )
}

fn is_refused(number: u64) -> bool {
    matches!(message(number), Some((_, "refused" | "disconnected")))
}

/// Time goes on, but for a clock that is now and then set back.
fn at(number: u64) -> i64 {
    MIDNIGHT + number as i64 * 20 - if number.is_multiple_of(50) { 3_000 } else { 0 }
}

fn handle(number: u64) -> Handle {
    let mut bytes = [3; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Handle::from_random(bytes)
}

fn append(to: &impl Append, number: u64) -> Ticket {
    let (json, station) = (json(number), format!("CS-{}", number % 7));
    queued(to.append(&Entry {
        at: UnixMillis(at(number)),
        weight: Weight::Message,
        json: json.as_bytes(),
        station: Some(&station),
        action: message(number).map(|(action, _)| action),
        refused: is_refused(number),
        handles: &[handle(number / 9)],
    }))
}

fn append_all(to: &impl Append, numbers: std::ops::Range<u64>) {
    let tickets = numbers.map(|number| append(to, number));
    to.wait_durable(tickets.last().unwrap(), PATIENCE).unwrap();
}

/// What a query should find, by looking at every record.
fn expected(query: &Query, count: u64) -> Vec<u64> {
    let is = |wanted: &Option<String>, said: &str| wanted.as_deref().is_none_or(|w| w == said);
    let mut found: Vec<u64> = (0..count)
        .filter(|number| {
            let station = format!("CS-{}", number % 7);
            let (action, verdict) = message(*number).unwrap_or_default();
            is(&query.tenant, "cpo")
                && is(&query.station, &station)
                && is(&query.action, action)
                && match query.verdict.as_deref() {
                    Some("refused") => is_refused(*number),
                    _ => is(&query.verdict, verdict),
                }
                && query.from.is_none_or(|from| at(*number) >= from.0)
                && query.until.is_none_or(|until| at(*number) < until.0)
                && (query.handles.is_empty() || query.handles.contains(&handle(number / 9)))
        })
        .collect();
    if query.order == Order::NewestFirst {
        found.reverse();
    }
    found.truncate(query.limit.unwrap_or(usize::MAX));
    found
}

fn queries(count: u64) -> impl Strategy<Value = Query> {
    let time = move || {
        proptest::option::of((0..count * 20).prop_map(|at| UnixMillis(MIDNIGHT + at as i64)))
    };
    let one = |of: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(of).prop_map(str::to_owned))
    };
    (
        one(&["cpo", "other"]),
        one(&["CS-0", "CS-1", "CS-6", "CS-9", "CS-\""]),
        (time(), time()),
        one(&["Authorize", "Reset", "Nothing"]),
        one(&["forwarded", "joined", "refused", "disconnected"]),
        proptest::collection::vec((0..count / 8).prop_map(handle), 0..3),
        proptest::option::of(0_usize..40),
        any::<bool>(),
    )
        .prop_map(
            |(tenant, station, (from, until), action, verdict, handles, limit, newest)| Query {
                tenant,
                station,
                from,
                until,
                action,
                verdict,
                handles,
                limit,
                order: if newest {
                    Order::NewestFirst
                } else {
                    Order::OldestFirst
                },
            },
        )
}

fn assert_finds(reader: &Reader, count: u64, cases: u32) {
    let mut runner = TestRunner::new(Config {
        cases,
        ..Config::default()
    });
    runner
        .run(&queries(count), |query| {
            let found: Result<Vec<Record>, _> = reader.search(query.clone()).unwrap().collect();
            let found = found.unwrap();
            let numbers: Vec<u64> = found.iter().map(|record| record.number).collect();
            prop_assert_eq!(numbers, expected(&query, count), "{:?}", query);
            for record in found {
                prop_assert_eq!(record.json, json(record.number).into_bytes());
            }
            Ok(())
        })
        .unwrap();
}

fn indexes(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(dir.join("segments")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "idx"))
        .collect()
}

#[test]
fn every_query_finds_what_is_there_and_nothing_else() {
    const COUNT: u64 = 6_000;
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        segment_bytes_max: 30_000,
        ..settings(dir.path())
    };
    let journal = open(&settings);
    for part in 0..3 {
        append_all(
            &journal.appender(),
            part * COUNT / 3..(part + 1) * COUNT / 3,
        );
    }
    // While it is written: by the writer's process, and by another.
    let elsewhere = Reader::new(dir.path(), Arc::new(PlainKeys));
    assert_finds(&journal.reader(), COUNT, 30);
    assert_finds(&elsewhere, COUNT, 30);
    journal.close();
    // Sealed.
    let sealed = Reader::new(dir.path(), Arc::new(PlainKeys));
    let count = indexes(dir.path()).len();
    assert!(count > 2);
    assert_finds(&sealed, COUNT, 30);
    // Without an index, and with one that was made again.
    for index in indexes(dir.path()) {
        fs::remove_file(index).unwrap();
    }
    assert_finds(&Reader::new(dir.path(), Arc::new(PlainKeys)), COUNT, 30);
    open(&settings).close();
    let deadline = std::time::Instant::now() + PATIENCE;
    while indexes(dir.path()).len() < count && std::time::Instant::now() < deadline {
        open(&settings).close();
    }
    assert_finds(&Reader::new(dir.path(), Arc::new(PlainKeys)), COUNT, 30);
}

#[test]
fn a_record_is_shown_with_what_its_leaf_is_made_of() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    append_all(&journal.appender(), 0..2_000);
    let live = journal.reader().show(1_234).unwrap();
    assert_eq!(live.record.json, json(1_234).into_bytes());
    let missing = journal.reader().show(2_000).unwrap_err();
    assert_eq!(missing.to_string(), "there is no record 2000");
    assert_eq!(journal.reader().end().unwrap(), 2_000);
    journal.close();
    let reader = Reader::new(dir.path(), Arc::new(PlainKeys));
    assert_eq!(reader.show(1_234).unwrap(), live);
    assert_eq!(reader.end().unwrap(), 2_000);
    let tiles = crate::proof::TileReader::new(&dir.path().join("tree"));
    let mut leaf = [crate::proof::Hash([0; 32])];
    tiles.read(0, 1_234, &mut leaf).unwrap();
    assert_eq!(
        leaf[0],
        crate::proof::leaf_hash(&live.salt, &live.record.json)
    );
}

#[test]
fn who_follows_reads_what_comes_later() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        segment_bytes_max: 8_000,
        ..settings(dir.path())
    };
    let journal = open(&settings);
    let mut tail = journal.reader().tail(0).unwrap();
    let mut seen = Vec::new();
    let mut come = 0;
    // Groups that go on, groups that end, and segments that end.
    for more in [1, 1, 5, 700, 3, 900, 900, 1, 900] {
        append_all(&journal.appender(), come..come + more);
        come += more;
        while let Some(sealed) = tail.advance().unwrap() {
            seen.extend(sealed.records().map(|(number, _, _)| number));
        }
        assert_eq!(seen, (0..come).collect::<Vec<_>>());
        assert_eq!(tail.position(), come);
        assert!(tail.advance().unwrap().is_none());
    }
    let segments = fs::read_dir(dir.path().join("segments")).unwrap();
    assert!(segments.count() > 4);
}

/// A conversation of one session: calls of both sides with the same id, one without an answer.
#[test]
fn an_answer_is_put_to_its_call() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    let appender = journal.appender();
    let said = [
        (0, "station", "call", r#"[2,"1","Authorize",{}]"#, ""),
        (5, "csms", "call", r#"[2,"1","Reset",{}]"#, ""),
        (
            30,
            "csms",
            "result",
            r#"[3,"1",{}]"#,
            r#""latency_us":29500,"#,
        ),
        (40, "station", "call", r#"[2,"2","Heartbeat",{}]"#, ""),
        (55, "station", "result", r#"[3,"1",{}]"#, ""),
        (60, "station", "unreadable", r#""[2,""#, ""),
        (70, "station", "result", r#"[3,"9",{}]"#, ""),
    ];
    let mut last = Ticket(0);
    for (at, from, kind, message, latency) in said {
        let json = format!(
            r#"{{"at":{},"kind":"{kind}","tenant":"cpo","station":"CS-1","session":4,"from":"{from}",{latency}"message":{message}}}"#,
            MIDNIGHT + at
        );
        last = queued(appender.append(&Entry {
            station: Some("CS-1"),
            ..entry(at, json.as_bytes())
        }));
    }
    appender.wait_durable(last, PATIENCE).unwrap();
    let reader = journal.reader();
    let exchanges = Exchanges::new(reader.search(Query::default()).unwrap());
    let seen: Vec<(u64, Option<u64>, Option<u64>)> = exchanges
        .map(|exchange| {
            let exchange = exchange.unwrap();
            (
                exchange.said.number,
                exchange.answer.as_ref().map(|answer| answer.number),
                exchange.latency().map(|latency| latency.as_micros() as u64),
            )
        })
        .collect();
    let expected = [
        (0, Some(2), Some(29_500)),
        (1, Some(4), Some(50_000)),
        (3, None, None),
        (5, None, None),
        (6, None, None),
    ];
    assert_eq!(seen, expected);
    // From either of the two.
    for number in [0, 2] {
        let exchange = reader.exchange(number).unwrap();
        assert_eq!(
            (exchange.said.number, exchange.answer.unwrap().number),
            (0, 2)
        );
    }
    assert_eq!(reader.exchange(3).unwrap().latency(), None::<Duration>);
}

#[test]
fn a_record_with_more_handles_than_are_indexed_is_found_by_each() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    let all: Vec<Handle> = (0..HANDLES_MAX as u64 + 30).map(handle).collect();
    let named: Vec<String> = all.iter().map(|handle| format!("\"{handle}\"")).collect();
    let json = format!(r#"{{"at":{MIDNIGHT},"list":[{}]}}"#, named.join(","));
    let appended = journal.appender().append(&Entry {
        at: UnixMillis(MIDNIGHT),
        weight: Weight::Kept,
        json: json.as_bytes(),
        station: None,
        action: None,
        refused: false,
        handles: &all,
    });
    let ticket = queued(appended);
    journal.appender().wait_durable(ticket, PATIENCE).unwrap();
    let found = |reader: &Reader, handle: Handle| {
        let query = Query {
            handles: vec![handle],
            ..Query::default()
        };
        reader.search(query).unwrap().count()
    };
    let last = all.last().copied().unwrap();
    assert_eq!(found(&journal.reader(), last), 1, "while it is written");
    journal.close();
    let reader = Reader::new(dir.path(), Arc::new(PlainKeys));
    for wanted in &all {
        assert_eq!(found(&reader, *wanted), 1, "{wanted}");
    }
    assert_eq!(found(&reader, handle(999_999)), 0);
}
