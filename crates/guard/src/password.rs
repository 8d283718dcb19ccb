//! What a password is worth, learnt in the moment when we know it (threat A07): its fingerprint, by
//! which a fleet's shared passwords find each other, and whether an attacker would try it early.
//!
//! Verifiers are salted, so that two stations with one password look different; whether they share
//! one can be asked of the fingerprint alone. It is good for that one question and worth nothing
//! without its key, which is made from the key file and is in no database.

mod derived;

use std::collections::BTreeSet;
use std::fmt;

use zeroize::Zeroizing;

use crate::verifier::decode_hex;
use crate::{FingerprintKey, Verifier};

/// Stands for a password among others: the same password gives the same fingerprint, whether it was
/// registered as octets or as the hexadecimal digits of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PasswordFingerprint([u8; PasswordFingerprint::BYTES]);

impl PasswordFingerprint {
    /// Its length: two passwords of 10⁶ meet by chance in one of 10²⁶ fleets.
    pub const BYTES: usize = 16;

    /// One that was kept.
    pub fn from_bytes(bytes: [u8; PasswordFingerprint::BYTES]) -> PasswordFingerprint {
        PasswordFingerprint(bytes)
    }

    /// To be kept, sealed: in clear it would tell which stations share a password.
    pub fn bytes(&self) -> &[u8; PasswordFingerprint::BYTES] {
        &self.0
    }

    fn of(password: &[u8], key: &FingerprintKey) -> PasswordFingerprint {
        let digits = decode_hex(password);
        let octets = digits.as_ref().map_or(password, |octets| octets);
        let tag = key.tag("password fingerprint", &[octets]);
        let mut bytes = [0; PasswordFingerprint::BYTES];
        bytes.copy_from_slice(&tag[..PasswordFingerprint::BYTES]);
        PasswordFingerprint(bytes)
    }
}

/// A fingerprint says which stations share a password, so it belongs in no log.
impl fmt::Debug for PasswordFingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordFingerprint")
    }
}

/// Why a password is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weakness {
    /// Shorter than 16 bytes, which OCPP asks for (1.6 security extension A00.FR.205; 2.0.1 A00.FR.205).
    Short,
    /// Stations are delivered or documented with it.
    Default,
    /// It is the identity or the serial number, or made from one.
    Derived,
    /// A few bytes over and over, or counted up or down.
    Pattern,
    /// Another station has it, too.
    Shared,
}

impl Weakness {
    /// All of them.
    pub const ALL: [Weakness; 5] = [
        Weakness::Short,
        Weakness::Default,
        Weakness::Derived,
        Weakness::Pattern,
        Weakness::Shared,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Weakness::Short => "it is shorter than 16 bytes",
            Weakness::Default => "stations are delivered or documented with it",
            Weakness::Derived => "it is made from the identity or the serial number",
            Weakness::Pattern => "it repeats or counts",
            Weakness::Shared => "another station has it, too",
        })
    }
}

/// Everything that makes one password weak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Weaknesses(u8);

impl Weaknesses {
    /// Those that were kept; bits we do not know are left out.
    pub fn from_bits(bits: u8) -> Weaknesses {
        let known = Weakness::ALL.into_iter();
        Weaknesses(bits & known.fold(0, |bits, one| bits | one.bit()))
    }

    /// To be kept.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// There is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether that is one of them.
    pub fn contains(self, weakness: Weakness) -> bool {
        self.0 & weakness.bit() != 0
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, weakness: Weakness) -> Weaknesses {
        Weaknesses(self.0 | weakness.bit())
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Weakness> {
        Weakness::ALL
            .into_iter()
            .filter(move |one| self.contains(*one))
    }
}

/// In words, for people.
impl fmt::Display for Weaknesses {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, weakness) in self.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(out, "{comma}{weakness}")?;
        }
        Ok(())
    }
}

/// What is kept of a password beside its verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordTraits {
    /// Stands for it among others.
    pub fingerprint: PasswordFingerprint,
    /// What made it weak when we knew it; sharing is found anew each time.
    pub weaknesses: Weaknesses,
    /// The operator registered it all the same.
    pub accepted: bool,
}

/// What is done with a station that proves itself with a weak password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnWeakPassword {
    /// It comes in, and that is told.
    #[default]
    Tell,
    /// It is refused, unless the operator registered the password all the same.
    Refuse,
}

/// Judges passwords: the key of the fingerprints, and the passwords that everybody knows.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    key: FingerprintKey,
    defaults: BTreeSet<PasswordFingerprint>,
}

impl PasswordRules {
    /// Rules with the known passwords of such a list: one a line; empty lines and those that begin
    /// with `#` are none.
    pub fn new(key: FingerprintKey, list: &str) -> PasswordRules {
        let lines = list.lines().map(str::trim);
        let known = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let spellings = known.flat_map(|known| {
            [known.to_owned(), known.to_lowercase(), known.to_uppercase()].map(Zeroizing::new)
        });
        let defaults = spellings.map(|known| PasswordFingerprint::of(known.as_bytes(), &key));
        PasswordRules {
            defaults: defaults.collect(),
            key,
        }
    }

    /// What is to be kept of a password that we know at this moment. `names` are what it must not be
    /// made from: the identity, and the serial number where it is known.
    pub fn traits(&self, password: &[u8], names: &[&str]) -> PasswordTraits {
        let digits = decode_hex(password);
        let octets = digits.as_ref().map_or(password, |octets| octets);
        let fingerprint = PasswordFingerprint::of(password, &self.key);
        let lower = Zeroizing::new(password.to_ascii_lowercase());
        let is_known = |of: &[u8]| {
            self.defaults
                .contains(&PasswordFingerprint::of(of, &self.key))
        };
        let found = [
            (Weakness::Short, octets.len() < Verifier::FAST_BYTES_MIN),
            (Weakness::Default, is_known(password) || is_known(&lower)),
            (Weakness::Derived, derived::is_made_from(&lower, names)),
            (
                Weakness::Pattern,
                derived::is_pattern(octets) || derived::is_pattern(password),
            ),
        ];
        let found = found.into_iter().filter(|(_, so)| *so);
        PasswordTraits {
            fingerprint,
            weaknesses: found.fold(Weaknesses::default(), |all, (one, _)| all.with(one)),
            accepted: false,
        }
    }

    /// By what a password is known again.
    pub fn fingerprint(&self, password: &[u8]) -> PasswordFingerprint {
        PasswordFingerprint::of(password, &self.key)
    }

    /// The weaknesses of a password that we knew once. The list of known passwords grows, so it is
    /// asked again; whether another station has it, the register says ([`crate::Book::is_shared`]).
    pub fn weaknesses(&self, traits: &PasswordTraits) -> Weaknesses {
        match self.defaults.contains(&traits.fingerprint) {
            true => traits.weaknesses.with(Weakness::Default),
            false => traits.weaknesses,
        }
    }
}

#[cfg(test)]
mod tests;
