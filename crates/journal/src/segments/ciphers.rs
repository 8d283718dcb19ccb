//! What one segment is encrypted with, derived from its day's key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::format::FileHeader;
use crate::keys::SegmentKey;
use crate::proof::SaltKey;

/// Bytes that encryption adds.
pub(crate) const TAG: usize = 16;

/// What one segment is encrypted with. All of it follows from SEG[day] and the segment's header, so
/// that a header with one changed bit opens nothing.
pub(crate) struct Ciphers {
    blocks: LessSafeKey,
    index: LessSafeKey,
    salts: SaltKey,
}

impl Ciphers {
    pub(crate) fn new(key: &SegmentKey, header: &FileHeader) -> Result<Ciphers, Unspecified> {
        let bytes = header.bytes();
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &header.id).extract(key.expose());
        let derive = |purpose: &str| -> Result<Zeroizing<[u8; 32]>, Unspecified> {
            let mut derived = Zeroizing::new([0; 32]);
            extracted
                .expand(&[purpose.as_bytes(), &bytes], hkdf::HKDF_SHA256)?
                .fill(&mut *derived)?;
            Ok(derived)
        };
        let cipher = |purpose| -> Result<LessSafeKey, Unspecified> {
            Ok(LessSafeKey::new(UnboundKey::new(
                &AES_256_GCM,
                &*derive(purpose)?,
            )?))
        };
        Ok(Ciphers {
            blocks: cipher("portcullis journal v2: blocks")?,
            index: cipher("portcullis journal v2: index")?,
            salts: SaltKey(*derive("portcullis journal v2: salts")?),
        })
    }

    /// Encrypts a block where it stands. A block's number never comes twice in a segment.
    pub(crate) fn seal_block(
        &self,
        number: u32,
        header: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG], Unspecified> {
        let tag =
            self.blocks
                .seal_in_place_separate_tag(block_nonce(number), Aad::from(header), text)?;
        let mut bytes = [0; TAG];
        bytes.copy_from_slice(tag.as_ref());
        Ok(bytes)
    }

    /// Decrypts a block, its tag behind it, where it stands.
    pub(crate) fn open_block<'a>(
        &self,
        number: u32,
        header: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], Unspecified> {
        let text = self
            .blocks
            .open_in_place(block_nonce(number), Aad::from(header), sealed)?;
        Ok(text)
    }

    pub(crate) fn seal_index(
        &self,
        nonce: [u8; 12],
        header: &[u8],
        text: &mut Vec<u8>,
    ) -> Result<(), Unspecified> {
        self.index.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header),
            text,
        )
    }

    pub(crate) fn open_index<'a>(
        &self,
        nonce: [u8; 12],
        header: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], Unspecified> {
        let text = self.index.open_in_place(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header),
            sealed,
        )?;
        Ok(text)
    }

    /// What hides a record in its leaf. It tells nothing of the others', so it can be given away with
    /// the record.
    pub(crate) fn salt(&self, record: u64) -> [u8; 16] {
        self.salts.salt(record)
    }

    /// Those of the records from this one on.
    pub(crate) fn salts_from(&self, record: u64) -> impl Iterator<Item = [u8; 16]> + use<> {
        self.salts.salts(record)
    }
}

impl Ciphers {
    /// What all salts of the segment are made from: it opens every leaf of it.
    pub(crate) fn salts(&self) -> &SaltKey {
        &self.salts
    }
}

fn block_nonce(number: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}
