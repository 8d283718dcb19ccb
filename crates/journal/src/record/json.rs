//! Writing one JSON object, field by field, into room that is already there.

use guard::UnixMillis;

/// An object being written.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Object<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Object<'o> {
        out.push(b'{');
        Object {
            out,
            is_first: true,
        }
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    /// Keys are ours: they hold nothing to escape.
    pub(super) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A word of ours: nothing to escape.
    pub(super) fn word(&mut self, key: &str, word: &str) {
        debug_assert!(!word.contains(['"', '\\']) && !word.contains(char::is_control));
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(word.as_bytes());
        out.push(b'"');
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        quoted(text, self.key(key));
    }

    pub(super) fn number(&mut self, key: &str, number: u64) {
        integer(number, self.key(key));
    }

    /// Milliseconds since 1970; before it, too.
    pub(super) fn time(&mut self, key: &str, at: UnixMillis) {
        let out = self.key(key);
        if at.0 < 0 {
            out.push(b'-');
        }
        integer(at.0.unsigned_abs(), out);
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.key(key).extend_from_slice(word);
    }
}

/// A string with its quotes.
pub(super) fn quoted(text: &str, out: &mut Vec<u8>) {
    if text
        .bytes()
        .all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
    {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    // Writing into memory cannot fail, and a text is always JSON.
    drop(serde_json::to_writer(out, text));
}

fn integer(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut place = digits.len();
    let mut left = number;
    loop {
        place -= 1;
        digits[place] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[place..]);
}
