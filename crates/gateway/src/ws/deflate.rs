//! Messages compressed on their way out (RFC 7692, 7.2.1), each by itself, where that makes them
//! smaller.

use zlib_rs::{Deflate, DeflateFlush};

/// Payloads shorter than this leave as they are: almost nothing can be saved on them.
pub const DEFLATE_BYTES_MIN: usize = 128;

/// The largest window that there is, 32 KiB.
pub const WINDOW_BITS_MAX: u8 = 15;

/// Of zlib's levels the one that, on OCPP messages, saves as much as the slow ones do: what is sent is
/// short, and fixed codes (level 1) cost a fifth more bytes.
const LEVEL: i32 = 2;

/// What every flush ends with, and a message leaves out (7.2.1).
const FLUSH_TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];

/// Bytes that are kept for the next message.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// What the two ends of a hop have agreed on: messages may be compressed, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateTerms {
    /// The peer wants us to look back no further than two to this, 8 to 15; `None`: it did not say.
    pub window_bits: Option<u8>,
}

/// Compresses one message after the other. Holds no heap before the first.
#[derive(Default)]
pub struct Deflater {
    stream: Option<Deflate>,
    room: Vec<u8>,
    tally: Tally,
}

impl Deflater {
    /// The payload, compressed; `None` when that would not make it smaller.
    pub fn deflate(&mut self, payload: &[u8], terms: DeflateTerms) -> Option<&[u8]> {
        if payload.len() < DEFLATE_BYTES_MIN {
            return None;
        }
        // What does not fit here is no smaller.
        let room_bytes = payload.len() + FLUSH_TAIL.len();
        if self.room.len() > KEPT_BYTES_MAX {
            self.room = Vec::new();
        }
        if self.room.len() < room_bytes {
            self.room.resize(room_bytes, 0);
        }
        let room = self.room.get_mut(..room_bytes)?;
        let stream = self
            .stream
            .get_or_insert_with(|| Deflate::new(LEVEL, false, WINDOW_BITS_MAX));
        stream.reset();
        let filled = compress(stream, payload, room, stretch_bytes(payload, terms))?;
        self.tally.add(payload.len(), filled);
        self.room.get(..filled)
    }

    /// What was compressed since this was last asked.
    pub(crate) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

/// How much is compressed before everything before it is forgotten: who looks back no further than
/// to the start of such a stretch never leaves the peer's window, and one compressor serves all sizes.
fn stretch_bytes(payload: &[u8], terms: DeflateTerms) -> usize {
    match terms.window_bits {
        Some(bits) if bits < WINDOW_BITS_MAX => 1 << bits.max(8),
        _ => payload.len(),
    }
}

/// Fills `room`; `None` when there is not enough of it.
fn compress(
    stream: &mut Deflate,
    payload: &[u8],
    room: &mut [u8],
    stretch_bytes: usize,
) -> Option<usize> {
    let mut stretches = payload.chunks(stretch_bytes).peekable();
    while let Some(stretch) = stretches.next() {
        let flush = match stretches.peek() {
            Some(_) => DeflateFlush::FullFlush,
            None => DeflateFlush::SyncFlush,
        };
        // No truncation: no more was filled than there is room.
        let filled = stream.total_out() as usize;
        stream
            .compress(stretch, room.get_mut(filled..)?, flush)
            .ok()?;
        if stream.total_out() as usize == room.len() {
            // Perhaps it is all there; it is not smaller.
            return None;
        }
    }
    let filled = stream.total_out() as usize;
    let message = room.get(..filled)?.strip_suffix(FLUSH_TAIL)?;
    Some(message.len())
}

/// What compression was good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) messages: usize,
    /// Bytes that were not on the wire.
    pub(crate) bytes_saved: usize,
}

impl Tally {
    pub(super) fn add(&mut self, payload: usize, on_the_wire: usize) {
        self.messages += 1;
        self.bytes_saved += payload.saturating_sub(on_the_wire);
    }
}
