//! Who may connect. Pure: the listener brings a [`Claim`], and only here is an [`Admitted`] made,
//! the proof that whoever dials the CSMS must hold.
//!
//! The order of the checks, and what each may tell a stranger:
//!
//! 1. [`identify`]: the path's identity, decoded once and parsed. Looks at the request alone.
//! 2. [`CertificateFacts::vet`]: a client certificate is in date, not revoked, and the CPO's
//!    (`Certificate`, A12, A13), on a resumed TLS session as on a new one. Looks at the certificate
//!    alone: who shows a bad one is refused whatever else it shows.
//! 3. [`prepare`]: something is shown, or there are exceptions for those who show nothing
//!    (`NoCredential`), and a Basic user name is the identity (`UserNotIdentity`, A08). Looks at the
//!    request alone, so it tells nothing about the registry.
//! 4. [`prepare`] and [`Prepared::check`]: the station is registered, enabled, and the credential is
//!    its own. All three fail as one `Unauthorized`, after the same kind and number of hash runs
//!    (A04).
//! 5. [`Prepared::check`]: whoever comes in clear text, or shows nothing, has an exception that fits
//!    (`Exception`, A01, A09, A24). Where a password is shown, it has been found right before.
//! 6. [`Prepared::check`]: the version (`NoVersion`, A16), and the identity by that version's
//!    alphabet (`BadIdentity`, A15). Only a station that has proved itself gets here.
//!
//! Steps 2 to 5 are one 401 to the peer; the event alone tells them apart.

mod adopting;
mod basic;
mod cache;
mod certificate;
mod changed;
mod exception;
mod identity;
mod prepared;
mod revocation;

use ocpp::{StationId, Version};

use crate::{Protocols, Tenant};

pub use adopting::{Adopting, Window};
pub use basic::Basic;
pub use cache::VerifierCache;
pub use certificate::{
    CertificateFacts, CertificateFault, CertificateRules, ClientCertificate, OnStaleList,
    RevocationRules,
};
pub use changed::prepare_changing;
pub(crate) use exception::wanted;
pub use exception::{
    BootDemand, Circumstances, Exception, ExceptionFault, ExceptionKind, Exceptions, PathSecret,
    StationList, Stations,
};
pub use identity::identify;
pub use prepared::{Admitted, Prepared, Standing, prepare};
pub use revocation::{Known, RevocationList, Revocations, Serial};

/// What a handshake claims, before anything is believed.
#[derive(Debug)]
pub struct Claim {
    /// The route's tenant.
    pub tenant: Tenant,
    /// The path's identity ([`identify`]).
    pub station: StationId,
    /// How it came in.
    pub transport: Transport,
    /// The `Authorization` header, if there is one ([`Basic::new`]).
    pub basic: Option<Basic>,
    /// The subprotocols it offers.
    pub offered: Offered,
    /// What else there is to see of it, for those who need an exception.
    pub circumstances: Circumstances,
}

/// How a handshake came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In clear text, on a trusted network.
    Plain,
    /// By TLS, with the client certificate if one was shown.
    Tls(Option<ClientCertificate>),
}

/// The subprotocols a station offers, in its order; those we do not know count only as offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    versions: Vec<Version>,
    any: bool,
}

impl Offered {
    /// Reads the values of all `Sec-WebSocket-Protocol` headers, in order.
    pub fn read<'h>(headers: impl IntoIterator<Item = &'h str>) -> Offered {
        let mut offered = Offered::default();
        for token in headers.into_iter().flat_map(|header| header.split(',')) {
            let token = token.trim_matches([' ', '\t']);
            if token.is_empty() {
                continue;
            }
            offered.any = true;
            if let Some(version) = Version::from_subprotocol(token)
                && !offered.versions.contains(&version)
            {
                offered.versions.push(version);
            }
        }
        offered
    }

    /// The version to speak, and whether the station named it: the first one offered that is
    /// allowed, or, where none at all is offered, the one that the registration names.
    pub fn choose(&self, protocols: &Protocols) -> Option<(Version, bool)> {
        if !self.any {
            return protocols.unnamed.map(|version| (version, false));
        }
        let mut versions = self.versions.iter().copied();
        versions
            .find(|version| protocols.allowed.contains(version))
            .map(|version| (version, true))
    }
}

#[cfg(test)]
mod tests;
