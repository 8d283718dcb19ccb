use std::time::Duration;

use proptest::prelude::*;

use super::*;

const TIME_OUT: Duration = Duration::from_secs(60);
const BOTH: [Side; 2] = [Side::Station, Side::Csms];

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn call(exchange: &mut Exchange, asker: Side, id: &str, body: &str, now: Duration) {
    let key = exchange.key(id, body.as_bytes());
    let recall = exchange.recall(asker, key, now);
    exchange.open(asker, key, recall, None, now, TIME_OUT);
}

fn recall(exchange: &Exchange, asker: Side, id: &str, body: &str, now: Duration) -> Recall {
    exchange.recall(asker, exchange.key(id, body.as_bytes()), now)
}

#[test]
fn an_empty_exchange_is_small_and_owns_no_heap() {
    assert!(size_of::<Exchange>() <= 200, "{}", size_of::<Exchange>());
    let exchange = Exchange::new(1);
    assert_eq!(exchange.by_station.open.capacity(), 0);
    assert_eq!(exchange.by_station.remembered.capacity(), 0);
}

#[test]
fn an_answer_belongs_to_the_open_call_of_its_direction_once() {
    for asker in BOTH {
        let mut exchange = Exchange::new(7);
        call(&mut exchange, asker, "a", "{}", at(10));
        assert_eq!(exchange.close(asker.other(), "a", true, at(11)), None);
        assert_eq!(exchange.close(asker, "b", true, at(11)), None);
        assert_eq!(exchange.close(asker, "a", true, at(12)), Some(at(2)));
        assert_eq!(exchange.close(asker, "a", true, at(13)), None);
    }
}

#[test]
fn a_late_answer_is_valid_while_its_call_is_in_the_table() {
    let mut exchange = Exchange::new(7);
    call(&mut exchange, Side::Station, "a", "{}", at(0));
    assert!(exchange.in_flight(Side::Station, at(59)));
    assert_eq!(exchange.next_deadline(at(59)), Some(at(60)));
    assert!(!exchange.in_flight(Side::Station, at(60)));
    assert_eq!(exchange.next_deadline(at(60)), None);
    assert!(exchange.is_open(Side::Station, "a"));
    assert_eq!(
        exchange.close(Side::Station, "a", true, at(500)),
        Some(at(500))
    );
}

#[test]
fn the_oldest_open_call_makes_way() {
    let mut exchange = Exchange::new(7);
    for number in 0..=Exchange::OPEN_MAX {
        call(&mut exchange, Side::Csms, &number.to_string(), "{}", at(0));
    }
    assert!(!exchange.is_open(Side::Csms, "0"));
    assert!(exchange.is_open(Side::Csms, "1"));
    assert!(exchange.is_open(Side::Csms, &Exchange::OPEN_MAX.to_string()));
}

#[test]
fn a_repeated_call_is_told_from_a_reused_id() {
    let mut exchange = Exchange::new(7);
    let station = Side::Station;
    assert_eq!(recall(&exchange, station, "a", "1", at(0)), Recall::New);
    call(&mut exchange, station, "a", "1", at(0));
    assert_eq!(
        recall(&exchange, station, "a", "1", at(1)),
        Recall::InFlight
    );
    assert_eq!(
        recall(&exchange, station, "a", "2", at(1)),
        Recall::OtherBody
    );
    assert_eq!(recall(&exchange, Side::Csms, "a", "2", at(1)), Recall::New);
    assert_eq!(recall(&exchange, station, "a", "1", at(60)), Recall::Over);
    exchange.close(station, "a", true, at(61));
    assert_eq!(recall(&exchange, station, "a", "1", at(62)), Recall::Over);
    assert_eq!(
        recall(&exchange, station, "a", "2", at(62)),
        Recall::OtherBody
    );
}

