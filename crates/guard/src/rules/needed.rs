//! Bytes of which every match of a pattern holds at least one: the cheapest question to ask of a text
//! before the pattern is tried.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByteSet([u128; 2]);

impl ByteSet {
    pub(super) fn add(&mut self, byte: u8) {
        let [low, high] = &mut self.0;
        let half = if byte < 128 { low } else { high };
        *half |= 1 << (byte & 127);
    }

    fn has(&self, byte: u8) -> bool {
        let [low, high] = self.0;
        let half = if byte < 128 { low } else { high };
        half >> (byte & 127) & 1 == 1
    }

    pub(super) fn join(&mut self, other: &ByteSet) {
        for (half, more) in self.0.iter_mut().zip(other.0) {
            *half |= more;
        }
    }

    pub(super) fn table(&self) -> [bool; 256] {
        std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(|byte| self.has(byte)))
    }

    /// Roughly how often honest texts hold one of them.
    fn commonness(&self) -> u32 {
        let of = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => 60,
            b' ' | b'-' | b'.' | b'_' | b':' | b'/' | b',' => 40,
            b'"' | b'{' | b'}' | b'[' | b']' | b'=' | b'@' | b'&' => 6,
            128.. => 1,
            _ => 2,
        };
        (0..=u8::MAX).filter(|byte| self.has(*byte)).map(of).sum()
    }
}

/// The bytes; `None` where a match needs none in particular, such as the empty one.
pub(super) fn needed(hir: &Hir) -> Option<ByteSet> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(literal) => {
            let each = literal.0.iter().map(|byte| {
                let mut set = ByteSet::default();
                set.add(*byte);
                set
            });
            each.min_by_key(ByteSet::commonness)
        }
        HirKind::Class(class) => Some(of_class(class)),
        HirKind::Repetition(repetition) if repetition.min == 0 => None,
        HirKind::Repetition(repetition) => needed(&repetition.sub),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(needed)
            .min_by_key(ByteSet::commonness),
        HirKind::Alternation(ways) => {
            let mut all = ByteSet::default();
            for way in ways {
                all.join(&needed(way)?);
            }
            Some(all)
        }
    }
}

fn of_class(class: &Class) -> ByteSet {
    let mut set = ByteSet::default();
    match class {
        Class::Unicode(class) => {
            for part in class.ranges() {
                // Bytes that begin a character have the order of the characters, and what is beyond
                // ASCII begins with one of its own.
                (first_byte(part.start())..=first_byte(part.end())).for_each(|byte| set.add(byte));
            }
        }
        Class::Bytes(class) => {
            for part in class.ranges() {
                (part.start()..=part.end()).for_each(|byte| set.add(byte));
            }
        }
    }
    set
}

/// The first byte of a character in UTF-8.
fn first_byte(character: char) -> u8 {
    let mut room = [0; 4];
    character.encode_utf8(&mut room).bytes().next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(pattern: &str) -> Option<String> {
        let set = needed(&regex_syntax::parse(pattern).unwrap())?;
        let bytes = (0..128).filter(|byte| set.has(*byte));
        Some(bytes.map(char::from).collect())
    }

    #[test]
    fn a_match_needs_the_rarest_of_its_parts() {
        for (pattern, wanted) in [
            (r"\$\(", Some("$")),
            ("a;b", Some(";")),
            ("(?i)<script", Some("<")),
            ("(;|[|])+ *rm", Some(";|")),
            ("'(or|and)", Some("'")),
            ("(?i)sleep", Some("Ll")),
            ("x*", None),
            ("^", None),
            ("a|x*", None),
            ("(a;){0,3}", None),
        ] {
            assert_eq!(bytes(pattern).as_deref(), wanted, "{pattern}");
        }
        let beyond = needed(&regex_syntax::parse("[é-ö]").unwrap()).unwrap();
        assert!(beyond.has("ö".as_bytes()[0]) && !beyond.has(b'o'));
        let narrow = needed(&regex_syntax::parse(r"[\u{2028}-\u{202e}]").unwrap()).unwrap();
        assert!(
            narrow.has(0xe2) && !narrow.has("ü".as_bytes()[0]),
            "{narrow:?}"
        );
    }
}
