//! What makes a station's certificate a proof, asked anew on every connection: a resumed TLS session
//! brings the old chain along, and rustls does not look at it again (A13).

use std::fmt;
use std::time::Duration;

use super::revocation::{Known, Revocations, Serial};
use crate::UnixMillis;

/// What stands in a client certificate. TLS has proved that the station holds its key, and that it
/// led to the listener's client CA when the TLS session was made, which may be hours ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// SHA-256 of its DER.
    pub fingerprint: [u8; 32],
    /// The subject's common name, if there is exactly one.
    pub common_name: Option<String>,
    /// The subject's organisation, if there is exactly one.
    pub organization: Option<String>,
    /// The issuer's name, DER.
    pub issuer: Vec<u8>,
    /// Its number among the issuer's.
    pub serial: Serial,
    /// Unix seconds, the first one included.
    pub not_before: i64,
    /// Unix seconds, the last one included.
    pub not_after: i64,
}

/// What a listener asks of its stations' certificates beyond the chain.
#[derive(Clone, Debug, Default)]
pub struct CertificateRules {
    /// The CPO, as it stands in the subject (OCPP 2.0.1 A00.FR.409), unless the route names one;
    /// `None`: any.
    pub organization: Option<String>,
    /// The revocation lists; `None`: none is kept, and nothing counts as revoked.
    pub revocation: Option<RevocationRules>,
}

/// The revocation lists of a listener's client CA, and what to do when they are overdue.
#[derive(Clone, Debug)]
pub struct RevocationRules {
    /// The lists.
    pub revocations: Revocations,
    /// How long a list that is past its next update is used as if it were not.
    pub grace: Duration,
    /// And from then on.
    pub stale: OnStaleList,
}

/// What becomes of a certificate whose list is overdue and out of grace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStaleList {
    /// It is refused: identity fails closed.
    #[default]
    Refuse,
    /// The old list goes on being used.
    Allow,
}

/// Why a certificate that TLS let pass proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateFault {
    /// It is no certificate that we can read.
    Unreadable,
    /// Its time has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// Its issuer has revoked it.
    Revoked,
    /// Its issuer's list is overdue, and out of grace.
    ListOverdue,
    /// There are lists, and none of its issuer.
    NoList,
    /// It is another organisation's, or names none or several.
    Organization,
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            CertificateFault::Unreadable => "it cannot be read",
            CertificateFault::NotYetValid => "it is not valid yet",
            CertificateFault::Expired => "it has expired",
            CertificateFault::Revoked => "it has been revoked",
            CertificateFault::ListOverdue => "its issuer's revocation list is overdue",
            CertificateFault::NoList => "there is no revocation list of its issuer",
            CertificateFault::Organization => "its organisation is not the CPO",
        })
    }
}

/// A client certificate that is in date, not revoked, and the CPO's. Only [`CertificateFacts::vet`]
/// makes one, so a claim cannot hold another:
/// ```compile_fail
/// fn unasked(facts: guard::admission::CertificateFacts) -> guard::admission::ClientCertificate {
///     guard::admission::ClientCertificate { facts }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    facts: CertificateFacts,
}

impl ClientCertificate {
    /// SHA-256 of its DER.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.facts.fingerprint
    }

    /// The subject's common name, if there is exactly one.
    pub fn common_name(&self) -> Option<&str> {
        self.facts.common_name.as_deref()
    }
}

impl CertificateFacts {
    /// Asks everything that does not need the registry. It tells a stranger nothing about it either.
    /// A route may name an organisation of its own, which then counts in place of the listener's.
    pub fn vet(
        self,
        rules: &CertificateRules,
        of_route: Option<&str>,
        now: UnixMillis,
    ) -> Result<ClientCertificate, CertificateFault> {
        let seconds = now.0.div_euclid(1000);
        if seconds < self.not_before {
            return Err(CertificateFault::NotYetValid);
        }
        if seconds > self.not_after {
            return Err(CertificateFault::Expired);
        }
        if let Some(revocation) = &rules.revocation {
            revocation.ask(&self, seconds)?;
        }
        let wanted = of_route.or(rules.organization.as_deref());
        if wanted.is_some() && wanted != self.organization.as_deref() {
            return Err(CertificateFault::Organization);
        }
        Ok(ClientCertificate { facts: self })
    }
}

impl CertificateRules {
    /// Whether a list takes that certificate back. A session that runs outlives its certificate's
    /// dates and an overdue list, and not this.
    pub fn revokes(&self, issuer: &[u8], serial: &Serial) -> bool {
        let revocation = self.revocation.as_ref();
        revocation.is_some_and(|rules| rules.revocations.look_up(issuer, serial) == Known::Revoked)
    }
}

impl RevocationRules {
    /// Whether a list whose next update was due then may no longer be used.
    pub fn is_out_of_grace(&self, next_update: i64, seconds: i64) -> bool {
        let grace = i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX);
        seconds > next_update.saturating_add(grace)
    }

    fn ask(&self, facts: &CertificateFacts, seconds: i64) -> Result<(), CertificateFault> {
        match self.revocations.look_up(&facts.issuer, &facts.serial) {
            Known::Revoked => Err(CertificateFault::Revoked),
            Known::NoList => Err(CertificateFault::NoList),
            Known::Good { next_update } => {
                let unusable = self.is_out_of_grace(next_update, seconds);
                match self.stale {
                    OnStaleList::Refuse if unusable => Err(CertificateFault::ListOverdue),
                    OnStaleList::Refuse | OnStaleList::Allow => Ok(()),
                }
            }
        }
    }
}
