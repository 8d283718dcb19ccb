//! The same by a thief who has nothing but the disk: bytes of real segments are changed, and the real
//! reader goes over them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guard::UnixMillis;
use journal::keys::KeyKind;
use journal::proof::verify::{Against, Forgotten, Kind, Part, Report, verify};
use journal::proof::{Checkpoint, Checkpoints, LogKey, VerifierKey};
use journal::record::{Act, compose_act};
use journal::segments::Audit;
use journal::{Append, Appended, Day, Entry, Journal, KeyRing, Root, Settings, Weight};
use tempfile::TempDir;

use crate::log::{Chance, temporary};

const RECORDS: u64 = 400;
/// Changes that are tried.
const TRIED: u64 = 3_000;

/// A block in a segment's bytes.
struct Place {
    bytes: Range<usize>,
    records: Range<u64>,
}

struct Segment {
    path: PathBuf,
    bytes: Vec<u8>,
    blocks: Vec<Place>,
}

struct Disk {
    dir: TempDir,
    keys: Arc<KeyRing>,
    log: VerifierKey,
    witnessed: Checkpoint,
    segments: Vec<Segment>,
}

impl Disk {
    fn recorded() -> Disk {
        Disk::recorded_and(None)
    }

    /// Some hundred records of one day, and then this one.
    fn recorded_and(last: Option<(UnixMillis, &[u8])>) -> Disk {
        let dir = temporary();
        let keys = dir.path().join("keys");
        let root = Root::draw().unwrap();
        let keys = Arc::new(KeyRing::init(root, &keys, &dir.path().join("keks")).unwrap());
        let log = LogKey::new("gate.example/record", keys.log_key()).unwrap();
        let verifier = log.verifier().clone();
        let settings = Settings {
            commit: Duration::from_millis(1),
            segment_bytes_max: 2 * 1024,
            ..Settings::new(dir.path())
        };
        let journal = Journal::open(&settings, keys.clone(), log).unwrap();
        let appender = journal.appender();
        let mut chance = Chance(1);
        for number in 0..RECORDS {
            // Not to be compressed away.
            let noise = [0; 4].map(|_: u8| chance.below(u64::MAX));
            let json = format!(r#"{{"at":{number},"kind":"call","noise":"{noise:x?}"}}"#);
            let appended = appender.append(&Entry {
                at: UnixMillis(1_795_305_600_000),
                weight: Weight::Kept,
                json: json.as_bytes(),
                station: None,
                action: None,
                refused: false,
                handles: &[],
            });
            // A few records to a block.
            if let Appended::Queued(ticket) = appended
                && number % 7 == 0
            {
                appender
                    .wait_durable(ticket, Duration::from_secs(30))
                    .unwrap();
            }
        }
        if let Some((at, json)) = last {
            appender.append(&Entry {
                at,
                weight: Weight::Kept,
                json,
                station: None,
                action: None,
                refused: false,
                handles: &[],
            });
        }
        journal.close();
        let checkpoints = Checkpoints::read(&dir.path().join("tree"), &verifier).unwrap();
        let witnessed = checkpoints.latest().unwrap().clone();
        assert_eq!(witnessed.size(), RECORDS + u64::from(last.is_some()));
        let segments = segments_of(dir.path());
        assert!(segments.len() > 4, "{} segments", segments.len());
        Disk {
            segments,
            dir,
            keys,
            log: verifier,
            witnessed,
        }
    }

    fn verify(&self) -> Report {
        let mut blocks = Audit::new(self.dir.path(), self.keys.clone()).unwrap();
        let forgotten = Forgotten::default();
        let against = Against {
            log: &self.log,
            witnessed: Some(&self.witnessed),
            forgotten: &|record| forgotten.in_record(record),
        };
        let tree = self.dir.path().join("tree");
        verify(&mut blocks, &tree, &against, &mut |_, _| {}).unwrap()
    }

    /// The kind of what is missing from here on.
    fn missing(&self, segment: usize, block: usize) -> Kind {
        let last = segment + 1 == self.segments.len();
        let last = last && block + 1 == self.segments[segment].blocks.len();
        if last { Kind::Truncation } else { Kind::Drop }
    }
}

fn segments_of(dir: &Path) -> Vec<Segment> {
    let entries = fs::read_dir(dir.join("segments")).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        let mut blocks = Vec::new();
        let mut at = 40;
        while at < bytes.len() {
            let number =
                |from: usize| u32::from_le_bytes(bytes[from..from + 4].try_into().unwrap());
            let first = u64::from_le_bytes(bytes[at + 16..at + 24].try_into().unwrap());
            let end = at + 48 + number(at + 28) as usize;
            blocks.push(Place {
                bytes: at..end,
                records: first..first + u64::from(number(at + 12)),
            });
            at = end;
        }
        Segment {
            path,
            bytes,
            blocks,
        }
    };
    paths.into_iter().map(read).collect()
}

