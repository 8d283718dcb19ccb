//! Sealing of what is small: keys, subject rows, texts. AES-256-GCM-SIV, whose random nonces may
//! even repeat without giving more away than that two sealed values are the same.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::KeyError;

/// Seals and opens under one key.
pub(crate) struct Sealer(LessSafeKey);

/// It did not open; nothing more is known, and nothing more is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unopened;

impl Sealer {
    /// Bytes that sealing adds.
    pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

    pub(crate) fn new(key: &[u8; 32]) -> Result<Sealer, KeyError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).map_err(|_| KeyError::NoRandomness)?;
        Ok(Sealer(LessSafeKey::new(key)))
    }

    /// Nonce, ciphertext and tag of `plain`, bound to its place.
    pub(crate) fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(plain.len() + Sealer::OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let inner = sealed.get_mut(NONCE_LEN..).unwrap_or_default();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(place), inner)
            .map_err(|_| KeyError::NoRandomness)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What was sealed for that place.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unopened)?;
        let mut plain = Zeroizing::new(rest.to_vec());
        let length = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place),
                &mut plain,
            )
            .map_err(|_| Unopened)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// A key for one purpose, from one or more secrets (HKDF-SHA-256).
pub(crate) fn derive(secrets: &[&[u8]], purpose: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let secret = Zeroizing::new(secrets.concat());
    let mut key = Zeroizing::new([0_u8; 32]);
    // Every purpose is a constant of ours, and none is another one's beginning.
    Salt::new(HKDF_SHA256, b"portcullis journal 1")
        .extract(&secret)
        .expand(&[purpose.as_bytes()], Length)
        .and_then(|made| made.fill(&mut *key))
        .map_err(|_| KeyError::NoRandomness)?;
    Ok(key)
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

/// Random bytes from the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_whole_in_its_place_and_under_its_key() {
        let sealer = Sealer::new(&[7; 32]).unwrap();
        let sealed = sealer.seal(b"here", b"open sesame").unwrap();
        assert_eq!(sealed.len(), b"open sesame".len() + Sealer::OVERHEAD);
        assert_eq!(
            sealer.open(b"here", &sealed).unwrap().as_slice(),
            b"open sesame"
        );
        assert!(!sealed.windows(4).any(|window| window == b"open"));
        assert_ne!(sealed, sealer.seal(b"here", b"open sesame").unwrap());

        assert!(sealer.open(b"there", &sealed).is_err());
        assert!(
            Sealer::new(&[8; 32])
                .unwrap()
                .open(b"here", &sealed)
                .is_err()
        );
        for length in 0..sealed.len() {
            assert!(sealer.open(b"here", &sealed[..length]).is_err());
        }
        for place in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[place] ^= 1;
            assert!(sealer.open(b"here", &bent).is_err());
        }
    }

    #[test]
    fn each_purpose_and_each_secret_has_its_own_key() {
        let keys = [
            derive(&[b"one"], "tag").unwrap(),
            derive(&[b"one"], "row").unwrap(),
            derive(&[b"two"], "tag").unwrap(),
            derive(&[b"one", b"two"], "tag").unwrap(),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[place + 1..].contains(key), "number {place}");
        }
    }
}
