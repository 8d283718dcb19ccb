//! Strings as their writer meant them: JSON's escapes undone, and letters of two cases made one.

use std::borrow::Cow;
use std::str::Chars;

/// The characters of a JSON string that stands in a message, without its quotes, escapes undone.
///
/// What the reader has passed holds whole escapes only; in a text from elsewhere a broken escape
/// reads as U+FFFD.
#[derive(Clone, Debug)]
pub struct Unescaped<'t> {
    rest: Chars<'t>,
}

/// Undoes the escapes of a string's inside, character by character.
pub fn unescaped(inside: &str) -> Unescaped<'_> {
    Unescaped {
        rest: inside.chars(),
    }
}

/// Undoes the escapes of a string's inside; borrows where there are none.
pub fn unescape(inside: &str) -> Cow<'_, str> {
    if inside.contains('\\') {
        Cow::Owned(unescaped(inside).collect())
    } else {
        Cow::Borrowed(inside)
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self.rest.next()? {
            '\\' => Some(self.escape().unwrap_or(char::REPLACEMENT_CHARACTER)),
            letter => Some(letter),
        }
    }
}

impl Unescaped<'_> {
    fn escape(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            letter => letter,
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.rest.next()? != '\\' || self.rest.next()? != 'u' {
            return None;
        }
        let second = self.four_digits()?.checked_sub(0xdc00)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            value = value << 4 | self.rest.next()?.to_digit(16)?;
        }
        Some(value)
    }
}

/// One letter for all its cases: lower(upper(c)), one character for one.
///
/// That is what parsers do which match keys whatever their case: under it `K` is the KELVIN SIGN and
/// `s` is `ſ`. Where a letter's other case is several letters it stays, as in Unicode's simple
/// folding, but for İ, which some of those parsers take for `i`.
pub(crate) fn folded(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut upper = letter.to_uppercase();
    let upper = match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => letter,
    };
    upper.to_lowercase().next().unwrap_or(upper)
}

#[cfg(test)]
mod tests {
    use super::{folded, unescape};

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"plain"), "plain");
        assert_eq!(unescape(r#"\"\\\/\b\f\n\r\t"#), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(unescape(r"\u0041\u00e9\uD83d\ude00"), "Aé😀");
        assert_eq!(unescape(r"\ud83dx"), "\u{fffd}");
        assert_eq!(unescape(r"\u12"), "\u{fffd}");
        assert_eq!(unescape("\\"), "\u{fffd}");
    }

    #[test]
    fn letters_that_other_parsers_match_are_one() {
        for (one, other) in [
            ('k', '\u{212a}'),
            ('S', 'ſ'),
            ('Å', '\u{212b}'),
            ('σ', 'ς'),
            ('i', 'İ'),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for (one, other) in [('a', 'b'), ('ß', 's'), ('e', 'é'), ('_', '-')] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }
}
