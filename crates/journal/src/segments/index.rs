//! Which groups of blocks speak of a station, a handle, an action or a refusal.
//!
//! Terms are kept as fingerprints of 32 bits: a group that is found by another's is read for nothing,
//! and its records are compared in full anyway. While a segment is written its index is in memory; when
//! it is sealed it stands beside it, encrypted, and can be made again from the segment.

use guard::UnixMillis;

/// Entries of a segment's index, after which it ends: 8 bytes each in memory while it is written.
pub const INDEX_ENTRIES_MAX: usize = 2_000_000;
/// One in so many terms is found by binary search, the others from there.
const SKIP: usize = 64;

/// What can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TermKind {
    Station = 1,
    Action = 2,
    Handle = 3,
    Refused = 4,
    /// It holds more handles than are indexed one by one.
    ManyHandles = 5,
}

/// The fingerprint of a term, by words of eight bytes: the same everywhere and for ever.
pub(crate) fn term(kind: TermKind, text: &[u8]) -> u32 {
    let mix = |hash: u64, word: u64| {
        let hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ hash >> 29
    };
    let (words, rest) = text.as_chunks();
    let start = mix(kind as u64, text.len() as u64);
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let hash = words.fold(start, mix);
    // Put together in a register: what is written byte by byte and read as a word has to reach the
    // cache in between, behind all that was written before it.
    let last = rest
        .iter()
        .rev()
        .fold(0, |last, byte| last << 8 | u64::from(*byte));
    let hash = mix(hash, last);
    (hash ^ hash >> 32) as u32
}

/// Where a group of blocks begins, and when its records happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) offset: u64,
    /// The number of its first block.
    pub(crate) block: u32,
    pub(crate) first: u64,
    pub(crate) earliest: UnixMillis,
    pub(crate) latest: UnixMillis,
}

/// The index of a segment that is being written: entries in the order of its groups.
#[derive(Debug, Default)]
pub(crate) struct OpenIndex {
    pub(crate) groups: Vec<Group>,
    /// Term and group.
    entries: Vec<(u32, u32)>,
    /// Groups whose terms are in `entries`; of later ones nothing is known yet.
    pub(crate) finished: usize,
}

impl OpenIndex {
    /// The last group is over: adds its terms, each once.
    pub(crate) fn finish(&mut self, terms: &mut Vec<u32>) {
        terms.sort_unstable();
        terms.dedup();
        let group = self.groups.len().saturating_sub(1) as u32;
        self.entries
            .extend(terms.drain(..).map(|term| (term, group)));
        self.finished = self.groups.len();
    }

    /// How many entries there are.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the groups that begin with this record or a later one.
    pub(crate) fn cut(&mut self, next: u64) {
        let kept = self.groups.partition_point(|group| group.first < next);
        self.groups.truncate(kept);
        self.entries.retain(|entry| (entry.1 as usize) < kept);
        self.finished = self.finished.min(kept);
    }

    /// The groups that have one of these terms' fingerprints, in order, and those that are not known.
    pub(crate) fn groups_of(&self, term: u32) -> Vec<u32> {
        let found = self.entries.iter().filter(|entry| entry.0 == term);
        let unknown = self.finished as u32..self.groups.len() as u32;
        found.map(|entry| entry.1).chain(unknown).collect()
    }

    /// As bytes that [`SealedIndex::parse`] reads.
    pub(crate) fn encode(&mut self) -> Vec<u8> {
        self.entries.sort_unstable();
        let (mut skips, mut lists) = (Vec::new(), Vec::new());
        let mut before = 0;
        for (place, list) in self.entries.chunk_by(|a, b| a.0 == b.0).enumerate() {
            let term = list[0].0;
            if place % SKIP == 0 {
                skips.extend_from_slice(&term.to_le_bytes());
                let at = u32::try_from(lists.len()).unwrap_or(u32::MAX);
                skips.extend_from_slice(&at.to_le_bytes());
                before = term;
            }
            put(&mut lists, u64::from(term - before));
            before = term;
            put(&mut lists, list.len() as u64);
            let mut last = 0;
            for (_, group) in list {
                put(&mut lists, u64::from(group - last));
                last = *group;
            }
        }
        let mut out = Vec::with_capacity(self.groups.len() * 8 + skips.len() + lists.len() + 32);
        put(&mut out, self.groups.len() as u64);
        let mut last = Group {
            offset: 0,
            block: 0,
            first: 0,
            earliest: UnixMillis(0),
            latest: UnixMillis(0),
        };
        for group in &self.groups {
            put(&mut out, group.offset - last.offset);
            put(&mut out, u64::from(group.block - last.block));
            put(&mut out, group.first - last.first);
            put(
                &mut out,
                zigzag(group.earliest.0.wrapping_sub(last.earliest.0)),
            );
            put(
                &mut out,
                zigzag(group.latest.0.wrapping_sub(group.earliest.0)),
            );
            last = *group;
        }
        put(&mut out, (skips.len() / 8) as u64);
        out.extend_from_slice(&skips);
        out.extend_from_slice(&lists);
        out
    }
}

