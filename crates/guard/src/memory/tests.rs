//! What is kept reads back whole, and what is not a memory is none.

use proptest::prelude::*;

use super::boot::SimMark;
use super::*;

fn full() -> StationMemory {
    let text = |text: &str| Some(text.into());
    let mut memory = StationMemory {
        registration: Registration::Accepted,
        registered_at: UnixMillis(1_795_000_000_000),
        boot: Some(Box::new(BootIdentity {
            maker: text("Maker AG"),
            model: text("Säule 22"),
            serial: text("SN-0001"),
            firmware: None,
            iccid: Some(SimMark([7; 8])),
            imsi: None,
        })),
        bound_serial: text("SN-0001"),
        connectors: Some(2),
        firmware_job: true,
        replaced: 3,
        transactions: Transactions::default(),
    };
    for number in 0..5 {
        memory.transactions.begin(OpenTransaction {
            id: TransactionId::Number(number),
            place: (number % 2) as u16 + 1,
            csms: 9,
            start: 4,
            sure: false,
        });
    }
    memory.transactions.begin(OpenTransaction {
        id: TransactionId::Text("a0b1".into()),
        place: 0,
        csms: 9,
        start: 0,
        sure: false,
    });
    memory
}

#[test]
fn what_is_kept_reads_back_whole() {
    for memory in [StationMemory::default(), full()] {
        let bytes = memory.to_bytes();
        assert_eq!(StationMemory::from_bytes(&bytes), Some(memory));
        for length in 0..bytes.len() {
            assert_eq!(StationMemory::from_bytes(&bytes[..length]), None);
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(StationMemory::from_bytes(&longer), None);
        let newer = [&[2], &bytes[1..]].concat();
        assert_eq!(StationMemory::from_bytes(&newer), None);
    }
}

#[test]
fn a_memory_is_small() {
    let bytes = full().to_bytes().len();
    assert!(bytes <= 256, "{bytes} bytes of an ordinary station");
    assert!(
        size_of::<StationMemory>() <= 112,
        "{}",
        size_of::<StationMemory>()
    );
}

#[test]
fn one_place_has_one_transaction_and_both_lists_are_bounded() {
    let mut transactions = Transactions::default();
    for number in 0..1000_u16 {
        transactions.begin(OpenTransaction {
            id: TransactionId::Number(i64::from(number)),
            place: number % 64,
            csms: 1,
            start: 0,
            sure: true,
        });
        assert!(transactions.open.len() <= Transactions::OPEN_MAX);
        assert!(transactions.ended.len() <= Transactions::ENDED_MAX);
        let there = transactions.at(number % 64).unwrap();
        assert_eq!(there.id, TransactionId::Number(i64::from(number)));
    }
    assert!(transactions.end(1, "999"));
    assert!(!transactions.end(1, "999"));
    assert!(transactions.holds(1, "999"), "ended of late");
    assert!(!transactions.holds(2, "999"), "of another CSMS");
}

#[test]
fn a_number_is_read_as_a_csms_may_read_it() {
    for (text, read) in [
        ("7", Some(7)),
        (" 7", Some(7)),
        ("7.0", Some(7)),
        ("7e0", Some(7)),
        ("-1", Some(-1)),
        ("7.5", None),
        ("1e300", None),
        ("", None),
        ("NaN", None),
    ] {
        assert_eq!(transactions::number(text), read, "{text:?}");
    }
}

#[test]
fn who_had_to_wait_long_ago_is_unknown_and_so_is_one_in_doubt() {
    let waiting_max = StationMemory::WAITING_MAX.as_millis() as i64;
    for (registration, after, expected) in [
        (Registration::Pending, 0, Registration::Pending),
        (Registration::Rejected, waiting_max, Registration::Rejected),
        (
            Registration::Rejected,
            waiting_max + 1,
            Registration::Unknown,
        ),
        (Registration::Pending, -1, Registration::Unknown),
        (
            Registration::Accepted,
            waiting_max * 1000,
            Registration::Accepted,
        ),
    ] {
        let memory = StationMemory {
            registration,
            registered_at: UnixMillis(1000),
            ..StationMemory::default()
        };
        assert_eq!(memory.registration(UnixMillis(1000 + after)), expected);
        let doubted = memory.in_doubt().registration(UnixMillis(1000));
        assert_eq!(doubted == registration, !registration.must_wait());
    }
}

#[test]
fn another_station_in_its_place_inherits_nothing() {
    let memory = full();
    let id = ocpp::StationId::parse("CP-1", ocpp::Version::V16).unwrap();
    let mut record = StationRecord::new(
        id,
        crate::Tenant("cpo".into()),
        crate::Credential::CertificateName,
    );
    record.replaced = 3;
    assert_eq!(memory.clone().for_session(&record), memory);
    record.serial = Some("SN-0002".into());
    let bound = memory.clone().for_session(&record);
    assert_eq!(bound.bound_serial(), Some("SN-0002"));
    record.replaced = 4;
    record.serial = None;
    let other = memory.for_session(&record);
    assert_eq!((other.replaced, other.boot()), (4, None));
    assert!(other.bound_serial().is_none() && other.transactions().open().is_empty());
}

proptest! {
    /// Whatever stands in the store, reading it ends, and gives a memory only where it was one.
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), first in 0..3_u8) {
        let bytes = [&[first], bytes.as_slice()].concat();
        if let Some(memory) = StationMemory::from_bytes(&bytes) {
            prop_assert_eq!(StationMemory::from_bytes(&memory.to_bytes()), Some(memory));
        }
    }
}
