//! The credential that a station has just shown for the first time, as the register will keep it.

use guard::{Book, Credential, CredentialMark, Lesson, PasswordForm, Secret, Verifier};

use super::Passwords;

/// Hashes what a lesson has in clear; every other lesson stays as it is.
pub(crate) fn hashed(lesson: Lesson, passwords: &Passwords, book: &Book) -> Lesson {
    let Lesson::Proved {
        tenant,
        station,
        basis,
        mark,
        password,
    } = &lesson
    else {
        return lesson;
    };
    let renewed = match (mark, password) {
        (CredentialMark::Certificate(fingerprint), _) => {
            Some((Credential::Certificate(*fingerprint), None))
        }
        (CredentialMark::Password(_), Some(shown)) => {
            let record = book.find(tenant, station);
            let names = record.map_or([station.as_str(); 2], |record| record.names());
            let traits = passwords.rules.traits(shown.expose(), &names);
            verifier(shown, basis_is_fast(basis), passwords)
                .map(|verifier| (Credential::Password(verifier), Some(traits)))
        }
        (CredentialMark::Password(_), None) => None,
    };
    match renewed {
        Some((credential, traits)) => Lesson::Renewed {
            tenant: tenant.clone(),
            station: station.clone(),
            basis: basis.clone(),
            credential,
            password: traits,
            upstream_password: password.clone(),
        },
        None => lesson,
    }
}

/// Whether passwords of this station are made by a machine, as far as the operator has said.
fn basis_is_fast(basis: &Credential) -> bool {
    matches!(basis, Credential::Password(verifier) if !verifier.is_slow())
}

fn verifier(shown: &Secret, is_fast: bool, passwords: &Passwords) -> Option<Verifier> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).ok()?;
    let (registered, form) = as_registered(shown);
    let registered = registered.expose();
    let fast = || Verifier::fast(registered, form, &passwords.verifier_key, salt).ok();
    let slow = || Verifier::slow(registered, form, salt).ok();
    match is_fast {
        true => fast().or_else(slow),
        false => slow(),
    }
}

/// A password as an operator would register it. Stations of 1.6 send the octets of an AuthorizationKey
/// or its digits; whichever this one sent, the other is the same secret.
fn as_registered(shown: &Secret) -> (Secret, PasswordForm) {
    let bytes = shown.expose();
    let is_digits = (32..=40).contains(&bytes.len())
        && bytes.len().is_multiple_of(2)
        && bytes.iter().all(u8::is_ascii_hexdigit);
    if is_digits {
        return (shown.clone(), PasswordForm::Hex);
    }
    if (16..=20).contains(&bytes.len()) {
        let digits = bytes.iter().flat_map(|byte| {
            [byte >> 4, byte & 15].map(|half| {
                let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                u8::try_from(digit).unwrap_or(b'0')
            })
        });
        return (Secret::new(digits.collect()), PasswordForm::Hex);
    }
    (shown.clone(), PasswordForm::Octets)
}
