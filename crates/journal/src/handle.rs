//! The pseudonym of a subject: what a record says in place of an identifier.

use std::fmt;

/// A random name for one identifier within one epoch.
///
/// It is drawn, never computed from what it stands for, so that nobody can compute it again once the
/// row that ties both is gone. Written, it has 20 characters, as long as an OCPP 1.6 idTag may be,
/// and begins with a letter that no hexadecimal UID holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; 12]);

/// Letters and digits that are not mistaken for one another: Crockford's base 32, in small letters.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Handle {
    /// What every handle begins with.
    pub const FIRST: u8 = b'z';
    /// Characters of a handle as it is written.
    pub const LEN: usize = 20;

    /// A handle from random bytes; one bit of them is not used.
    pub fn from_random(mut bytes: [u8; 12]) -> Handle {
        bytes[0] &= 0x7f;
        Handle(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 12] {
        &self.0
    }

    /// As it is written.
    pub fn text(&self) -> [u8; Handle::LEN] {
        let mut number = self.number();
        let mut text = [Handle::FIRST; Handle::LEN];
        for place in (1..Handle::LEN).rev() {
            text[place] = LETTERS[(number & 31) as usize];
            number >>= 5;
        }
        text
    }

    /// The handle that is written so.
    pub fn parse(text: &str) -> Option<Handle> {
        let letters = text.strip_prefix(Handle::FIRST as char)?;
        if letters.len() != Handle::LEN - 1 {
            return None;
        }
        let mut number = 0_u128;
        for letter in letters.bytes() {
            let value = LETTERS.iter().position(|known| *known == letter)?;
            number = number << 5 | value as u128;
        }
        let bytes = number.to_be_bytes();
        let mut handle = [0; 12];
        handle.copy_from_slice(&bytes[4..]);
        Some(Handle(handle))
    }

    fn number(&self) -> u128 {
        let mut bytes = [0; 16];
        bytes[4..].copy_from_slice(&self.0);
        u128::from_be_bytes(bytes)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text()
            .into_iter()
            .try_for_each(|letter| write!(out, "{}", letter as char))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; 12]) {
            let handle = Handle::from_random(bytes);
            let text = handle.to_string();
            prop_assert_eq!(text.len(), Handle::LEN);
            prop_assert_eq!(Handle::parse(&text), Some(handle));
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for text in [
            "",
            "z",
            "z000000000000000000u",
            "a0000000000000000000",
            "z00000000000000000000",
        ] {
            assert_eq!(Handle::parse(text), None, "{text}");
        }
    }
}
