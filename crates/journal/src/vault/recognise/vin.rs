//! Vehicle identification numbers (ISO 3779): 17 letters and digits without I, O and Q. The ninth is
//! a check digit where the maker keeps to it (North America, China); elsewhere a number is taken for
//! one behind the word VIN, or after a European maker's code and with its serial number in digits.

/// Characters.
const LEN: usize = 17;
/// What each place counts; the check digit's own counts nothing.
const WEIGHTS: [u32; LEN] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
/// Bytes before a number in which the word VIN is looked for.
const CONTEXT_BYTES: usize = 16;

pub(super) fn at(bytes: &[u8], start: usize) -> Option<usize> {
    let end = start + LEN;
    let found: Vec<u8> = bytes
        .get(start..end)?
        .iter()
        .map(u8::to_ascii_uppercase)
        .collect();
    let values: Option<Vec<u32>> = found.iter().map(|byte| value(*byte)).collect();
    let values = values?;
    let alone = !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let mixed = found.iter().any(u8::is_ascii_digit) && found.iter().any(u8::is_ascii_alphabetic);
    if !alone || !mixed {
        return None;
    }
    (checks(&found, &values) || named(bytes, start) || european(&found)).then_some(end)
}

/// Letters count as digits, by their place among nine.
fn value(byte: u8) -> Option<u32> {
    Some(match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'N' => u32::from(byte - b'J') + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => u32::from(byte - b'S') + 2,
        _ => return None,
    })
}

fn checks(found: &[u8], values: &[u32]) -> bool {
    let sum: u32 = values
        .iter()
        .zip(WEIGHTS)
        .map(|(value, weight)| value * weight)
        .sum();
    let digit = match sum % 11 {
        10 => b'X',
        rest => b'0' + u8::try_from(rest).unwrap_or_default(),
    };
    found.get(8) == Some(&digit)
}

fn named(bytes: &[u8], start: usize) -> bool {
    let context = bytes
        .get(start.saturating_sub(CONTEXT_BYTES)..start)
        .unwrap_or_default()
        .to_ascii_lowercase();
    context
        .windows(3)
        .any(|word| word == b"vin" || word == b"fin")
}

/// European makers put `ZZZ` where others describe the vehicle; six or seven digits end the number.
fn european(found: &[u8]) -> bool {
    let region = found
        .first()
        .is_some_and(|byte| (b'S'..=b'Z').contains(byte));
    let filler = found.get(3..6) == Some(b"ZZZ") || found.get(6..9).is_some_and(|z| z == b"ZZZ");
    let serial = found
        .get(LEN - 6..)
        .is_some_and(|serial| serial.iter().all(u8::is_ascii_digit));
    region && filler && serial
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The number with its check digit put right.
    pub(in crate::vault::recognise) fn with_check_digit(number: &str) -> String {
        (0..=10)
            .map(|digit| {
                let digit = if digit == 10 {
                    "X".to_owned()
                } else {
                    digit.to_string()
                };
                format!("{}{digit}{}", &number[..8], &number[9..])
            })
            .find(|number| {
                let values: Vec<u32> = number.bytes().map(|byte| value(byte).unwrap()).collect();
                checks(number.as_bytes(), &values)
            })
            .unwrap()
    }

    #[test]
    fn known_numbers() {
        for known in ["1M8GDM9AXKP042788", "1HGCM82633A004352"] {
            assert_eq!(at(known.as_bytes(), 0), Some(LEN), "{known}");
        }
        assert_eq!(at(b"1M8GDM9A1KP042788", 0), None);
        assert_eq!(at(b"WVWZZZ1JZXW000001", 0), Some(17));
        assert_eq!(at(b"VIN: WAUFFAFL4CN012345", 5), Some(22));
    }
}
