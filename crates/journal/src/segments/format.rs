//! The bytes of a segment: its header, and the header of a block.
//!
//! All numbers are little-endian. What stands here in clear tells how much was said when, never what.

use guard::UnixMillis;

use crate::Day;

/// A segment begins so; the last byte is the version of the format.
const SEGMENT_MAGIC: [u8; 8] = *b"portseg\x02";
/// A block begins so.
pub(crate) const BLOCK_MAGIC: [u8; 4] = *b"blk1";

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    /// Random: two segments never share a key.
    pub(crate) id: [u8; 16],
    /// The number of its first record.
    pub(crate) first: u64,
    /// Whose key it is under.
    pub(crate) day: Day,
}

impl FileHeader {
    pub(crate) const BYTES: usize = 40;

    pub(crate) fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..24].copy_from_slice(&self.id);
        bytes[24..32].copy_from_slice(&self.first.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.day.0.to_le_bytes());
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; Self::BYTES]) -> Option<FileHeader> {
        if bytes[..8] != SEGMENT_MAGIC || bytes[36..] != [0; 4] {
            return None;
        }
        Some(FileHeader {
            id: array(bytes, 8),
            first: u64::from_le_bytes(array(bytes, 24)),
            day: Day(i32::from_le_bytes(array(bytes, 32))),
        })
    }
}

/// What a block begins with; its bytes are authenticated with the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// A new compressed frame begins here; other blocks go on with that of the block before them.
    pub(crate) begins_group: bool,
    /// The frame ends here.
    pub(crate) ends_group: bool,
    /// Counts the blocks of the segment.
    pub(crate) number: u32,
    /// Records in it.
    pub(crate) count: u32,
    /// The number of its first record.
    pub(crate) first: u64,
    /// Bytes before compression.
    pub(crate) plain: u32,
    /// Bytes that follow this header: compressed, encrypted, with their tag.
    pub(crate) sealed: u32,
    /// When the earliest of its records happened, by the clock of then.
    pub(crate) earliest: UnixMillis,
    /// When the latest of its records happened.
    pub(crate) latest: UnixMillis,
}

impl BlockHeader {
    pub(crate) const BYTES: usize = 48;

    pub(crate) fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&BLOCK_MAGIC);
        bytes[4] = u8::from(self.begins_group) | u8::from(self.ends_group) << 1;
        bytes[8..12].copy_from_slice(&self.number.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.plain.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.sealed.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.earliest.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.latest.0.to_le_bytes());
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; Self::BYTES]) -> Option<BlockHeader> {
        if bytes[..4] != BLOCK_MAGIC || bytes[4] > 3 || bytes[5..8] != [0; 3] {
            return None;
        }
        Some(BlockHeader {
            begins_group: bytes[4] & 1 != 0,
            ends_group: bytes[4] & 2 != 0,
            number: u32::from_le_bytes(array(bytes, 8)),
            count: u32::from_le_bytes(array(bytes, 12)),
            first: u64::from_le_bytes(array(bytes, 16)),
            plain: u32::from_le_bytes(array(bytes, 24)),
            sealed: u32::from_le_bytes(array(bytes, 28)),
            earliest: UnixMillis(i64::from_le_bytes(array(bytes, 32))),
            latest: UnixMillis(i64::from_le_bytes(array(bytes, 40))),
        })
    }

    /// The number of the record behind its last one.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }
}

fn array<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[from..from + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_were_written() {
        let header = FileHeader {
            id: [7; 16],
            first: 1 << 40,
            day: Day(20_000),
        };
        assert_eq!(FileHeader::parse(&header.bytes()), Some(header));
        let block = BlockHeader {
            begins_group: false,
            ends_group: true,
            number: 9,
            count: 300,
            first: 1 << 41,
            plain: 131_000,
            sealed: 20_000,
            earliest: UnixMillis(-1),
            latest: UnixMillis(1_795_305_600_123),
        };
        assert_eq!(BlockHeader::parse(&block.bytes()), Some(block));
    }

    #[test]
    fn other_bytes_are_no_header() {
        assert_eq!(FileHeader::parse(&[0; FileHeader::BYTES]), None);
        assert_eq!(BlockHeader::parse(&[0; BlockHeader::BYTES]), None);
    }
}
