//! One station of a fleet as its maker, its owner and its habits made it.

use ocpp::Version;

use super::Quirk;
use crate::ca::Identity;

/// A station of a fleet.
#[derive(Clone, Debug)]
pub struct Charger {
    /// Its OCPP identity.
    pub identity: String,
    /// What it speaks.
    pub version: Version,
    /// Its vendor.
    pub vendor: &'static str,
    /// Its model.
    pub model: &'static str,
    /// Its serial number.
    pub serial: String,
    /// How many cars can charge.
    pub evses: u32,
    /// What it shows at the door.
    pub proof: Proof,
    /// Its habits.
    pub quirks: Vec<Quirk>,
}

/// What a station shows at the door.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing (security profile 0).
    Nothing,
    /// HTTP Basic: these bytes on the wire.
    Password(Vec<u8>),
    /// A client certificate.
    Certificate(Identity),
}

impl Charger {
    /// Whether it has that habit.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// Makers that exist nowhere, with what their stations speak.
const MAKES: [(&str, &str, Version); 6] = [
    ("Voltwerk", "VW-22 Duo", Version::V16),
    ("Nordlade", "Säule 11", Version::V16),
    ("Ampère & Fils", "Borne R2", Version::V16),
    ("Polder Power", "PP-150 DC", Version::V201),
    ("Gridhouse", "GH300", Version::V201),
    ("Kilowatt Co", "K1 V2X", Version::V21),
];

/// A mixed fleet of that many stations: half of them 1.6, the others 2.0.1 and 2.1, identities as
/// people write them, every quirk with somebody once there are twenty, passwords from the seed.
pub fn mixed(count: usize, seed: u64) -> Vec<Charger> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut chargers: Vec<Charger> = (0..count).map(|at| plain(at, &mut chance)).collect();
    for (at, quirk) in Quirk::ALL.into_iter().enumerate() {
        let fitting = |charger: &Charger| match quirk {
            Quirk::NumberForString | Quirk::LostTransaction => charger.version == Version::V16,
            Quirk::EmptySamples => charger.version == Version::V201,
            Quirk::NamesNoVersion => charger.version == Version::V16,
            _ => true,
        };
        // One quirk for one station, from the third on, so that some have none.
        let mut odd = chargers.iter_mut().skip(2 + at);
        if let Some(charger) = odd.find(|charger| charger.quirks.is_empty() && fitting(charger)) {
            charger.quirks.push(quirk);
            if quirk == Quirk::LongSerial {
                charger.serial = format!("{}-REV-B-2024-PRODUCTION-LOT-17", charger.serial);
            }
        }
    }
    chargers
}

fn plain(at: usize, chance: &mut fastrand::Rng) -> Charger {
    let (vendor, model, version) = MAKES[at % MAKES.len()];
    let number = at + 1;
    let identity = match (version, at % 9) {
        // 1.6 leaves the alphabet open, and people use it.
        (Version::V16, 2) => format!("Depot Nord {number}"),
        (_, 3) => format!("nl-ams-{number:04}"),
        (_, 5) => format!("cp{number:03}@hq.example"),
        _ => format!("DE*GAT*E{number:04}"),
    };
    let password: String = (0..24).map(|_| chance.alphanumeric()).collect();
    Charger {
        identity,
        version,
        vendor,
        model,
        serial: format!("SN{:09}", chance.u32(..999_999_999)),
        evses: 1 + u32::from(chance.bool()),
        proof: Proof::Password(password.into_bytes()),
        quirks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_mixed_fleet_has_every_version_every_quirk_and_no_name_twice() {
        let fleet = mixed(30, 7);
        for version in Version::ALL {
            assert!(fleet.iter().any(|charger| charger.version == version));
        }
        for quirk in Quirk::ALL {
            assert!(fleet.iter().any(|charger| charger.has(quirk)), "{quirk:?}");
        }
        assert!(
            fleet
                .iter()
                .filter(|charger| charger.quirks.is_empty())
                .count()
                > 10
        );
        let names: HashSet<_> = fleet
            .iter()
            .map(|charger| charger.identity.to_lowercase())
            .collect();
        assert_eq!(names.len(), 30);
        for charger in &fleet {
            let parsed = ocpp::StationId::parse(&charger.identity, charger.version);
            assert!(parsed.is_ok(), "{}", charger.identity);
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_fleet() {
        assert_eq!(format!("{:?}", mixed(20, 3)), format!("{:?}", mixed(20, 3)));
        assert_ne!(format!("{:?}", mixed(20, 3)), format!("{:?}", mixed(20, 4)));
    }
}
