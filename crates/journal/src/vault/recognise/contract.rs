//! Contracts' names (eMAID) with their check digit; without one only where dashes show the parts.

use crate::vault::emaid;

use super::Run;

/// Without dashes, an accidental word of this length passes the check one time in 36; it seldom
/// holds that many digits.
const DIGITS_MIN: usize = 4;

pub(super) fn at(bytes: &[u8], start: usize) -> Option<usize> {
    let run = Run::of(bytes, start, b"-*", emaid::LEN + 1);
    let digits = run
        .letters
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .count();
    if let Some((found, end)) = run.whole(emaid::LEN + 1, bytes)
        && emaid::holds(found)
        && (run.separated || digits >= DIGITS_MIN)
    {
        return Some(end);
    }
    let (found, end) = run.whole(emaid::LEN, bytes)?;
    let parted = [2, 6].iter().all(|place| {
        bytes
            .get(start + place)
            .is_some_and(|byte| b"-*".contains(byte))
    });
    let typed = found.get(5) == Some(&b'C');
    (emaid::is_shaped(found) && parted && typed && digits >= DIGITS_MIN).then_some(end)
}
