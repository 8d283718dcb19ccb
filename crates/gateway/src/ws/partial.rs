//! What a hop keeps of a frame or message whose rest has not arrived yet.

use super::header::{HEADER_BYTES_MAX, Header};
use super::mask::{advance_key, apply_mask};
use super::{Opcode, Role, WsError, WsLimits};

/// Everything unfinished on one hop. Boxed, and there only while something is unfinished.
#[derive(Default)]
pub(super) struct Partial {
    header: [u8; HEADER_BYTES_MAX],
    header_held: usize,
    frame: Option<OpenFrame>,
    control: Vec<u8>,
    message: Option<OpenMessage>,
}

/// A frame whose payload is still coming.
struct OpenFrame {
    fin: bool,
    opcode: Opcode,
    key: [u8; 4],
    remaining: u64,
}

/// A message that has begun and not ended.
struct OpenMessage {
    opcode: Opcode,
    deflated: bool,
    bytes: Vec<u8>,
    fragments: u32,
    /// What its opening allows, once that has been asked.
    allowance: Option<u64>,
}

/// A frame or message that has become whole.
pub(super) struct Whole {
    pub(super) opcode: Opcode,
    pub(super) bytes: Vec<u8>,
    pub(super) deflated: bool,
}

impl Partial {
    pub(super) fn header_is_cut(&self) -> bool {
        self.header_held > 0
    }

    /// Between two frames: neither a header nor a payload is cut.
    pub(super) fn between_frames(&self) -> bool {
        self.header_held == 0 && self.frame.is_none()
    }

    pub(super) fn message_is_open(&self) -> bool {
        self.message.is_some()
    }

    /// Nothing is kept any more, so the box can go.
    pub(super) fn is_spent(&self) -> bool {
        self.between_frames() && self.message.is_none()
    }

    /// Bytes of payload kept.
    pub(super) fn bytes_held(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |open| open.bytes.len());
        message + self.control.len()
    }

    /// Keeps the start of a header; `bytes` is shorter than any whole one.
    pub(super) fn hold_header(&mut self, bytes: &[u8]) {
        for (kept, byte) in self.header.iter_mut().zip(bytes) {
            *kept = *byte;
        }
        self.header_held = bytes.len().min(HEADER_BYTES_MAX);
    }

    /// Goes on with a cut header. Returns how many bytes of `input` it took, and the header if whole.
    pub(super) fn resume_header(
        &mut self,
        input: &[u8],
        role: Role,
        may_be_deflated: bool,
    ) -> Result<(usize, Option<Header>), WsError> {
        for (taken, byte) in input.iter().enumerate() {
            let Some(slot) = self.header.get_mut(self.header_held) else {
                // Not reached: a header is whole at fourteen bytes at the latest.
                break;
            };
            *slot = *byte;
            self.header_held += 1;
            let held = self.header.get(..self.header_held).unwrap_or_default();
            if let Some(header) = Header::parse(held, role, may_be_deflated)? {
                self.header_held = 0;
                return Ok((taken + 1, Some(header)));
            }
        }
        Ok((input.len(), None))
    }

    /// Opens a frame whose payload follows, after the rules for fragments (RFC 6455, 5.4).
    pub(super) fn open(&mut self, header: &Header, limits: &WsLimits<'_>) -> Result<(), WsError> {
        match header.opcode {
            Opcode::Continuation => {
                let Some(message) = &mut self.message else {
                    return Err(WsError::NothingToContinue);
                };
                message.fragments = message.fragments.saturating_add(1);
                if message.fragments > limits.fragments_max {
                    return Err(WsError::TooManyFragments);
                }
                message.check_total(header.payload, limits)?;
            }
            Opcode::Text | Opcode::Binary => {
                if self.message.is_some() {
                    return Err(WsError::MessageStillOpen);
                }
                let message = OpenMessage {
                    opcode: header.opcode,
                    deflated: header.deflated,
                    bytes: Vec::new(),
                    fragments: 1,
                    allowance: None,
                };
                message.check_total(header.payload, limits)?;
                self.message = Some(message);
            }
            Opcode::Close | Opcode::Ping | Opcode::Pong => {}
        }
        self.frame = Some(OpenFrame {
            fin: header.fin,
            opcode: header.opcode,
            key: header.key,
            remaining: header.payload,
        });
        Ok(())
    }

    /// Goes on with a cut payload. Returns how many bytes of `input` it took, and what became whole.
    pub(super) fn resume_payload(
        &mut self,
        input: &[u8],
        limits: &WsLimits<'_>,
    ) -> Result<(usize, Option<Whole>), WsError> {
        let Some(frame) = &mut self.frame else {
            return Ok((0, None));
        };
        let taken = usize::try_from(frame.remaining).map_or(input.len(), |n| n.min(input.len()));
        let piece = input.get(..taken).unwrap_or_default();
        // How much more the message can want; nobody knows before its last fragment has begun.
        let wanted = if frame.fin { frame.remaining } else { u64::MAX };
        frame.remaining -= taken as u64;
        let key = frame.key;
        frame.key = advance_key(key, taken);
        match &mut self.message {
            Some(message) if !frame.opcode.is_control() => {
                append_unmasked(&mut message.bytes, piece, key, wanted);
                message.check_opening(frame.remaining, limits)?;
            }
            _ => append_unmasked(&mut self.control, piece, key, wanted),
        }
        if frame.remaining > 0 {
            return Ok((taken, None));
        }
        Ok((taken, self.end_frame()))
    }

    fn end_frame(&mut self) -> Option<Whole> {
        let frame = self.frame.take()?;
        if frame.opcode.is_control() {
            return Some(Whole {
                opcode: frame.opcode,
                bytes: std::mem::take(&mut self.control),
                deflated: false,
            });
        }
        if !frame.fin {
            return None;
        }
        let message = self.message.take()?;
        Some(Whole {
            opcode: message.opcode,
            bytes: message.bytes,
            deflated: message.deflated,
        })
    }
}