/// The index of a segment that is sealed, as it was read.
#[derive(Debug)]
pub(crate) struct SealedIndex {
    pub(crate) groups: Vec<Group>,
    /// The first term of each run, and where in `lists` it begins.
    skips: Vec<(u32, u32)>,
    lists: Vec<u8>,
}

impl SealedIndex {
    pub(crate) fn parse(bytes: &[u8]) -> Option<SealedIndex> {
        let mut at = bytes;
        let count = usize::try_from(take(&mut at)?).ok()?;
        // Each takes five bytes at least.
        let mut groups = Vec::with_capacity(count.min(at.len() / 5));
        let (mut offset, mut block, mut first, mut earliest) = (0_u64, 0_u32, 0_u64, 0_i64);
        for _ in 0..count {
            offset = offset.checked_add(take(&mut at)?)?;
            block = block.checked_add(u32::try_from(take(&mut at)?).ok()?)?;
            first = first.checked_add(take(&mut at)?)?;
            earliest = earliest.wrapping_add(unzigzag(take(&mut at)?));
            let latest = earliest.wrapping_add(unzigzag(take(&mut at)?));
            groups.push(Group {
                offset,
                block,
                first,
                earliest: UnixMillis(earliest),
                latest: UnixMillis(latest),
            });
        }
        let count = usize::try_from(take(&mut at)?).ok()?;
        let (skips, lists) = at.split_at_checked(count.checked_mul(8)?)?;
        let skips = skips.chunks_exact(8).filter_map(|pair| {
            let (term, at) = pair.split_at(4);
            Some((
                u32::from_le_bytes(term.try_into().ok()?),
                u32::from_le_bytes(at.try_into().ok()?),
            ))
        });
        Some(SealedIndex {
            groups,
            skips: skips.collect(),
            lists: lists.to_vec(),
        })
    }

    /// The groups that have this fingerprint, in order.
    pub(crate) fn groups_of(&self, term: u32) -> Vec<u32> {
        self.look_up(term).unwrap_or_default()
    }

    fn look_up(&self, wanted: u32) -> Option<Vec<u32>> {
        let run = self.skips.partition_point(|(term, _)| *term <= wanted);
        let (mut term, from) = *self.skips.get(run.checked_sub(1)?)?;
        let until = self
            .skips
            .get(run)
            .map_or(self.lists.len(), |skip| skip.1 as usize);
        let mut at = self.lists.get(from as usize..until)?;
        while !at.is_empty() {
            term = term.wrapping_add(take(&mut at)? as u32);
            let count = take(&mut at)?;
            let mut groups = Vec::new();
            let mut group = 0_u32;
            for _ in 0..count {
                group = group.wrapping_add(take(&mut at)? as u32);
                if term == wanted {
                    groups.push(group);
                }
            }
            if term >= wanted {
                return (term == wanted).then_some(groups);
            }
        }
        None
    }

    /// Bytes of memory that it takes.
    pub(crate) fn weight(&self) -> usize {
        self.groups.len() * size_of::<Group>() + self.skips.len() * 8 + self.lists.len()
    }
}

/// Adds a number in groups of seven bits, the lowest first.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(at: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = at.split_first()?;
        *at = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_indexed_is_found(
            groups in proptest::collection::vec(
                (1_u64..100_000, 0_u64..400, any::<i32>(), 0_i64..500, proptest::collection::vec(0_u32..2_000, 0..60)),
                0..40,
            ),
        ) {
            let mut open = OpenIndex::default();
            let (mut offset, mut first) = (0, 0);
            for (number, (bytes, count, earliest, span, terms)) in (0_u32..).zip(&groups) {
                open.groups.push(Group {
                    offset,
                    block: number * 3,
                    first,
                    earliest: UnixMillis(i64::from(*earliest)),
                    latest: UnixMillis(i64::from(*earliest) + span),
                });
                open.finish(&mut terms.clone());
                offset += bytes;
                first += count;
            }
            let sealed = SealedIndex::parse(&open.encode()).unwrap();
            prop_assert_eq!(&sealed.groups, &open.groups);
            for term in 0..2_000 {
                let expected: Vec<u32> = (0_u32..)
                    .zip(&groups)
                    .filter(|(_, group)| group.4.contains(&term))
                    .map(|(number, _)| number)
                    .collect();
                prop_assert_eq!(&sealed.groups_of(term), &expected);
                prop_assert_eq!(&open.groups_of(term), &expected);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, term: u32) {
            if let Some(index) = SealedIndex::parse(&bytes) {
                index.groups_of(term);
            }
        }
    }
}
