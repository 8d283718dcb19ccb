//! A search for many texts at once, in every encoding that a thief would try.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// What is searched for, by its first bytes.
pub(crate) struct Needles(HashMap<[u8; HEAD], Vec<Needle>>);

struct Needle {
    bytes: Vec<u8>,
    encoding: &'static str,
    text: String,
}

const HEAD: usize = 8;

impl Needles {
    /// These texts, in every encoding.
    pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Needles {
        let mut needles = Needles(HashMap::new());
        for text in texts {
            let lower = text.to_lowercase();
            for spelling in [text, &lower] {
                needles.add_encoded(spelling.as_bytes(), text);
                let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
                    spelling.encode_utf16().flat_map(order).collect()
                };
                needles.add(wide(u16::to_le_bytes), "UTF-16LE", text);
                needles.add(wide(u16::to_be_bytes), "UTF-16BE", text);
            }
        }
        needles
    }

    /// These bytes, in every encoding.
    pub(crate) fn of_bytes<'b>(all: impl Iterator<Item = &'b [u8]>) -> Needles {
        let mut needles = Needles(HashMap::new());
        for bytes in all {
            needles.add_encoded(bytes, "bytes");
        }
        needles
    }

    fn add_encoded(&mut self, bytes: &[u8], text: &str) {
        let hex = |upper: bool| -> Vec<u8> {
            let digit = |byte: &u8| match upper {
                true => format!("{byte:02X}"),
                false => format!("{byte:02x}"),
            };
            bytes.iter().map(digit).collect::<String>().into_bytes()
        };
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        self.add(bytes.to_vec(), "as it is", text);
        self.add(reversed, "reversed", text);
        self.add(hex(false), "hexadecimal", text);
        self.add(hex(true), "hexadecimal", text);
        for offset in 0..3 {
            // What stands before shifts the letters; those that it reaches into are left out, and
            // those that what stands behind reaches into.
            let shifted = [&[0; 2][..offset], bytes].concat();
            for letters in [
                BASE64_STANDARD_NO_PAD.encode(&shifted),
                BASE64_URL_SAFE_NO_PAD.encode(&shifted),
            ] {
                let first = (offset * 8).div_ceil(6);
                let end = shifted.len() * 8 / 6;
                self.add(letters.as_bytes()[first..end].to_vec(), "base64", text);
            }
        }
    }

    fn add(&mut self, bytes: Vec<u8>, encoding: &'static str, text: &str) {
        let head = *bytes.first_chunk().expect("what is planted is long enough");
        let same = self.0.entry(head).or_default();
        same.push(Needle {
            bytes,
            encoding,
            text: text.to_owned(),
        });
    }

    /// What stands there, and in which encoding.
    pub(crate) fn find(&self, haystack: &[u8]) -> Option<(&str, &'static str)> {
        let mut places = haystack.windows(HEAD).enumerate();
        places.find_map(|(place, head)| {
            let same = self.0.get(head)?;
            let found = same
                .iter()
                .find(|needle| haystack[place..].starts_with(&needle.bytes))?;
            Some((found.text.as_str(), found.encoding))
        })
    }
}

#[test]
fn what_is_there_is_found_in_every_encoding() {
    let text = "Kx7PlantedValue9";
    let needles = Needles::of([text].into_iter());
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut stacks = vec![
        text.as_bytes().to_vec(),
        text.to_lowercase().into_bytes(),
        text.bytes().rev().collect(),
        text.bytes()
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>()
            .into_bytes(),
        wide,
    ];
    for before in ["", "a", "ab"] {
        for behind in ["", "c", "cd"] {
            let around = format!("{before}{text}{behind}");
            stacks.push(BASE64_STANDARD_NO_PAD.encode(around).into_bytes());
        }
    }
    for stack in stacks {
        let stack = [b"before", stack.as_slice(), b"behind"].concat();
        assert!(
            needles.find(&stack).is_some(),
            "{}",
            String::from_utf8_lossy(&stack)
        );
    }
    assert!(needles.find(b"Kx7Planted and something else").is_none());
}
