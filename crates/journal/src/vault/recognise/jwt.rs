//! JSON web tokens: header, payload and signature in base64url; the header begins with `{"`.

use std::ops::Range;

/// `{"` in base64url.
const HEADER: &str = "eyJ";
/// Letters of a header or a payload at least: `{"alg":"none"}` has 19.
const PART_MIN: usize = 10;

pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find(HEADER)?;
        let header = part(bytes, start);
        let payload = next(bytes, header).filter(|payload| *payload - header > PART_MIN);
        if let Some(payload) = payload
            && header - start >= PART_MIN
        {
            return Some(start..next(bytes, payload).unwrap_or(payload));
        }
        // Whatever begins within this part ends where it does.
        at = header;
    }
}

/// Where a part ends that begins there.
fn part(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"-_=".contains(byte));
    start + length.unwrap_or(rest.len())
}

/// Where the part behind a dot ends.
fn next(bytes: &[u8], dot: usize) -> Option<usize> {
    (bytes.get(dot) == Some(&b'.')).then(|| part(bytes, dot + 1))
}
