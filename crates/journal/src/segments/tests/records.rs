//! What is written is read again: over commits, segments, days, and starts.

use super::*;

#[test]
fn records_are_read_as_they_were_appended() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    append_durably(&journal.appender(), 0..3_000);
    append_durably(&journal.appender(), 3_000..3_001);
    assert_eq!(journal.health().records, 3_001);
    journal.close();

    let expected: Vec<String> = (0..3_001).map(message).collect();
    assert_eq!(all(dir.path()), expected);
    assert_proven(dir.path());
}

#[test]
fn a_start_goes_on_in_a_new_segment() {
    let dir = tempfile::tempdir().unwrap();
    for start in 0..4 {
        let journal = open(&settings(dir.path()));
        assert_eq!(journal.health().records, start * 100);
        append_durably(&journal.appender(), start * 100..(start + 1) * 100);
        journal.close();
    }
    assert_eq!(all(dir.path()), (0..400).map(message).collect::<Vec<_>>());
    assert_proven(dir.path());
    let segments = super::super::names::list(&super::super::directory(dir.path())).unwrap();
    let firsts: Vec<u64> = segments.iter().map(|segment| segment.0).collect();
    assert_eq!(firsts, [0, 100, 200, 300]);
}

#[test]
fn a_full_segment_ends_and_the_next_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        segment_bytes_max: 5_000,
        ..settings(dir.path())
    };
    let journal = open(&settings);
    append_durably(&journal.appender(), 0..5_000);
    journal.close();
    assert_eq!(all(dir.path()), (0..5_000).map(message).collect::<Vec<_>>());
    assert_proven(dir.path());
    let segments = super::super::names::list(&super::super::directory(dir.path())).unwrap();
    assert!(segments.len() > 2, "{segments:?}");
    for (_, path) in segments {
        assert!(path.with_extension("idx").exists(), "{path:?}");
    }
}

#[test]
fn a_segment_is_of_one_day_and_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    let appender = journal.appender();
    const HOUR: i64 = 3_600_000;
    // The clock goes on, a little back over midnight, far ahead, and back again.
    let times = [
        -HOUR,
        HOUR,
        -HOUR,
        2 * HOUR,
        1_000 * HOUR,
        3 * HOUR,
        4 * HOUR,
    ];
    let mut last = Ticket(0);
    for at in times {
        let json = format!(r#"{{"at":{},"kind":"test"}}"#, MIDNIGHT + at);
        last = queued(appender.append(&entry(at, json.as_bytes())));
    }
    appender.wait_durable(last, PATIENCE).unwrap();
    journal.close();
    assert_eq!(all(dir.path()).len(), times.len());
    assert_proven(dir.path());
    let segments = super::super::names::list(&super::super::directory(dir.path())).unwrap();
    let days: Vec<(u64, String)> = segments
        .iter()
        .map(|(first, path)| {
            (
                *first,
                super::super::file::header_of(path).unwrap().day.to_string(),
            )
        })
        .collect();
    let expected = [
        (0, "2026-11-21"),
        (1, "2026-11-22"),
        (4, "2027-01-02"),
        (5, "2026-11-22"),
    ];
    assert_eq!(days, expected.map(|(first, day)| (first, day.to_string())));
}

#[test]
fn what_fits_no_record_is_told_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    let appender = journal.appender();
    let unfit = |json: &[u8]| appender.append(&entry(0, json));
    assert_eq!(unfit(b""), Appended::Unfit);
    assert_eq!(unfit(b"{\n}"), Appended::Unfit);
    assert_eq!(
        unfit(&vec![b'1'; crate::segments::RECORD_BYTES_MAX + 1]),
        Appended::Unfit
    );
    assert_eq!(appender.lost().kept, 3);
    // The gap is recorded though nothing else comes.
    appender.wait_durable(Ticket(1), PATIENCE).unwrap();
    let longest = vec![b'1'; crate::segments::RECORD_BYTES_MAX];
    assert_eq!(unfit(&longest), Appended::Queued(Ticket(2)));
    journal.close();
    let records = all(dir.path());
    assert_eq!(records.len(), 2);
    assert!(records[0].contains(r#""kind":"gap""#), "{}", records[0]);
    assert!(records[0].contains(r#""kept":3,"#), "{}", records[0]);
    assert_eq!(records[1].as_bytes(), longest);
}

#[test]
fn commits_of_one_record_share_their_compression() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&settings(dir.path()));
    for number in 0..60 {
        append_durably(&journal.appender(), number..number + 1);
    }
    journal.close();
    let plain: usize = (0..60).map(|number| message(number).len()).sum();
    let bytes = std::fs::metadata(dir.path().join("segments/00000000000000000000.seg"))
        .unwrap()
        .len() as usize;
    // Each block of its own would not compress at all: 64 bytes of it are header and tag.
    assert!(bytes < plain * 2 / 3, "{bytes} bytes for {plain}");
    assert_eq!(all(dir.path()), (0..60).map(message).collect::<Vec<_>>());
}
