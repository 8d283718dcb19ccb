//! The one exception to "no upstream before authentication": while the operator has a window open, a
//! station that nobody has registered is passed to the CSMS, whose 101 teaches us its password.
//!
//! Only a [`Window`] makes an [`Adopting`], and only for a claim that fits it; only an [`Adopting`]
//! that the CSMS has agreed to becomes a station.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocpp::{StationId, Version};

use super::prepared::{Admitted, Standing};
use super::{Claim, ExceptionKind, Transport};
use crate::{
    ConnectionKind, Credential, Network, PasswordTraits, Protocols, Secret, StationRecord, Tenant,
    UnixMillis, Verifier,
};

/// An open window: until when, for whom, for how many.
#[derive(Clone, Debug)]
pub struct Window {
    tenant: Tenant,
    until: UnixMillis,
    networks: Vec<Network>,
    left: u32,
    /// Who has been adopted in it, folded: whoever is sent away after that does not come in a second
    /// time, in whatever spelling.
    adopted: BTreeSet<String>,
}

/// A station that nobody has registered, with what it shows: the CSMS may be asked about it. It cannot
/// be put together by hand:
/// ```compile_fail
/// fn forge(other: guard::admission::Adopting) -> guard::admission::Adopting {
///     guard::admission::Adopting { ..other }
/// }
/// ```
#[derive(Debug)]
pub struct Adopting {
    provisional: Admitted,
    password: Secret,
}

impl Window {
    /// Stations of one window at most.
    pub const STATIONS_MAX: u32 = 100_000;

    /// A window for at most that many stations of a tenant that come from these networks.
    pub fn new(tenant: Tenant, until: UnixMillis, networks: Vec<Network>, count: u32) -> Window {
        Window {
            tenant,
            until,
            networks,
            left: count.min(Window::STATIONS_MAX),
            adopted: BTreeSet::new(),
        }
    }

    /// Whose stations it is for.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Until when.
    pub fn until(&self) -> UnixMillis {
        self.until
    }

    /// How many more it is for.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Whether it is open.
    pub fn is_open(&self, now: UnixMillis) -> bool {
        now <= self.until && self.left > 0
    }

    /// Whether a claim fits: of a station that nobody has registered in any spelling, with a password
    /// of its own, by TLS or where an exception allows clear text.
    pub fn fits(&self, claim: &Claim, standing: &Standing<'_>) -> Option<Adopting> {
        let peer = claim.circumstances.peer;
        let from_there = self.networks.iter().any(|network| network.contains(peer));
        if !self.is_open(standing.now) || !from_there || claim.tenant != self.tenant {
            return None;
        }
        let basic = claim.basic.as_ref()?;
        let length = basic.password.expose().len();
        let is_own = basic.user == claim.station.as_str().as_bytes();
        if !is_own || length == 0 || length > Verifier::PASSWORD_BYTES_MAX {
            return None;
        }
        let known = standing
            .book
            .find_in_any_case(&claim.tenant, &claim.station);
        if known.is_some() || self.adopted.contains(&claim.station.folded()) {
            return None;
        }
        let (version, named) = claim.offered.choose(&Protocols::default())?;
        StationId::parse(claim.station.as_str(), version).ok()?;
        let record = provisional(claim);
        let (kind, exception) = match &claim.transport {
            Transport::Tls(_) if claim.circumstances.path_secret.is_some() => return None,
            Transport::Tls(_) => (ConnectionKind::TlsBasic, None),
            Transport::Plain => {
                let kind = ExceptionKind::PlainBasic;
                let exception = standing.exception(kind, &record, claim).ok()?;
                (ConnectionKind::PlainBasic, Some(exception))
            }
        };
        Some(Adopting {
            provisional: Admitted::provisional(Arc::new(record), version, named, kind, exception),
            password: basic.password.clone(),
        })
    }

    /// A station has been adopted; `false`: it already was, in this spelling or another one.
    pub fn adopted(&mut self, station: &StationId) -> bool {
        let is_new = self.adopted.insert(station.folded());
        if is_new {
            self.left = self.left.saturating_sub(1);
        }
        is_new
    }
}

impl Adopting {
    /// A station that there is not, to see whether the CSMS lets anybody in.
    pub fn made_up(tenant: Tenant, station: StationId, password: Secret) -> Adopting {
        let credential = Credential::Password(Verifier::decoy(false));
        let record = Arc::new(StationRecord::new(station, tenant, credential));
        let kind = ConnectionKind::TlsBasic;
        Adopting {
            provisional: Admitted::provisional(record, Version::V16, true, kind, None),
            password,
        }
    }

    /// Who asks, for the CSMS to say yes or no.
    pub fn provisional(&self) -> &Admitted {
        &self.provisional
    }

    /// What it shows.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The CSMS has agreed: the station as it is to be registered.
    pub fn agreed(&self, verifier: Verifier, traits: Option<PasswordTraits>) -> StationRecord {
        StationRecord {
            credential: Credential::Password(verifier),
            password: traits,
            adopted: true,
            ..StationRecord::clone(self.provisional.station())
        }
    }
}

fn provisional(claim: &Claim) -> StationRecord {
    // A verifier that nothing fits: nobody comes in with this record.
    let credential = Credential::Password(Verifier::decoy(false));
    StationRecord::new(claim.station.clone(), claim.tenant.clone(), credential)
}
