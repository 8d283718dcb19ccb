//! Scenes of a record that is written, closed, torn, and opened again.

mod crash;
mod faults;
mod forget;
mod records;
mod trouble;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guard::UnixMillis;

use crate::keys::{KeyError, SegmentKey, SegmentKeys};
use crate::proof::LogKey;
use crate::{Append, Appended, Day, Entry, Journal, Settings, Ticket, Weight};

/// 2026-11-22, 00:00 UTC.
pub(crate) const MIDNIGHT: i64 = 1_795_305_600_000;
/// Longer than any test may wait for a record to become durable.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Keys that follow from the day, as long as they are there.
pub(crate) struct PlainKeys;

impl SegmentKeys for PlainKeys {
    fn seal(&self, day: Day) -> Result<SegmentKey, KeyError> {
        self.open(day)
    }

    fn open(&self, day: Day) -> Result<SegmentKey, KeyError> {
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&day.0.to_le_bytes());
        Ok(SegmentKey::new(bytes))
    }
}

pub(crate) fn log_key() -> LogKey {
    LogKey::new("gate.example/journal", &[9; 32]).unwrap()
}

pub(crate) fn settings(dir: &Path) -> Settings {
    Settings {
        commit: Duration::from_millis(5),
        ..Settings::new(dir)
    }
}

pub(crate) fn open(settings: &Settings) -> Journal {
    Journal::open(settings, Arc::new(PlainKeys), log_key()).unwrap()
}

/// A message of a station, as a record says it.
pub(crate) fn message(number: u64) -> String {
    let station = number % 17;
    format!(
        r#"{{"at":{},"kind":"call","tenant":"cpo","station":"CS-{station:04}","session":{station},"from":"station","action":"Heartbeat","message":[2,"{number}","Heartbeat",{{}}]}}"#,
        MIDNIGHT + number as i64
    )
}

/// Appends message `number` and waits for nothing.
pub(crate) fn append(to: &impl Append, number: u64) -> Appended {
    let json = message(number);
    let station = format!("CS-{:04}", number % 17);
    to.append(&Entry {
        at: UnixMillis(MIDNIGHT + number as i64),
        weight: Weight::Message,
        json: json.as_bytes(),
        station: Some(&station),
        action: Some("Heartbeat"),
        refused: false,
        handles: &[],
    })
}

/// A record of no station, made so long after midnight.
pub(crate) fn entry(after: i64, json: &[u8]) -> Entry<'_> {
    Entry {
        at: UnixMillis(MIDNIGHT + after),
        weight: Weight::Kept,
        json,
        station: None,
        action: None,
        refused: false,
        handles: &[],
    }
}

/// The ticket of what was taken.
#[track_caller]
pub(crate) fn queued(appended: Appended) -> Ticket {
    match appended {
        Appended::Queued(ticket) => ticket,
        other => panic!("not taken: {other:?}"),
    }
}

/// Appends messages, waits until the last is durable, and says its ticket.
pub(crate) fn append_durably(to: &impl Append, numbers: std::ops::Range<u64>) -> Ticket {
    let tickets = numbers.map(|number| queued(append(to, number)));
    let last = tickets.last().unwrap_or(Ticket(0));
    to.wait_durable(last, PATIENCE).unwrap();
    last
}

/// All records of a directory, checked against their numbers.
pub(crate) fn all(dir: &Path) -> Vec<String> {
    let mut scan = super::Scan::new(dir, Arc::new(PlainKeys), 0).unwrap();
    let mut found = Vec::new();
    while let Some(sealed) = scan.advance().unwrap() {
        for (number, record, _) in sealed.records() {
            assert_eq!(number, found.len() as u64);
            found.push(String::from_utf8(record.to_vec()).unwrap());
        }
    }
    found
}

/// The tree's leaves are those of the records, and the last checkpoint covers them all.
pub(crate) fn assert_proven(dir: &Path) {
    let mut scan = super::Scan::new(dir, Arc::new(PlainKeys), 0).unwrap();
    let mut tree = crate::proof::Tree::new();
    while let Some(sealed) = scan.advance().unwrap() {
        for (_, record, salt) in sealed.records() {
            tree.push(crate::proof::leaf_hash(&salt, record));
        }
    }
    let log = log_key();
    let checkpoints = crate::proof::Checkpoints::read(&dir.join("tree"), log.verifier()).unwrap();
    let latest = checkpoints.latest().unwrap();
    assert_eq!(latest.size(), tree.size());
    assert_eq!(*latest.root(), tree.root());
}
