//! A message's own words, handed on beside its event to whoever keeps a record.

use ocpp::{Fact, Facts, Meaning};

/// What was said, and which parts of it must not be written down as they stand.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'b> {
    /// The message as it came.
    pub text: &'b [u8],
    /// Its delicate facts, and those that say what a delicate one is.
    pub facts: Facts<'b>,
}

/// Whether a record needs to know of this fact: because of what it says, or because it says what a
/// fact beside it is. Readings, states and times stand in a record as they came.
pub fn matters_to_record(fact: &Fact) -> bool {
    let meaning = fact.field.meaning;
    MATTERS >> (meaning as u8) & 1 == 1
}

const MATTERS: u64 = {
    let delicate = [
        Meaning::Person,
        Meaning::Token,
        Meaning::TokenKind,
        Meaning::Contract,
        Meaning::Vehicle,
        Meaning::Sim,
        Meaning::Secret,
        Meaning::Url,
        Meaning::Certificate,
        Meaning::CertificateHash,
        Meaning::Signature,
        Meaning::FreeText,
        Meaning::VendorData,
        Meaning::Serial,
        Meaning::ConfigKey,
        Meaning::ConfigValue,
        Meaning::Component,
        Meaning::Network,
        Meaning::Location,
    ];
    let mut bits = 0;
    let mut place = 0;
    while place < delicate.len() {
        bits |= 1 << (delicate[place] as u8);
        place += 1;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_has_a_bit() {
        assert!(Meaning::NAMED.len() <= 64);
        let matters = |meaning: Meaning| MATTERS >> (meaning as u8) & 1 == 1;
        assert!(matters(Meaning::Token) && matters(Meaning::Location));
        assert!(!matters(Meaning::Reading) && !matters(Meaning::Offline));
    }
}
