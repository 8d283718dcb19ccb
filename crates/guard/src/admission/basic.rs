//! HTTP Basic (RFC 7617): a user name and a password, both bytes.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::{RefusedHandshake, Secret};

/// What a Basic header holds.
#[derive(Clone, Debug)]
pub struct Basic {
    pub(super) user: Vec<u8>,
    pub(super) password: Secret,
}

/// Bytes of the header's value at most: an identity and a password at their longest, in base64.
const HEADER_BYTES_MAX: usize = 1024;

/// Some stations leave the padding away; it carries nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Basic {
    /// A user name and a password that somebody has read already.
    pub fn new(user: Vec<u8>, password: Secret) -> Basic {
        Basic { user, password }
    }

    /// Reads the value of an `Authorization` header; what cannot be read counts as none.
    ///
    /// The password is whatever follows the first colon, byte for byte: OCPP 1.6's need not be UTF-8.
    pub fn read(header: &[u8]) -> Result<Basic, RefusedHandshake> {
        Basic::decode(header).ok_or(RefusedHandshake::NoCredential)
    }

    fn decode(header: &[u8]) -> Option<Basic> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let (scheme, rest) = header.trim_ascii().split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let pair = Zeroizing::new(BASE64.decode(rest.trim_ascii()).ok()?);
        let colon = pair.iter().position(|byte| *byte == b':')?;
        let (user, password) = pair.split_at(colon);
        Some(Basic {
            user: user.to_vec(),
            password: Secret::new(password[1..].to_vec()),
        })
    }
}
