//! Numbers as they are written: RFC 8259's grammar, the sizes that no two parsers agree on, and
//! arithmetic on the literal in decimal.

use crate::HardFault;

/// A number token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// One past its last byte.
    pub(super) end: usize,
    /// Its value, when it is written without fraction and exponent.
    pub(super) integer: Option<i64>,
}

/// The largest integer that an IEEE 754 double and all its neighbours below can tell apart.
const EXACT_MAX: i64 = 1 << 53;

/// Reads the number that starts at `start` with a digit or a minus sign. What must follow it (a
/// comma, a bracket) is the caller's to check.
#[inline]
pub(super) fn read(bytes: &[u8], start: usize) -> Result<Number, HardFault> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let negative = byte(start) == b'-';
    let first = start + usize::from(negative);
    let mut at = first;
    let mut value = 0_i64;
    while byte(at).is_ascii_digit() {
        value = value
            .wrapping_mul(10)
            .wrapping_add(i64::from(byte(at) - b'0'));
        at += 1;
    }
    let digits = at - first;
    if digits == 0 || (digits > 1 && byte(first) == b'0') {
        return Err(HardFault::NotJson);
    }
    if matches!(byte(at), b'.' | b'e' | b'E') {
        return fractional(bytes, start, at);
    }
    if digits > 15 && (digits > 16 || value > EXACT_MAX) {
        return Err(too_large(bytes, start, at));
    }
    Ok(Number {
        end: at,
        integer: Some(if negative { -value } else { value }),
    })
}

/// Goes on behind the integer part.
fn fractional(bytes: &[u8], start: usize, mut at: usize) -> Result<Number, HardFault> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let digits = |mut at: usize| {
        let first = at;
        while byte(at).is_ascii_digit() {
            at += 1;
        }
        if at == first {
            Err(HardFault::NotJson)
        } else {
            Ok(at)
        }
    };
    let whole_digits = at - start;
    let mut exponent = false;
    if byte(at) == b'.' {
        at = digits(at + 1)?;
    }
    if matches!(byte(at), b'e' | b'E') {
        exponent = true;
        at += 1;
        at = digits(at + usize::from(matches!(byte(at), b'+' | b'-')))?;
    }
    // The largest double has 309 digits before its point.
    if (exponent || whole_digits > 308) && !float(bytes, start, at).is_finite() {
        return Err(HardFault::NumberOverflow);
    }
    Ok(Number {
        end: at,
        integer: None,
    })
}

#[cold]
fn too_large(bytes: &[u8], start: usize, end: usize) -> HardFault {
    if float(bytes, start, end).is_finite() {
        HardFault::IntegerBeyondExact
    } else {
        HardFault::NumberOverflow
    }
}

/// The double nearest to a literal.
pub(super) fn float(bytes: &[u8], start: usize, end: usize) -> f64 {
    let literal = bytes.get(start..end).unwrap_or_default();
    let parsed = std::str::from_utf8(literal)
        .ok()
        .and_then(|text| text.parse().ok());
    // A literal that follows the grammar always parses.
    parsed.unwrap_or(f64::INFINITY)
}

/// How many decimals a literal needs: 1 for `0.50`, 0 for `100` and `2.5e1`, whose value is whole.
/// Judged on the digits, since `0.1` itself is no double.
pub(super) fn decimals(literal: &[u8]) -> i64 {
    let split = |byte: u8| {
        literal
            .iter()
            .position(|other| other.eq_ignore_ascii_case(&byte))
    };
    let (mantissa, exponent) = match split(b'e') {
        Some(at) => (literal.get(..at), exponent(literal.get(at + 1..))),
        None => (Some(literal), 0),
    };
    let mantissa = mantissa.unwrap_or_default();
    let fraction_digits = match split(b'.') {
        Some(point) => mantissa.len() - point - 1,
        None => 0,
    };
    let digits = || mantissa.iter().rev().filter(|byte| byte.is_ascii_digit());
    let zeros = digits().take_while(|digit| **digit == b'0').count();
    if zeros == digits().count() {
        return 0;
    }
    (fraction_digits as i64)
        .saturating_sub(zeros as i64)
        .saturating_sub(exponent)
        .max(0)
}

fn exponent(digits: Option<&[u8]>) -> i64 {
    let (negative, digits) = match digits.unwrap_or_default() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let size = digits.iter().fold(0_i64, |size, digit| {
        size.saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::{decimals, read};
    use crate::HardFault;

    #[test]
    fn numbers_are_read_by_the_grammar() {
        for (text, integer) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("42", Some(42)),
            ("-17", Some(-17)),
            ("9007199254740992", Some(1 << 53)),
            ("-9007199254740992", Some(-(1 << 53))),
            ("0.0", None),
            ("1e2", None),
            ("-1.5E+3", None),
            ("1e-999", None),
            ("1.7976931348623157e308", None),
        ] {
            let number = read(text.as_bytes(), 0).unwrap();
            assert_eq!(
                (number.end, number.integer),
                (text.len(), integer),
                "{text}"
            );
        }
        for text in ["-", "01", "-01", "1.", "1.e2", "1e", "1e+", "00", "-.5"] {
            assert_eq!(read(text.as_bytes(), 0), Err(HardFault::NotJson), "{text}");
        }
    }

    #[test]
    fn numbers_that_parsers_read_apart_are_hard_faults() {
        let long = "9".repeat(400);
        let decimal = format!("{long}.5");
        for (text, fault) in [
            ("9007199254740993", HardFault::IntegerBeyondExact),
            ("-9007199254740993", HardFault::IntegerBeyondExact),
            ("18446744073709551616", HardFault::IntegerBeyondExact),
            ("10000000000000000", HardFault::IntegerBeyondExact),
            ("1e309", HardFault::NumberOverflow),
            ("-1.8e308", HardFault::NumberOverflow),
            ("1E99999999999999999999", HardFault::NumberOverflow),
            (long.as_str(), HardFault::NumberOverflow),
            (decimal.as_str(), HardFault::NumberOverflow),
        ] {
            assert_eq!(read(text.as_bytes(), 0), Err(fault), "{text}");
        }
    }

    #[test]
    fn decimals_are_counted_on_the_digits() {
        for (text, count) in [
            ("0", 0),
            ("0.0", 0),
            ("0e-5", 0),
            ("100", 0),
            ("1.50", 1),
            ("-0.1", 1),
            ("0.30000000000000004", 17),
            ("2.5e1", 0),
            ("2.5e-1", 2),
            ("100e-2", 0),
            ("100e-3", 1),
            ("1e-99999999999999999999", i64::MAX),
        ] {
            assert_eq!(decimals(text.as_bytes()), count, "{text}");
        }
    }
}
