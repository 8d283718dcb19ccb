//! A segment as it is read: its blocks in groups, each checked before anything of it is believed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::block::{Opener, PLAIN_BYTES_MAX};
use super::ciphers::{Ciphers, TAG};
use super::error::{BlockFault, JournalError};
use super::format::{BlockHeader, FileHeader};
use super::index::Group;
use crate::keys::SegmentKeys;

/// Blocks of one group, at most: a commit that holds one byte makes one.
const GROUP_BLOCKS_MAX: u32 = 256 * 1024;

/// A segment on disk.
pub(crate) struct SegmentFile {
    pub(crate) path: PathBuf,
    pub(crate) header: FileHeader,
    pub(crate) ciphers: Ciphers,
    file: File,
}

/// Where in a segment one has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: u64,
    pub(crate) block: u32,
    pub(crate) record: u64,
}

/// The records of one group, in a buffer that is used again.
#[derive(Default)]
pub(crate) struct GroupText {
    /// The number of the first one.
    pub(crate) first: u64,
    /// Each followed by a newline.
    pub(crate) text: Vec<u8>,
    /// The group has no end yet: more of it may come.
    pub(crate) is_open: bool,
    sealed: Vec<u8>,
}

impl GroupText {
    /// The records and their numbers.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let mut begin = 0;
        let ends = memchr::memchr_iter(b'\n', &self.text);
        (self.first..).zip(ends.map(move |end| {
            let record = &self.text[begin..end];
            begin = end + 1;
            record
        }))
    }
}

impl SegmentFile {
    /// Opens a segment with its day's key.
    pub(crate) fn open(path: &Path, keys: &dyn SegmentKeys) -> Result<SegmentFile, JournalError> {
        let file = File::open(path).map_err(JournalError::disk(path))?;
        let header = read_header(&file, path)?;
        let ciphers =
            Ciphers::new(&keys.open(header.day)?, &header).map_err(|_| JournalError::Derivation)?;
        Ok(SegmentFile {
            path: path.to_path_buf(),
            header,
            ciphers,
            file,
        })
    }

    /// Where its first block begins.
    pub(crate) fn start(&self) -> Position {
        Position {
            offset: FileHeader::BYTES as u64,
            block: 0,
            record: self.header.first,
        }
    }

    /// The number behind its last record, by the headers of its blocks.
    pub(crate) fn end(&self) -> Result<u64, JournalError> {
        let mut at = self.start();
        loop {
            match self.header_at(at) {
                Ok(Some(header)) => at = SegmentFile::after(at, &header),
                Ok(None) | Err(JournalError::Corrupt { .. }) => return Ok(at.record),
                Err(error) => return Err(error),
            }
        }
    }

    /// Bytes of the file as it is now.
    pub(crate) fn bytes(&self) -> Result<u64, JournalError> {
        let data = self.file.metadata();
        Ok(data.map_err(JournalError::disk(&self.path))?.len())
    }

    /// The header of the block here. `None`: the file ends here.
    pub(crate) fn header_at(&self, at: Position) -> Result<Option<BlockHeader>, JournalError> {
        let mut bytes = [0; BlockHeader::BYTES];
        let read = read_at_most(&self.file, &mut bytes, at.offset)
            .map_err(JournalError::disk(&self.path))?;
        if read == 0 {
            return Ok(None);
        }
        if read < bytes.len() {
            return Err(self.corrupt(at, BlockFault::CutOff));
        }
        let header = BlockHeader::parse(&bytes).ok_or(self.corrupt(at, BlockFault::Header))?;
        let possible = header.count > 0
            && header.plain as usize <= PLAIN_BYTES_MAX
            && header.plain >= header.count
            && header.sealed as usize > TAG
            && header.sealed as usize <= 2 * PLAIN_BYTES_MAX;
        if !possible {
            return Err(self.corrupt(at, BlockFault::Header));
        }
        Ok(Some(header))
    }

    /// Where the block behind this one begins.
    pub(crate) fn after(at: Position, header: &BlockHeader) -> Position {
        Position {
            offset: at.offset + BlockHeader::BYTES as u64 + u64::from(header.sealed),
            block: at.block.wrapping_add(1),
            record: header.end(),
        }
    }

