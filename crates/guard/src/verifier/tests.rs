use proptest::prelude::*;

use super::*;

const SALT: [u8; 16] = [9; 16];
const DIGITS: &[u8] = b"00ff00ff00ff00ff00ff00ff00ff00FF";
const OCTETS: &[u8] = &[
    0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255,
];

fn key() -> VerifierKey {
    VerifierKey::new([3; 32])
}

#[test]
fn both_hashes_take_the_right_password_and_no_other() {
    let password = b"sixteen bytes or more";
    for verifier in [
        Verifier::fast(password, PasswordForm::Octets, &key(), SALT).unwrap(),
        Verifier::slow(password, PasswordForm::Octets, SALT).unwrap(),
    ] {
        assert!(verifier.check(password, &key()));
        assert!(!verifier.check(b"sixteen bytes or morE", &key()));
        assert!(!verifier.check(b"", &key()));
        assert!(!verifier.check(&[b'x'; 10_000], &key()));
    }
}

#[test]
fn a_verifier_does_not_print() {
    let slow = Verifier::slow(b"hunter2", PasswordForm::Octets, SALT).unwrap();
    let fast = Verifier::fast(OCTETS, PasswordForm::Octets, &key(), SALT).unwrap();
    assert_eq!(
        format!("{slow:?} {fast:?}"),
        "Verifier { form: Octets, hash: Slow } Verifier { form: Octets, hash: Fast }"
    );
}

#[test]
fn a_fast_verifier_is_worth_nothing_under_another_key() {
    let verifier = Verifier::fast(OCTETS, PasswordForm::Octets, &key(), SALT).unwrap();
    assert!(!verifier.check(OCTETS, &VerifierKey::new([4; 32])));
}

#[test]
fn hexadecimal_digits_and_their_octets_are_one_password() {
    for verifier in [
        Verifier::fast(DIGITS, PasswordForm::Hex, &key(), SALT).unwrap(),
        Verifier::slow(DIGITS, PasswordForm::Hex, SALT).unwrap(),
    ] {
        assert!(verifier.check(OCTETS, &key()));
        assert!(verifier.check(DIGITS, &key()));
        assert!(verifier.check(&DIGITS.to_ascii_lowercase(), &key()));
        assert!(!verifier.check(&DIGITS[2..], &key()));
    }
    let as_text = Verifier::fast(DIGITS, PasswordForm::Octets, &key(), SALT).unwrap();
    assert!(as_text.check(DIGITS, &key()));
    assert!(!as_text.check(OCTETS, &key()));
}

#[test]
fn unfit_passwords_are_named() {
    let fast = |secret: &[u8], form| Verifier::fast(secret, form, &key(), SALT).unwrap_err();
    assert_eq!(fast(b"", PasswordForm::Octets), UnfitPassword::Empty);
    assert_eq!(
        fast(b"only 15 bytes!!", PasswordForm::Octets),
        UnfitPassword::TooShort
    );
    assert_eq!(fast(&DIGITS[1..], PasswordForm::Hex), UnfitPassword::NotHex);
    assert_eq!(
        fast(b"zz".repeat(16).as_slice(), PasswordForm::Hex),
        UnfitPassword::NotHex
    );
    assert_eq!(
        fast(&[b'a'; 257], PasswordForm::Octets),
        UnfitPassword::TooLong
    );
    assert!(Verifier::slow(b"short", PasswordForm::Octets, SALT).is_ok());
}

#[test]
fn a_decoy_costs_the_same_and_fits_nothing() {
    let slow = Verifier::slow(b"a", PasswordForm::Octets, SALT).unwrap();
    let (PasswordHash::Slow(ours), PasswordHash::Slow(decoy)) =
        (slow.hash, Verifier::decoy(true).hash)
    else {
        panic!("both are slow");
    };
    let costs = |phc: &str| Params::try_from(&PhcHash::new(phc).unwrap()).unwrap();
    assert_eq!(costs(&ours).m_cost(), costs(&decoy).m_cost());
    assert_eq!(costs(&ours).t_cost(), costs(&decoy).t_cost());
    assert_eq!(costs(&ours).p_cost(), costs(&decoy).p_cost());
    assert!(!Verifier::decoy(true).check(b"a", &key()));
    assert!(!Verifier::decoy(false).check(OCTETS, &key()));
}

#[test]
fn a_verifier_of_absurd_cost_is_not_run() {
    let absurd = Verifier {
        form: PasswordForm::Octets,
        hash: PasswordHash::Slow(DECOY_PHC.replace("m=19456", "m=4000000")),
    };
    assert!(!absurd.check(b"a", &key()));
    let nonsense = Verifier {
        form: PasswordForm::Octets,
        hash: PasswordHash::Slow("nonsense".to_owned()),
    };
    assert!(!nonsense.check(b"a", &key()));
}

proptest! {
    #[test]
    fn a_fast_verifier_fits_its_own_password_alone(
        secret in prop::collection::vec(any::<u8>(), 16..64),
        other in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let verifier = Verifier::fast(&secret, PasswordForm::Octets, &key(), SALT).unwrap();
        prop_assert!(verifier.check(&secret, &key()));
        prop_assert_eq!(verifier.check(&other, &key()), other == secret);
    }
}