impl OpenMessage {
    /// Checks a new frame's length before any of it is read. What only the opening can justify is
    /// decided as soon as the opening is there.
    fn check_total(&self, payload: u64, limits: &WsLimits<'_>) -> Result<(), WsError> {
        let total = payload.saturating_add(self.bytes.len() as u64);
        if self.deflated {
            return match limits.is_hopeless_deflated(total) {
                true => Err(WsError::MessageTooBig),
                false => Ok(()),
            };
        }
        let over_allowance = self.allowance.is_some_and(|max| total > max);
        if over_allowance || limits.is_hopeless(total) {
            return Err(WsError::MessageTooBig);
        }
        Ok(())
    }

    /// Asks the opening, once, whether the announced total is all right. A compressed one says nothing
    /// before it is inflated.
    fn check_opening(&mut self, remaining: u64, limits: &WsLimits<'_>) -> Result<(), WsError> {
        let total = remaining.saturating_add(self.bytes.len() as u64);
        let opening_is_there = remaining == 0 || self.bytes.len() >= WsLimits::OPENING_BYTES;
        if !limits.is_extraordinary(total) || !opening_is_there || self.deflated {
            return Ok(());
        }
        let max = match self.allowance {
            Some(max) => max,
            None => limits.allowance_for(&self.bytes),
        };
        self.allowance = Some(max);
        if total > max {
            return Err(WsError::MessageTooBig);
        }
        Ok(())
    }
}

/// Appends and unmasks. Room grows with what has come, never with what was announced: it doubles, so
/// that a thousand small fragments cost no thousand copies, but goes no further than `wanted`.
fn append_unmasked(held: &mut Vec<u8>, piece: &[u8], key: [u8; 4], wanted: u64) {
    let start = held.len();
    if held.capacity() - start < piece.len() {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        held.reserve_exact(piece.len().max(start).min(wanted));
    }
    held.extend_from_slice(piece);
    if let Some(copy) = held.get_mut(start..) {
        apply_mask(copy, key);
    }
}
