//! How a password verifier is made and checked.

use argon2::password_hash::phc::PasswordHash as PhcHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{PasswordForm, PasswordHash, Verifier, VerifierKey};

/// Why no verifier can be made of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitPassword {
    /// Nothing there.
    #[error("the password is empty")]
    Empty,
    /// Too short to be hashed fast.
    #[error("a password of less than 16 bytes needs the slow hash")]
    TooShort,
    /// Longer than any station sends.
    #[error("the password is longer than {max} bytes", max = Verifier::PASSWORD_BYTES_MAX)]
    TooLong,
    /// Registered as hexadecimal, and is not.
    #[error("the password is not 32 to 40 hexadecimal digits, an even number of them")]
    NotHex,
    /// The slow hash refused it.
    #[error("the password cannot be hashed")]
    Hash,
}

impl Verifier {
    /// Bytes of a secret that may be hashed fast: 128 bits that a machine drew cannot be searched,
    /// so a slow hash would only slow us down.
    pub const FAST_BYTES_MIN: usize = 16;
    /// Bytes of a password at most; OCPP allows 20 octets in 1.6 and 64 characters in 2.1.
    pub const PASSWORD_BYTES_MAX: usize = 256;

    /// A verifier for a secret that a machine drew, of at least 16 bytes; `salt` is random.
    pub fn fast(
        secret: &[u8],
        form: PasswordForm,
        key: &VerifierKey,
        salt: [u8; 16],
    ) -> Result<Verifier, UnfitPassword> {
        let octets = registered(form, secret)?;
        if octets.len() < Self::FAST_BYTES_MIN {
            return Err(UnfitPassword::TooShort);
        }
        let tag = fast_tag(key, &salt, &octets);
        Ok(Verifier {
            form,
            hash: PasswordHash::Fast { salt, tag },
        })
    }

    /// A verifier for a password that a person may have chosen; takes some 20 ms. `salt` is random.
    pub fn slow(
        password: &[u8],
        form: PasswordForm,
        salt: [u8; 16],
    ) -> Result<Verifier, UnfitPassword> {
        let octets = registered(form, password)?;
        // The crate's default is argon2id with 19 MiB and two passes, as OWASP advises.
        let hash = Argon2::default()
            .hash_password_with_salt(&octets, &salt)
            .map_err(|_| UnfitPassword::Hash)?;
        Ok(Verifier {
            form,
            hash: PasswordHash::Slow(hash.to_string()),
        })
    }

    /// Whether a check takes milliseconds, and so has no place on the road.
    pub fn is_slow(&self) -> bool {
        matches!(self.hash, PasswordHash::Slow(_))
    }

    /// Whether a presented password is the right one: one hash run, whatever its form.
    pub fn check(&self, presented: &[u8], key: &VerifierKey) -> bool {
        if presented.len() > Self::PASSWORD_BYTES_MAX {
            return false;
        }
        // Where digits were registered, some stations send the octets and some the digits: 32 to 40
        // digits cannot be mistaken for 16 to 20 octets.
        let decoded = match self.form {
            PasswordForm::Octets => None,
            PasswordForm::Hex => decode_hex(presented),
        };
        let octets = decoded.as_ref().map_or(presented, |octets| octets);
        match &self.hash {
            PasswordHash::Fast { salt, tag } => fast_tag(key, salt, octets).ct_eq(tag).into(),
            PasswordHash::Slow(phc) => slow_check(phc, octets),
        }
    }

    /// A verifier that no password fits, for those who must not learn that they are unknown.
    pub(crate) fn decoy(slow: bool) -> Verifier {
        let hash = match slow {
            true => PasswordHash::Slow(DECOY_PHC.to_owned()),
            false => PasswordHash::Fast {
                salt: [0; 16],
                tag: [0; 32],
            },
        };
        Verifier {
            form: PasswordForm::Hex,
            hash,
        }
    }
}

/// Costs as [`Verifier::slow`] has them, so that a decoy takes as long.
const DECOY_PHC: &str = "$argon2id$v=19$m=19456,t=2,p=1$cG9ydGN1bGxpcyBkZWNveQ$\
                         AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a verifier read from a store may cost at most; ours costs 19 MiB and two passes.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 8;
const LANES_MAX: u32 = 4;

fn fast_tag(key: &VerifierKey, salt: &[u8; 16], octets: &[u8]) -> [u8; 32] {
    key.tag("password", &[salt, octets])
}

fn slow_check(phc: &str, octets: &[u8]) -> bool {
    let Ok(hash) = PhcHash::new(phc) else {
        return false;
    };
    let affordable = Params::try_from(&hash).is_ok_and(|costs| {
        costs.m_cost() <= MEMORY_KIB_MAX
            && costs.t_cost() <= PASSES_MAX
            && costs.p_cost() <= LANES_MAX
    });
    affordable && Argon2::default().verify_password(octets, &hash).is_ok()
}

/// The octets of a password as an operator registers it.
fn registered(form: PasswordForm, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnfitPassword> {
    if password.is_empty() {
        return Err(UnfitPassword::Empty);
    }
    if password.len() > Verifier::PASSWORD_BYTES_MAX {
        return Err(UnfitPassword::TooLong);
    }
    match form {
        PasswordForm::Octets => Ok(Zeroizing::new(password.to_vec())),
        PasswordForm::Hex => decode_hex(password).ok_or(UnfitPassword::NotHex),
    }
}

/// Decodes 32 to 40 hexadecimal digits.
pub(crate) fn decode_hex(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !(32..=40).contains(&digits.len()) || !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(20));
    for pair in digits.chunks_exact(2) {
        let [high, low] = pair else { return None };
        let high = char::from(*high).to_digit(16)?;
        let low = char::from(*low).to_digit(16)?;
        octets.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(octets)
}

#[cfg(test)]
mod tests;
