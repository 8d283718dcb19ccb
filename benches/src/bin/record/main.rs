//! The record benchmark: a day of ten million messages, durable, on one core; how much disk it takes,
//! and how soon something in it is found.
//!
//! `record [--quick] [--work DIR] [--json FILE]`
//!
//! What it costs to make up the messages is measured alone and taken off.

mod fleet;

use std::fs;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::report::median;
use benches::scene::take_load_core;
use guard::UnixMillis;
use journal::proof::LogKey;
use journal::vault::Class;
use journal::{
    Append, Appended, Handle, Journal, KeyRing, Order, Query, Reader, Root, Settings, Vault,
    VaultSettings,
};
use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;

use fleet::{Fleet, MIDNIGHT, STATIONS};

/// How far the fleet may be ahead of the disk, before it waits: a gate's stations would not, but what
/// is measured here is the work, not the gaps.
const AHEAD_BYTES: usize = 16 * 1024 * 1024;
/// How often that is looked at.
const LOOK_EVERY: u64 = 2_000;
/// Questions of each kind.
const QUESTIONS: u64 = 15;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("record: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    records: u64,
    subjects: u64,
    work: PathBuf,
    json: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> io::Result<Options> {
        let mut options = Options {
            records: 10_000_000,
            subjects: 100_000,
            work: ".work/bench".into(),
            json: None,
        };
        while let Some(name) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| io::Error::other(format!("{name} wants a value")))
            };
            match name.as_str() {
                "--quick" => (options.records, options.subjects) = (500_000, 10_000),
                "--records" => options.records = value()?.parse().map_err(io::Error::other)?,
                "--work" => options.work = value()?.into(),
                "--json" => options.json = Some(value()?.into()),
                other => return Err(io::Error::other(format!("{other}: no such option"))),
            }
        }
        Ok(options)
    }
}

/// What came out.
#[derive(Serialize)]
struct Figures {
    records: u64,
    stations: u64,
    bytes_per_record: f64,
    cpu_micros: f64,
    per_second_of_one_core: f64,
    wall_seconds: f64,
    making_up_wall_seconds: f64,
    disk_per_record: f64,
    segments_per_record: f64,
    indexes_per_record: f64,
    tree_per_record: f64,
    zstd_same_level_per_record: f64,
    zstd_3_per_record: f64,
    questions: Vec<Question>,
}

#[derive(Serialize)]
struct Question {
    what: String,
    found: f64,
    median_ms: f64,
    longest_ms: f64,
}

fn run(options: &Options) -> io::Result<()> {
    take_load_core()?;
    let dir = std::path::absolute(options.work.join("record"))?;
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    let root = Root::draw().map_err(io::Error::other)?;
    let keys =
        KeyRing::init(root, &dir.join("keys"), &dir.join("keks")).map_err(io::Error::other)?;
    let keys = Arc::new(keys);
    let vault = Vault::open(
        &dir.join("subjects.db"),
        Arc::clone(&keys),
        VaultSettings::default(),
    );
    let mut vault = vault.map_err(io::Error::other)?;
    let subjects = subjects(&mut vault, options.subjects)?;

    let making_up = making_up(&mut Fleet::new(options.records, subjects.clone()));
    let plain = plain(&mut Fleet::new(options.records, subjects.clone()))?;
    let record = dir.join("record");
    let written = write(&record, &keys, &mut Fleet::new(options.records, subjects))?;
    let questions = ask(&record, &keys, &vault, options.subjects)?;

    let each = |bytes: u64| bytes as f64 / options.records as f64;
    let cpu = written.cpu.saturating_sub(making_up.cpu);
    let size = |of: &str| {
        each(bytes_of(&record, &|path| {
            path.to_string_lossy().contains(of)
        }))
    };
    let figures = Figures {
        records: options.records,
        stations: STATIONS,
        bytes_per_record: each(plain.bytes),
        cpu_micros: cpu.as_secs_f64() * 1e6 / options.records as f64,
        per_second_of_one_core: options.records as f64 / cpu.as_secs_f64(),
        wall_seconds: written.wall.as_secs_f64(),
        making_up_wall_seconds: making_up.wall.as_secs_f64(),
        disk_per_record: each(bytes_of(&record, &|_| true)),
        segments_per_record: size(".seg"),
        indexes_per_record: size(".idx"),
        tree_per_record: size("/tree/"),
        zstd_same_level_per_record: each(plain.same_level),
        zstd_3_per_record: each(plain.level_3),
        questions,
    };
    tell(&figures, options)?;
    fs::remove_dir_all(&dir)
}

/// Somebody with a card each.
fn subjects(vault: &mut Vault, count: u64) -> io::Result<Vec<Handle>> {
    let now = UnixMillis(MIDNIGHT);
    let mut handles = Vec::new();
    for number in 0..count {
        let handle = vault.handle_of("cpo", Class::Token, &card(number), now);
        handles.push(handle.map_err(io::Error::other)?);
        if number % 1_000 == 999 {
            vault.settle().map_err(io::Error::other)?;
        }
    }
    vault.settle().map_err(io::Error::other)?;
    Ok(handles)
}

fn card(number: u64) -> String {
    format!(
        "04{:012X}",
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    )
}

/// What a stretch of work took.
struct Took {
    cpu: Duration,
    wall: Duration,
}

