//! Keys of the gate, and the one keyed hash made with them: HMAC-SHA-256.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The gate's key for password verifiers. Whoever has the verifiers but not this key cannot even
/// guess at the fast ones.
#[derive(Clone)]
pub struct VerifierKey(Zeroizing<[u8; 32]>);

/// The gate's key for pseudonyms: the same token gives the same pseudonym, and only the key's holder
/// can test a guess.
#[derive(Clone)]
pub struct PseudonymKey(Zeroizing<[u8; 32]>);

/// The gate's key for password fingerprints: whoever has fingerprints and not this key cannot even
/// ask whose password they are of.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<[u8; 32]>);

impl FingerprintKey {
    /// Takes 32 random bytes as the key.
    pub fn new(bytes: [u8; 32]) -> FingerprintKey {
        FingerprintKey(Zeroizing::new(bytes))
    }

    /// A keyed hash for one purpose.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&self.0, purpose, parts)
    }
}

impl VerifierKey {
    /// Takes 32 random bytes as the key.
    pub fn new(bytes: [u8; 32]) -> VerifierKey {
        VerifierKey(Zeroizing::new(bytes))
    }

    /// A keyed hash for one purpose.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&self.0, purpose, parts)
    }
}

impl PseudonymKey {
    /// Takes 32 random bytes as the key.
    pub fn new(bytes: [u8; 32]) -> PseudonymKey {
        PseudonymKey(Zeroizing::new(bytes))
    }

    /// A keyed hash for one purpose.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&self.0, purpose, parts)
    }
}

/// Purpose and parts each stand with their length, so that no two lists of them run together.
fn hmac_sha256(key: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104 pads a short key with zeros to the hash's block, so padding it here changes nothing.
    let mut block = Zeroizing::new([0_u8; 64]);
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in [&[purpose.as_bytes()], parts].concat() {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("VerifierKey")
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("FingerprintKey")
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PseudonymKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_none_runs_into_the_next() {
        let tag = |purpose, parts: &[&[u8]]| hmac_sha256(&[1; 32], purpose, parts);
        let all = [
            tag("a", &[b"bc", b"d"]),
            tag("a", &[b"b", b"cd"]),
            tag("a", &[b"bcd"]),
            tag("ab", &[b"c", b"d"]),
            tag("a", &[b"bc", b"d", b""]),
            hmac_sha256(&[2; 32], "a", &[b"bc", b"d"]),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[place + 1..].contains(one), "number {place}");
        }
    }

    #[test]
    fn keys_do_not_print() {
        let shown = format!(
            "{:?} {:?} {:?}",
            VerifierKey::new([7; 32]),
            FingerprintKey::new([7; 32]),
            PseudonymKey::new([7; 32])
        );
        assert!(!shown.contains('7'), "{shown}");
    }
}
