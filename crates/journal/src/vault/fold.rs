//! One spelling for all the spellings of an identifier, so that a card keeps its handle whichever
//! reader has read it.
//!
//! Case counts for nothing (OCPP's CiString); separators count for nothing where what is left has the
//! form of a UID, a contract or a number; the two byte orders in which readers give a UID of 4, 7 or
//! 10 bytes are one; a contract's check digit is left out. What has no such form keeps its
//! separators: `anna.b` and `annab` may be two people.

use super::emaid;

/// Characters that people put between the parts of an identifier.
const SEPARATORS: &[u8] = b" -:.*_/";

/// Puts the folded spelling of `text` into `out`, whose content is replaced.
pub(crate) fn fold(text: &str, out: &mut Vec<u8>) {
    out.clear();
    let text = text.trim();
    let mut separated = false;
    if text.is_ascii() {
        for byte in text.bytes() {
            separated |= SEPARATORS.contains(&byte);
            out.push(byte.to_ascii_uppercase());
        }
    } else {
        let mut room = [0; 4];
        for letter in text.chars().flat_map(char::to_uppercase) {
            out.extend_from_slice(letter.encode_utf8(&mut room).as_bytes());
        }
    }
    if separated && has_a_form(out) {
        out.retain(|byte| !SEPARATORS.contains(byte));
    }
    if out.len() == emaid::LEN + 1 && emaid::holds(out) {
        out.truncate(emaid::LEN);
    }
    if matches!(out.len(), 8 | 14 | 20) && out.iter().all(u8::is_ascii_hexdigit) {
        lesser_byte_order(out);
    }
}

/// Whether what is left without separators is hexadecimal, a number, or shaped like a contract.
fn has_a_form(text: &[u8]) -> bool {
    let mut length = 0;
    let mut hexadecimal = true;
    let mut first = [0; emaid::LEN + 1];
    for byte in text.iter().filter(|byte| !SEPARATORS.contains(byte)) {
        if let Some(place) = first.get_mut(length) {
            *place = *byte;
        }
        hexadecimal &= byte.is_ascii_hexdigit();
        length += 1;
    }
    let shaped = matches!(length, 14 | 15) && first.get(..length).is_some_and(emaid::is_shaped);
    (hexadecimal && length >= 8) || shaped
}

/// Of a UID and the same with its bytes turned round, the lesser one.
fn lesser_byte_order(hex: &mut [u8]) {
    let turned = hex.chunks_exact(2).rev().flatten();
    if turned.lt(hex.iter()) {
        hex.reverse();
        for pair in hex.chunks_exact_mut(2) {
            pair.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        let mut out = b"what was there before".to_vec();
        fold(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn spellings_of_one_are_one() {
        for spellings in [
            &[
                "04E91C5A123F80",
                "04:e9:1c:5a:12:3f:80",
                "803F125A1CE904",
                " 04-E9-1C-5A-12-3F-80 ",
            ][..],
            &["DEADBEEF", "EFBEADDE", "de ad be ef"],
            &["DE8AAC12345678", "DE-8AA-C12345678", "de*8aa*c12345678"],
            &["FRXYZ123456789", "FR-XYZ-123456789-2", "frxyz1234567892"],
            &["8931029384756102938", "8931 0293 8475 6102 938"],
            &["anna@example.org", "Anna@Example.ORG"],
            &[
                "6f1c2a9e-4b7d-4e1a-9c3b-2f8e5d6a7b8c",
                "6F1C2A9E4B7D4E1A9C3B2F8E5D6A7B8C",
            ],
            &["müller", "MÜLLER"],
        ] {
            for spelling in spellings {
                assert_eq!(folded(spelling), folded(spellings[0]), "{spelling}");
            }
        }
    }

    #[test]
    fn what_may_be_two_stays_two() {
        for (one, other) in [
            ("anna.b", "annab"),
            ("A-1", "A1"),
            ("04E91C5A123F80", "04E91C5A123F81"),
            ("FRXYZ1234567892", "FRXYZ1234567893"),
            ("12", "21"),
            ("", "0"),
        ] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in ".{0,40}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn both_byte_orders_are_one(bytes in prop::collection::vec(any::<u8>(), 7)) {
            let hex = |bytes: &mut dyn Iterator<Item = &u8>| -> String {
                bytes.map(|byte| format!("{byte:02x}")).collect()
            };
            prop_assert_eq!(
                folded(&hex(&mut bytes.iter())),
                folded(&hex(&mut bytes.iter().rev()))
            );
        }
    }
}
