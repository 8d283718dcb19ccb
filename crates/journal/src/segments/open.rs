//! The segment that is being written.
//!
//! It has its name only with its first durable commit: a file with the name of a segment holds at
//! least one record that was acknowledged, so no name is ever taken twice, and an attempt that failed
//! is in nobody's way.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guard::UnixMillis;

use super::batch::{Batch, Place};
use super::block::{GROUP_BYTES, Sealer};
use super::ciphers::Ciphers;
use super::disk::{Disk, DiskFile};
use super::error::JournalError;
use super::format::{BlockHeader, FileHeader};
use super::index::{Group, INDEX_ENTRIES_MAX, OpenIndex};
use super::{names, sidecar};
use crate::Day;
use crate::keys::SegmentKeys;
use crate::proof::{Hash, leaf_hash};

/// Bytes that are handed to the disk at once.
const WRITE_BYTES: usize = 1024 * 1024;

/// Buffers that every segment of one writer uses in turn.
pub(crate) struct Workbench {
    sealer: Sealer,
    out: Vec<u8>,
}

impl Workbench {
    pub(crate) fn new() -> io::Result<Workbench> {
        Ok(Workbench {
            sealer: Sealer::new()?,
            out: Vec::new(),
        })
    }

    /// Forgets what was made and not written.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
    }
}

/// What others may know of the segment that is being written.
pub(crate) struct Live {
    pub(crate) header: FileHeader,
    pub(crate) path: PathBuf,
    pub(crate) index: Mutex<OpenIndex>,
    /// Behind the last durable record.
    next: AtomicU64,
}

impl Live {
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, OpenIndex> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A segment that grows.
pub(crate) struct OpenSegment {
    pub(crate) live: Arc<Live>,
    /// Its name until something in it is durable.
    nameless: Option<PathBuf>,
    file: Box<dyn DiskFile>,
    ciphers: Ciphers,
    pub(crate) next: u64,
    /// Bytes of the file, with those that wait to be written.
    bytes: u64,
    durable_bytes: u64,
    blocks: u32,
    /// Bytes before compression that the group has, which is open if there are any.
    group_plain: usize,
    terms: Vec<u32>,
}

impl OpenSegment {
    pub(crate) fn create(
        dir: &Path,
        disk: &dyn Disk,
        keys: &dyn SegmentKeys,
        header: FileHeader,
    ) -> Result<OpenSegment, JournalError> {
        let key = keys.seal(header.day)?;
        let ciphers = Ciphers::new(&key, &header).map_err(|_| JournalError::Derivation)?;
        let nameless = names::nameless(dir, header.first);
        let mut file = disk
            .create(&nameless)
            .map_err(JournalError::disk(&nameless))?;
        file.append(&header.bytes())
            .map_err(JournalError::disk(&nameless))?;
        Ok(OpenSegment {
            live: Arc::new(Live {
                header,
                path: names::segment(dir, header.first),
                index: Mutex::default(),
                next: AtomicU64::new(header.first),
            }),
            nameless: Some(nameless),
            file,
            ciphers,
            next: header.first,
            bytes: FileHeader::BYTES as u64,
            durable_bytes: 0,
            blocks: 0,
            group_plain: 0,
            terms: Vec::new(),
        })
    }

    /// Whether a record of this time belongs into this segment: it is of its day, or of the day before
    /// (records come a little late, and clocks are set back a little).
    pub(crate) fn takes(&self, at: UnixMillis) -> bool {
        let (day, own) = (Day::of(at).0, self.live.header.day.0);
        day == own || day == own.saturating_sub(1)
    }

    /// Whether it has grown enough.
    pub(crate) fn is_full(&self, bytes_max: u64) -> bool {
        self.bytes >= bytes_max
            || self.blocks == u32::MAX
            || self.group_plain == 0 && self.live.index().entries() >= INDEX_ENTRIES_MAX
    }

    /// Makes one block of records of a batch, from `record` on, and their leaves. How far it came:
    /// nowhere, if the next record belongs into another segment.
    pub(crate) fn add_block(
        &mut self,
        bench: &mut Workbench,
        batch: &Batch,
        record: usize,
        leaves: &mut Vec<Hash>,
    ) -> io::Result<usize> {
        let Some((until, earliest, latest)) = self.cut(batch, record) else {
            return Ok(record);
        };
        let ((from, terms_from), (end, terms_end)) = (batch.begin(record), batch.begin(until));
        let text = &batch.text[from..end];
        let mut header = BlockHeader {
            begins_group: self.group_plain == 0,
            ends_group: self.group_plain + text.len() >= self.group_bytes(),
            number: self.blocks,
            count: (until - record) as u32,
            first: self.next,
            plain: text.len() as u32,
            sealed: 0,
            earliest,
            latest,
        };
        let before = bench.out.len();
        bench
            .sealer
            .seal(&self.ciphers, &mut header, text, &mut bench.out)?;
        self.hash(text, &batch.records[record..until], from, leaves);
        self.index(&header, &batch.terms[terms_from..terms_end]);
        self.bytes += (bench.out.len() - before) as u64;
        self.blocks += 1;
        self.next = header.end();
        if bench.out.len() >= WRITE_BYTES {
            self.write(bench)?;
        }
        Ok(until)
    }

