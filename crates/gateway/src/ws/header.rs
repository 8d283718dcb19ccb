//! A frame's header (RFC 6455, 5.2), read strictly: what is not allowed on the wire is not a header.

use super::{Role, WsError};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// The next fragment of the open message.
    Continuation,
    /// A text message, or its first fragment.
    Text,
    /// A binary message, or its first fragment.
    Binary,
    /// Close.
    Close,
    /// Ping.
    Ping,
    /// Pong.
    Pong,
}

impl Opcode {
    pub(super) const fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Text => 0x1,
            Opcode::Binary => 0x2,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xa,
        }
    }

    const fn from_bits(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            _ => return None,
        })
    }

    pub(super) const fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// Bytes of the longest header: two, eight of length, four of key.
pub(super) const HEADER_BYTES_MAX: usize = 14;
pub(super) const FIN: u8 = 0x80;
pub(super) const MASK: u8 = 0x80;
pub(super) const CONTROL_BYTES_MAX: u64 = 125;
/// The 7-bit length that says: two bytes of length follow.
pub(super) const LENGTH_16: u8 = 126;
/// The 7-bit length that says: eight bytes of length follow.
pub(super) const LENGTH_64: u8 = 127;
const RESERVED_BITS: u8 = 0x70;
/// RSV1 on a message's first frame: the message is compressed (RFC 7692, 6).
pub(super) const DEFLATED: u8 = 0x40;
const OPCODE_BITS: u8 = 0x0f;

/// A header that keeps every rule a single frame can keep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// The first frame of a compressed message.
    pub(super) deflated: bool,
    /// The key; all zero, which changes nothing, where frames are not masked.
    pub(super) key: [u8; 4],
    /// Bytes of payload.
    pub(super) payload: u64,
    /// Bytes of the header itself.
    pub(super) size: usize,
}

impl Header {
    /// Reads a header from the start of `bytes`; `None` when more bytes are needed. Whether a message
    /// may be compressed is what the two ends have agreed on.
    #[inline]
    pub(super) fn parse(
        bytes: &[u8],
        role: Role,
        may_be_deflated: bool,
    ) -> Result<Option<Header>, WsError> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let (fin, opcode) = Header::first_byte(*first, may_be_deflated)?;
        let masked = second & MASK != 0;
        match (role, masked) {
            (Role::Server, false) => return Err(WsError::Unmasked),
            (Role::Client, true) => return Err(WsError::Masked),
            _ => {}
        }
        let short = second & !MASK;
        if opcode.is_control() {
            if u64::from(short) > CONTROL_BYTES_MAX {
                return Err(WsError::ControlTooLong);
            }
            if !fin {
                return Err(WsError::ControlFragmented);
            }
        }
        let Some((payload, rest)) = Header::length(short, rest)? else {
            return Ok(None);
        };
        let mut key = [0; 4];
        let mut size = bytes.len() - rest.len();
        if masked {
            let Some(four) = rest.first_chunk::<4>() else {
                return Ok(None);
            };
            key = *four;
            size += 4;
        }
        Ok(Some(Header {
            fin,
            opcode,
            deflated: first & DEFLATED != 0,
            key,
            payload,
            size,
        }))
    }

    fn first_byte(byte: u8, may_be_deflated: bool) -> Result<(bool, Opcode), WsError> {
        if byte & RESERVED_BITS != 0 {
            let starts_a_message = matches!(byte & OPCODE_BITS, 0x1 | 0x2);
            let says_deflated = byte & RESERVED_BITS == DEFLATED;
            if !(may_be_deflated && says_deflated && starts_a_message) {
                return Err(WsError::ReservedBits);
            }
        }
        let opcode = Opcode::from_bits(byte & OPCODE_BITS).ok_or(WsError::ReservedOpcode)?;
        Ok((byte & FIN != 0, opcode))
    }

    /// The payload's length, and what follows it.
    fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, WsError> {
        match short {
            LENGTH_16 => {
                let Some((two, rest)) = rest.split_first_chunk::<2>() else {
                    return Ok(None);
                };
                let length = u64::from(u16::from_be_bytes(*two));
                if length < u64::from(LENGTH_16) {
                    return Err(WsError::LengthNotMinimal);
                }
                Ok(Some((length, rest)))
            }
            LENGTH_64 => {
                let Some((eight, rest)) = rest.split_first_chunk::<8>() else {
                    return Ok(None);
                };
                let length = u64::from_be_bytes(*eight);
                if length > i64::MAX as u64 {
                    return Err(WsError::LengthTopBit);
                }
                if length <= u64::from(u16::MAX) {
                    return Err(WsError::LengthNotMinimal);
                }
                Ok(Some((length, rest)))
            }
            short => Ok(Some((u64::from(short), rest))),
        }
    }
}
