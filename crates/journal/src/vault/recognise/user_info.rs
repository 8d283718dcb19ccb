//! User name and password in a URL: what stands between `://` and the authority's last `@`.

use std::ops::Range;

/// Bytes that are looked through behind `://`.
const AUTHORITY_BYTES_MAX: usize = 512;

pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("://")? + 3;
        let rest = bytes.get(start..).unwrap_or_default();
        let rest = rest.get(..AUTHORITY_BYTES_MAX).unwrap_or(rest);
        let end = rest
            .iter()
            .position(|byte| b" \t\r\n\"'<>\\".contains(byte));
        let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        // A password may hold a slash that should have been escaped; an address in a path has none
        // of the colon that stands before a password.
        let at_sign = authority.iter().rposition(|byte| *byte == b'@');
        let first_slash = authority.iter().position(|byte| b"/?#".contains(byte));
        if let Some(at_sign) = at_sign {
            let before = authority.get(..at_sign).unwrap_or_default();
            let plain = first_slash.is_none_or(|slash| slash > at_sign);
            if !before.is_empty() && (plain || before.contains(&b':')) {
                return Some(start..start + at_sign);
            }
        }
        at = start;
    }
}
