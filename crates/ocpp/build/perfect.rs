//! The search for a perfect hash: a multiplier under which no two names of a set share a slot.

use crate::words;

pub(crate) struct Perfect {
    pub(crate) multiplier: u64,
    pub(crate) shift: u32,
    pub(crate) slots: Vec<u8>,
}

/// Multipliers tried before the table is doubled.
const TRIES: u32 = 4000;
/// A table of more than 2^14 slots would mean that the words cannot tell two names apart.
const BITS_MAX: u32 = 14;

pub(crate) fn search(names: &[&str]) -> Result<Perfect, String> {
    if names.len() >= usize::from(u8::MAX) {
        return Err(format!("{} names in one set; at most 254 fit", names.len()));
    }
    let least = (names.len().max(1) * 2)
        .next_power_of_two()
        .trailing_zeros();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for bits in least..=BITS_MAX {
        for _ in 0..TRIES {
            seed = mix(seed);
            if let Some(slots) = fill(names, seed | 1, 64 - bits) {
                return Ok(Perfect {
                    multiplier: seed | 1,
                    shift: 64 - bits,
                    slots,
                });
            }
        }
    }
    Err(format!(
        "no perfect hash tells these names apart: {names:?}"
    ))
}

fn fill(names: &[&str], multiplier: u64, shift: u32) -> Option<Vec<u8>> {
    let mut slots = vec![u8::MAX; 1 << (64 - shift)];
    for (place, name) in names.iter().enumerate() {
        let words = words::words(name.as_bytes(), 0, name.len());
        let slot = slots.get_mut(words::slot(words, multiplier, shift))?;
        if *slot != u8::MAX {
            return None;
        }
        *slot = u8::try_from(place).ok()?;
    }
    Some(slots)
}

/// SplitMix64, so that every build finds the same tables.
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