    /// Reads the group of blocks that begins here, up to the record `until` at most, and says where
    /// the next one begins. `None`: the file ends here.
    ///
    /// Only the blocks of one group can be opened by themselves, so the number of the first block is
    /// taken from its header when `at` came out of an index; the block itself then vouches for it.
    pub(crate) fn group(
        &self,
        mut at: Position,
        until: u64,
        opener: &mut Opener,
        group: &mut GroupText,
    ) -> Result<Option<Position>, JournalError> {
        group.text.clear();
        group.first = at.record;
        group.is_open = true;
        for block in 0..GROUP_BLOCKS_MAX {
            if at.record >= until {
                return Ok((block > 0).then_some(at));
            }
            let Some(header) = self.header_at(at)? else {
                return Ok((block > 0).then_some(at));
            };
            if header.begins_group != (block == 0) {
                // The group was left open when its segment ended or its process died.
                return if block > 0 {
                    group.is_open = false;
                    Ok(Some(at))
                } else {
                    Err(self.corrupt(at, BlockFault::Order))
                };
            }
            if header.number != at.block || header.first != at.record {
                return Err(self.corrupt(at, BlockFault::Order));
            }
            self.open_block(at, &header, opener, group)?;
            at = SegmentFile::after(at, &header);
            if header.ends_group {
                group.is_open = false;
                return Ok(Some(at));
            }
        }
        Ok(Some(at))
    }

    fn open_block(
        &self,
        at: Position,
        header: &BlockHeader,
        opener: &mut Opener,
        group: &mut GroupText,
    ) -> Result<(), JournalError> {
        group.sealed.resize(header.sealed as usize, 0);
        let read = read_at_most(
            &self.file,
            &mut group.sealed,
            at.offset + BlockHeader::BYTES as u64,
        );
        if read.map_err(JournalError::disk(&self.path))? < group.sealed.len() {
            return Err(self.corrupt(at, BlockFault::CutOff));
        }
        let before = group.text.len();
        let opened = opener.open(&self.ciphers, header, &mut group.sealed, &mut group.text);
        let lines = memchr::memchr_iter(b'\n', &group.text[before..]).count();
        let is_whole =
            lines == header.count as usize && group.text.last().is_none_or(|last| *last == b'\n');
        if opened.is_none() || !is_whole {
            group.text.truncate(before);
            return Err(self.corrupt(at, BlockFault::Sealed));
        }
        Ok(())
    }

    /// What a record's leaf is salted with.
    pub(crate) fn salt(&self, record: u64) -> [u8; 16] {
        self.ciphers.salt(record)
    }

    /// Where its groups are, by the headers of its blocks, up to the record `until`. What stands
    /// behind the whole blocks of the last segment may be a write that is under way.
    pub(crate) fn groups(&self, until: u64, is_last: bool) -> Result<Vec<Group>, JournalError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut at = self.start();
        while at.record < until {
            let header = match self.header_at(at) {
                Ok(Some(header)) => header,
                Ok(None) => break,
                Err(JournalError::Corrupt { .. }) if is_last => break,
                Err(error) => return Err(error),
            };
            match groups.last_mut() {
                Some(group) if !header.begins_group => {
                    group.earliest = group.earliest.min(header.earliest);
                    group.latest = group.latest.max(header.latest);
                }
                _ => groups.push(Group {
                    offset: at.offset,
                    block: at.block,
                    first: at.record,
                    earliest: header.earliest,
                    latest: header.latest,
                }),
            }
            at = SegmentFile::after(at, &header);
        }
        Ok(groups)
    }

    pub(crate) fn corrupt(&self, at: Position, fault: BlockFault) -> JournalError {
        JournalError::Corrupt {
            path: self.path.clone(),
            offset: at.offset,
            first: at.record,
            fault,
        }
    }
}

/// The header of a segment, for which no key is needed.
pub(crate) fn header_of(path: &Path) -> Result<FileHeader, JournalError> {
    let file = File::open(path).map_err(JournalError::disk(path))?;
    read_header(&file, path)
}

fn read_header(file: &File, path: &Path) -> Result<FileHeader, JournalError> {
    let mut bytes = [0; FileHeader::BYTES];
    let read = read_at_most(file, &mut bytes, 0).map_err(JournalError::disk(path))?;
    (read == bytes.len())
        .then(|| FileHeader::parse(&bytes))
        .flatten()
        .ok_or_else(|| JournalError::NotASegment(path.to_path_buf()))
}

fn read_at_most(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
