//! Compressed messages on their way in (RFC 7692, 7.2.2): inflated whole, within the message's bound.
//!
//! Every message stands for itself, since nobody takes over a context: one inflater serves all
//! sessions of a thread, and a session holds none. What an attacker can ask of it is bounded as it
//! works: bytes by the same limits as those of any other message, time by the blocks that each have
//! tables to build.

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

use super::deflate::{Tally, WINDOW_BITS_MAX};
use super::{WsError, WsLimits};

/// Blocks that a message may fall into however short it is. One with tables of its own fits into a
/// dozen bytes, says nothing, and takes half a microsecond and more to read: a megabyte of them would
/// hold a thread up for tens of milliseconds.
pub const DEFLATE_BLOCKS_FREE: usize = 256;
/// Beyond them each block must say that many bytes, on average. A compressor with the least memory
/// that zlib knows ends a block after 127 letters or repetitions.
pub const DEFLATE_BLOCK_BYTES_MIN: usize = 64;
/// Blocks that no message may have more of: some two milliseconds of work.
pub const DEFLATE_BLOCKS_MAX: usize = 4096;

/// Bytes that are kept for the next message; more was for one long message.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// Bytes to begin with.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// What a sender leaves out at the end of a message (7.2.1), and an empty last block behind it:
/// only when the message has ended between two blocks does the inflater come to that end.
const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff, 0x03, 0x00];

/// Inflates one message after the other. Holds no heap before the first.
#[derive(Default)]
pub struct Inflater {
    stream: Option<Inflate>,
    room: Vec<u8>,
    filled: usize,
    tally: Tally,
}

impl Inflater {
    /// The message inflated last.
    pub fn inflated(&self) -> &[u8] {
        self.room.get(..self.filled).unwrap_or_default()
    }

    /// What was inflated since this was last asked.
    pub(crate) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Inflates a whole message.
    pub(super) fn inflate(&mut self, payload: &[u8], limits: &WsLimits<'_>) -> Result<(), WsError> {
        if self.room.len() > KEPT_BYTES_MAX {
            self.room = Vec::new();
        }
        self.filled = 0;
        let mut stream = self.stream.take().unwrap_or_else(new_stream);
        stream.reset(false);
        let done = self.run(&mut stream, payload, limits);
        self.stream = Some(stream);
        done?;
        self.tally.add(self.filled, payload.len());
        Ok(())
    }

    fn run(
        &mut self,
        stream: &mut Inflate,
        payload: &[u8],
        limits: &WsLimits<'_>,
    ) -> Result<(), WsError> {
        let mut bound = Bound::new(limits);
        let mut rest = payload;
        let mut in_tail = false;
        // A step ends with its block, with a part of the input, or with the room.
        for steps in 0.. {
            let earned = DEFLATE_BLOCKS_FREE + self.filled / DEFLATE_BLOCK_BYTES_MIN;
            if steps > earned.min(DEFLATE_BLOCKS_MAX) {
                return Err(WsError::TooManyBlocks);
            }
            if rest.is_empty() {
                if in_tail {
                    break;
                }
                (rest, in_tail) = (TAIL, true);
            }
            let until = if in_tail {
                InflateFlush::NoFlush
            } else {
                InflateFlush::Block
            };
            let said = self.filled;
            let (taken, status) = self.step(stream, rest, until, &bound)?;
            rest = rest.get(taken..).unwrap_or_default();
            bound.check(self.inflated())?;
            if in_tail && self.filled > said {
                // The message ended inside a block, which took the tail for its own.
                return Err(WsError::Deflate);
            }
            match status {
                Status::StreamEnd if rest.is_empty() => return Ok(()),
                // The message had a last block of its own, and nothing after it.
                Status::StreamEnd if in_tail && taken == 0 => return Ok(()),
                Status::StreamEnd if in_tail => return Err(WsError::Deflate),
                // What follows a last block (7.2.3.4) is a stream of its own.
                Status::StreamEnd => stream.reset(false),
                Status::Ok => {}
                Status::BufError => return Err(WsError::Deflate),
            }
        }
        Err(WsError::Deflate)
    }

    /// One step: how much of the input it took.
    fn step(
        &mut self,
        stream: &mut Inflate,
        input: &[u8],
        until: InflateFlush,
        bound: &Bound<'_>,
    ) -> Result<(usize, Status), WsError> {
        if self.filled == self.room.len() {
            let wanted = (self.room.len() * 2).max(ROOM_BYTES_MIN);
            // One byte more than is allowed shows that there is more.
            self.room.resize(wanted.min(bound.bytes_max + 1), 0);
        }
        let room = self.room.get_mut(self.filled..).unwrap_or_default();
        let room_bytes = room.len().min(bound.bytes_max + 1 - self.filled);
        let room = room.get_mut(..room_bytes).unwrap_or_default();
        let before = (stream.total_in(), stream.total_out());
        let status = stream
            .decompress(input, room, until)
            .map_err(|_: InflateError| WsError::Deflate)?;
        // No truncation: neither is more than what was handed in.
        self.filled += (stream.total_out() - before.1) as usize;
        Ok(((stream.total_in() - before.0) as usize, status))
    }
}

fn new_stream() -> Inflate {
    Inflate::new(false, WINDOW_BITS_MAX)
}

/// How long a message may become, as far as that is known.
struct Bound<'l> {
    limits: &'l WsLimits<'l>,
    bytes_max: usize,
    asked: bool,
}

impl<'l> Bound<'l> {
    fn new(limits: &'l WsLimits<'l>) -> Bound<'l> {
        Bound {
            limits,
            bytes_max: limits.ordinary_bytes_max,
            asked: false,
        }
    }

    /// Asks the opening, once, when the message turns out longer than an ordinary one.
    fn check(&mut self, inflated: &[u8]) -> Result<(), WsError> {
        if inflated.len() <= self.bytes_max {
            return Ok(());
        }
        if !self.asked {
            self.asked = true;
            // No truncation: the allowance is no more than what a message may have in memory.
            self.bytes_max = self.limits.allowance_for(inflated) as usize;
        }
        if inflated.len() > self.bytes_max {
            return Err(WsError::MessageTooBig);
        }
        Ok(())
    }
}