/// Changes one thing and says which kind it is and at which record it begins.
fn change(disk: &Disk, chance: &mut Chance) -> (&'static str, Kind, u64) {
    let number = chance.below(disk.segments.len() as u64) as usize;
    let segment = &disk.segments[number];
    let block_number = chance.below(segment.blocks.len() as u64) as usize;
    let block = &segment.blocks[block_number];
    let mut bytes = segment.bytes.clone();
    match chance.below(5) {
        0 => {
            let place = chance.below(bytes.len() as u64) as usize;
            bytes[place] ^= 1 << chance.below(8);
            fs::write(&segment.path, bytes).unwrap();
            let hit = segment.blocks.iter().find(|block| block.bytes.end > place);
            ("a bit", Kind::Edit, hit.unwrap().records.start)
        }
        1 => {
            let length = chance.below(bytes.len() as u64) as usize;
            fs::write(&segment.path, &bytes[..length]).unwrap();
            let lost = segment.blocks.iter().find(|block| block.bytes.end > length);
            let kind = disk.missing(number, segment.blocks.len() - 1);
            ("a segment cut off", kind, lost.unwrap().records.start)
        }
        2 => {
            fs::remove_file(&segment.path).unwrap();
            let kind = disk.missing(number, segment.blocks.len() - 1);
            ("a segment gone", kind, segment.blocks[0].records.start)
        }
        3 => {
            bytes.drain(block.bytes.clone());
            fs::write(&segment.path, bytes).unwrap();
            let kind = disk.missing(number, block_number);
            ("a block cut out", kind, block.records.start)
        }
        _ => {
            let other = &disk.segments[(number + 1) % disk.segments.len()];
            fs::write(&segment.path, &other.bytes).unwrap();
            let first = segment.blocks[0].records.start;
            ("a segment in another's place", Kind::Edit, first)
        }
    }
}

#[test]
fn a_thief_of_the_disk_changes_nothing_unnoticed() {
    let disk = Disk::recorded();
    assert_eq!(disk.verify().finding, None);
    let mut chance = Chance(0x0d15_c5ee);
    for _ in 0..TRIED {
        let (what, kind, first) = change(&disk, &mut chance);
        let finding = disk.verify().finding;
        let finding = finding.unwrap_or_else(|| panic!("{what}, record {first}: not seen"));
        assert_eq!(
            (finding.kind, finding.part, finding.records.start),
            (kind, Part::Records, first),
            "{what}: {finding}"
        );
        for segment in &disk.segments {
            fs::write(&segment.path, &segment.bytes).unwrap();
        }
    }
    assert_eq!(disk.verify().finding, None);
}

#[test]
fn records_whose_key_is_destroyed_must_be_spoken_of() {
    let disk = Disk::recorded();
    let [day] = disk.keys.days(KeyKind::Segments).unwrap()[..] else {
        panic!("the records are of one day")
    };
    disk.keys.destroy(KeyKind::Segments, day).unwrap();
    let finding = disk.verify().finding.unwrap();
    assert_eq!((finding.kind, finding.records.start), (Kind::Edit, 0));
    assert!(finding.why.contains(&day.to_string()), "{finding}");
}

/// A log whose last record, of another day, says what is no longer kept.
fn recorded_until(details: &str) -> Disk {
    let later = UnixMillis(Day(today().0 + 400).begins().0 + 1);
    let mut act = Vec::new();
    compose_act(
        &Act {
            at: later,
            what: "retention",
            by: "gate",
            details,
        },
        &mut act,
    );
    Disk::recorded_and(Some((later, &act)))
}

/// When the records were made.
fn today() -> Day {
    Day::of(UnixMillis(1_795_305_600_000))
}

#[test]
fn what_retention_has_ended_is_no_finding() {
    let disk = recorded_until(&format!("records of {} (0-{})", today(), RECORDS - 1));
    disk.keys.destroy(KeyKind::Segments, today()).unwrap();
    let report = disk.verify();
    assert_eq!((report.finding, report.forgotten), (None, RECORDS));
    // The same when the files themselves are gone.
    for segment in &disk.segments[..disk.segments.len() - 1] {
        fs::remove_file(&segment.path).unwrap();
    }
    let report = disk.verify();
    assert_eq!((report.finding, report.forgotten), (None, RECORDS));
    assert_eq!(report.compared, 1);
}

/// The day before was forgotten, and a thief passes the first segments of this one off as the end of
/// that: by their headers, and by taking the files out.
#[test]
fn a_day_that_is_kept_cannot_be_passed_off_as_one_that_is_not() {
    const ENDED: u64 = 100;
    let before = Day(today().0 - 1);
    let disk = recorded_until(&format!("records of {before} (0-{})", ENDED - 1));
    let first = |segment: &&Segment| segment.blocks[0].records.start < ENDED + 50;
    let taken = disk.segments.iter().take_while(first).count();
    let kept = disk.segments[taken].blocks[0].records.start;
    for segment in &disk.segments[..taken] {
        let mut header = segment.bytes[..40].to_vec();
        header[32..36].copy_from_slice(&before.0.to_le_bytes());
        fs::write(&segment.path, header).unwrap();
    }
    let report = disk.verify();
    let finding = report.finding.unwrap();
    assert_eq!((finding.kind, finding.records), (Kind::Drop, ENDED..kept));
    assert_eq!(report.forgotten, ENDED);
    for segment in &disk.segments[..taken] {
        fs::remove_file(&segment.path).unwrap();
    }
    let finding = disk.verify().finding.unwrap();
    assert_eq!((finding.kind, finding.records), (Kind::Drop, ENDED..kept));
}
