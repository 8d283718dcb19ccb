//! The first element of every OCPP-J message, and the cheap look that a session takes at one before
//! it decides when to read it.

use crate::{Limits, Version};

/// What the first element says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// 2: CALL.
    Call,
    /// 3: CALLRESULT.
    Result,
    /// 4: CALLERROR.
    Error,
    /// 5: CALLRESULTERROR (OCPP 2.1).
    ResultError,
    /// 6: SEND (OCPP 2.1).
    Send,
}

impl MessageType {
    /// Reads the number, as that version knows it.
    pub const fn from_number(number: i64, version: Version) -> Option<MessageType> {
        match (number, version) {
            (2, _) => Some(MessageType::Call),
            (3, _) => Some(MessageType::Result),
            (4, _) => Some(MessageType::Error),
            (5, Version::V21) => Some(MessageType::ResultError),
            (6, Version::V21) => Some(MessageType::Send),
            _ => None,
        }
    }

    /// How many elements its envelope has.
    pub const fn elements(self) -> usize {
        match self {
            MessageType::Call | MessageType::Send => 4,
            MessageType::Result => 3,
            MessageType::Error | MessageType::ResultError => 5,
        }
    }
}

/// What kind of message these bytes, or the first few of them, begin; `None` when they begin none.
/// A look, no judgement: the reader has the last word.
pub fn peek(bytes: &[u8]) -> Option<MessageType> {
    let mut opening = Opening { rest: bytes };
    opening.message_type()
}

impl Limits {
    /// The bytes that messages of an action, and the answers to it, may have.
    pub fn bytes_max_of(&self, action: &str) -> u32 {
        let own = self
            .action_bytes_max
            .iter()
            .find(|(name, _)| name == action);
        let cap = own.map_or(self.message_bytes_max, |(_, cap)| *cap);
        cap.min(Limits::MESSAGE_BYTES_MAX)
    }

    /// The bytes that a message may have which opens like this; its first 512 bytes are enough.
    ///
    /// An answer does not name its action, so it may be as long as the answer to any. What cannot be
    /// read here gets no more than any message.
    pub fn bytes_max_for(&self, opening: &[u8]) -> u32 {
        let opening = opening.get(..OPENING_BYTES).unwrap_or(opening);
        let mut opening = Opening { rest: opening };
        match opening.message_type() {
            Some(MessageType::Call | MessageType::Send) => match opening.action() {
                Some(action) => self.bytes_max_of(action),
                None => self.message_bytes_max.min(Limits::MESSAGE_BYTES_MAX),
            },
            Some(_) => {
                let caps = self.action_bytes_max.iter().map(|(_, cap)| *cap);
                let most = caps.fold(self.message_bytes_max, u32::max);
                most.min(Limits::MESSAGE_BYTES_MAX)
            }
            None => self.message_bytes_max.min(Limits::MESSAGE_BYTES_MAX),
        }
    }
}

const OPENING_BYTES: usize = 512;

/// The beginning of a message, eaten token by token.
struct Opening<'m> {
    rest: &'m [u8],
}

impl<'m> Opening<'m> {
    fn message_type(&mut self) -> Option<MessageType> {
        self.token(b'[')?;
        self.space();
        let (digit, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.space();
        let alone = self.rest.first().is_none_or(|next| *next == b',');
        let number = i64::from(digit.wrapping_sub(b'0'));
        MessageType::from_number(number, Version::V21).filter(|_| alone)
    }

    /// The action of a CALL whose message type has been eaten.
    fn action(&mut self) -> Option<&'m str> {
        self.token(b',')?;
        self.string()?;
        self.token(b',')?;
        std::str::from_utf8(self.string()?).ok()
    }

    fn space(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn token(&mut self, token: u8) -> Option<()> {
        self.space();
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        (*first == token).then_some(())
    }

    /// A string's inside, escapes left in: no action's name has any.
    fn string(&mut self) -> Option<&'m [u8]> {
        self.token(b'"')?;
        let mut escaped = false;
        let end = self.rest.iter().position(|byte| {
            let end = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            end
        })?;
        let (inside, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        Some(inside)
    }
}

#[cfg(test)]
mod tests {
    use super::{MessageType, peek};
    use crate::Limits;

    #[test]
    fn a_look_at_the_first_element_is_enough() {
        for (bytes, expected) in [
            ("[2,\"id\"", Some(MessageType::Call)),
            ("[2", Some(MessageType::Call)),
            (" \r\n[ 3 ,", Some(MessageType::Result)),
            ("[4,", Some(MessageType::Error)),
            ("[5,", Some(MessageType::ResultError)),
            ("[6,", Some(MessageType::Send)),
            ("[7,", None),
            ("[20,", None),
            ("[2.0,", None),
            ("[\"2\",", None),
            ("{2,", None),
            ("[", None),
            ("", None),
        ] {
            assert_eq!(peek(bytes.as_bytes()), expected, "{bytes}");
        }
    }

    #[test]
    fn the_opening_tells_the_cap() {
        let limits = Limits {
            message_bytes_max: 1000,
            action_bytes_max: vec![
                ("SendLocalList".to_owned(), 5000),
                ("NotifyReport".to_owned(), u32::MAX),
            ],
            list_items_max: 10,
        };
        for (opening, cap) in [
            (r#"[2,"1","SendLocalList",{"li"#, 5000),
            (r#" [ 2 , "a\"b" , "SendLocalList""#, 5000),
            (r#"[2,"1","NotifyReport",{"#, Limits::MESSAGE_BYTES_MAX),
            (r#"[2,"1","Heartbeat",{"#, 1000),
            (r#"[2,"1","SendLocal"#, 1000),
            (r#"[3,"1",{"#, Limits::MESSAGE_BYTES_MAX),
            ("", 1000),
            ("{", 1000),
        ] {
            assert_eq!(limits.bytes_max_for(opening.as_bytes()), cap, "{opening}");
        }
        let far = format!("[2,\"{}\",\"SendLocalList\"", "x".repeat(600));
        assert_eq!(limits.bytes_max_for(far.as_bytes()), 1000);
    }
}
