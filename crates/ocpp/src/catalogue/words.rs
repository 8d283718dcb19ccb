//! How a name becomes two machine words and a slot. `build.rs` includes this file as well: the
//! search for a perfect hash and the lookup must agree to the bit.

/// The name at `start..end` of `bytes`, as two words.
///
/// Up to eight bytes fill the first word, up to sixteen fill both, and so words and length together
/// *are* the name. Of a longer name they hold the beginning and the middle, mixed, and the end: enough
/// to find a slot, where the rest is then compared.
pub(crate) fn words(bytes: &[u8], start: usize, end: usize) -> (u64, u64) {
    let length = end.saturating_sub(start);
    if length <= 8 {
        return (short_word(bytes, start, length), 0);
    }
    let head = word(bytes, start);
    let tail = word(bytes, end - 8);
    if length <= 16 {
        return (head, tail);
    }
    let middle = word(bytes, start + (length - 8) / 2);
    (head ^ middle.rotate_left(29), tail)
}

/// The slot of a name, in a table of `1 << (64 - shift)` slots.
pub(crate) fn slot(words: (u64, u64), length: usize, multiplier: u64, shift: u32) -> usize {
    let (head, tail) = words;
    let mixed = (head ^ tail.rotate_left(23) ^ length as u64).wrapping_mul(multiplier);
    // At most 16 bits are left, so nothing is lost.
    (mixed >> shift) as usize
}

fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => 0,
    }
}

/// At most eight bytes, the missing ones zero. Reads beyond the name where the message goes on: that
/// is one load and a mask in place of a loop.
fn short_word(bytes: &[u8], start: usize, length: usize) -> u64 {
    const KEEP: [u64; 9] = [
        0,
        0xff,
        0xffff,
        0xff_ffff,
        0xffff_ffff,
        0xff_ffff_ffff,
        0xffff_ffff_ffff,
        0xff_ffff_ffff_ffff,
        u64::MAX,
    ];
    let keep = KEEP.get(length).copied().unwrap_or_default();
    match bytes.get(start..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(chunk) => u64::from_le_bytes(*chunk) & keep,
        None => (0..length)
            .filter_map(|i| Some(u64::from(*bytes.get(start + i)?) << (8 * i)))
            .sum(),
    }
}
