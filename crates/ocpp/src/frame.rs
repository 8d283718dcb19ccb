//! One WebSocket message as it came off the wire, before anyone has looked inside.

/// What a WebSocket message carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A text message; its bytes are *not* yet known to be UTF-8: the reader checks.
    Text,
    /// A binary message; OCPP-J knows none (a hard fault).
    Binary,
}

/// One whole WebSocket message: fragments joined, mask removed, bytes otherwise untouched.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'m> {
    payload: Payload,
    bytes: &'m [u8],
}

impl<'m> Frame<'m> {
    /// A text message.
    pub const fn text(bytes: &'m [u8]) -> Frame<'m> {
        Frame {
            payload: Payload::Text,
            bytes,
        }
    }

    /// A binary message.
    pub const fn binary(bytes: &'m [u8]) -> Frame<'m> {
        Frame {
            payload: Payload::Binary,
            bytes,
        }
    }

    /// Text or binary.
    pub const fn payload(&self) -> Payload {
        self.payload
    }

    /// The bytes as they came.
    pub const fn bytes(&self) -> &'m [u8] {
        self.bytes
    }
}
