//! What must be read again and must not lie open: AES-256-GCM under a key that is not in the
//! database. A sealed value is bound to its place, so that copying one row's secret into another row
//! does not hand it to another station or another CSMS.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use guard::{Secret, UnixMillis};

/// Says how the rest is to be read, should that ever change.
const FORMAT: u8 = 1;

/// Seals and opens.
pub(crate) struct SealingKey(Option<LessSafeKey>);

/// Sealing or opening did not work; nothing more is known, and nothing more is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsealable;

/// Where a sealed value belongs.
pub(crate) enum Place<'a> {
    /// The password shown upstream in this station's name.
    UpstreamPassword { tenant: &'a str, identity: &'a str },
    /// What is known of this station's password.
    PasswordTraits { tenant: &'a str, identity: &'a str },
    /// A refused message that this station sent, and when it was refused.
    Refused {
        tenant: &'a str,
        identity: &'a str,
        at: UnixMillis,
    },
    /// A credential that this station has been given and has not shown yet.
    PendingCredential { tenant: &'a str, identity: &'a str },
    /// The password shown upstream on this route.
    RoutePassword { route: &'a str },
}

impl SealingKey {
    pub(crate) fn new(key: &Secret) -> SealingKey {
        let key = UnboundKey::new(&AES_256_GCM, key.expose());
        SealingKey(key.ok().map(LessSafeKey::new))
    }

    pub(crate) fn seal(&self, secret: &Secret, place: &Place<'_>) -> Result<Vec<u8>, Unsealable> {
        let key = self.0.as_ref().ok_or(Unsealable)?;
        let mut nonce = [0_u8; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Unsealable)?;
        // Random nonces are safe for 2^32 values under one key; a fleet has some 10^5.
        let mut text = secret.expose().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.bytes()),
            &mut text,
        )
        .map_err(|_| Unsealable)?;
        Ok([&[FORMAT], nonce.as_slice(), &text].concat())
    }

    pub(crate) fn open(&self, sealed: &[u8], place: &Place<'_>) -> Result<Secret, Unsealable> {
        let key = self.0.as_ref().ok_or(Unsealable)?;
        let (&format, rest) = sealed.split_first().ok_or(Unsealable)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        if format != FORMAT {
            return Err(Unsealable);
        }
        let mut text = text.to_vec();
        let length = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.bytes()),
                &mut text,
            )
            .map_err(|_| Unsealable)?
            .len();
        text.truncate(length);
        Ok(Secret::new(text))
    }
}

impl Place<'_> {
    /// Lengths first, so that no two places have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let time;
        let parts: &[&str] = match self {
            Place::UpstreamPassword { tenant, identity } => &["station", tenant, identity],
            Place::PasswordTraits { tenant, identity } => &["traits", tenant, identity],
            Place::PendingCredential { tenant, identity } => &["pending", tenant, identity],
            Place::RoutePassword { route } => &["route", route],
            Place::Refused {
                tenant,
                identity,
                at,
            } => {
                time = at.0.to_string();
                &["refused", tenant, identity, &time]
            }
        };
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_whole_in_its_place_and_under_its_key() {
        let key = SealingKey::new(&Secret::new(vec![7; 32]));
        let here = Place::RoutePassword { route: "main" };
        let sealed = key
            .seal(&Secret::new(b"open sesame".to_vec()), &here)
            .unwrap();
        assert_eq!(key.open(&sealed, &here).unwrap().expose(), b"open sesame");
        assert!(!sealed.windows(4).any(|window| window == b"open"));

        let elsewhere = Place::RoutePassword { route: "other" };
        assert!(key.open(&sealed, &elsewhere).is_err());
        let other = SealingKey::new(&Secret::new(vec![8; 32]));
        assert!(other.open(&sealed, &here).is_err());
        for length in 0..sealed.len() {
            assert!(key.open(&sealed[..length], &here).is_err());
        }
        for place in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[place] ^= 1;
            assert!(key.open(&bent, &here).is_err());
        }
    }
}
