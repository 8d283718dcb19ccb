//! Days whose keys are destroyed give their disk back, and the record stays whole.

use std::fs;
use std::sync::Arc;

use super::*;
use crate::proof::verify::{Against, verify};
use crate::segments::{Audit, forget_days, numbers_of};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Keys of all days but those that are destroyed.
struct Without(Vec<Day>);

impl SegmentKeys for Without {
    fn seal(&self, day: Day) -> Result<SegmentKey, KeyError> {
        self.open(day)
    }

    fn open(&self, day: Day) -> Result<SegmentKey, KeyError> {
        match self.0.contains(&day) {
            true => Err(KeyError::Missing {
                kind: crate::keys::KeyKind::Segments,
                day,
                path: "gone".into(),
            }),
            false => PlainKeys.open(day),
        }
    }
}

#[test]
fn an_old_day_gives_its_disk_back_and_proofs_hold() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    // `append` counts milliseconds: a number is a point in time.
    append_durably(&journal.appender(), 0..300);
    append_durably(&journal.appender(), DAY..DAY + 50);
    append_durably(&journal.appender(), 2 * DAY..2 * DAY + 50);
    journal.close();
    let first = Day::of(UnixMillis(MIDNIGHT));
    let sizes = || -> Vec<u64> {
        let mut files: Vec<_> = fs::read_dir(dir.path().join("segments"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "seg"))
            .map(|entry| (entry.path(), entry.metadata().unwrap().len()))
            .collect();
        files.sort();
        files.into_iter().map(|(_, bytes)| bytes).collect()
    };
    let before = sizes();
    assert_eq!(before.len(), 3, "a segment a day");
    let last = Day(first.0 + 2);
    assert_eq!(
        numbers_of(dir.path(), &PlainKeys, &[first, last]).unwrap(),
        [(first, 0..300), (last, 350..400)]
    );
    let freed = forget_days(dir.path(), &[first]).unwrap();
    let after = sizes();
    assert_eq!(after[0] + freed, before[0]);
    assert_eq!(after[1..], before[1..], "other days stay as they are");

    let keys = Arc::new(Without(vec![first]));
    let log = log_key();
    let check = |excused: Vec<std::ops::Range<u64>>| {
        let mut blocks = Audit::new(dir.path(), Arc::clone(&keys) as _).unwrap();
        let forgotten = move |record: &[u8]| match record.is_empty() {
            true => Vec::new(),
            false => excused.clone(),
        };
        let against = Against {
            log: log.verifier(),
            witnessed: None,
            forgotten: &forgotten,
        };
        verify(
            &mut blocks,
            &dir.path().join("tree"),
            &against,
            &mut |_, _| {},
        )
        .unwrap()
    };
    let report = check(std::iter::once(0..300).collect());
    assert!(report.finding.is_none(), "{:?}", report.finding);
    assert_eq!((report.forgotten, report.compared), (300, 100));
    assert!(
        check(Vec::new()).finding.is_some(),
        "unless nothing says so"
    );

    // Who reads from the beginning begins with what is kept, also where the files are gone.
    let reader = crate::Reader::new(dir.path(), Arc::clone(&keys) as _);
    let read = || -> Vec<u64> {
        let mut scan = reader.tail(0).unwrap();
        let mut numbers = Vec::new();
        while let Some(sealed) = scan.advance().unwrap() {
            numbers.extend(sealed.records().map(|(number, _, _)| number));
        }
        numbers
    };
    let kept: Vec<u64> = (300..400).collect();
    assert_eq!(read(), kept);
    assert_eq!(reader.kept_since().unwrap(), Some((300, Day(first.0 + 1))));
    let whole = crate::Reader::new(dir.path(), Arc::new(PlainKeys));
    assert_eq!(whole.kept_since().unwrap(), None);
    let header = dir.path().join("segments/00000000000000000000.seg");
    let bytes = fs::read(&header).unwrap();
    fs::remove_file(&header).unwrap();
    assert_eq!(read(), kept);
    assert_eq!(reader.kept_since().unwrap(), Some((300, Day(first.0 + 1))));
    fs::write(&header, bytes).unwrap();

    // A day that was held among days that were not.
    let middle = Arc::new(Without(vec![Day(first.0 + 1)]));
    let reader = crate::Reader::new(dir.path(), middle);
    let mut scan = reader.tail(320).unwrap();
    let sealed = scan.advance().unwrap().unwrap();
    assert_eq!(sealed.records().next().unwrap().0, 350);

    // The writer goes on behind it.
    let journal = Journal::open(&settings(dir.path()), keys, log_key()).unwrap();
    append_durably(&journal.appender(), 2 * DAY + 50..2 * DAY + 60);
    assert_eq!(journal.health().records, 410);
}
