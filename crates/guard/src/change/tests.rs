use std::sync::Arc;

use ocpp::{StationId, Version};

use super::memory::Stands;
use super::*;
use crate::{Book, StationRecord, Tenant};

const OLD: Credential = Credential::Certificate([1; 32]);
const NOW: UnixMillis = UnixMillis(1_000_000);

fn mark(number: u8) -> CredentialMark {
    CredentialMark::Certificate([number; 32])
}

fn pending(number: u8, until: i64) -> PendingCredential {
    PendingCredential {
        mark: mark(number),
        until: UnixMillis(until),
        accepted: false,
    }
}

fn record() -> StationRecord {
    let id = StationId::parse("CP1", Version::V16).unwrap();
    StationRecord::new(id, Tenant("t".into()), OLD)
}

fn book(record: &StationRecord) -> Book {
    Book::new([], [Arc::new(record.clone())]).unwrap()
}

/// Changes in which the station has been given these.
fn offered(record: &StationRecord, numbers: impl IntoIterator<Item = u8>) -> Changes {
    let mut changes = Changes::new();
    for number in numbers {
        let pending = pending(number, NOW.0 + 10);
        changes
            .offered(record, pending, &book(record), NOW)
            .unwrap();
    }
    changes
}

fn stands(changes: &mut Changes, record: &StationRecord, shown: u8, at: i64) -> Stands {
    changes
        .standing(record, &[mark(shown)], UnixMillis(at))
        .stands()
}

#[test]
fn old_and_new_are_good_until_the_new_one_is_shown() {
    let record = record();
    let mut changes = offered(&record, [2]);
    assert_eq!(stands(&mut changes, &record, 1, NOW.0), Stands::Ordinary);
    assert_eq!(
        stands(&mut changes, &record, 3, NOW.0),
        Stands::Ordinary,
        "and nothing else"
    );
    assert_eq!(
        stands(&mut changes, &record, 2, NOW.0),
        Stands::Changed(mark(2))
    );
    assert!(changes.proved(&record, mark(2)), "the first time is news");
    assert!(!changes.proved(&record, mark(2)));
    assert_eq!(stands(&mut changes, &record, 1, NOW.0), Stands::Over);
    assert_eq!(
        stands(&mut changes, &record, 2, NOW.0),
        Stands::Changed(mark(2))
    );
    // The register has followed: what it says is what counts.
    let after = StationRecord {
        credential: Credential::Certificate([2; 32]),
        ..record
    };
    assert_eq!(stands(&mut changes, &after, 1, NOW.0), Stands::Ordinary);
    assert!(changes.is_empty());
}

#[test]
fn a_refused_one_is_over_at_once_also_while_the_register_still_has_it() {
    let mut record = record();
    let mut changes = offered(&record, [2, 3]);
    record.pending = vec![pending(2, NOW.0 + 10), pending(3, NOW.0 + 10)];
    changes.answered(&record, mark(2), false);
    assert_eq!(stands(&mut changes, &record, 2, NOW.0), Stands::Ordinary);
    assert_eq!(
        stands(&mut changes, &record, 3, NOW.0),
        Stands::Changed(mark(3))
    );
}

#[test]
fn at_the_time_limit_the_station_s_word_decides() {
    let mut record = record();
    let mut changes = offered(&record, [2]);
    let late = NOW.0 + 11;
    assert_eq!(
        stands(&mut changes, &record, 2, late - 1),
        Stands::Changed(mark(2))
    );
    assert_eq!(
        stands(&mut changes, &record, 2, late),
        Stands::Ordinary,
        "without a word: over"
    );
    changes.answered(&record, mark(2), true);
    assert_eq!(stands(&mut changes, &record, 1, late - 1), Stands::Ordinary);
    assert_eq!(stands(&mut changes, &record, 1, late), Stands::Over);
    assert_eq!(
        stands(&mut changes, &record, 2, late),
        Stands::Changed(mark(2))
    );
    // After a restart the register alone says the same.
    record.pending = vec![PendingCredential {
        accepted: true,
        ..pending(2, NOW.0 + 10)
    }];
    let mut changes = Changes::new();
    assert_eq!(stands(&mut changes, &record, 1, NOW.0), Stands::Ordinary);
    assert_eq!(stands(&mut changes, &record, 1, late), Stands::Over);
    assert_eq!(
        stands(&mut changes, &record, 2, late),
        Stands::Changed(mark(2))
    );
}

#[test]
fn a_station_has_few_and_the_gate_has_room_for_few_stations() {
    let record = record();
    let mut changes = offered(&record, 2..=6);
    assert_eq!(
        stands(&mut changes, &record, 2, NOW.0),
        Stands::Ordinary,
        "the oldest is over"
    );
    for newer in 3..=6 {
        let wanted = Stands::Changed(mark(newer));
        assert_eq!(stands(&mut changes, &record, newer, NOW.0), wanted);
    }
    let mut full = Changes::bounded(0);
    let told = full.offered(&record, pending(2, NOW.0 + 10), &book(&record), NOW);
    assert_eq!(told, Err(NoRoom));
    // What the register has followed makes room for others.
    let mut changes = Changes::bounded(1);
    changes
        .offered(&record, pending(2, NOW.0 + 10), &book(&record), NOW)
        .unwrap();
    let followed = StationRecord {
        pending: vec![pending(2, NOW.0 + 10)],
        ..record.clone()
    };
    let id = StationId::parse("CP2", Version::V16).unwrap();
    let other = StationRecord::new(id, Tenant("t".into()), OLD);
    let next = pending(9, NOW.0 + 10);
    assert_eq!(
        changes.offered(&other, next, &book(&record), NOW),
        Err(NoRoom)
    );
    changes
        .offered(&other, next, &book(&followed), NOW)
        .unwrap();
}

#[test]
fn a_standing_is_of_its_station_alone() {
    let record = record();
    let mut changes = offered(&record, [2]);
    let standing = changes.standing(&record, &[mark(2)], NOW);
    let id = StationId::parse("CP2", Version::V16).unwrap();
    let other = StationRecord::new(id, Tenant("t".into()), OLD);
    assert!(standing.is_of(&record));
    assert!(!standing.is_of(&other));
}

#[test]
fn who_comes_in_by_exception_is_not_locked_out_by_a_password_that_it_need_not_show() {
    let record = StationRecord {
        credential: Credential::ByException,
        ..record()
    };
    let mut changes = offered(&record, [2]);
    changes.answered(&record, mark(2), true);
    let late = NOW.0 + 11;
    assert_eq!(stands(&mut changes, &record, 1, late), Stands::Ordinary);
    assert_eq!(
        stands(&mut changes, &record, 2, late),
        Stands::Changed(mark(2))
    );
    // Who has shown it once has something to show.
    changes.proved(&record, mark(2));
    assert_eq!(stands(&mut changes, &record, 1, late), Stands::Over);
}
