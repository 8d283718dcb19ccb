//! Who is turned away, who is not, and what a flood can do to the memory of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ocpp::{StationId, Version};
use proptest::prelude::*;

use super::known::SOURCES_PER_STATION_MAX;
use super::{AttemptLimit, AttemptLimits, Attempts, Guess, Source, Who};
use crate::{Moment, Tenant, VerifierKey};

fn who(name: &str) -> Who {
    let tenant = Tenant(Arc::from("cpo"));
    let station = StationId::parse(name, Version::V16).unwrap();
    Who::of(&tenant, &station, &VerifierKey::new([3; 32]))
}

fn from(address: &str) -> Source {
    Source::of(address.parse::<IpAddr>().unwrap())
}

fn second(second: u64) -> Moment {
    Moment::default().plus(Duration::from_secs(second))
}

/// One wrong password: `Ok` where it was checked, and what it was refused under.
fn fail(
    attempts: &mut Attempts,
    at: Moment,
    source: Source,
    who: Who,
    guess: Guess,
) -> Result<Option<AttemptLimit>, AttemptLimit> {
    let attempt = attempts.begin(at, source, who, guess)?;
    Ok(attempts.failed(attempt))
}

fn succeed(attempts: &mut Attempts, at: Moment, source: Source, who: Who, guess: Guess) -> bool {
    match attempts.begin(at, source, who, guess) {
        Ok(attempt) => {
            attempts.succeeded(at, attempt);
            true
        }
        Err(_) => false,
    }
}

/// Drives a source over its limit, one identity after another.
fn spray(attempts: &mut Attempts, at: Moment, source: Source, times: usize) {
    for number in 0..times {
        let who = who(&format!("SPRAYED-{number}"));
        let _ = fail(attempts, at, source, who, Guess::Hopeless);
    }
}

