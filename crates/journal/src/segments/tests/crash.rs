//! Processes that are killed, and machines whose power fails: whatever was acknowledged is there.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::faults::{Certain, ForgetfulDisk, ForgetfulLeaves, blur, files, plan};
use super::*;
use crate::Settings;

/// Where the child that is killed writes.
const DIR: &str = "PORTCULLIS_TEST_JOURNAL";
/// How many children are killed, and how often the power fails.
const KILLED: u64 = 24;
const POWER_FAILURES: u64 = 24;

/// Numbers that are the same in every run.
fn chance(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below.max(1)
    }
}

fn small(dir: &Path) -> Settings {
    Settings {
        commit: Duration::from_millis(1),
        segment_bytes_max: 30_000,
        ..Settings::new(dir)
    }
}

#[test]
#[ignore = "the killed writers' test runs it as a process of its own"]
fn writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let journal = open(&small(Path::new(&dir)));
    let first = journal.health().records;
    println!("first {first}");
    let appender = journal.appender();
    for number in first.. {
        let ticket = queued(append(&appender, number));
        if number % 97 == 0 {
            appender.wait_durable(ticket, PATIENCE).unwrap();
            println!("durable {}", first + appender.durable().0);
        }
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_was_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = chance(0x9e37_79b9_7f4a_7c15);
    let mut durable = 0;
    for round in 0..KILLED {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "segments::tests::crash::writes_until_it_is_killed",
            ])
            .args(["--ignored", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut left = 1 + random(12);
        for line in lines {
            let line = line.unwrap();
            if let Some(first) = line.strip_prefix("first ") {
                let first: u64 = first.parse().unwrap();
                assert!(
                    first >= durable,
                    "round {round}: {first} records, {durable} were durable"
                );
            }
            if let Some(told) = line.strip_prefix("durable ") {
                durable = told.parse().unwrap();
                left -= 1;
            }
            if left == 0 {
                // Somewhere in what comes next.
                for _ in 0..random(2_000_000) {
                    std::hint::spin_loop();
                }
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    open(&small(dir.path())).close();
    let records = all(dir.path());
    assert!(records.len() as u64 >= durable && durable > KILLED * 90);
    for (number, record) in (0..).zip(&records) {
        assert_eq!(*record, message(number));
    }
    assert_proven(dir.path());
}

/// One machine between two power failures. What it had acknowledged.
fn until_power_fails(
    dir: &Path,
    disk: &ForgetfulDisk,
    certain: &Certain,
    first: u64,
    records: u64,
) -> u64 {
    let mut plan = plan(dir, Box::new(disk.clone()));
    plan.leaves = {
        let (dir, disk, certain) = (dir.to_path_buf(), disk.clone(), Arc::clone(certain));
        Box::new(move || Ok(Box::new(ForgetfulLeaves::open(&dir, &disk, &certain)?)))
    };
    let journal = Journal::start(plan, 64 * 1024 * 1024).unwrap();
    assert!(journal.health().records >= first);
    let first = journal.health().records;
    let appender = journal.appender();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in first.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                append(&appender, number);
                if number % 64 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let _ = appender.wait_durable(Ticket(records), PATIENCE);
        disk.fail();
        stop.store(true, Ordering::Relaxed);
    });
    journal.close();
    first + appender.durable().0
}

fn power_fails_often(make: impl Fn(u64) -> ForgetfulDisk) {
    let dir = tempfile::tempdir().unwrap();
    let mut random = chance(0x2545_f491_4f6c_dd1d);
    let mut durable = 0;
    for round in 0..POWER_FAILURES {
        let (disk, certain) = (make(round), Certain::default());
        // What a start finds was certain before.
        let now = files(&dir.path().join("tree")).into_iter();
        *certain.lock().unwrap() = now
            .map(|path| (path.clone(), std::fs::metadata(path).unwrap().len()))
            .collect();
        durable = until_power_fails(dir.path(), &disk, &certain, durable, 1 + random(3_000));
        disk.forget(&mut random);
        let certain = certain.lock().unwrap();
        for path in files(&dir.path().join("tree")) {
            blur(&path, certain.get(&path).copied().unwrap_or(0), &mut random);
        }
    }
    open(&small(dir.path())).close();
    let records = all(dir.path());
    assert!(
        records.len() as u64 >= durable,
        "{} of {durable}",
        records.len()
    );
    for (number, record) in (0..).zip(&records) {
        assert_eq!(*record, message(number));
    }
    assert_proven(dir.path());
}

#[test]
fn a_power_failure_takes_nothing_that_was_durable() {
    power_fails_often(|_| ForgetfulDisk::default());
}

#[test]
fn a_disk_whose_syncs_fail_loses_nothing_that_was_acknowledged() {
    power_fails_often(|round| ForgetfulDisk::failing_one_sync_in(2 + round % 5));
}
