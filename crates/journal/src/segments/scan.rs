//! Every record from one number on, with what its leaf is salted with: for whoever checks all of them.

use std::path::PathBuf;
use std::sync::Arc;

use super::block::Opener;
use super::error::JournalError;
use super::file::{GroupText, Position, SegmentFile};
use super::names;
use super::recover::start_of;
use crate::keys::{KeyError, SegmentKeys};

/// Reads the records of a directory in their order, a group of blocks at a time: those that are kept.
/// What retention has ended, whose keys are gone or whose files, is passed over; see [`Scan::position`].
pub struct Scan {
    dir: PathBuf,
    keys: Arc<dyn SegmentKeys>,
    next: u64,
    segments: std::vec::IntoIter<(u64, PathBuf)>,
    current: Option<Current>,
    /// A segment has been read: from here on each begins where the one before it ended.
    begun: bool,
    opener: Opener,
    group: GroupText,
}

struct Current {
    file: SegmentFile,
    at: Position,
    /// Where the next segment begins.
    until: u64,
}

/// The records of one group.
pub struct Sealed<'a> {
    file: &'a SegmentFile,
    group: &'a GroupText,
    from: u64,
    offset: u64,
}

impl<'a> Sealed<'a> {
    /// Their numbers, what they say, and their salts.
    pub fn records(&self) -> impl Iterator<Item = (u64, &'a [u8], [u8; 16])> {
        let (file, from) = (self.file, self.from);
        let records = self
            .group
            .records()
            .skip_while(move |(number, _)| *number < from);
        records.map(move |(number, record)| (number, record, file.ciphers.salt(number)))
    }

    /// The segment that they are in.
    pub fn path(&self) -> &'a std::path::Path {
        &self.file.path
    }

    /// Where in it their first block begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl Scan {
    /// Begins at record `from`; `dir` is the record's directory.
    pub fn new(
        dir: &std::path::Path,
        keys: Arc<dyn SegmentKeys>,
        from: u64,
    ) -> Result<Scan, JournalError> {
        let dir = names::segments(dir);
        let segments = segments_from(&dir, from)?;
        Ok(Scan {
            opener: Opener::new().map_err(JournalError::disk(&dir))?,
            dir,
            keys,
            next: from,
            segments: segments.into_iter(),
            current: None,
            begun: false,
            group: GroupText::default(),
        })
    }

    /// The number of the next record, as far as is known: behind what is not kept it is a later one.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next records. `None`: there are no more now; asked again later, it goes on with what has
    /// come since. What cannot be read is an error with its place; nothing behind it is read.
    pub fn advance(&mut self) -> Result<Option<Sealed<'_>>, JournalError> {
        loop {
            if self.current.is_none() && !self.enter()? {
                return Ok(None);
            }
            let Some(current) = &mut self.current else {
                return Ok(None);
            };
            let at = current.at;
            let after = current
                .file
                .group(at, current.until, &mut self.opener, &mut self.group)?;
            let ended = after.is_none() || self.group.is_open;
            if let Some(after) = after {
                // A group that goes on later is read from its beginning again.
                current.at = if self.group.is_open { at } else { after };
                if after.record > self.next {
                    let from = std::mem::replace(&mut self.next, after.record);
                    return Ok(self.current.as_ref().map(|current| Sealed {
                        file: &current.file,
                        group: &self.group,
                        from,
                        offset: at.offset,
                    }));
                }
            }
            if ended && !self.leave()? {
                return Ok(None);
            }
        }
    }

    /// The segment has no more now. Whether there is anything else to read.
    fn leave(&mut self) -> Result<bool, JournalError> {
        let Some(current) = &mut self.current else {
            return Ok(true);
        };
        if current.until == u64::MAX {
            let mut later = names::list(&self.dir)?;
            later.retain(|(first, _)| *first > current.file.header.first);
            let Some(next) = later.first() else {
                return Ok(false);
            };
            // Its last blocks may have come since it was read.
            current.until = next.0;
            self.segments = later.into_iter();
            return Ok(true);
        }
        self.current = None;
        Ok(true)
    }

    /// Goes to the next segment that is kept.
    fn enter(&mut self) -> Result<bool, JournalError> {
        if self.segments.as_slice().is_empty() {
            // Nothing had been recorded when it was looked for.
            self.segments = segments_from(&self.dir, self.next)?.into_iter();
        }
        while let Some((first, path)) = self.segments.next() {
            if first > self.next && self.begun {
                return Err(JournalError::Hole {
                    dir: self.dir.clone(),
                    from: self.next,
                    until: first - 1,
                });
            }
            self.next = self.next.max(first);
            let later = self.segments.as_slice().first().map(|later| later.0);
            let file = match SegmentFile::open(&path, &*self.keys) {
                Ok(file) => file,
                Err(JournalError::Key(KeyError::Missing { .. })) => {
                    self.next = later.unwrap_or(self.next).max(self.next);
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.begun = true;
            self.current = Some(Current {
                at: start_of(&file, self.next)?,
                file,
                until: later.unwrap_or(u64::MAX),
            });
            return Ok(true);
        }
        Ok(false)
    }
}

/// The segment that a record is in, and those behind it.
fn segments_from(dir: &std::path::Path, from: u64) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut segments = names::list(dir)?;
    let passed = segments.partition_point(|(first, _)| *first <= from);
    segments.drain(..passed.saturating_sub(1));
    Ok(segments)
}
