use super::*;

const LIST: &str = include_str!("../../../../rules/default-passwords.txt");
const GOOD: &[u8] = b"Kestrel-over-the-harbour-7";

fn rules() -> PasswordRules {
    PasswordRules::new(FingerprintKey::new([5; 32]), LIST)
}

fn found(password: &str, names: &[&str]) -> Vec<Weakness> {
    let rules = rules();
    let traits = rules.traits(password.as_bytes(), names);
    rules.weaknesses(&traits).iter().collect()
}

#[test]
fn the_list_catches_and_passes_its_own_examples() {
    let examples = |mark: &str| {
        let line = LIST.lines().find(|line| line.contains(mark)).unwrap();
        let words = line.split_once(mark).unwrap().1.split_whitespace();
        words.collect::<Vec<_>>()
    };
    for caught in examples("must catch:") {
        assert!(found(caught, &[]).contains(&Weakness::Default), "{caught}");
    }
    for passed in examples("must pass:") {
        assert_eq!(found(passed, &["CP-0001"]), [], "{passed}");
    }
}

#[test]
fn a_password_made_from_a_name_is_found_whatever_its_case() {
    for password in [
        "CP-0001",
        "cp-0001",
        "1000-PC",
        "cp0001",
        "0001",
        "CP-0001!",
        "CP-0001-2026",
        "cp0001123",
        "ocpp_cp-0001",
        "password.CP0001",
        "CP-0001CP-0001",
        "CP-0001CP-0001CP-0001",
    ] {
        let found = found(password, &["CP-0001"]);
        assert!(found.contains(&Weakness::Derived), "{password}: {found:?}");
    }
    let of_serial = found("SN-77-4411-admin", &["CP-0001", "SN774411"]);
    assert!(
        !of_serial.contains(&Weakness::Derived),
        "signs in other places"
    );
    assert!(found("SN774411-admin", &["CP-0001", "SN774411"]).contains(&Weakness::Derived));
    for password in [
        "CP-0002",
        "Kestrel-CP-0001-over-the-harbour",
        "0001-harbour-kestrel",
    ] {
        let found = found(password, &["CP-0001", ""]);
        assert!(!found.contains(&Weakness::Derived), "{password}");
    }
}

#[test]
fn short_and_patterned_passwords_are_found() {
    assert_eq!(found("nine-char", &[]), [Weakness::Short]);
    assert_eq!(found("Kestrel-harbour7", &[]), [], "16 bytes suffice");
    for password in [
        "zzzzzzzzzzzzzzzzzz",
        "x7Qwx7Qwx7Qwx7Qwx",
        "bcdefghijklmnopqrs",
        "srqponmlkjihgfedcb",
    ] {
        assert_eq!(found(password, &[]), [Weakness::Pattern], "{password}");
    }
    // 32 digits are 16 octets, and these are all the same.
    assert_eq!(
        found("77777777777777777777777777777777", &[]),
        [Weakness::Pattern]
    );
    assert_eq!(found("9f27ad01c4586ee3b1c02a77d4a9e653", &[]), []);
}

#[test]
fn a_fingerprint_is_of_the_secret_not_of_its_spelling_and_says_nothing_without_its_key() {
    let of = |rules: &PasswordRules, password: &[u8]| rules.traits(password, &[]).fingerprint;
    let (rules, other) = (
        rules(),
        PasswordRules::new(FingerprintKey::new([6; 32]), ""),
    );
    let digits = b"9f27ad01c4586ee3b1c02a77d4a9e653";
    let octets = decode_hex(digits).unwrap();
    assert_eq!(of(&rules, digits), of(&rules, &digits.to_ascii_uppercase()));
    assert_eq!(of(&rules, digits), of(&rules, &octets));
    assert_ne!(of(&rules, GOOD), of(&rules, digits));
    assert_ne!(of(&rules, GOOD), of(&other, GOOD));
    assert_eq!(format!("{:?}", of(&rules, GOOD)), "PasswordFingerprint");
}

#[test]
fn a_list_that_has_grown_finds_what_was_registered_before() {
    let before = PasswordRules::new(FingerprintKey::new([5; 32]), "# nothing is known\n");
    let traits = before.traits(b"SuperSecretPassword", &[]);
    assert!(before.weaknesses(&traits).is_empty());
    assert!(rules().weaknesses(&traits).contains(Weakness::Default));
}

#[test]
fn weaknesses_are_kept_as_bits() {
    let all = Weakness::ALL
        .into_iter()
        .fold(Weaknesses::default(), Weaknesses::with);
    assert_eq!(Weaknesses::from_bits(all.bits()), all);
    assert_eq!(
        Weaknesses::from_bits(0xff),
        all,
        "bits we do not know are left out"
    );
    let two = Weaknesses::default()
        .with(Weakness::Short)
        .with(Weakness::Shared);
    assert_eq!(
        two.to_string(),
        "it is shorter than 16 bytes, another station has it, too"
    );
}
