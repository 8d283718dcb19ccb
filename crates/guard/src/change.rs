//! A station gets another credential through the gate (threat D03): the gate takes part, or it would
//! lock the station out. Old and new are both good until the new one is first shown, since the
//! station's answer may be lost on the way; a clear refusal by the station ends the new one.
//!
//! Here nothing is hashed slowly and nothing is kept in clear: a new password is known by its
//! fingerprint, a new certificate by its own, until the station shows it.

mod asked;
mod memory;

use crate::{Credential, PasswordFingerprint, Secret, UnixMillis};

pub(crate) use asked::Asked;
pub(crate) use memory::Stands;
pub use memory::{Changes, Changing, NoRoom};

/// What a forwarded message means for a station's credential.
#[derive(Debug)]
pub enum CredentialChange {
    /// The CSMS gives the station a new one.
    Offered(NewCredential),
    /// The station has said whether it takes it.
    Answered {
        /// Which.
        credential: NewCredential,
        /// It does, from now on.
        accepted: bool,
    },
}

/// What the station is to show in future, as it stands in the CSMS's message.
#[derive(Clone, Debug)]
pub enum NewCredential {
    /// A password, as text or as the digits of its octets.
    Password(Secret),
    /// A certificate chain, PEM, leaf first.
    Certificate(std::sync::Arc<str>),
}

/// By what a credential is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialMark {
    /// A password's fingerprint.
    Password(PasswordFingerprint),
    /// SHA-256 of a certificate.
    Certificate([u8; 32]),
}

impl CredentialMark {
    /// Whether a station that shows the one could be told to show the other: a password makes no
    /// difference to a station that is known by its certificate.
    pub fn suits(&self, held: &Credential) -> bool {
        match self {
            CredentialMark::Password(_) => {
                matches!(held, Credential::Password(_) | Credential::ByException)
            }
            CredentialMark::Certificate(_) => matches!(held, Credential::Certificate(_)),
        }
    }
}

/// A credential that a station has been given, and has not shown yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingCredential {
    /// By what it is known.
    pub mark: CredentialMark,
    /// Until then the old one is good, too.
    pub until: UnixMillis,
    /// The station has said that it takes it: then it stays good beyond that time, and the old one
    /// does not. Without that word the new one is over then.
    pub accepted: bool,
}

/// A step of a change, as the register keeps it.
#[derive(Clone, Debug)]
pub enum ChangeStep {
    /// The station has been given a new one.
    Offered(PendingCredential),
    /// It has said yes.
    Accepted(CredentialMark),
    /// It has said no.
    Refused(CredentialMark),
}

/// How a change goes on, for those who look on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeEvent {
    /// The CSMS gives the station a new credential: both are good now.
    Offered,
    /// The station says that it takes it.
    Accepted,
    /// The station refuses it: only the old one is good.
    Refused,
    /// The station has shown the new one for the first time: only that is good.
    Proved,
    /// The certificate does not name this station: it is passed on, and will not be known.
    Foreign,
    /// There was no room to take part: the new one will not be known.
    NoRoom,
    /// The new one is a weak password (A07).
    Weak {
        /// And stations that show one are turned away, unless the operator has accepted it.
        is_refused: bool,
    },
}

#[cfg(test)]
mod tests;
