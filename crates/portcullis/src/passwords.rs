//! Passwords as the register keeps them: the keys that verifiers and fingerprints are made with, and
//! the fleet's weak and shared ones (threat A07). No password is ever shown; it is not even here.

pub(crate) mod audit;
pub(crate) mod renewed;

use std::collections::HashMap;

use guard::{
    PasswordFingerprint, PasswordRules, StationRecord, Tenant, VerifierKey, Weakness, Weaknesses,
};
use ocpp::StationId;
use store::KeyFile;

/// What stations are delivered and documented with. Data, to be added to.
const KNOWN: &str = include_str!("../../../rules/default-passwords.txt");

/// What a password is hashed and judged with.
pub(crate) struct Passwords {
    pub(crate) verifier_key: VerifierKey,
    pub(crate) rules: PasswordRules,
}

impl Passwords {
    pub(crate) fn of(key: &KeyFile) -> Passwords {
        Passwords {
            verifier_key: key.verifier_key(),
            rules: rules(key),
        }
    }
}

/// The rules by which passwords are judged.
pub(crate) fn rules(key: &KeyFile) -> PasswordRules {
    PasswordRules::new(key.fingerprint_key(), KNOWN)
}

/// Who has which password, so that the second one who comes with it is found.
#[derive(Default)]
pub(crate) struct Holders(HashMap<PasswordFingerprint, (Tenant, StationId)>);

impl Holders {
    pub(crate) fn of<'s>(stations: impl IntoIterator<Item = &'s StationRecord>) -> Holders {
        let mut holders = Holders::default();
        for station in stations {
            holders.add(station);
        }
        holders
    }

    /// Takes a station's password in.
    pub(crate) fn add(&mut self, station: &StationRecord) {
        if let Some(traits) = &station.password {
            let name = || (station.tenant.clone(), station.id.clone());
            self.0.entry(traits.fingerprint).or_insert_with(name);
        }
    }

    /// Everything that makes this station's password weak, and in words.
    pub(crate) fn weaknesses(
        &self,
        station: &StationRecord,
        rules: &PasswordRules,
    ) -> (Weaknesses, String) {
        let Some(traits) = &station.password else {
            return (Weaknesses::default(), String::new());
        };
        let alone = rules.weaknesses(traits);
        let words = alone.to_string();
        // Whoever registers a station twice hears that, and not that it shares with itself.
        let is_other =
            |(tenant, id): &&(Tenant, StationId)| (tenant, id) != (&station.tenant, &station.id);
        match self.0.get(&traits.fingerprint).filter(is_other) {
            None => (alone, words),
            Some((_, holder)) => {
                let comma = if alone.is_empty() { "" } else { ", " };
                let words = format!("{words}{comma}station {holder} has it, too");
                (alone.with(Weakness::Shared), words)
            }
        }
    }
}
