//! Numbers that end in a Luhn check digit (ISO/IEC 7812): payment cards, and SIM cards (ITU-T E.118).

use super::Run;

const LEN_MAX: usize = 20;

pub(super) fn at(bytes: &[u8], start: usize) -> Option<usize> {
    number(bytes, start, is_issued)
}

pub(super) fn sim_at(bytes: &[u8], start: usize) -> Option<usize> {
    number(bytes, start, |digits| {
        digits.starts_with(b"89") && matches!(digits.len(), 19 | 20)
    })
}

fn number(bytes: &[u8], start: usize, is_one: fn(&[u8]) -> bool) -> Option<usize> {
    if !bytes.get(start)?.is_ascii_digit() {
        return None;
    }
    let run = Run::of(bytes, start, b" -", LEN_MAX);
    // Digits that a separator follows may belong to what comes next: the longest counts.
    (13..=LEN_MAX).rev().find_map(|length| {
        let (found, end) = run.whole(length, bytes)?;
        let sound = found.iter().all(u8::is_ascii_digit) && is_one(found) && luhn(found);
        sound.then_some(end)
    })
}

/// The networks' first digits and lengths.
fn is_issued(digits: &[u8]) -> bool {
    let first = |places: usize| {
        digits
            .iter()
            .take(places)
            .fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    match digits.len() {
        13 => first(1) == 4,
        14 => matches!(first(3), 300..=305) || matches!(first(2), 36 | 38 | 39),
        15 => matches!(first(2), 34 | 37),
        16 => {
            first(1) == 4
                || matches!(first(2), 35 | 50..=59 | 60 | 62 | 63 | 64 | 65 | 67)
                || matches!(first(4), 2221..=2720)
        }
        17..=19 => first(1) == 4 || matches!(first(2), 35 | 50 | 56..=60 | 62..=65 | 67),
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match place % 2 {
                0 => digit,
                _ => digit * 2 / 10 + digit * 2 % 10,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The digits with their check digit.
    pub(in crate::vault::recognise) fn with_check_digit(digits: &str) -> String {
        (0..10)
            .map(|digit| format!("{digits}{digit}"))
            .find(|number| luhn(number.as_bytes()))
            .unwrap()
    }

    #[test]
    fn known_numbers() {
        for known in [
            "4111111111111111",
            "5500 0000 0000 0004",
            "3400-000000-00009",
            "30000000000004",
        ] {
            assert_eq!(at(known.as_bytes(), 0), Some(known.len()), "{known}");
        }
        for other in ["4111111111111112", "1234567812345670", "411111111111111"] {
            assert_eq!(at(other.as_bytes(), 0), None, "{other}");
        }
        let sim = with_check_digit("893102938475610293");
        assert_eq!(sim_at(sim.as_bytes(), 0), Some(19));
    }
}
