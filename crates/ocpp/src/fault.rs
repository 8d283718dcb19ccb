//! What can be wrong with a message: hard faults, refused for everyone in every mode, and schema
//! faults, which a control with a mode judges.

use crate::Meaning;

/// Two parsers could read it differently, or it is an attack on a parser: refused for everyone, in
/// every mode (threats B01, B02, B04, B07).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HardFault {
    /// A binary WebSocket message (OCPP-J carries text only).
    #[error("a binary frame; OCPP-J carries text only")]
    BinaryFrame,
    /// Longer than any action may be ([`crate::Limits::MESSAGE_BYTES_MAX`]).
    #[error("longer than any OCPP message may be")]
    Oversize,
    /// The bytes are not UTF-8 (RFC 3629).
    #[error("not valid UTF-8")]
    InvalidUtf8,
    /// Starts with U+FEFF (RFC 8259, 8.1).
    #[error("starts with a byte order mark")]
    ByteOrderMark,
    /// Not JSON by RFC 8259.
    #[error("not JSON")]
    NotJson,
    /// Something follows the closing bracket.
    #[error("data after the end of the message")]
    TrailingData,
    /// Two keys of one object are the same after unescaping.
    #[error("an object names one key twice")]
    DuplicateKey,
    /// Two keys of one object differ only in case.
    #[error("two keys of an object differ only in case")]
    CaseVariantKey,
    /// A `\uD800`–`\uDFFF` escape without its other half.
    #[error("half of a surrogate pair")]
    LoneSurrogate,
    /// U+0000, escaped or not, in a key or a string.
    #[error("contains U+0000")]
    NulCharacter,
    /// A number that no IEEE 754 double holds.
    #[error("a number too large for any parser")]
    NumberOverflow,
    /// An integer beyond 2^53, where parsers start to disagree, however it is written: `1e16` is one.
    #[error("an integer beyond 2^53")]
    IntegerBeyondExact,
    /// More than [`crate::Limits::DEPTH_MAX`] arrays and objects inside one another.
    #[error("nested too deeply")]
    TooDeep,
    /// More than [`crate::Limits::UNKNOWN_KEYS_MAX`] keys of one object that its schema does not name.
    #[error("more than 64 unknown keys in one object")]
    TooManyUnknownKeys,
    /// JSON, but not an OCPP-J envelope: not an array, wrong length, id not a string …
    #[error("not an OCPP-J envelope")]
    NotAnEnvelope,
    /// The first element is no message type of this version.
    #[error("not a message type of this OCPP version")]
    UnknownMessageType,
}

/// One way in which a message departs from its official schema, or from a cap of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFault {
    /// What is wrong.
    pub kind: SchemaFaultKind,
    /// Where: `meterValue[0].sampledValue[3].value`; empty for the message as a whole. Keys that the
    /// schema does not name appear cut to 64 characters and escaped.
    pub path: String,
    /// How many bytes of the path are the schema's own names; what follows is the peer's word.
    pub path_in_schema: usize,
    /// What the field means to us, so that a report knows what it may show.
    pub meaning: Meaning,
}

impl SchemaFault {
    /// Where it is wrong, in the schema's own names only and without places in lists
    /// (`meterValue[].sampledValue[].value`): the same for every message with that fault.
    pub fn place(&self) -> String {
        let named = self.path.get(..self.path_in_schema).unwrap_or_default();
        without_places(named).collect()
    }
}

/// A path's characters, but for the digits between brackets.
pub(crate) fn without_places(path: &str) -> impl Iterator<Item = char> {
    let mut inside = false;
    path.chars().filter(move |character| {
        inside = match character {
            '[' => true,
            ']' => false,
            _ => inside,
        };
        !inside || *character == '['
    })
}

/// The kinds of schema fault; each maps to one OCPP error code ([`crate::ErrorCode::for_fault`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SchemaFaultKind {
    /// No message of this version has that name.
    UnknownAction,
    /// A required field is absent.
    MissingField,
    /// A field the schema does not know, where it allows none.
    UnknownField,
    /// A value of another JSON type than the schema asks for.
    WrongType,
    /// A string longer than `maxLength` (in code points).
    TooLong,
    /// Not one of the enumeration's values.
    NotInEnumeration,
    /// Below `minimum`, above `maximum`, or not a multiple of `multipleOf`.
    OutOfRange,
    /// An array with fewer items than `minItems`.
    TooFewItems,
    /// An array with more items than `maxItems`.
    TooManyItems,
    /// Not an RFC 3339 date-time.
    BadTimestamp,
    /// More items than our own cap for arrays that the schema leaves unbounded.
    ListOverCap,
    /// More bytes than our own cap for this action.
    MessageOverCap,
    /// A message id longer than the 36 characters OCPP-J allows.
    MessageIdTooLong,
    /// A CALLERROR or CALLRESULTERROR whose code is none of the version's, nor a known misspelling.
    UnknownErrorCode,
    /// A CALLERROR description over 255 characters, or details that are not an object.
    BadErrorBody,
}
