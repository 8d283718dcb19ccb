//! What proves that a station is who it says, and the check of a presented password.

use std::fmt;

/// What a station's registration says it must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A Basic password, of which we keep a verifier.
    Password(Verifier),
    /// A client certificate with this SHA-256 fingerprint.
    Certificate([u8; 32]),
    /// Any certificate of our client CA whose subject's common name is the identity.
    CertificateName,
    /// Nothing of its own: it comes in where an exception lets it in, and not at all without one.
    ByException,
}

/// Enough to check a password, and not enough to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// How the password is written on the wire.
    pub form: PasswordForm,
    /// How it is hashed.
    pub hash: PasswordHash,
}

/// How a password stands on the wire (OCPP 1.6 security extension, A00.FR.205/304; counterparts.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordForm {
    /// Octets or text, compared as they are.
    Octets,
    /// 32–40 hexadecimal digits at registration: the decoded octets are the password on the wire,
    /// and the digits themselves are accepted too, since some stations send those.
    Hex,
}

/// How a verifier is made.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordHash {
    /// HMAC-SHA-256 under the gate's key over salt and password: only for secrets of at least 16
    /// bytes that a machine made.
    Fast {
        /// Random, one for each station.
        salt: [u8; 16],
        /// The tag.
        tag: [u8; 32],
    },
    /// argon2id, for everything a person may have chosen, in PHC string form.
    Slow(String),
}

/// A hash of what a person may have chosen can be guessed at, so it belongs in no log.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            PasswordHash::Fast { .. } => "Fast",
            PasswordHash::Slow(_) => "Slow",
        })
    }
}
