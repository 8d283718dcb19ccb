//! All records for whoever checks them: behind what is broken, it goes on with what is not.
//!
//! What does not open may be one changed bit or a block that was cut out. So the bytes behind it are
//! searched for the next block that opens by itself, and where that one begins tells what is missing.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;

use super::block::{Opener, PLAIN_BYTES_MAX};
use super::ciphers::TAG;
use super::error::{BlockFault, JournalError};
use super::file::{GroupText, Position, SegmentFile, header_of};
use super::format::{BLOCK_MAGIC, BlockHeader};
use super::names;
use crate::keys::{KeyError, SegmentKeys};
use crate::proof::SaltKey;
use crate::proof::verify::{Block, Blocks, Broken};

/// Bytes that are searched at once for the beginning of a block.
const SEARCHED: usize = 1024 * 1024;
/// What looks like a block and is none, at most, before the rest of a segment is given up.
const LOOKED_AT_MAX: usize = 4096;

/// Every record of a directory, in the order of their numbers.
pub struct Audit {
    keys: Arc<dyn SegmentKeys>,
    segments: std::iter::Peekable<std::vec::IntoIter<(u64, PathBuf)>>,
    current: Option<(SegmentFile, Position)>,
    opener: Opener,
    group: GroupText,
    // Of the segment that the group is from.
    of: Option<SaltKey>,
    // Found while looking for what can be read; told when its turn comes.
    later: Option<Broken>,
}

impl Audit {
    /// Reads the segments of the record in `dir`.
    pub fn new(dir: &Path, keys: Arc<dyn SegmentKeys>) -> Result<Audit, JournalError> {
        let dir = names::segments(dir);
        Ok(Audit {
            segments: names::list(&dir)?.into_iter().peekable(),
            opener: Opener::new().map_err(JournalError::disk(&dir))?,
            keys,
            current: None,
            group: GroupText::default(),
            of: None,
            later: None,
        })
    }

    /// The next group of the current segment, or what is wrong with it. `None`: the segment ends.
    fn step(&mut self) -> Option<Result<(), Broken>> {
        let until = self.segments.peek().map_or(u64::MAX, |later| later.0);
        let (file, at) = self.current.as_mut()?;
        let error = match file.group(*at, until, &mut self.opener, &mut self.group) {
            Ok(Some(after)) => {
                *at = after;
                return Some(Ok(()));
            }
            Ok(None) => {
                self.current = None;
                return None;
            }
            Err(error) => error,
        };
        let JournalError::Corrupt {
            offset,
            first,
            fault,
            ..
        } = error
        else {
            let broken = Broken {
                first: at.record,
                end: None,
                torn: false,
                without_key: None,
                place: error.to_string(),
            };
            self.current = None;
            return Some(Err(broken));
        };
        let place = error.to_string();
        let (resume, mut broken) = behind(file, offset, first, fault, place);
        let read = !self.group.text.is_empty();
        match resume {
            Some(resume) => *at = resume,
            None => self.current = None,
        }
        // The blocks of a group before the broken one were opened, and come first.
        if read {
            self.later = broken.take();
            return Some(Ok(()));
        }
        broken.map(Err)
    }

    fn enter(&mut self, first: u64, path: &Path) -> Option<Broken> {
        let broken = |torn, place: String| Broken {
            first,
            end: None,
            torn,
            without_key: None,
            place,
        };
        match SegmentFile::open(path, &*self.keys) {
            Ok(file) if file.header.first == first => {
                let at = file.start();
                self.of = Some(SaltKey(file.ciphers.salts().0));
                self.current = Some((file, at));
                None
            }
            Ok(_) => Some(broken(
                false,
                format!("{}: its header says another number", path.display()),
            )),
            Err(JournalError::Key(error @ KeyError::Missing { .. })) => Some(Broken {
                // The next segment begins where this one ended.
                end: self.segments.peek().map(|later| later.0),
                without_key: header_of(path).ok().map(|header| header.day),
                ..broken(false, format!("{}: {error}", path.display()))
            }),
            Err(error) => {
                let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
                let torn = matches!(error, JournalError::NotASegment(_))
                    && bytes < super::format::FileHeader::BYTES as u64;
                Some(broken(torn, error.to_string()))
            }
        }
    }
}

impl Blocks for Audit {
    fn next(&mut self) -> Option<Result<Block<'_>, Broken>> {
        if let Some(broken) = self.later.take() {
            return Some(Err(broken));
        }
        loop {
            if self.current.is_none() {
                let (first, path) = self.segments.next()?;
                if let Some(broken) = self.enter(first, &path) {
                    return Some(Err(broken));
                }
            }
            match self.step() {
                None => {}
                Some(Err(broken)) => return Some(Err(broken)),
                Some(Ok(())) => break,
            }
        }
        Some(Ok(Block {
            first: self.group.first,
            text: &self.group.text,
            salts: self.of.as_ref()?,
        }))
    }
}

