//! The CALLERROR we owe for a refused message, spelled as the version in use spells it.

use std::fmt::Write;

use ocpp::Side;

use crate::verdict::Owed;
use crate::{Own, Refusal};

/// Characters of an error description by OCPP-J, every version.
const DESCRIPTION_CHARS_MAX: usize = 255;

impl Refusal {
    /// Our answer in the stead of whoever would have answered; `None` when nobody waits for one.
    pub fn own(&self) -> Option<Own> {
        let owed = self.owed.as_ref()?;
        let code = self.code.spelled(owed.version);
        let mut text = String::with_capacity(32 + owed.id.len() + owed.description.len());
        text.push_str("[4,");
        push_json_string(&mut text, owed.id.chars());
        text.push_str(",\"");
        text.push_str(code);
        text.push_str("\",");
        push_json_string(
            &mut text,
            owed.description.chars().take(DESCRIPTION_CHARS_MAX),
        );
        text.push_str(",{}]");
        Some(Own::new(owed.to, text))
    }

    /// Who is owed an answer.
    pub fn owed_to(&self) -> Option<Side> {
        self.owed.as_ref().map(|owed: &Owed| owed.to)
    }
}

/// Writes a JSON string with its quotes (RFC 8259, 7).
fn push_json_string(out: &mut String, text: impl Iterator<Item = char>) {
    out.push('"');
    for character in text {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}
