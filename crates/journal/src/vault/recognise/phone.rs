//! Phone numbers, by what stands in front: `+` and a country, `00` and a country, `tel:`, or a trunk
//! zero with an area code that a space, slash or dash ends.

use std::ops::Range;

use super::starts_word;

/// ITU-T E.164: digits with the country at most; fewer than that many is no phone number.
const DIGITS_MAX: usize = 15;
const DIGITS_MIN: usize = 8;

pub(super) fn find(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    (from..bytes.len()).find_map(|start| at(bytes, start).map(|end| start..end))
}

fn at(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    match rest {
        [b'+', b'1'..=b'9' | b'(', ..] => {
            // `+` between digits is arithmetic, or a time's offset.
            let before = start.checked_sub(1).and_then(|before| bytes.get(before));
            let free = before.is_none_or(|byte| !byte.is_ascii_alphanumeric())
                || starts_word(bytes, start);
            free.then(|| number(bytes, start + 1, DIGITS_MIN)).flatten()
        }
        [b'0', b'0', b'1'..=b'9', ..] if starts_word(bytes, start) => {
            number(bytes, start + 2, DIGITS_MIN + 2)
        }
        [b't', b'e', b'l', b':', b'+', ..] => number(bytes, start + 5, DIGITS_MIN - 2),
        [b't', b'e', b'l', b':', ..] => number(bytes, start + 4, DIGITS_MIN - 2),
        [b'0', b'1'..=b'9', ..] if starts_word(bytes, start) => national(bytes, start),
        [b'(', b'0', b'1'..=b'9', ..] => national(bytes, start + 1),
        _ => None,
    }
}

/// Digits with at most two separators between two of them.
fn number(bytes: &[u8], start: usize, min: usize) -> Option<usize> {
    let mut digits = 0;
    let mut gap = 0;
    let mut end = start;
    for (place, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' if digits > DIGITS_MAX => return None,
            b'0'..=b'9' => {
                digits += 1;
                gap = 0;
                end = place + 1;
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if gap < 2 => gap += 1,
            _ => break,
        }
    }
    let follows = bytes.get(end).is_some_and(u8::is_ascii_alphabetic);
    ((min..=DIGITS_MAX).contains(&digits) && !follows).then_some(end)
}

/// `0171 1234567`, `030/123456`, `(030) 123456`: an area code of three to five digits, then five or
/// more.
fn national(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let area = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let separators = rest
        .get(area..)?
        .iter()
        .take_while(|byte| b" -/)".contains(byte))
        .count();
    let behind = rest.get(area + separators..)?;
    let subscriber = behind
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let shaped = (3..=5).contains(&area) && (1..=2).contains(&separators) && subscriber >= 3;
    if !shaped {
        return None;
    }
    number(bytes, start, DIGITS_MIN + 1)
}
