//! Keys that no schema names: that none comes twice, in whatever spelling or case, and that there are
//! not too many of them.

use super::scan::{Scan, Span, Walk};
use crate::catalogue::Schema;
use crate::unescape::{folded, unescaped};
use crate::{HardFault, Limits};

/// An unknown key of an object that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnknownKey {
    /// Of the key in one case, so that spellings and cases meet.
    hash: u64,
    start: u32,
    end: u32,
}

impl Scan<'_> {
    /// Notes an unknown key among those since `base`.
    ///
    /// Two keys of one hash end the walk, alike or not: with at most 64 keys that happens by chance once
    /// in 2^53 objects, and to whoever crafts keys of one hash, to make us compare them letter by letter
    /// 64 times over, it happens at once.
    pub(super) fn unknown_key(&mut self, key: Span, base: usize) -> Walk<()> {
        let text = self.inside(key.start, key.end);
        let hash = hash(text);
        let siblings = self.keys.get(base..).unwrap_or_default();
        for sibling in siblings {
            if sibling.hash != hash {
                continue;
            }
            let other = self.inside(sibling.start as usize, sibling.end as usize);
            let fault = if unescaped(text).eq(unescaped(other)) {
                HardFault::DuplicateKey
            } else {
                HardFault::CaseVariantKey
            };
            return Err(self.stop(fault, key.start));
        }
        if siblings.len() >= Limits::UNKNOWN_KEYS_MAX {
            return Err(self.stop(HardFault::TooManyUnknownKeys, key.start));
        }
        // A message is at most 1 MiB long, so the positions fit.
        self.keys.push(UnknownKey {
            hash,
            start: key.start as u32,
            end: key.end as u32,
        });
        Ok(())
    }

    /// The bit of the field that an unknown key differs from only in case.
    pub(super) fn case_variant(&self, key: Span, schema: &Schema) -> u64 {
        let text = self.inside(key.start, key.end);
        let place = schema.fields.iter().position(|field| {
            let name = field.name.chars().map(folded);
            unescaped(text).map(folded).eq(name)
        });
        place.map_or(0, |place| 1 << place)
    }
}

/// FNV-1a over the letters in one case, with the high bits mixed in.
fn hash(text: &str) -> u64 {
    let hash = unescaped(text).fold(0xcbf2_9ce4_8422_2325_u64, |hash, letter| {
        (hash ^ u64::from(folded(letter))).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}
