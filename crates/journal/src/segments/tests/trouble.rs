//! What an operator meets: a full disk, a changed byte, a missing file, a missing key, a second writer.
//! Each has its own words, and nothing that was sealed is lost or written over.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::faults::{SmallDisk, start};
use super::*;
use crate::conformance::{self, Engine, Running};
use crate::keys::KeyKind;
use crate::segments::BlockFault;
use crate::{JournalError, Query, Reader, State};

/// The engine of the conformance suite: segments on a disk that can be full.
struct Segments {
    dir: tempfile::TempDir,
    disk: SmallDisk,
}

impl Engine for Segments {
    fn start(&self) -> Result<Running, String> {
        let journal = start(self.dir.path(), self.disk.clone(), 8 * 1024 * 1024);
        let journal = journal.map_err(|error| error.to_string())?;
        Ok(Running {
            append: Arc::new(journal.appender()),
            close: Box::new(move || journal.close()),
        })
    }

    fn stall(&self, stalled: bool) {
        self.disk
            .has_room_for(if stalled { 100 } else { u64::MAX / 2 });
    }

    fn records(&self) -> Result<Vec<Vec<u8>>, String> {
        Ok(all(self.dir.path())
            .into_iter()
            .map(String::into_bytes)
            .collect())
    }
}

#[test]
fn segments_keep_every_promise() {
    conformance::run(|| Segments {
        dir: tempfile::tempdir().unwrap(),
        disk: SmallDisk::new(u64::MAX / 2),
    })
    .unwrap();
}

fn wait_for(journal: &Journal, is: impl Fn(&State) -> bool) -> State {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = journal.health().state;
        if is(&state) {
            return state;
        }
        assert!(Instant::now() < deadline, "it stays {state:?}");
        std::thread::yield_now();
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let found = super::super::names::list(&super::super::directory(dir)).unwrap();
    found.into_iter().map(|(_, path)| path).collect()
}

#[test]
fn a_full_disk_is_told_and_what_was_taken_in_is_written_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::new(6_000);
    let journal = start(dir.path(), disk.clone(), 1024 * 1024).unwrap();
    append_durably(&journal.appender(), 0..50);
    let sealed = fs::read(&segments(dir.path())[0]).unwrap();
    for number in 50..2_000 {
        append(&journal.appender(), number);
    }
    let state = wait_for(&journal, |state| matches!(state, State::Failing(_)));
    let State::Failing(why) = state else {
        panic!("{state:?}")
    };
    assert!(
        why.contains(".seg: ") && why.contains("no storage space"),
        "{why}"
    );
    disk.has_room_for(u64::MAX / 2);
    let lost = journal.appender().lost();
    append_durably(&journal.appender(), 2_000..2_001);
    assert_eq!(
        wait_for(&journal, |state| *state == State::Recording),
        State::Recording
    );
    journal.close();
    // What was sealed before is as it was.
    assert!(
        fs::read(&segments(dir.path())[0])
            .unwrap()
            .starts_with(&sealed)
    );
    assert_eq!(lost.total(), 0);
    assert_eq!(all(dir.path()), (0..2_001).map(message).collect::<Vec<_>>());
    assert_proven(dir.path());
}

/// A sealed record of some segments.
fn sealed(dir: &Path) {
    let settings = Settings {
        segment_bytes_max: 20_000,
        ..settings(dir)
    };
    let journal = open(&settings);
    append_durably(&journal.appender(), 0..4_000);
    journal.close();
}

