//! The hashes of the tree, as RFC 6962 makes them, and the salts of its leaves.

use std::fmt;

use aes::cipher::{BlockEncrypt as _, KeyInit as _};
use aes::{Aes256Enc, Block};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A SHA-256 hash: of a leaf, of a node, or of the whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Bytes of a hash.
    pub const LEN: usize = 32;

    /// The root of a tree without leaves: the hash of nothing.
    pub const EMPTY: Hash = Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// The hash that is written so, in base64.
    pub fn parse(text: &str) -> Option<Hash> {
        let bytes = STANDARD.decode(text).ok()?;
        Some(Hash(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The leaf of a record: SHA-256(0x00 ‖ salt ‖ record).
pub fn leaf_hash(salt: &[u8; 16], record: &[u8]) -> Hash {
    plain_leaf(&[salt, record])
}

/// RFC 6962's own leaf, over these parts one after the other.
pub(super) fn plain_leaf(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// What SHA-256 begins with (FIPS 180-4, 5.3.3).
const BEGIN: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The node above two others: SHA-256(0x01 ‖ left ‖ right).
///
/// There is one for every record, and its input is always 65 bytes: two blocks laid out by hand, which
/// is a fifth faster than the general functions of sha2 or of aws-lc-rs.
pub(super) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut blocks = [[0_u8; 64]; 2];
    blocks[0][0] = 1;
    blocks[0][1..33].copy_from_slice(&left.0);
    blocks[0][33..].copy_from_slice(&right.0[..31]);
    blocks[1][0] = right.0[31];
    blocks[1][1] = 0x80;
    blocks[1][56..].copy_from_slice(&(65 * 8_u64).to_be_bytes());
    compressed(&blocks)
}

fn compressed(blocks: &[[u8; 64]]) -> Hash {
    let mut state = BEGIN;
    compress256(&mut state, blocks);
    let mut hash = [0; Hash::LEN];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Hash(hash)
}

/// From what the salts of one segment's records are made.
///
/// Whoever holds it can open every record of the segment, so it is as secret as the segment's key; one
/// salt opens nothing but its own record.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SaltKey(pub [u8; 32]);

/// Blocks that AES enciphers at once.
const SALTS_AT_ONCE: usize = 8;

impl SaltKey {
    /// The salt of this record: its number, as 16 bytes, most significant first, enciphered with
    /// AES-256.
    pub fn salt(&self, number: u64) -> [u8; 16] {
        let mut block = counted(number);
        self.cipher().encrypt_block(&mut block);
        block.into()
    }

    /// The salts of this record and of those that follow it.
    pub fn salts(&self, first: u64) -> impl Iterator<Item = [u8; 16]> + use<> {
        let cipher = self.cipher();
        let mut made = [Block::default(); SALTS_AT_ONCE];
        (0_u64..).map(move |place| {
            let at = (place % SALTS_AT_ONCE as u64) as usize;
            if at == 0 {
                let numbers = first.wrapping_add(place)..;
                made.iter_mut()
                    .zip(numbers)
                    .for_each(|(block, number)| *block = counted(number));
                cipher.encrypt_blocks(&mut made);
            }
            made[at].into()
        })
    }

    fn cipher(&self) -> Aes256Enc {
        Aes256Enc::new(&self.0.into())
    }
}

fn counted(number: u64) -> Block {
    u128::from(number).to_be_bytes().into()
}

impl fmt::Debug for SaltKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SaltKey(…)")
    }
}