    /// What ends the group: a block that compresses well alone is one by itself, so that the many blocks
    /// behind it, each as large as a group, need not be cut to fill it up.
    fn group_bytes(&self) -> usize {
        match self.group_plain {
            0 => GROUP_BYTES / 4,
            _ => GROUP_BYTES,
        }
    }

    /// How far the next block reaches, and when its records happened. A block ends with its group,
    /// and where a record belongs into another segment.
    fn cut(&self, batch: &Batch, record: usize) -> Option<(usize, UnixMillis, UnixMillis)> {
        let (from, _) = batch.begin(record);
        let mut cut = None;
        for (place, number) in batch.records[record..].iter().zip(record..) {
            if !self.takes(place.at) {
                break;
            }
            let (_, earliest, latest) = cut.unwrap_or((0, place.at, place.at));
            cut = Some((number + 1, earliest.min(place.at), latest.max(place.at)));
            if self.group_plain + place.end as usize - from >= GROUP_BYTES {
                break;
            }
        }
        cut
    }

    /// The leaves of a block, straight from its text.
    fn hash(&self, text: &[u8], places: &[Place], from: usize, leaves: &mut Vec<Hash>) {
        let mut begin = 0;
        let salts = self.ciphers.salts_from(self.next);
        leaves.extend(places.iter().zip(salts).map(|(place, salt)| {
            let end = place.end as usize - from;
            let record = &text[begin..end - 1];
            begin = end;
            leaf_hash(&salt, record)
        }));
    }

    fn index(&mut self, header: &BlockHeader, terms: &[u32]) {
        let mut index = self.live.index();
        if header.begins_group {
            index.groups.push(Group {
                offset: self.bytes,
                block: header.number,
                first: header.first,
                earliest: header.earliest,
                latest: header.latest,
            });
        } else if let Some(group) = index.groups.last_mut() {
            group.earliest = group.earliest.min(header.earliest);
            group.latest = group.latest.max(header.latest);
        }
        self.terms.extend_from_slice(terms);
        self.group_plain += header.plain as usize;
        if header.ends_group {
            index.finish(&mut self.terms);
            self.group_plain = 0;
        }
    }

    /// Hands what has been made to the disk.
    fn write(&mut self, bench: &mut Workbench) -> io::Result<()> {
        let written = self.file.append(&bench.out);
        bench.out.clear();
        written
    }

    /// Makes everything that was added durable; the first time, the segment's name as well.
    pub(crate) fn sync(
        &mut self,
        bench: &mut Workbench,
        disk: &dyn Disk,
    ) -> Result<(), JournalError> {
        let path = self
            .nameless
            .as_deref()
            .unwrap_or(&self.live.path)
            .to_path_buf();
        let failed = |source| JournalError::Disk {
            path: path.clone(),
            source,
        };
        self.write(bench).map_err(failed)?;
        self.file.sync().map_err(failed)?;
        if let Some(nameless) = &self.nameless {
            disk.rename(nameless, &self.live.path).map_err(failed)?;
            if let Some(dir) = self.live.path.parent() {
                disk.sync_dir(dir).map_err(failed)?;
            }
            self.nameless = None;
        }
        self.durable_bytes = self.bytes;
        self.live.next.store(self.next, Ordering::Release);
        Ok(())
    }

    /// Whether there is anything in it that was acknowledged.
    pub(crate) fn is_named(&self) -> bool {
        self.nameless.is_none()
    }

    /// Writes the index of what is durable beside it. Nothing more is added to it.
    pub(crate) fn finish(mut self) -> Result<(), JournalError> {
        let mut index = self.live.index();
        let next = self.live.next();
        if self.group_plain > 0 {
            index.finish(&mut self.terms);
        }
        index.cut(next);
        sidecar::write(
            &self.live.path,
            &self.ciphers,
            self.durable_bytes,
            next,
            &mut index,
        )
    }
}