#[test]
fn a_changed_byte_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    sealed(dir.path());
    let path = segments(dir.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    bytes[500] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let reader = Reader::new(dir.path(), Arc::new(PlainKeys));
    let error = reader
        .search(Query::default())
        .unwrap()
        .find_map(Result::err)
        .unwrap();
    let JournalError::Corrupt {
        offset,
        first,
        fault,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((*offset, *first, *fault), (40, 0, BlockFault::Sealed));
    assert!(
        error
            .to_string()
            .ends_with("(records from 0) is not what was sealed there"),
        "{error}"
    );
    // The rest is there, and the gate goes on behind it.
    assert!(reader.show(3_999).is_ok());
    let journal = open(&settings(dir.path()));
    assert_eq!(journal.health().records, 4_000);
    journal.close();
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_is_torn_behind_the_checkpoint_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    sealed(dir.path());
    let path = segments(dir.path()).pop().unwrap();
    fs::remove_file(path.with_extension("idx")).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn.extend_from_slice(b"blk1 and then the power failed");
    fs::write(&path, &torn).unwrap();
    let journal = open(&settings(dir.path()));
    let health = journal.health();
    assert_eq!(health.records, 4_000);
    assert_eq!(health.aside.len(), 1);
    assert_eq!(fs::read(&health.aside[0]).unwrap(), torn[whole.len()..]);
    assert_eq!(fs::read(&path).unwrap(), whole);
    append_durably(&journal.appender(), 4_000..4_001);
    journal.close();
    assert_eq!(all(dir.path()).len(), 4_001);
    assert_proven(dir.path());
}

#[test]
fn a_changed_block_below_the_checkpoint_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    sealed(dir.path());
    let path = segments(dir.path()).pop().unwrap();
    fs::remove_file(path.with_extension("idx")).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[41] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let opened = Journal::open(&settings(dir.path()), Arc::new(PlainKeys), log_key());
    let error = opened.err().unwrap();
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("has no header that could be ours"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_missing_segment_below_the_checkpoint_is_a_hole() {
    let dir = tempfile::tempdir().unwrap();
    sealed(dir.path());
    let path = segments(dir.path()).pop().unwrap();
    let first = super::super::names::first(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let opened = Journal::open(&settings(dir.path()), Arc::new(PlainKeys), log_key());
    let error = opened.err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("records {first} to 3999 are missing from ")),
        "{error}"
    );
    assert!(
        error.contains("put the segments back from a backup"),
        "{error}"
    );
    assert!(segments(dir.path()).iter().all(|left| *left != path));
}

/// Keys that are there once somebody has brought them, and those of lost days never.
#[derive(Default)]
struct LateKeys {
    there: AtomicBool,
    lost: Mutex<Vec<Day>>,
}

impl SegmentKeys for LateKeys {
    fn seal(&self, day: Day) -> Result<SegmentKey, KeyError> {
        self.open(day)
    }

    fn open(&self, day: Day) -> Result<SegmentKey, KeyError> {
        if !self.there.load(Ordering::SeqCst) {
            return Err(KeyError::RootMissing {
                path: "/run/root.age".into(),
            });
        }
        if self.lost.lock().unwrap().contains(&day) {
            let kind = KeyKind::Segments;
            return Err(KeyError::Missing {
                kind,
                day,
                path: format!("seg-{day}.key").into(),
            });
        }
        PlainKeys.open(day)
    }
}

#[test]
fn records_wait_for_a_key_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(LateKeys::default());
    let journal = Journal::open(&settings(dir.path()), keys.clone(), log_key()).unwrap();
    let ticket = queued(append(&journal.appender(), 0));
    let state = wait_for(&journal, |state| matches!(state, State::Failing(_)));
    assert!(
        format!("{state:?}").contains("root key's file /run/root.age is not there"),
        "{state:?}"
    );
    keys.there.store(true, Ordering::SeqCst);
    journal.appender().wait_durable(ticket, PATIENCE).unwrap();
    journal.close();
    assert_eq!(all(dir.path()), [message(0)]);
}

#[test]
fn a_day_without_its_key_is_passed_over_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(LateKeys::default());
    keys.there.store(true, Ordering::SeqCst);
    const DAY: u64 = 86_400_000;
    for day in 0..3 {
        let journal = Journal::open(&settings(dir.path()), keys.clone(), log_key()).unwrap();
        append_durably(&journal.appender(), day * DAY..day * DAY + 10);
        journal.close();
    }
    let middle = Day::of(UnixMillis(MIDNIGHT + DAY as i64));
    keys.lost.lock().unwrap().push(middle);
    let reader = Reader::new(dir.path(), keys.clone());
    let mut search = reader.search(Query::default()).unwrap();
    let numbers: Vec<u64> = search.by_ref().map(|found| found.unwrap().number).collect();
    assert_eq!(numbers, (0..10).chain(20..30).collect::<Vec<_>>());
    assert_eq!(search.closed(), [middle]);
    let error = reader.show(12).unwrap_err().to_string();
    assert!(
        error.contains("of 2026-11-23: its retention has ended"),
        "{error}"
    );
    // The last day's key is gone: the record goes on where its checkpoint says it ended.
    keys.lost.lock().unwrap().push(Day(middle.0 + 1));
    let journal = Journal::open(&settings(dir.path()), keys, log_key()).unwrap();
    assert_eq!(journal.health().records, 30);
    append_durably(&journal.appender(), 5 * DAY..5 * DAY + 1);
    assert_eq!(
        journal.reader().show(30).unwrap().record.json,
        message(5 * DAY).into_bytes()
    );
}

#[test]
fn a_second_writer_waits_until_the_first_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&settings(dir.path()));
    append_durably(&first.appender(), 0..10);
    let second = open(&settings(dir.path()));
    let state = wait_for(&second, |state| matches!(state, State::Waiting(_)));
    assert!(
        format!("{state:?}").contains("another process writes this record"),
        "{state:?}"
    );
    append(&second.appender(), 10);
    first.close();
    second.appender().wait_durable(Ticket(1), PATIENCE).unwrap();
    second.close();
    assert_eq!(all(dir.path()), (0..11).map(message).collect::<Vec<_>>());
    assert_proven(dir.path());
}
