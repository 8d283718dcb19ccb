//! Where strings may end: one bit for each byte of the message that a string cannot simply hold (a
//! quote, a backslash, a control character), found many bytes at a time before the reader walks.
//!
//! With this map the end of a string is a bit scan, whatever its length, and the walk itself looks
//! only at what stands between strings.

/// The map of one message. Its memory is kept for the next one.
#[derive(Debug, Default)]
pub(super) struct Stops {
    words: Vec<u64>,
}

impl Stops {
    /// Maps a message.
    pub(super) fn map(&mut self, bytes: &[u8]) {
        self.words.clear();
        self.words.reserve(bytes.len() / 64 + 2);
        let (blocks, rest) = bytes.as_chunks::<64>();
        self.words.extend(blocks.iter().map(block_stops));
        // What is missing in the last block is zero, a control character: a string that nobody
        // closed stops there.
        let mut last = [0_u8; 64];
        if let Some(start) = last.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        self.words.push(block_stops(&last));
    }

    /// The first such byte at or after `from`; the message's length or more when there is none.
    #[inline]
    pub(super) fn next(&self, from: usize) -> usize {
        let mut word = from / 64;
        let mut bits = match self.words.get(word) {
            Some(bits) => bits >> (from % 64),
            None => return from,
        };
        if bits != 0 {
            return from + bits.trailing_zeros() as usize;
        }
        loop {
            word += 1;
            bits = match self.words.get(word) {
                Some(bits) => *bits,
                None => return word * 64,
            };
            if bits != 0 {
                return word * 64 + bits.trailing_zeros() as usize;
            }
        }
    }
}

/// The stops of 64 bytes.
///
/// Written so that the compiler turns the comparisons into vector instructions; a multiplication then
/// gathers eight of their results in one byte.
#[inline]
fn block_stops(block: &[u8; 64]) -> u64 {
    let marks = block.map(|byte| u8::from(byte == b'"' || byte == b'\\' || byte < 0x20));
    let mut stops = 0;
    for (place, eight) in marks.as_chunks::<8>().0.iter().enumerate() {
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        stops |= bits << (8 * place);
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::{Stops, block_stops};

    fn is_stop(byte: u8) -> bool {
        byte == b'"' || byte == b'\\' || byte < 0x20
    }

    #[test]
    fn every_byte_is_mapped() {
        for start in 0..=255_u8 {
            let block: [u8; 64] =
                std::array::from_fn(|i| start.wrapping_mul(31).wrapping_add(i as u8));
            let plain = (0..64).fold(0, |bits, i| bits | u64::from(is_stop(block[i])) << i);
            assert_eq!(block_stops(&block), plain);
        }
    }

    #[test]
    fn the_next_stop_is_found_at_every_distance() {
        let mut stops = Stops::default();
        for length in 0..200 {
            let mut bytes = vec![b'a'; length];
            stops.map(&bytes);
            assert!(stops.next(0) >= length);
            assert!(stops.next(length + 500) >= length);
            for at in 0..length {
                bytes[at] = b'"';
                stops.map(&bytes);
                assert_eq!(stops.next(0), at);
                assert_eq!(stops.next(at), at);
                assert!(stops.next(at + 1) >= length);
                bytes[at] = b'a';
            }
        }
    }
}
