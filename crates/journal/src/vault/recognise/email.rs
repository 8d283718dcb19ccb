//! E-mail addresses: something, `@`, and a host with a dot in it.

use std::ops::Range;

/// RFC 5321: characters before the `@`, and behind it.
const LOCAL_BYTES_MAX: usize = 128;
const DOMAIN_BYTES_MAX: usize = 255;

pub(super) fn find(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let sign = at + text.get(at..)?.find('@')?;
        let local = local(text.get(from..sign)?);
        if let (Some(local), Some(domain)) = (local, domain(text.get(sign + 1..)?)) {
            return Some(sign - local..sign + 1 + domain);
        }
        at = sign + 1;
    }
}

/// Bytes of the local part that ends there.
fn local(before: &str) -> Option<usize> {
    let mut length = 0;
    for letter in before.chars().rev() {
        let belongs = letter.is_alphanumeric() || ".!#$%&*+/=?^_`{|}~-".contains(letter);
        if !belongs || length >= LOCAL_BYTES_MAX {
            break;
        }
        length += letter.len_utf8();
    }
    let found = before.get(before.len() - length..)?;
    // In a text that is JSON itself, `\n` may stand before it, and the `n` belongs to that.
    let escape =
        before.get(..before.len() - length)?.ends_with('\\') && found.starts_with(['n', 'r', 't']);
    let found = if escape { found.get(1..)? } else { found };
    let trimmed = found.trim_start_matches(['.', '/', '=', '{', '|', '&', '?']);
    trimmed
        .chars()
        .any(char::is_alphanumeric)
        .then_some(trimmed.len())
}

/// Bytes of the domain that begins there.
fn domain(after: &str) -> Option<usize> {
    let belongs = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '.';
    let end = after
        .char_indices()
        .find(|(place, letter)| !belongs(*letter) || *place >= DOMAIN_BYTES_MAX)
        .map_or(after.len(), |(place, _)| place);
    let domain = after.get(..end)?.trim_end_matches(['.', '-']);
    let (host, last) = domain.rsplit_once('.')?;
    let sound = last.chars().count() >= 2
        && last
            .chars()
            .all(|letter| letter.is_alphabetic() || letter == '-')
        && host.chars().any(char::is_alphanumeric);
    sound.then_some(domain.len())
}
