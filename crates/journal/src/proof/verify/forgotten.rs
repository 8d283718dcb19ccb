//! What the record says of itself: which records are no longer kept. Retention is told from a drop by it.

use std::fmt::Write as _;
use std::ops::Range;

use memchr::memmem::Finder;

use crate::Day;

/// What the details of the act begin with.
const RECORDS_OF: &str = "records of ";

/// The words of the act: the days, each with the numbers of its records.
pub(crate) fn details(days: &[Day], numbers: &[(Day, Range<u64>)]) -> String {
    let mut words = String::from(RECORDS_OF);
    for (place, day) in days.iter().enumerate() {
        let between = if place > 0 { ", " } else { "" };
        // Writing to a text does not fail.
        let _ = write!(words, "{between}{day}");
        let its = numbers
            .iter()
            .filter(|(of, range)| of == day && !range.is_empty());
        let its: Vec<_> = its
            .map(|(_, range)| format!("{}-{}", range.start, range.end - 1))
            .collect();
        if !its.is_empty() {
            let _ = write!(words, " ({})", its.join(" "));
        }
    }
    words
}

/// Reads which records are no longer kept, in the records that say so.
pub struct Forgotten {
    needle: Finder<'static>,
}

impl Default for Forgotten {
    fn default() -> Forgotten {
        Forgotten {
            needle: Finder::new(br#""what":"retention""#),
        }
    }
}

impl Forgotten {
    /// The numbers of the records that are no longer kept, if this record is the act that says so.
    pub fn in_record(&self, record: &[u8]) -> Vec<Range<u64>> {
        #[derive(serde::Deserialize)]
        struct Act<'a> {
            kind: &'a str,
            #[serde(default)]
            what: &'a str,
            #[serde(default)]
            details: &'a str,
        }
        if self.needle.find(record).is_none() {
            return Vec::new();
        }
        match serde_json::from_slice::<Act<'_>>(record) {
            Ok(act) if act.kind == "act" && act.what == "retention" => numbers(act.details),
            _ => Vec::new(),
        }
    }
}

fn numbers(details: &str) -> Vec<Range<u64>> {
    let days = details.strip_prefix(RECORDS_OF);
    let days = days.into_iter().flat_map(|days| days.split(", "));
    let listed = days.filter_map(|day| day.split_once(" (")?.1.strip_suffix(')'));
    let ranges = listed.flat_map(|listed| listed.split(' ')).map(|range| {
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(first..last.checked_add(1)?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(kind: &str, what: &str, details: &str) -> String {
        format!(r#"{{"at":1,"kind":"{kind}","what":"{what}","by":"gate","details":"{details}"}}"#)
    }

    #[test]
    fn what_is_written_is_read() {
        let days = [Day(20_778), Day(20_779), Day(20_780)];
        let numbers = [(days[0], 0..300), (days[2], 300..301), (days[0], 410..500)];
        let words = details(&days, &numbers);
        assert_eq!(
            words,
            "records of 2026-11-21 (0-299 410-499), 2026-11-22, 2026-11-23 (300-300)"
        );
        let read = Forgotten::default().in_record(act("act", "retention", &words).as_bytes());
        assert_eq!(read, [0..300, 410..500, 300..301]);
    }

    #[test]
    fn nothing_else_is() {
        for (kind, what, details) in [
            ("act", "retention", "texts of 2026-11-21 (0-299)"),
            ("act", "look-up", "records of 2026-11-21 (0-299)"),
            ("call", "retention", "records of 2026-11-21 (0-299)"),
            ("act", "retention", "records of 2026-11-21"),
            ("act", "retention", "records of 2026-11-21 (299-0)"),
            (
                "act",
                "retention",
                "records of 2026-11-21 (0-18446744073709551615)",
            ),
            ("act", "retention", "records of 2026-11-21 (0-299"),
        ] {
            let record = act(kind, what, details);
            let read = Forgotten::default().in_record(record.as_bytes());
            assert_eq!(read, [], "{record}");
        }
        let quoted = br#"{"kind":"call","message":[2,"1","DataTransfer",{"what":"retention"}]}"#;
        assert_eq!(Forgotten::default().in_record(quoted), []);
    }
}