fn timed<T>(work: impl FnOnce() -> T) -> io::Result<(T, Took)> {
    let (cpu, wall) = (cpu()?, Instant::now());
    let done = work();
    Ok((
        done,
        Took {
            cpu: self::cpu()?.saturating_sub(cpu),
            wall: wall.elapsed(),
        },
    ))
}

/// Of all threads of this process.
fn cpu() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec().unsigned_abs(), time.tv_usec() as u32 * 1_000)
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

/// What the messages cost before anybody has recorded one.
fn making_up(fleet: &mut Fleet) -> Took {
    let took = timed(|| {
        while let Some(entry) = fleet.next() {
            black_box(entry.json);
        }
    });
    took.map_or(
        Took {
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
        },
        |(_, took)| took,
    )
}

/// The same day as a plain log: its bytes, and what zstd makes of it as one file.
struct Plain {
    bytes: u64,
    same_level: u64,
    level_3: u64,
}

struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn plain(fleet: &mut Fleet) -> io::Result<Plain> {
    let mut same = zstd::Encoder::new(Counted(0), journal::segments::ZSTD_LEVEL)?;
    let mut third = zstd::Encoder::new(Counted(0), 3)?;
    let mut bytes = 0;
    while let Some(entry) = fleet.next() {
        bytes += entry.json.len() as u64 + 1;
        for encoder in [&mut same, &mut third] {
            encoder.write_all(entry.json)?;
            encoder.write_all(b"\n")?;
        }
    }
    Ok(Plain {
        bytes,
        same_level: same.finish()?.0,
        level_3: third.finish()?.0,
    })
}

/// Records the day; the clock stops when the last record is durable and signed.
fn write(dir: &Path, keys: &Arc<KeyRing>, fleet: &mut Fleet) -> io::Result<Took> {
    let log = LogKey::new("bench.example/record", keys.log_key()).map_err(io::Error::other)?;
    let keys = Arc::clone(keys);
    let journal = Journal::open(&Settings::new(dir), keys, log).map_err(io::Error::other)?;
    let appender = journal.appender();
    let (written, took) = timed(|| -> io::Result<()> {
        let mut number = 0_u64;
        while let Some(entry) = fleet.next() {
            let Appended::Queued(ticket) = appender.append(&entry) else {
                return Err(io::Error::other(format!(
                    "record {number} was not taken in"
                )));
            };
            number += 1;
            if number.is_multiple_of(LOOK_EVERY) && journal.health().queued_bytes > AHEAD_BYTES {
                appender
                    .wait_durable(ticket, Duration::from_secs(60))
                    .map_err(io::Error::other)?;
            }
        }
        journal.close();
        Ok(())
    })?;
    written.map(|()| took)
}

/// Bytes of the files that are meant.
fn bytes_of(dir: &Path, is_meant: &dyn Fn(&Path) -> bool) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => bytes_of(&path, is_meant),
            false if is_meant(&path) => entry.metadata().map_or(0, |data| data.len()),
            false => 0,
        }
    });
    bytes.sum()
}

/// Asks as somebody would who has just opened the record: no index is in memory at the first question.
fn ask(dir: &Path, keys: &Arc<KeyRing>, vault: &Vault, subjects: u64) -> io::Result<Vec<Question>> {
    const HOUR: i64 = 3_600_000;
    let station = |number: u64| Query {
        station: Some(fleet::name(number * 331 % STATIONS)),
        ..Query::default()
    };
    let hour = |number: u64| {
        let from = MIDNIGHT + HOUR * (number % 24) as i64;
        Query {
            from: Some(UnixMillis(from)),
            until: Some(UnixMillis(from + HOUR)),
            ..station(number)
        }
    };
    let last = |number: u64| Query {
        limit: Some(50),
        order: Order::NewestFirst,
        ..station(number)
    };
    let by_identifier = |number: u64| -> io::Result<Query> {
        let handles = vault.find("cpo", &card(number * 7_919 % subjects));
        Ok(Query {
            handles: handles.map_err(io::Error::other)?,
            ..Query::default()
        })
    };
    Ok(vec![
        question("a station and an hour", dir, keys, |number| {
            Ok(hour(number))
        })?,
        question("a station and its last 50", dir, keys, |number| {
            Ok(last(number))
        })?,
        question("a station and the whole day", dir, keys, |number| {
            Ok(station(number))
        })?,
        question("an identifier and the whole day", dir, keys, by_identifier)?,
    ])
}

fn question(
    what: &str,
    dir: &Path,
    keys: &Arc<KeyRing>,
    query: impl Fn(u64) -> io::Result<Query>,
) -> io::Result<Question> {
    let (mut millis, mut found) = (Vec::new(), Vec::new());
    for number in 0..QUESTIONS {
        let reader = Reader::new(dir, Arc::clone(keys) as _);
        let begun = Instant::now();
        let mut count = 0;
        for record in reader.search(query(number)?).map_err(io::Error::other)? {
            black_box(record.map_err(io::Error::other)?);
            count += 1;
        }
        millis.push(begun.elapsed().as_secs_f64() * 1e3);
        found.push(f64::from(count));
    }
    Ok(Question {
        what: what.to_owned(),
        found: median(&found),
        median_ms: median(&millis),
        longest_ms: millis.into_iter().fold(0.0, f64::max),
    })
}

fn tell(figures: &Figures, options: &Options) -> io::Result<()> {
    let json = serde_json::to_string_pretty(figures)?;
    println!("{json}");
    match &options.json {
        Some(file) => fs::write(file, json),
        None => Ok(()),
    }
}