#[test]
fn a_source_is_one_address_or_one_network_of_64_bits() {
    assert_eq!(from("192.0.2.1"), from("::ffff:192.0.2.1"));
    assert_ne!(from("192.0.2.1"), from("192.0.2.2"));
    assert_eq!(from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff::9"));
    assert_ne!(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
}

#[test]
fn guessing_at_one_identity_is_turned_away_and_forgiven_one_by_one() {
    let mut attempts = Attempts::new(AttemptLimits::default());
    let (source, cp1) = (from("192.0.2.1"), who("CP1"));
    for _ in 0..5 {
        let told = fail(&mut attempts, second(0), source, cp1, Guess::Hopeless);
        assert_eq!(told, Ok(None));
    }
    // Ten guesses a second for an hour: only what is forgiven meanwhile is looked at.
    let mut checked = 0;
    for tenth in 0..36_000 {
        let at = Moment::default().plus(Duration::from_millis(100 * tenth));
        checked += usize::from(fail(&mut attempts, at, source, cp1, Guess::Hopeless).is_ok());
    }
    assert_eq!(checked, 3600 / 30 - 1);
    // The station is not locked out: from its own address it comes in as ever.
    let home = from("198.51.100.7");
    assert!(succeed(
        &mut attempts,
        second(3600),
        home,
        cp1,
        Guess::Possible
    ));
}

#[test]
fn a_thousand_guesses_at_once_do_not_all_find_an_empty_count() {
    let mut attempts = Attempts::new(AttemptLimits::default());
    let (source, cp1) = (from("192.0.2.1"), who("CP1"));
    let under_way: Vec<_> = (0..1000)
        .filter_map(|_| attempts.begin(second(0), source, cp1, Guess::Possible).ok())
        .collect();
    assert_eq!(under_way.len(), 5);
}

#[test]
fn successes_never_count() {
    let mut attempts = Attempts::new(AttemptLimits::default());
    let source = from("192.0.2.1");
    for number in 0..500 {
        let station = who(&format!("CP{number}"));
        assert!(succeed(
            &mut attempts,
            second(0),
            source,
            station,
            Guess::Possible
        ));
    }
    assert_eq!(
        attempts.failures.len(),
        0,
        "a good source leaves nothing behind"
    );
    assert_eq!(attempts.known.len(), 500);
    // A password that is right after four wrong ones clears its pair, not its source.
    let cp1 = who("CP1");
    for _ in 0..4 {
        let _ = fail(&mut attempts, second(1), source, cp1, Guess::Possible);
    }
    assert!(succeed(
        &mut attempts,
        second(1),
        source,
        cp1,
        Guess::Possible
    ));
    let pair = attempts
        .failures
        .of_pair(second(1).elapsed, source, cp1, attempts.pair_pace());
    let all = attempts
        .failures
        .of_source(second(1).elapsed, source, attempts.source_pace());
    assert_eq!((pair, all), (0, 4));
}

/// The table at the head of this module, line by line.
#[test]
fn what_an_attacker_does_to_those_who_share_its_address() {
    use {AttemptLimit::Pair, AttemptLimit::Source as BySource, Guess::*};
    let mut attempts = Attempts::new(AttemptLimits::default());
    let (nat, old, new) = (from("192.0.2.1"), who("OLD"), who("NEW"));
    assert!(succeed(&mut attempts, second(0), nat, old, Possible));
    spray(&mut attempts, second(1), nat, 1000);
    let may = |attempts: &Attempts, who, guess| attempts.may(second(1), nat, who, guess);
    assert_eq!(may(&attempts, old, Hopeless), Ok(()));
    assert_eq!(may(&attempts, old, Possible), Ok(()));
    assert_eq!(may(&attempts, new, Hopeless), Ok(()));
    assert_eq!(may(&attempts, new, Possible), Err(BySource));
    // Now the attacker turns to these two.
    for who in [old, new] {
        for _ in 0..5 {
            let told = fail(&mut attempts, second(1), nat, who, Hopeless);
            assert_eq!(told, Ok(Some(BySource)));
        }
    }
    assert_eq!(may(&attempts, old, Hopeless), Ok(()));
    assert_eq!(may(&attempts, old, Possible), Err(Pair));
    assert_eq!(may(&attempts, new, Hopeless), Err(Pair));
    assert_eq!(may(&attempts, new, Possible), Err(Pair));
    // The guesser hears the same where the pair is known as where it is not.
    let told = fail(&mut attempts, second(1), nat, old, Hopeless);
    assert_eq!(told, Ok(Some(Pair)));
}

#[test]
fn refusals_come_later_and_later_and_are_forgotten_in_time() {
    let mut attempts = Attempts::new(AttemptLimits::default());
    let source = from("192.0.2.1");
    let mut delays = Vec::new();
    for number in 0..40 {
        let who = who(&format!("CP{number}"));
        let told = fail(&mut attempts, second(0), source, who, Guess::Hopeless);
        assert_eq!(told, Ok((number >= 30).then_some(AttemptLimit::Source)));
        if number >= 29 {
            delays.push(attempts.delay(second(0), source).as_millis());
        }
    }
    assert_eq!(delays[..6], [500, 1000, 2000, 4000, 8000, 8000]);
    // 30 and 8 beyond: nobody is remembered longer than 38 refills, whatever they did.
    let limits = AttemptLimits::default();
    let later = Moment::default().plus(limits.source_refill * 38);
    let count = attempts
        .failures
        .of_source(later.elapsed, source, attempts.source_pace());
    assert_eq!(count, 0);
}

#[test]
fn whoever_has_failed_most_is_forgotten_last() {
    let limits = AttemptLimits {
        sources_max: 100,
        ..AttemptLimits::default()
    };
    let mut attempts = Attempts::new(limits);
    let (attacker, cp1) = (from("192.0.2.1"), who("CP1"));
    for _ in 0..5 {
        let _ = fail(&mut attempts, second(0), attacker, cp1, Guess::Hopeless);
    }
    for number in 0..20_000_u32 {
        let source = Source::V6(u64::from(number));
        let _ = fail(
            &mut attempts,
            second(1),
            source,
            who("CP2"),
            Guess::Hopeless,
        );
    }
    assert_eq!(attempts.failures.len(), 100);
    let again = attempts.may(second(1), attacker, cp1, Guess::Hopeless);
    assert_eq!(again, Err(AttemptLimit::Pair));
    // Nor does it shed its count by trying other identities.
    spray(&mut attempts, second(1), attacker, 2000);
    let again = attempts.may(second(1), attacker, cp1, Guess::Hopeless);
    assert_eq!(again, Err(AttemptLimit::Pair));
}

#[derive(Clone, Debug)]
enum Step {
    Fail(u64, u8),
    /// A holder of one credential, from ever new networks.
    Roam(u64),
    Wait(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (any::<u64>(), any::<u8>()).prop_map(|(from, at)| Step::Fail(from % 40, at % 8)),
        3 => any::<u64>().prop_map(Step::Roam),
        1 => any::<u8>().prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..400)
}

proptest! {
    /// Whatever strangers do, and whatever one faithless station does with its own credential: who
    /// succeeded before comes in from there, and the memory stays within its bounds.
    #[test]
    fn no_flood_pushes_out_a_good_pair(steps in steps(), good in 1_u64..8) {
        let limits = AttemptLimits { sources_max: 8, pairs_known_max: 12, ..AttemptLimits::default() };
        let mut attempts = Attempts::new(limits);
        // The first network is one that the attackers are in, too.
        let stations: Vec<(Source, Who)> = (0..good)
            .map(|number| (Source::V6(number % 3), who(&format!("GOOD-{number}"))))
            .collect();
        let mut now = Moment::default();
        for (source, who) in &stations {
            prop_assert!(succeed(&mut attempts, now, *source, *who, Guess::Possible));
        }
        let targets = ["GOOD-0", "GOOD-1", "A", "B", "C", "D", "E", "F"].map(who);
        for step in steps {
            match step {
                Step::Fail(from, at) => {
                    let guess = if at % 2 == 0 { Guess::Possible } else { Guess::Hopeless };
                    let at = targets[usize::from(at)];
                    let _ = fail(&mut attempts, now, Source::V6(from), at, guess);
                }
                Step::Roam(from) => {
                    succeed(&mut attempts, now, Source::V6(from), who("FAITHLESS"), Guess::Hopeless);
                }
                Step::Wait(seconds) => now = now.plus(Duration::from_secs(seconds.into())),
            }
            prop_assert!(attempts.failures.len() <= 8);
            prop_assert!(attempts.known.len() <= 8 + SOURCES_PER_STATION_MAX);
            for (source, who) in &stations {
                prop_assert_eq!(attempts.may(now, *source, *who, Guess::Hopeless), Ok(()));
            }
        }
    }

    /// A guesser's checks in any stretch of time are bounded by its burst and its refill.
    #[test]
    fn guesses_are_bounded_by_burst_and_refill(waits in proptest::collection::vec(0_u64..5_000, 1..300)) {
        let mut attempts = Attempts::new(AttemptLimits::default());
        let (source, cp1) = (from("192.0.2.1"), who("CP1"));
        let (mut now, mut checked) = (Moment::default(), 0_u64);
        for wait in waits {
            now = now.plus(Duration::from_millis(wait));
            checked += u64::from(fail(&mut attempts, now, source, cp1, Guess::Possible).is_ok());
            prop_assert!(checked <= 5 + now.elapsed.as_secs() / 30);
        }
    }
}
