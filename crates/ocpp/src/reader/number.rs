//! Numbers as they are written: RFC 8259's grammar, the sizes that no two parsers agree on, and
//! arithmetic on the literal in decimal.

use std::cmp::Ordering;

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
    if exponent || whole_digits > 15 {
        check_large(bytes, start, at)?;
    }
    Ok(Number {
        end: at,
        integer: None,
    })
}

/// Beyond 2^53 no double has a fraction, so a number there is an integer however it is written: one
/// parser keeps every digit of `9007199254740993.0`, and another one has ...992.
#[cold]
fn check_large(bytes: &[u8], start: usize, end: usize) -> Result<(), HardFault> {
    if !float(bytes, start, end).is_finite() {
        return Err(HardFault::NumberOverflow);
    }
    let literal = bytes.get(start..end).unwrap_or_default();
    if compare_magnitude(literal, EXACT_MAX.unsigned_abs()).is_gt() {
        return Err(HardFault::IntegerBeyondExact);
    }
    Ok(())
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
    let (mantissa, exponent) = parts(literal);
    let fraction_digits = match mantissa.iter().position(|byte| *byte == b'.') {
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

/// Where a literal stands to a bound. The nearest double decides, unless it is the bound itself: then
/// the digits do, since a literal may be nearer to a whole number than doubles can tell.
pub(super) fn compare(literal: &[u8], value: f64, bound: f64) -> Ordering {
    match value.partial_cmp(&bound) {
        Some(Ordering::Equal) if decimals(literal) > 0 && bound.fract() == 0.0 => {
            let magnitude = compare_magnitude(literal, bound.abs() as u64);
            match literal.first() {
                Some(b'-') => magnitude.reverse(),
                _ => magnitude,
            }
        }
        order => order.unwrap_or(Ordering::Equal),
    }
}

/// Compares digit by digit, signs aside.
fn compare_magnitude(literal: &[u8], bound: u64) -> Ordering {
    let (mantissa, exponent) = parts(literal);
    let whole_digits = mantissa.iter().take_while(|byte| **byte != b'.');
    let whole = whole_digits.filter(|byte| byte.is_ascii_digit()).count();
    let digits = || mantissa.iter().filter(|byte| byte.is_ascii_digit());
    let leading = digits().take_while(|digit| **digit == b'0').count();
    // Digits before the point once the exponent has moved it, leading zeros aside.
    let places = (whole as i64 - leading as i64).saturating_add(exponent);
    let bound_places = bound.checked_ilog10().map_or(0, |log| log + 1);
    if leading == digits().count() {
        return 0.cmp(&bound);
    }
    if bound == 0 {
        return Ordering::Greater;
    }
    places.cmp(&i64::from(bound_places)).then_with(|| {
        let mut own = digits().skip(leading).map(|digit| u64::from(digit - b'0'));
        for place in (0..bound_places).rev() {
            let order = own
                .next()
                .unwrap_or(0)
                .cmp(&(bound / 10_u64.pow(place) % 10));
            if order.is_ne() {
                return order;
            }
        }
        if own.any(|digit| digit > 0) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })
}

/// The digits of a literal, with their sign and point, and its exponent.
fn parts(literal: &[u8]) -> (&[u8], i64) {
    match literal.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (
            literal.get(..at).unwrap_or_default(),
            exponent(literal.get(at + 1..)),
        ),
        None => (literal, 0),
    }
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
    use std::cmp::Ordering::{Equal, Greater, Less};

    use super::{compare, decimals, float, read};
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
            ("9007199254740992.0", None),
            ("-9007199254740992.000", None),
            ("9.007199254740992e15", None),
            ("90071992547409920000e-4", None),
            ("0.0000000009007199254740992e25", None),
            ("1234567890123456.7", None),
            ("0e999", None),
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
            ("9007199254740993.0", HardFault::IntegerBeyondExact),
            ("-9007199254740992.5", HardFault::IntegerBeyondExact),
            ("9.007199254740993e15", HardFault::IntegerBeyondExact),
            ("90071992547409930000e-4", HardFault::IntegerBeyondExact),
            ("1e16", HardFault::IntegerBeyondExact),
            ("1.7976931348623157e308", HardFault::IntegerBeyondExact),
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

    #[test]
    fn a_bound_is_compared_on_the_digits() {
        for (text, bound, order) in [
            ("100.0", 100.0, Equal),
            ("1e2", 100.0, Equal),
            ("100.00000000000000000000001", 100.0, Greater),
            ("99.99999999999999999999999", 100.0, Less),
            ("1000000000000000000000.001e-19", 100.0, Greater),
            ("0.09999999999999999999999999e3", 100.0, Less),
            ("-100.00000000000000000000001", -100.0, Less),
            ("-99.99999999999999999999999", -100.0, Greater),
            ("1e-400", 0.0, Greater),
            ("-1e-400", 0.0, Less),
            ("-0.0", 0.0, Equal),
            ("0e-400", 0.0, Equal),
            ("100.5", 100.0, Greater),
            ("-3", 100.0, Less),
        ] {
            let value = float(text.as_bytes(), 0, text.len());
            assert_eq!(
                compare(text.as_bytes(), value, bound),
                order,
                "{text} to {bound}"
            );
        }
    }
}