#[test]
fn sixty_four_ids_are_remembered() {
    let mut exchange = Exchange::new(7);
    for number in 0..Exchange::REMEMBERED_MAX {
        call(
            &mut exchange,
            Side::Station,
            &number.to_string(),
            "{}",
            at(0),
        );
        exchange.close(Side::Station, &number.to_string(), true, at(0));
    }
    assert_eq!(
        recall(&exchange, Side::Station, "0", "x", at(0)),
        Recall::OtherBody
    );
    call(&mut exchange, Side::Station, "one more", "{}", at(0));
    assert_eq!(
        recall(&exchange, Side::Station, "0", "x", at(0)),
        Recall::New
    );
    assert_eq!(
        recall(&exchange, Side::Station, "1", "x", at(0)),
        Recall::OtherBody
    );
}

#[test]
fn ids_that_the_hasher_reads_alike_are_told_apart() {
    // Its short reads overlap, so that "5" and "55" give the same words.
    for seed in [0, 1, u64::MAX] {
        let exchange = Exchange::new(seed);
        for (short, long) in [("5", "55"), ("1111", "11111"), ("", "\0")] {
            let body = b"".as_slice();
            assert_ne!(exchange.key(short, body), exchange.key(long, body));
        }
    }
}

#[test]
fn a_result_may_be_rejected_once() {
    let mut exchange = Exchange::new(7);
    call(&mut exchange, Side::Station, "a", "{}", at(0));
    assert!(!exchange.reject(Side::Station, "a"));
    exchange.close(Side::Station, "a", true, at(1));
    assert!(!exchange.reject(Side::Csms, "a"));
    assert!(exchange.reject(Side::Station, "a"));
    assert!(!exchange.reject(Side::Station, "a"));
    call(&mut exchange, Side::Station, "b", "{}", at(2));
    exchange.close(Side::Station, "b", false, at(3));
    assert!(
        !exchange.reject(Side::Station, "b"),
        "a CALLERROR has no result to reject"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Call(Side, u8, u8),
    Answer(Side, u8),
    Reject(Side, u8),
    Wait(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Station), Just(Side::Csms)];
    let step = prop_oneof![
        (side.clone(), any::<u8>(), 0..3_u8).prop_map(|(side, id, body)| Step::Call(
            side,
            id % 100,
            body
        )),
        (side.clone(), any::<u8>()).prop_map(|(side, id)| Step::Answer(side, id % 100)),
        (side, any::<u8>()).prop_map(|(side, id)| Step::Reject(side, id % 100)),
        any::<u8>().prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..400)
}

proptest! {
    #[test]
    fn bounds_hold_and_no_call_is_answered_twice(seed: u64, steps in steps()) {
        let mut exchange = Exchange::new(seed);
        let mut now = Duration::ZERO;
        let mut owed = std::collections::HashMap::new();
        for step in steps {
            match step {
                Step::Call(side, id, body) => {
                    call(&mut exchange, side, &id.to_string(), &body.to_string(), now);
                    owed.insert((side, id), true);
                    prop_assert!(exchange.in_flight(side, now));
                }
                Step::Answer(side, id) => {
                    let taken = exchange.close(side, &id.to_string(), true, now).is_some();
                    let was_owed = owed.insert((side, id), false).unwrap_or(false);
                    prop_assert!(!taken || was_owed);
                    prop_assert!(!exchange.is_open(side, &id.to_string()));
                }
                Step::Reject(side, id) => {
                    exchange.reject(side, &id.to_string());
                    prop_assert!(!exchange.may_reject(side, &id.to_string()));
                }
                Step::Wait(seconds) => now += at(u64::from(seconds)),
            }
            for side in BOTH {
                prop_assert!(exchange.asked(side).open.len() <= Exchange::OPEN_MAX);
                prop_assert!(exchange.asked(side).remembered.len() <= Exchange::REMEMBERED_MAX);
            }
            prop_assert!(exchange.next_deadline(now).is_none_or(|due| due > now));
        }
    }
}
