//! How a peer can break RFC 6455, and the close code each breach is answered with.

use std::fmt;

/// A breach of RFC 6455, or of a limit of ours. The connection is failed with [`WsError::close_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WsError {
    /// A client's frame without a mask (5.1).
    Unmasked,
    /// A server's frame with a mask (5.1).
    Masked,
    /// A reserved bit is set that no extension has given a meaning (5.2); that of compression may stand
    /// on the first frame of a message only (RFC 7692, 6).
    ReservedBits,
    /// An opcode that RFC 6455 reserves (5.2).
    ReservedOpcode,
    /// A payload length written longer than need be (5.2).
    LengthNotMinimal,
    /// A 64-bit payload length with its top bit set (5.2).
    LengthTopBit,
    /// A control frame of more than 125 bytes (5.5).
    ControlTooLong,
    /// A control frame in fragments (5.5).
    ControlFragmented,
    /// A continuation, but no message is open (5.4).
    NothingToContinue,
    /// A new message, but the last one is still open (5.4).
    MessageStillOpen,
    /// A close frame whose body is a single byte (5.5.1).
    CloseBodyTooShort,
    /// A close code that must not be sent (7.4).
    CloseCode,
    /// A close reason that is not UTF-8 (5.5.1).
    CloseReasonNotUtf8,
    /// A text that is not UTF-8 (8.1). Found by the reader, not here.
    TextNotUtf8,
    /// A message longer than this peer may send.
    MessageTooBig,
    /// A compressed message that cannot be inflated (RFC 7692, 7.2.2).
    Deflate,
    /// A compressed message in more blocks than [`super::DEFLATE_BLOCKS_FREE`] allows (threat A19).
    TooManyBlocks,
    /// A message that was not ended in time (threat A19). Found by the session, not here.
    MessageNotEnded,
    /// More fragments than [`super::WsLimits::fragments_max`] (threat A19).
    TooManyFragments,
    /// More control frames than the session's budget (threat A19). Found by the session, not here.
    TooManyControls,
}

impl WsError {
    /// The code to close with (7.4.1).
    pub const fn close_code(self) -> u16 {
        match self {
            WsError::CloseReasonNotUtf8 | WsError::TextNotUtf8 | WsError::Deflate => 1007,
            WsError::TooManyFragments
            | WsError::TooManyControls
            | WsError::TooManyBlocks
            | WsError::MessageNotEnded => 1008,
            WsError::MessageTooBig => 1009,
            _ => 1002,
        }
    }

    /// What happened, in words that can be kept without a copy.
    pub const fn words(self) -> &'static str {
        match self {
            WsError::Unmasked => "a client's frame without a mask",
            WsError::Masked => "a server's frame with a mask",
            WsError::ReservedBits => "a reserved bit without an extension",
            WsError::ReservedOpcode => "a reserved opcode",
            WsError::LengthNotMinimal => "a payload length that is not minimal",
            WsError::LengthTopBit => "a payload length with its top bit set",
            WsError::ControlTooLong => "a control frame over 125 bytes",
            WsError::ControlFragmented => "a control frame in fragments",
            WsError::NothingToContinue => "a continuation of no message",
            WsError::MessageStillOpen => "a new message inside an open one",
            WsError::CloseBodyTooShort => "a close frame of one byte",
            WsError::CloseCode => "a close code that must not be sent",
            WsError::CloseReasonNotUtf8 => "a close reason that is not UTF-8",
            WsError::TextNotUtf8 => "a text that is not UTF-8",
            WsError::MessageTooBig => "a message longer than allowed",
            WsError::Deflate => "compressed data that cannot be inflated",
            WsError::TooManyBlocks => "a compressed message in too many blocks",
            WsError::MessageNotEnded => "a message that was not ended in time",
            WsError::TooManyFragments => "a message in too many fragments",
            WsError::TooManyControls => "too many control frames",
        }
    }
}

impl fmt::Display for WsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.words())
    }
}

impl std::error::Error for WsError {}
