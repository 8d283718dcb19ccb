//! Firmware versions, compared as far as they can be: they are not semantic versions (`01.00.19r`,
//! `F4.11.1`, `2.1.1.0_JB3VU096A`), and sometimes nobody knows.

use std::cmp::Ordering;

/// How one version stands to another; `None`: they are not of one kind.
pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one_name, one_numbers, one_rest) = parts(one);
    let (other_name, other_numbers, other_rest) = parts(other);
    if one_numbers.is_empty() || other_numbers.is_empty() {
        return None;
    }
    if !one_name.eq_ignore_ascii_case(other_name) {
        return None;
    }
    let length = one_numbers.len().max(other_numbers.len());
    let padded = |numbers: &[u64]| {
        let mut numbers = numbers.to_vec();
        numbers.resize(length, 0);
        numbers
    };
    match padded(&one_numbers).cmp(&padded(&other_numbers)) {
        Ordering::Equal if !one_rest.eq_ignore_ascii_case(other_rest) => None,
        order => Some(order),
    }
}

/// What stands before the first number, the numbers between points, and what follows them.
fn parts(version: &str) -> (&str, Vec<u64>, &str) {
    let version = version.trim();
    let start = version.find(|letter: char| letter.is_ascii_digit());
    let (name, mut rest) = version.split_at(start.unwrap_or(version.len()));
    // A `v` before a version says nothing.
    let name = match name {
        "v" | "V" => "",
        name => name,
    };
    let mut numbers = Vec::new();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let Ok(number) = number.parse() else {
            break;
        };
        numbers.push(number);
        rest = after;
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|letter: char| letter.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    (name, numbers, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_kind_have_an_order() {
        for (one, other, order) in [
            ("1.8.32", "1.8.33", Some(Ordering::Less)),
            ("1.10.0", "1.9.9", Some(Ordering::Greater)),
            ("v1.8", "1.8.0", Some(Ordering::Equal)),
            ("F4.11.1", "f4.11.0", Some(Ordering::Greater)),
            ("01.00.19r", "01.01.12e", Some(Ordering::Less)),
            ("01.00.19r", "01.00.19e", None),
            ("2.1.1.0_JB3VU096A", "2.1.2", Some(Ordering::Less)),
            ("F4.11.1", "L4.10.1", None),
            ("summer", "1.0", None),
            ("", "", None),
            ("99999999999999999999999", "1", None),
        ] {
            assert_eq!(compare(one, other), order, "{one} {other}");
        }
    }
}
