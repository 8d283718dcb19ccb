//! Who plays: the fleet, a spare station for whoever wants to try one of their own, and a station
//! whose password was stolen. All of them are registered, as `station add` registers them.

use guard::{
    Credential, PasswordForm, Protocols, StationRecord, Tenant, UnfitPassword, Verifier,
    VerifierKey,
};
use ocpp::{StationId, Version};
use sim::attack::Stolen;
use sim::ca::{Authority, CaError, Leaf};
use sim::fleet::{Charger, Proof, Quirk, mixed};

/// One fleet station in so many shows a certificate instead of a password.
const CERTIFICATE_EVERY: usize = 5;
/// The identity of the spare station.
const SPARE: &str = "MY-STATION";
/// The identity of the station whose password was stolen.
const STOLEN: &str = "DE*GAT*X0666";

/// Everybody who is registered.
pub(super) struct Cast {
    members: Vec<Member>,
    pub(super) spare: Spare,
    pub(super) stolen: Stolen,
}

/// A registered station of the fleet.
struct Member {
    charger: Charger,
    form: PasswordForm,
}

/// A station nobody plays.
pub(super) struct Spare {
    pub(super) identity: String,
    pub(super) password: String,
}

/// Why somebody cannot be registered.
#[derive(Debug, thiserror::Error)]
pub(super) enum CastError {
    #[error(transparent)]
    Certificate(#[from] CaError),
    #[error("{0}: {1}")]
    Identity(String, ocpp::InvalidStationId),
    #[error("a password is not fit: {0}")]
    Password(#[from] UnfitPassword),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl Cast {
    /// Makes up a cast of that size.
    pub(super) fn new(count: usize, seed: u64, authority: &Authority) -> Result<Cast, CastError> {
        let mut members = Vec::with_capacity(count);
        for (at, mut charger) in mixed(count, seed).into_iter().enumerate() {
            let mut form = PasswordForm::Octets;
            // The fleet's own passwords follow from its seed; the gate may listen to everyone.
            charger.proof = Proof::Password(password()?.into_bytes());
            if at % CERTIFICATE_EVERY == CERTIFICATE_EVERY - 1 {
                if charger.version == Version::V16 && charger.quirks.is_empty() {
                    // Only without Basic may an identity hold a colon.
                    charger.identity = format!("00:50:C2:{at:02}:17:A1");
                }
                let leaf = Leaf::client(&charger.identity).organisation("Demo CPO");
                charger.proof = Proof::Certificate(authority.issue(&leaf)?);
            } else if at % CERTIFICATE_EVERY == 1 && charger.version == Version::V16 {
                // A 1.6 AuthorizationKey: the octets go over the wire, often no UTF-8 at all.
                form = PasswordForm::Hex;
                charger.proof = Proof::Password(octets::<20>()?.to_vec());
            }
            members.push(Member { charger, form });
        }
        Ok(Cast {
            members,
            spare: Spare {
                identity: SPARE.to_owned(),
                password: password()?,
            },
            stolen: Stolen {
                identity: STOLEN.to_owned(),
                version: Version::V16,
                password: password()?.into_bytes(),
            },
        })
    }

    /// The fleet.
    pub(super) fn chargers(&self) -> Vec<Charger> {
        let chargers = self.members.iter().map(|member| member.charger.clone());
        chargers.collect()
    }

    /// A station whose password no attacker knows.
    pub(super) fn victim(&self) -> String {
        let first = self.members.first();
        first.map_or_else(|| SPARE.to_owned(), |one| one.charger.identity.clone())
    }

    /// What is odd about a station, in words.
    pub(super) fn remark(&self, identity: &str) -> Option<&'static str> {
        let member = self
            .members
            .iter()
            .find(|member| member.charger.identity == identity)?;
        member.charger.quirks.first().map(|quirk| quirk.words())
    }

    /// Everybody's registration.
    pub(super) fn records(&self, key: &VerifierKey) -> Result<Vec<StationRecord>, CastError> {
        let mut records = Vec::with_capacity(self.members.len() + 2);
        for Member { charger, form } in &self.members {
            let credential = match &charger.proof {
                Proof::Password(shown) => {
                    let secret = match form {
                        PasswordForm::Hex => hex(shown).into_bytes(),
                        PasswordForm::Octets => shown.clone(),
                    };
                    Credential::Password(Verifier::fast(&secret, *form, key, octets()?)?)
                }
                Proof::Certificate(_) | Proof::Nothing => Credential::CertificateName,
            };
            let unnamed = charger
                .has(Quirk::NamesNoVersion)
                .then_some(charger.version);
            records.push(record(
                &charger.identity,
                charger.version,
                credential,
                unnamed,
            )?);
        }
        let others = [
            (&self.spare.identity, self.spare.password.as_bytes()),
            (&self.stolen.identity, self.stolen.password.as_slice()),
        ];
        for (identity, password) in others {
            let verifier = Verifier::fast(password, PasswordForm::Octets, key, octets()?)?;
            let credential = Credential::Password(verifier);
            records.push(record(identity, Version::V16, credential, None)?);
        }
        Ok(records)
    }
}

pub(super) fn record(
    identity: &str,
    version: Version,
    credential: Credential,
    unnamed: Option<Version>,
) -> Result<StationRecord, CastError> {
    let id = StationId::parse(identity, version)
        .map_err(|error| CastError::Identity(identity.to_owned(), error))?;
    Ok(StationRecord {
        protocols: Protocols {
            unnamed,
            ..Protocols::default()
        },
        ..StationRecord::new(id, Tenant("default".into()), credential)
    })
}

/// Random octets, fit for a secret.
pub(super) fn octets<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets)?;
    Ok(octets)
}

/// A password that can be typed.
pub(super) fn password() -> Result<String, getrandom::Error> {
    Ok(hex(&octets::<12>()?))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_shares_a_name_however_large_the_fleet() {
        let authority = Authority::new("demo").unwrap();
        let cast = Cast::new(2_000, 1, &authority).unwrap();
        let records = cast.records(&VerifierKey::new([7; 32])).unwrap();
        let names: std::collections::HashSet<_> =
            records.iter().map(|record| record.id.folded()).collect();
        assert_eq!(names.len(), 2_002);
    }

    #[test]
    fn everybody_can_be_registered_and_shows_what_is_registered() {
        let authority = Authority::new("demo").unwrap();
        let cast = Cast::new(30, 1, &authority).unwrap();
        let key = VerifierKey::new([7; 32]);
        let records = cast.records(&key).unwrap();
        assert_eq!(records.len(), 32);
        let mut certificates = 0;
        for (charger, record) in cast.chargers().iter().zip(&records) {
            assert_eq!(charger.identity, record.id.as_str());
            match (&charger.proof, &record.credential) {
                (Proof::Password(shown), Credential::Password(verifier)) => {
                    assert!(record.id.fits_basic());
                    assert!(verifier.check(shown, &key), "{}", charger.identity);
                }
                (Proof::Certificate(_), Credential::CertificateName) => certificates += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(certificates, 6);
        assert!(records.iter().any(|one| one.protocols.unnamed.is_some()));
    }
}
