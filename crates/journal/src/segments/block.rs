//! A block: records joined by newlines, compressed, then encrypted; and back.
//!
//! Commits may be small, and small blocks compress badly. So blocks are grouped: those of one group
//! share one zstd frame of about [`GROUP_BYTES`], flushed at each block's end. A group is what is
//! indexed and what is read at once.

use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::stream::raw::{Decoder, Encoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe;

use super::ciphers::{Ciphers, TAG};
use super::format::BlockHeader;

/// Bytes of records, before compression, after which a group of blocks ends.
pub const GROUP_BYTES: usize = 128 * 1024;
/// Bytes of one record: the longest message that can be read, and what encryption in base64 adds to it.
pub const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes of a block's records, at most: a group that was nearly full, and one more record.
pub(crate) const PLAIN_BYTES_MAX: usize = GROUP_BYTES + RECORD_BYTES_MAX + 1;
/// How hard zstd tries.
pub const ZSTD_LEVEL: i32 = 1;

/// Makes blocks, in buffers that it keeps.
pub(crate) struct Sealer {
    whole: Compressor<'static>,
    parts: Encoder<'static>,
    packed: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new() -> io::Result<Sealer> {
        Ok(Sealer {
            whole: Compressor::new(ZSTD_LEVEL)?,
            parts: Encoder::new(ZSTD_LEVEL)?,
            packed: Vec::new(),
        })
    }

    /// Adds a block of these records to `out`; the header's length of what is sealed is filled in.
    pub(crate) fn seal(
        &mut self,
        ciphers: &Ciphers,
        header: &mut BlockHeader,
        records: &[u8],
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let room = zstd_safe::compress_bound(records.len()) + 1024;
        if self.packed.len() < room {
            self.packed.resize(room, 0);
        }
        let length = if header.begins_group && header.ends_group {
            self.whole
                .compress_to_buffer(records, self.packed.as_mut_slice())?
        } else {
            self.compress_part(header, records)?
        };
        header.sealed = u32::try_from(length + TAG).map_err(|_| too_large())?;
        let bytes = header.bytes();
        let packed = &mut self.packed[..length];
        let tag = ciphers
            .seal_block(header.number, &bytes, packed)
            .map_err(io::Error::other)?;
        out.extend_from_slice(&bytes);
        out.extend_from_slice(packed);
        out.extend_from_slice(&tag);
        Ok(())
    }

    fn compress_part(&mut self, header: &BlockHeader, records: &[u8]) -> io::Result<usize> {
        if header.begins_group {
            self.parts.reinit()?;
        }
        let mut input = InBuffer::around(records);
        let mut output = OutBuffer::around(self.packed.as_mut_slice());
        while input.pos() < records.len() {
            self.parts.run(&mut input, &mut output)?;
            if output.pos() == output.capacity() {
                return Err(too_large());
            }
        }
        let left = if header.ends_group {
            self.parts.finish(&mut output, true)?
        } else {
            self.parts.flush(&mut output)?
        };
        if left > 0 {
            return Err(too_large());
        }
        Ok(output.pos())
    }
}

/// Opens blocks, in buffers that it keeps.
pub(crate) struct Opener {
    whole: Decompressor<'static>,
    parts: Decoder<'static>,
}

impl Opener {
    pub(crate) fn new() -> io::Result<Opener> {
        Ok(Opener {
            whole: Decompressor::new()?,
            parts: Decoder::new()?,
        })
    }

    /// Adds the records of a block to `out`. `None`: these bytes are not what was sealed. Blocks of a
    /// group are opened in their order.
    pub(crate) fn open(
        &mut self,
        ciphers: &Ciphers,
        header: &BlockHeader,
        sealed: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let plain = header.plain as usize;
        if plain > PLAIN_BYTES_MAX {
            return None;
        }
        let packed = ciphers
            .open_block(header.number, &header.bytes(), sealed)
            .ok()?;
        let from = out.len();
        out.resize(from + plain, 0);
        let room = &mut out[from..];
        let length = if header.begins_group && header.ends_group {
            self.whole.decompress_to_buffer(packed, room).ok()?
        } else {
            self.open_part(header, packed, room)?
        };
        (length == plain).then_some(())
    }

    fn open_part(&mut self, header: &BlockHeader, packed: &[u8], room: &mut [u8]) -> Option<usize> {
        if header.begins_group {
            self.parts.reinit().ok()?;
        }
        let mut input = InBuffer::around(packed);
        let mut output = OutBuffer::around(room);
        loop {
            let (read, written) = (input.pos(), output.pos());
            self.parts.run(&mut input, &mut output).ok()?;
            if (input.pos(), output.pos()) == (read, written) {
                // An end of the frame is read in a step of its own; nothing moves any more.
                return (input.pos() == packed.len()).then_some(output.pos());
            }
        }
    }
}

fn too_large() -> io::Error {
    io::Error::other("a block does not fit its buffer")
}
