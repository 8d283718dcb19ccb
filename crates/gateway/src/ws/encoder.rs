//! Frames on their way out: whole and unfragmented, appended to the caller's buffer.
//!
//! A mask key comes from the caller, as all randomness does: `Some` towards a server, `None` towards
//! a client (RFC 6455, 5.1 and 5.3).

use super::header::{DEFLATED, FIN, LENGTH_16, LENGTH_64, MASK};
use super::{Opcode, apply_mask};

/// Bytes that a frame may be longer than its payload.
pub const HEADER_BYTES_MAX: usize = super::header::HEADER_BYTES_MAX;

/// Appends the header of an unfragmented frame with `length` bytes of payload.
pub fn encode_header(out: &mut Vec<u8>, opcode: Opcode, length: usize, mask: Option<[u8; 4]>) {
    push_header(out, FIN | opcode.bits(), length, mask);
}

fn push_header(out: &mut Vec<u8>, first: u8, length: usize, mask: Option<[u8; 4]>) {
    let masked = if mask.is_some() { MASK } else { 0 };
    out.push(first);
    if let Ok(short) = u8::try_from(length)
        && short < LENGTH_16
    {
        out.push(masked | short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.push(masked | LENGTH_16);
        out.extend_from_slice(&medium.to_be_bytes());
    } else {
        out.push(masked | LENGTH_64);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
    if let Some(key) = mask {
        out.extend_from_slice(&key);
    }
}

/// Appends a text message in one frame.
pub fn append_text(out: &mut Vec<u8>, payload: &[u8], mask: Option<[u8; 4]>) {
    append(out, FIN | Opcode::Text.bits(), payload, mask);
}

/// Appends a text message that a [`super::Deflater`] has compressed, in one frame (RFC 7692, 6.1).
pub fn append_deflated(out: &mut Vec<u8>, payload: &[u8], mask: Option<[u8; 4]>) {
    append(out, FIN | DEFLATED | Opcode::Text.bits(), payload, mask);
}

/// Appends a ping; of a body longer than 125 bytes only the first 125 are sent (5.5).
pub fn append_ping(out: &mut Vec<u8>, body: &[u8], mask: Option<[u8; 4]>) {
    append(out, FIN | Opcode::Ping.bits(), control_body(body), mask);
}

/// Appends a pong with the body of the ping it answers (5.5.3).
pub fn append_pong(out: &mut Vec<u8>, body: &[u8], mask: Option<[u8; 4]>) {
    append(out, FIN | Opcode::Pong.bits(), control_body(body), mask);
}

/// Appends a close frame, with a code or empty. We give no reasons: they would be an oracle.
pub fn append_close(out: &mut Vec<u8>, code: Option<u16>, mask: Option<[u8; 4]>) {
    let first = FIN | Opcode::Close.bits();
    match code {
        Some(code) => append(out, first, &code.to_be_bytes(), mask),
        None => append(out, first, &[], mask),
    }
}

fn append(out: &mut Vec<u8>, first: u8, payload: &[u8], mask: Option<[u8; 4]>) {
    out.reserve(HEADER_BYTES_MAX + payload.len());
    push_header(out, first, payload.len(), mask);
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(key), Some(copy)) = (mask, out.get_mut(start..)) {
        apply_mask(copy, key);
    }
}

fn control_body(body: &[u8]) -> &[u8] {
    body.get(..super::header::CONTROL_BYTES_MAX as usize)
        .unwrap_or(body)
}
