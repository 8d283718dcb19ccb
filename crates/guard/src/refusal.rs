//! The CALLERROR, or CALLRESULTERROR, that we owe for a refused message, spelled as the version in
//! use spells it.

use std::fmt::Write;

use ocpp::Side;

use crate::verdict::Owed;
use crate::{Own, Refusal};

/// Characters of an error description by OCPP-J, every version.
const DESCRIPTION_CHARS_MAX: usize = 255;

impl Refusal {
    /// Our answer in the stead of whoever would have answered; `None` when nobody waits for one.
    pub fn own(&self) -> Option<Own> {
        self.owed.as_ref().map(Owed::put)
    }

    /// Our CALLRESULTERROR to whoever gave the CALLRESULT that is refused (OCPP 2.1).
    pub fn rejection(&self) -> Option<Own> {
        self.rejects.as_ref().map(Owed::put)
    }

    /// Who is owed an answer.
    pub fn owed_to(&self) -> Option<Side> {
        self.owed.as_ref().map(|owed: &Owed| owed.to)
    }
}

impl Owed {
    fn put(&self) -> Own {
        let code = self.code.spelled(self.version);
        let mut text = String::with_capacity(32 + self.id.len() + self.description.len());
        text.push_str(match self.is_answer {
            true => "[4,",
            false => "[5,",
        });
        push_json_string(&mut text, self.id.chars());
        text.push_str(",\"");
        text.push_str(code);
        text.push_str("\",");
        push_json_string(
            &mut text,
            self.description.chars().take(DESCRIPTION_CHARS_MAX),
        );
        text.push_str(",{}]");
        Own::new(self.to, text)
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
