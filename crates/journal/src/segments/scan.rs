//! Every record from one number on, with what its leaf is salted with: for whoever checks all of them.

use std::path::PathBuf;
use std::sync::Arc;

use super::block::Opener;
use super::error::JournalError;
use super::file::{GroupText, Position, SegmentFile};
use super::names;
use super::recover::start_of;
use crate::keys::SegmentKeys;

/// Reads the records of a directory in their order, a group of blocks at a time.
pub struct Scan {
    dir: PathBuf,
    keys: Arc<dyn SegmentKeys>,
    next: u64,
    segments: std::vec::IntoIter<(u64, PathBuf)>,
    current: Option<Current>,
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
        let mut segments = names::list(&dir)?;
        let passed = segments.partition_point(|(first, _)| *first <= from);
        segments.drain(..passed.saturating_sub(1));
        Ok(Scan {
            opener: Opener::new().map_err(JournalError::disk(&dir))?,
            dir,
            keys,
            next: from,
            segments: segments.into_iter(),
            current: None,
            group: GroupText::default(),
        })
    }

    /// The number of the next record.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next records. `None`: there are no more. What cannot be read is an error with its place;
    /// behind it nothing more comes.
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
            match after {
                Some(after) if after.record > self.next => {
                    let from = std::mem::replace(&mut self.next, after.record);
                    current.at = after;
                    return Ok(self.current.as_ref().map(|current| Sealed {
                        file: &current.file,
                        group: &self.group,
                        from,
                        offset: at.offset,
                    }));
                }
                Some(after) => current.at = after,
                None => self.current = None,
            }
        }
    }

    /// Goes to the next segment.
    fn enter(&mut self) -> Result<bool, JournalError> {
        let Some((first, path)) = self.segments.next() else {
            return Ok(false);
        };
        if first > self.next {
            return Err(JournalError::Hole {
                dir: self.dir.clone(),
                from: self.next,
                until: first - 1,
            });
        }
        let file = SegmentFile::open(&path, &*self.keys)?;
        self.current = Some(Current {
            at: start_of(&file, self.next)?,
            file,
            until: self
                .segments
                .as_slice()
                .first()
                .map_or(u64::MAX, |later| later.0),
        });
        Ok(true)
    }
}
