//! What a claim costs, and what a stranger could learn from that.

use super::*;

/// How many hashes of which kind a claim costs: none, or one that is slow or fast.
fn cost(gate: &Gate, claim: Claim) -> Option<bool> {
    let prepared = gate.prepare(claim).ok()?;
    Some(prepared.needs_slow_hash())
}

#[test]
fn unknown_disabled_and_wrong_cost_the_same_hash() {
    let gate = Gate::new();
    assert_eq!(cost(&gate, by_password("FAST", b"wrong")), Some(false));
    assert_eq!(cost(&gate, by_password("OFF", SECRET)), Some(false));
    assert_eq!(cost(&gate, by_password("SLOW", b"wrong")), Some(true));
    assert_eq!(cost(&gate, by_password("OFF-SLOW", CHOSEN)), Some(true));
    // Two of six registered passwords are slow, and so is about a third of all strangers.
    let strangers = (0..600).map(|number| format!("NOBODY-{number}"));
    let slow: Vec<bool> = strangers
        .clone()
        .filter_map(|name| cost(&gate, by_password(&name, SECRET)))
        .collect();
    let count = slow.iter().filter(|slow| **slow).count();
    assert_eq!(slow.len(), 600);
    assert!((120..280).contains(&count), "{count} of 600");
    let again: Vec<bool> = strangers
        .filter_map(|name| cost(&gate, by_password(&name, CHOSEN)))
        .collect();
    assert_eq!(slow, again, "asking twice tells nothing");
}

#[test]
fn a_fleet_without_slow_passwords_runs_no_slow_hash_for_strangers() {
    let key = VerifierKey::new([1; 32]);
    let fast = Verifier::fast(SECRET, PasswordForm::Octets, &key, [2; 16]).unwrap();
    let gate = Gate {
        book: Book::new([], [record("FAST", Credential::Password(fast))]).unwrap(),
        ..Gate::new()
    };
    for number in 0..200 {
        let claim = by_password(&format!("NOBODY-{number}"), CHOSEN);
        assert_eq!(cost(&gate, claim), Some(false));
    }
}

#[test]
fn one_slow_password_in_a_large_fleet_does_not_stand_out() {
    let key = VerifierKey::new([1; 32]);
    let fast = Verifier::fast(SECRET, PasswordForm::Octets, &key, [2; 16]).unwrap();
    let slow = Verifier::slow(CHOSEN, PasswordForm::Octets, [3; 16]).unwrap();
    let many = (0..2000).map(|n| record(&format!("CP-{n}"), Credential::Password(fast.clone())));
    let all = many.chain([record("SLOW", Credential::Password(slow))]);
    let gate = Gate {
        book: Book::new([], all).unwrap(),
        ..Gate::new()
    };
    let strangers = (0..5000).map(|number| by_password(&format!("NOBODY-{number}"), CHOSEN));
    let slow = strangers.filter_map(|claim| cost(&gate, claim));
    assert!(
        slow.filter(|slow| *slow).count() > 0,
        "no stranger is ever slow"
    );
}

#[test]
fn a_slow_password_is_slow_only_once() {
    let mut gate = Gate::new();
    let mut first = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut first);
    assert!(first.needs_slow_hash());
    gate.cache.learn(&first.check(&gate.key).unwrap());
    assert_eq!(gate.cache.len(), 1);

    let mut again = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut again);
    assert!(!again.needs_slow_hash());
    assert!(again.check(&gate.key).is_ok());

    let mut wrong = gate.prepare(by_password("SLOW", b"hunter3")).unwrap();
    gate.cache.recall(&mut wrong);
    assert!(wrong.needs_slow_hash());
    assert!(wrong.check(&gate.key).is_err());

    // A new verifier for the same password: the station proves itself anew.
    let renewed = Verifier::slow(CHOSEN, PasswordForm::Octets, [3; 16]).unwrap();
    gate.book = Book::new([], [record("SLOW", Credential::Password(renewed))]).unwrap();
    let mut changed = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut changed);
    assert!(changed.needs_slow_hash());
}

#[test]
fn a_station_disabled_after_its_check_is_out_all_the_same() {
    let mut gate = Gate::new();
    let first = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.learn(&first.check(&gate.key).unwrap());
    let disabled = StationRecord {
        enabled: false,
        ..(**gate.book.find(&Tenant("t".into()), &id("SLOW")).unwrap()).clone()
    };
    gate.book = Book::new([], [disabled]).unwrap();
    let mut again = gate.prepare(by_password("SLOW", CHOSEN)).unwrap();
    gate.cache.recall(&mut again);
    assert_eq!(
        again.check(&gate.key).unwrap_err(),
        RefusedHandshake::Unauthorized
    );
}

#[test]
fn the_cache_keeps_its_bound_and_forgets_the_oldest() {
    let mut cache = VerifierCache::bounded(2);
    let gate = Gate::new();
    let mut admitted = gate.admit(by_password("FAST", SECRET)).unwrap();
    cache.learn(&admitted);
    assert!(cache.is_empty(), "a fast check needs no cache");
    for number in 0..5 {
        admitted.slow_tag = Some([number; 32]);
        cache.learn(&admitted);
        cache.learn(&admitted);
    }
    assert_eq!(cache.len(), 2);
}
