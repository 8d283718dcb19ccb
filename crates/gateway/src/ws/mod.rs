//! Frames between socket and session: RFC 6455 without a socket, made for a relay.
//!
//! A message that lies whole and unfragmented in what was read is unmasked where it lies and handed
//! on as a slice: nothing is copied or allocated. Only what is cut (a header, a payload, a row of
//! fragments) is kept until the rest arrives, and freed with the message's end, so an idle hop holds
//! no heap at all. Compressed messages (RFC 7692) are kept until they are whole as well, and then
//! inflated in one go with what the thread has for it. Time-outs, ping answers and the budget for control frames are the session's.

mod close;
mod decoder;
mod deflate;
mod encoder;
mod error;
mod header;
mod inflate;
mod limits;
mod mask;
mod partial;

pub use decoder::{Decoder, Incoming, Input, Role};
pub(crate) use deflate::Tally;
pub use deflate::{DEFLATE_BYTES_MIN, DeflateTerms, Deflater, WINDOW_BITS_MAX};
pub use encoder::{
    HEADER_BYTES_MAX, append_close, append_deflated, append_ping, append_pong, append_text,
    encode_header,
};
pub use error::WsError;
pub use header::Opcode;
pub use inflate::{DEFLATE_BLOCK_BYTES_MIN, DEFLATE_BLOCKS_FREE, DEFLATE_BLOCKS_MAX, Inflater};
pub use limits::WsLimits;
pub use mask::apply_mask;
