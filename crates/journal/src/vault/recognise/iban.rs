//! International bank account numbers (ISO 13616): country, two check digits, the country's length,
//! often in groups of four.

use super::Run;

/// Characters by country.
const LENGTHS: [(&[u8; 2], usize); 45] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"CH", 21),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"EE", 20),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MT", 31),
    (b"NL", 18),
    (b"NO", 15),
    (b"PL", 28),
    (b"PT", 25),
    (b"RO", 24),
    (b"RS", 22),
    (b"SE", 24),
    (b"SK", 24),
];
/// More countries, whose lengths are not told apart from the others'.
const MORE: [(&[u8; 2], usize); 5] = [
    (b"SI", 19),
    (b"SM", 27),
    (b"TR", 26),
    (b"UA", 29),
    (b"XK", 20),
];
const LEN_MAX: usize = 34;

pub(super) fn at(bytes: &[u8], start: usize) -> Option<usize> {
    let first = [
        bytes.get(start)?.to_ascii_uppercase(),
        bytes.get(start + 1)?.to_ascii_uppercase(),
    ];
    let (_, length) = LENGTHS
        .iter()
        .chain(&MORE)
        .find(|(country, _)| **country == first)?;
    let run = Run::of(bytes, start, b" -", LEN_MAX);
    let (found, end) = run.whole(*length, bytes)?;
    checks(found).then_some(end)
}

/// ISO 7064, MOD 97-10, with the first four characters moved to the end.
fn checks(found: &[u8]) -> bool {
    let Some((head, tail)) = found.split_at_checked(4) else {
        return false;
    };
    let digits = head.get(2..).unwrap_or_default();
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let rest = tail
        .iter()
        .chain(head)
        .fold(0_u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
        });
    rest == 1
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A number of that country with its check digits.
    pub(in crate::vault::recognise) fn with_check_digits(country: &str, account: &str) -> String {
        (2..=98)
            .map(|digits| format!("{country}{digits:02}{account}"))
            .find(|number| checks(number.as_bytes()))
            .unwrap()
    }

    #[test]
    fn known_numbers() {
        for known in [
            "DE89370400440532013000",
            "GB29 NWBK 6016 1331 9268 19",
            "no93 8601 1117 947",
        ] {
            assert_eq!(at(known.as_bytes(), 0), Some(known.len()), "{known}");
        }
        for other in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "XX89370400440532013000",
        ] {
            assert_eq!(at(other.as_bytes(), 0), None, "{other}");
        }
    }
}
