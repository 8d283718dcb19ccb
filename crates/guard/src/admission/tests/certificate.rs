//! A12, A13: what a client certificate must be before it is held against the registry.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const DUE: i64 = 1_400;
const GRACE: u64 = 200;

fn serial(number: u8) -> Serial {
    Serial::new(&[number]).unwrap()
}

fn lists(stale: OnStaleList) -> CertificateRules {
    let list = |issuer: &[u8], due, revoked: &[u8]| {
        let revoked = revoked.iter().map(|number| serial(*number)).collect();
        RevocationList::new(issuer.to_vec(), 900, due, revoked)
    };
    CertificateRules {
        organization: Some("Example Charging".to_owned()),
        revocation: Some(RevocationRules {
            revocations: Revocations::of([
                list(b"our CA", DUE, &[9, 3, 3]),
                list(b"our CA", DUE + 1_000, &[4]),
                list(b"another CA", DUE, &[7]),
            ]),
            grace: Duration::from_secs(GRACE),
            stale,
        }),
    }
}

fn fault(
    facts: CertificateFacts,
    rules: &CertificateRules,
    second: i64,
) -> Option<CertificateFault> {
    facts
        .vet(rules, None, UnixMillis(second * 1_000 + 999))
        .err()
}

#[test]
fn a13_dates_are_judged_from_before_to_after() {
    let any = CertificateRules::default();
    for (second, expected) in [
        (i64::MIN / 2_000, Some(CertificateFault::NotYetValid)),
        (999, Some(CertificateFault::NotYetValid)),
        (1_000, None),
        (2_000, None),
        (2_001, Some(CertificateFault::Expired)),
        (i64::MAX / 2_000, Some(CertificateFault::Expired)),
    ] {
        assert_eq!(fault(facts(7, None), &any, second), expected, "{second}");
    }
}

#[test]
fn a13_what_is_on_a_list_of_its_issuer_is_refused_however_old_the_list_is() {
    for stale in [OnStaleList::Refuse, OnStaleList::Allow] {
        let rules = lists(stale);
        for second in [1_000, DUE, 1_999] {
            for revoked in [3, 4, 9] {
                let found = fault(facts(revoked, None), &rules, second);
                assert_eq!(
                    found,
                    Some(CertificateFault::Revoked),
                    "{revoked} at {second}"
                );
            }
        }
        // 7 is revoked by another CA, and is another certificate there.
        assert_eq!(fault(facts(7, None), &rules, DUE), None);
    }
}

#[test]
fn a13_an_overdue_list_is_used_for_its_grace_and_then_as_the_setting_says() {
    let end = DUE + i64::try_from(GRACE).unwrap();
    for (second, stale, expected) in [
        (DUE, OnStaleList::Refuse, None),
        (end, OnStaleList::Refuse, None),
        (
            end + 1,
            OnStaleList::Refuse,
            Some(CertificateFault::ListOverdue),
        ),
        (end + 1, OnStaleList::Allow, None),
    ] {
        let found = fault(facts(7, None), &lists(stale), second);
        assert_eq!(found, expected, "{stale:?} at {second}");
    }
}

#[test]
fn a13_where_there_are_lists_an_issuer_without_one_is_refused() {
    let stranger = CertificateFacts {
        issuer: b"a CA in between".to_vec(),
        ..facts(7, None)
    };
    let found = fault(stranger.clone(), &lists(OnStaleList::Allow), DUE);
    assert_eq!(found, Some(CertificateFault::NoList));
    assert_eq!(fault(stranger, &CertificateRules::default(), DUE), None);
}

#[test]
fn a12_the_organisation_is_the_cpo_to_the_letter() {
    for (organization, expected) in [
        (Some("Example Charging"), None),
        (
            Some("example charging"),
            Some(CertificateFault::Organization),
        ),
        (Some("Another CPO"), Some(CertificateFault::Organization)),
        (None, Some(CertificateFault::Organization)),
    ] {
        let shown = CertificateFacts {
            organization: organization.map(str::to_owned),
            ..facts(7, None)
        };
        let found = fault(shown.clone(), &lists(OnStaleList::Refuse), DUE);
        assert_eq!(found, expected, "{organization:?}");
        assert_eq!(fault(shown, &CertificateRules::default(), DUE), None);
    }
}

#[test]
fn a_serial_is_a_number_not_its_spelling() {
    assert_eq!(Serial::new(&[0, 0, 1, 2]), Serial::new(&[1, 2]));
    assert_eq!(Serial::new(&[]), Serial::new(&[0]));
    assert_ne!(Serial::new(&[1, 0]), Serial::new(&[1]));
    assert_eq!(Serial::new(&[1; 33]), None);
    assert_eq!(Serial::new(&[0, 0xab, 1]).unwrap().to_string(), "ab01");
    assert_eq!(Serial::new(&[0]).unwrap().to_string(), "00");
}

proptest! {
    #[test]
    fn a13_a_list_finds_what_was_put_on_it_and_nothing_else(
        on in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..32), 0..50),
        other in proptest::collection::vec(any::<u8>(), 0..32),
    ) {
        let on: Vec<Serial> = on.iter().filter_map(|bytes| Serial::new(bytes)).collect();
        let list = RevocationList::new(b"CA".to_vec(), 0, 1, on.clone());
        let revocations = Revocations::of([list]);
        for serial in &on {
            prop_assert_eq!(revocations.look_up(b"CA", serial), Known::Revoked);
            prop_assert_eq!(revocations.look_up(b"C", serial), Known::NoList);
        }
        let other = Serial::new(&other).unwrap();
        let expected = if on.contains(&other) { Known::Revoked } else { Known::Good { next_update: 1 } };
        prop_assert_eq!(revocations.look_up(b"CA", &other), expected);
    }
}
