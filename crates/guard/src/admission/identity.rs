//! The identity in a path: percent-decoded exactly once, and a path no more.

use ocpp::{StationId, Version};

use crate::RefusedHandshake;

/// Bytes of a path segment at most: an identity of which every byte is percent-encoded.
const SEGMENT_BYTES_MAX: usize = 3 * StationId::BYTES_MAX_16;

/// Reads the identity's segment of a path ([`crate::Book::route`]).
///
/// It is decoded once: a `%` that is left means that someone hoped for a second time (A15), and a
/// slash or NUL that appears, that someone hoped for another path. The version is not known yet, so
/// the widest alphabet applies, 1.6's; [`super::Prepared::check`] applies the version's own.
pub fn identify(segment: &str) -> Result<StationId, RefusedHandshake> {
    decode(segment)
        .and_then(|text| StationId::parse(&text, Version::V16).ok())
        .ok_or(RefusedHandshake::BadIdentity)
}

fn decode(segment: &str) -> Option<String> {
    if segment.len() > SEGMENT_BYTES_MAX {
        return None;
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                decoded.push(u8::try_from(high * 16 + low).ok()?);
            }
            // A request target is ASCII (RFC 3986, 2); anything else is encoded or a trick.
            b'!'..=b'~' => decoded.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(decoded).ok()
}
