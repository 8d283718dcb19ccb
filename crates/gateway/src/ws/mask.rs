//! Masking (RFC 6455, 5.3): XOR with a key of four bytes, in place.

/// Masks or unmasks `bytes`, the first of which stands at the key's first byte.
pub fn apply_mask(bytes: &mut [u8], key: [u8; 4]) {
    // Sixteen bytes at a step: the compiler makes vector instructions of it without any `unsafe`.
    let wide = u128::from_ne_bytes([
        key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3], key[0], key[1], key[2],
        key[3], key[0], key[1], key[2], key[3],
    ]);
    let (chunks, tail) = bytes.as_chunks_mut::<16>();
    for chunk in chunks {
        *chunk = (u128::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in tail.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= mask;
    }
}

/// The key as it stands after `consumed` bytes.
pub(super) fn advance_key(mut key: [u8; 4], consumed: usize) -> [u8; 4] {
    key.rotate_left(consumed % 4);
    key
}

#[cfg(test)]
mod tests {
    use super::{advance_key, apply_mask};

    #[test]
    fn masks_as_the_standard_says_byte_by_byte() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for length in 0..100 {
            let plain: Vec<u8> = (0..length).collect();
            let mut masked = plain.clone();
            apply_mask(&mut masked, key);
            for (at, byte) in masked.iter().enumerate() {
                assert_eq!(*byte, plain[at] ^ key[at % 4]);
            }
        }
    }

    #[test]
    fn a_payload_in_pieces_is_masked_like_one_in_one() {
        let key = [1, 2, 3, 4];
        let mut whole = [0_u8; 50];
        apply_mask(&mut whole, key);
        for cut in 0..50 {
            let mut pieces = [0_u8; 50];
            let (left, right) = pieces.split_at_mut(cut);
            apply_mask(left, key);
            apply_mask(right, advance_key(key, cut));
            assert_eq!(pieces, whole);
        }
    }
}
