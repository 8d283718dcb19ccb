//! Writing one JSON object, field by field, into room that is already there.

use guard::UnixMillis;

/// A key with what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Key(pub(super) &'static str);

/// `,"name":`, put together where it is compiled: a record has a dozen of them.
macro_rules! key {
    ($name:literal) => {
        $crate::record::json::Key(concat!(",\"", $name, "\":"))
    };
}
pub(super) use key;

/// A key and its word, with what stands around them.
#[derive(Clone, Copy)]
pub(super) struct Pair(pub(super) &'static str);

/// `,"name":"word"`, where it is known beforehand what is said.
macro_rules! pair {
    ($name:literal, $word:literal) => {
        $crate::record::json::Pair(concat!(",\"", $name, "\":\"", $word, "\""))
    };
}
pub(super) use pair;

/// An object being written.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    begin: usize,
}

impl<'o> Object<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Object<'o> {
        let begin = out.len();
        Object { out, begin }
    }

    /// The comma before the first key becomes the brace.
    pub(super) fn end(self) {
        match self.out.get_mut(self.begin) {
            Some(comma) => *comma = b'{',
            None => self.out.push(b'{'),
        }
        self.out.push(b'}');
    }

    /// Keys are ours: they hold nothing to escape.
    #[inline(always)]
    pub(super) fn key(&mut self, key: Key) -> &mut Vec<u8> {
        self.out.extend_from_slice(key.0.as_bytes());
        self.out
    }

    #[inline(always)]
    pub(super) fn pair(&mut self, pair: Pair) {
        self.out.extend_from_slice(pair.0.as_bytes());
    }

    /// A word of ours: nothing to escape.
    #[inline(always)]
    pub(super) fn word(&mut self, key: Key, word: &str) {
        debug_assert!(!word.contains(['"', '\\']) && !word.contains(char::is_control));
        let out = self.key(key);
        out.push(b'"');
        out.extend_from_slice(word.as_bytes());
        out.push(b'"');
    }

    #[inline(always)]
    pub(super) fn text(&mut self, key: Key, text: &str) {
        quoted(text, self.key(key));
    }

    #[inline(always)]
    pub(super) fn number(&mut self, key: Key, number: u64) {
        integer(number, self.key(key));
    }

    /// Milliseconds since 1970; before it, too.
    #[inline(always)]
    pub(super) fn time(&mut self, key: Key, at: UnixMillis) {
        let out = self.key(key);
        if at.0 < 0 {
            out.push(b'-');
        }
        integer(at.0.unsigned_abs(), out);
    }

    pub(super) fn flag(&mut self, key: Key, value: bool) {
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