/// Where reading can go on behind a broken place, and what is lost before it.
fn behind(
    file: &SegmentFile,
    offset: u64,
    first: u64,
    fault: BlockFault,
    place: String,
) -> (Option<Position>, Option<Broken>) {
    let broken = |first, end, torn| {
        Some(Broken {
            first,
            end,
            torn,
            without_key: None,
            place: place.clone(),
        })
    };
    let Ok(mut search) = Search::new(file, offset, first) else {
        return (None, broken(first, None, false));
    };
    let Some(found) = search.next() else {
        let torn = fault == BlockFault::CutOff && !search.was_longer(offset);
        return (None, broken(first, None, torn));
    };
    // A block that stands where another was to stand: that one was taken out, and nothing is broken
    // before this one.
    let begins = if found.offset == offset {
        found.record
    } else {
        first
    };
    if found.header.begins_group {
        let lost = (begins == first).then(|| broken(first, Some(found.record), false));
        return (Some(found.position()), lost.flatten());
    }
    // It continues a frame whose beginning is lost: the next one that begins a frame can be read.
    let resume = search.find(|found| found.header.begins_group);
    let end = resume.as_ref().map(|resume| resume.record);
    (
        resume.map(|resume| resume.position()),
        broken(begins, end, false),
    )
}

/// A block that opens by itself.
struct Found {
    offset: u64,
    record: u64,
    header: BlockHeader,
}

impl Found {
    fn position(&self) -> Position {
        Position {
            offset: self.offset,
            block: self.header.number,
            record: self.record,
        }
    }
}

/// Looks through a segment's bytes for blocks that open by themselves.
struct Search<'a> {
    segment: &'a SegmentFile,
    file: File,
    bytes: u64,
    offset: u64,
    from: u64,
    looked_at: usize,
    sealed: Vec<u8>,
}

impl<'a> Search<'a> {
    /// Blocks of records from `from` on, at `offset` or behind it.
    fn new(segment: &'a SegmentFile, offset: u64, from: u64) -> std::io::Result<Search<'a>> {
        let file = File::open(&segment.path)?;
        Ok(Search {
            bytes: file.metadata()?.len(),
            file,
            segment,
            offset,
            from,
            looked_at: 0,
            sealed: Vec::new(),
        })
    }

    /// Where the next bytes are that a block begins with, from this offset on.
    fn magic(&self, mut offset: u64) -> Option<u64> {
        let mut window = Vec::new();
        while offset + BlockHeader::BYTES as u64 <= self.bytes {
            let length = (self.bytes - offset).min(SEARCHED as u64) as usize;
            window.resize(length, 0);
            self.file.read_exact_at(&mut window, offset).ok()?;
            if let Some(found) = memmem::find(&window, &BLOCK_MAGIC) {
                return Some(offset + found as u64);
            }
            offset += (length + 1 - BLOCK_MAGIC.len()) as u64;
        }
        None
    }

    /// The block here, if it opens; with as many sealed bytes as its header says, or as there are.
    fn opens(&mut self, offset: u64, all_there_is: bool) -> Option<BlockHeader> {
        let mut bytes = [0; BlockHeader::BYTES];
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        let mut header = BlockHeader::parse(&bytes)?;
        let left = self.bytes - offset - BlockHeader::BYTES as u64;
        if all_there_is {
            header.sealed = u32::try_from(left).ok()?;
        }
        let length = header.sealed as usize;
        if length <= TAG || length > 2 * PLAIN_BYTES_MAX || length as u64 > left {
            return None;
        }
        self.sealed.resize(length, 0);
        let begins = offset + BlockHeader::BYTES as u64;
        self.file.read_exact_at(&mut self.sealed, begins).ok()?;
        let ciphers = &self.segment.ciphers;
        ciphers
            .open_block(header.number, &header.bytes(), &mut self.sealed)
            .ok()?;
        Some(header)
    }

    /// Whether the block here would open if its header did not say that it is longer than the file:
    /// then it was not cut off.
    fn was_longer(&mut self, offset: u64) -> bool {
        self.opens(offset, true).is_some()
    }
}

impl Iterator for Search<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while self.looked_at < LOOKED_AT_MAX {
            self.looked_at += 1;
            let offset = self.magic(self.offset)?;
            self.offset = offset + 1;
            if let Some(header) = self.opens(offset, false)
                && header.first >= self.from
            {
                self.offset = offset + BlockHeader::BYTES as u64 + u64::from(header.sealed);
                return Some(Found {
                    offset,
                    record: header.first,
                    header,
                });
            }
        }
        None
    }
}
