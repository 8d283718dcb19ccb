//! How a name becomes machine words and a slot. `build.rs` includes this file as well: the search
//! for a perfect hash and the lookup must agree to the bit.

/// A name's last 24 bytes, zeros in front of a shorter one. No name holds a zero byte, so of a name of
/// at most 24 bytes the words are all there is to know; of a longer one, whose beginning is mixed in,
/// they are enough to find a slot, where the whole is then compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub(crate) u64, pub(crate) u64, pub(crate) u64);

/// Names up to this long are told apart by their words alone.
pub(crate) const WHOLE_BYTES_MAX: usize = 24;

/// What to keep of the 24 bytes before the end of a name, by its length.
const KEEP: [Words; WHOLE_BYTES_MAX + 1] = {
    let mut keep = [Words(0, 0, 0); WHOLE_BYTES_MAX + 1];
    let mut length = 0;
    while length <= WHOLE_BYTES_MAX {
        keep[length] = Words(
            upper_bytes(length, 16),
            upper_bytes(length, 8),
            upper_bytes(length, 0),
        );
        length += 1;
    }
    keep
};

/// The mask of a word's upper bytes, for a name that reaches beyond the words behind it.
const fn upper_bytes(length: usize, behind: usize) -> u64 {
    match length.saturating_sub(behind) {
        0 => 0,
        bytes @ 1..8 => u64::MAX << (64 - 8 * bytes),
        _ => u64::MAX,
    }
}

/// The words of the name at `start..end` of `bytes`.
///
/// Without a branch on the length, which no processor predicts well in real messages: a name is
/// loaded together with what stands before it, which is then masked out.
#[inline]
pub(crate) fn words(bytes: &[u8], start: usize, end: usize) -> Words {
    let length = end.wrapping_sub(start);
    match (
        bytes.get(..end).and_then(|to_end| to_end.last_chunk()),
        KEEP.get(length),
    ) {
        (Some(window), Some(keep)) => {
            let words = load(window);
            Words(words.0 & keep.0, words.1 & keep.1, words.2 & keep.2)
        }
        _ => other_words(bytes.get(start..end).unwrap_or_default()),
    }
}

/// The slot of a name, in a table of `1 << (64 - shift)` slots.
#[inline]
pub(crate) fn slot(words: Words, multiplier: u64, shift: u32) -> usize {
    let mixed = words.0 ^ words.1.rotate_left(41) ^ words.2.rotate_left(23);
    // At most 16 bits are left, so nothing is lost.
    (mixed.wrapping_mul(multiplier) >> shift) as usize
}

#[inline]
fn load(window: &[u8; 24]) -> Words {
    let word = |at: usize| {
        let chunk = window.get(at..).and_then(|rest| rest.first_chunk::<8>());
        chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk))
    };
    Words(word(0), word(8), word(16))
}

/// The words of a long name, or of one with fewer than 24 bytes before its end.
#[inline(never)]
fn other_words(name: &[u8]) -> Words {
    let mut window = [0; WHOLE_BYTES_MAX];
    if let Some(last) = name.last_chunk::<WHOLE_BYTES_MAX>() {
        let first = name
            .first_chunk::<8>()
            .map_or(0, |first| u64::from_le_bytes(*first));
        let words = load(last);
        return Words(words.0 ^ first.rotate_left(17), words.1, words.2);
    }
    if let Some(place) = window.get_mut(WHOLE_BYTES_MAX - name.len()..) {
        place.copy_from_slice(name);
    }
    load(&window)
}
