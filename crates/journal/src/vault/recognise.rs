//! Identifiers and secrets in free text, by their form: pure functions over text, for what is
//! recorded and for what the gate says in its own logs.
//!
//! A form is only taken for what it looks like where something in it can be checked: a check digit,
//! a checksum, a fixed beginning, or a word in front of it. What has no form, such as a name in a
//! sentence, nobody recognises; that is why free text is sealed besides.

mod card;
mod contract;
mod email;
mod iban;
mod jwt;
mod pem;
mod phone;
mod user_info;
mod vin;

use std::borrow::Cow;
use std::ops::Range;

use super::Class;

/// What a piece of text was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A PEM block: a key or a certificate.
    Pem,
    /// A JSON web token.
    Jwt,
    /// User name and password in a URL.
    UserInfo,
    /// An e-mail address.
    Email,
    /// An international bank account number.
    Iban,
    /// A contract's name, with its check digit.
    Contract,
    /// A vehicle's identification number.
    Vin,
    /// A payment card's number.
    Card,
    /// The number of a SIM card.
    Sim,
    /// A phone number.
    Phone,
}

impl Form {
    /// Every form. Where two are found in one place, the one that comes first here counts.
    pub const ALL: [Form; 10] = [
        Form::Pem,
        Form::Jwt,
        Form::UserInfo,
        Form::Email,
        Form::Iban,
        Form::Contract,
        Form::Vin,
        Form::Card,
        Form::Sim,
        Form::Phone,
    ];

    /// Whether nothing else looks like it. A station's identity may well be a number that passes for a
    /// card's or a vehicle's, and a log without identities is of no use.
    pub fn is_certain(self) -> bool {
        match self {
            Form::Pem | Form::Jwt | Form::UserInfo | Form::Email | Form::Iban | Form::Contract => {
                true
            }
            Form::Vin | Form::Card | Form::Sim | Form::Phone => false,
        }
    }

    /// What such a thing names; `None` for a secret.
    pub fn class(self) -> Option<Class> {
        match self {
            Form::Pem | Form::Jwt | Form::UserInfo => None,
            Form::Email | Form::Phone => Some(Class::Person),
            Form::Iban | Form::Card => Some(Class::Payment),
            Form::Contract => Some(Class::Contract),
            Form::Vin => Some(Class::Vehicle),
            Form::Sim => Some(Class::Sim),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Form::Pem => "PEM block",
            Form::Jwt => "JSON web token",
            Form::UserInfo => "user information",
            Form::Email => "e-mail address",
            Form::Iban => "IBAN",
            Form::Contract => "eMAID",
            Form::Vin => "VIN",
            Form::Card => "payment card",
            Form::Sim => "ICCID",
            Form::Phone => "phone number",
        }
    }

    fn find(self, text: &str, from: usize) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        match self {
            Form::Pem => pem::find(text, from),
            Form::Jwt => jwt::find(text, from),
            Form::UserInfo => user_info::find(text, from),
            Form::Email => email::find(text, from),
            Form::Iban => at_word_starts(bytes, from, iban::at),
            Form::Contract => at_word_starts(bytes, from, contract::at),
            Form::Vin => at_word_starts(bytes, from, vin::at),
            Form::Card => at_word_starts(bytes, from, card::at),
            Form::Sim => at_word_starts(bytes, from, card::sim_at),
            Form::Phone => phone::find(bytes, from),
        }
    }
}

/// One piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub form: Form,
    /// Where it stands, in bytes.
    pub place: Range<usize>,
}

/// Pieces of one text that are told apart; what is behind them counts as one of the last's form.
const HITS_MAX: usize = 4096;

/// What is recognised in a text, in the order in which it stands there; no two overlap.
pub fn recognise(text: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for form in Form::ALL {
        let mut from = 0;
        while let Some(place) = form.find(text, from) {
            from = place.end.max(from + 1);
            // Of what is found twice, the form that comes first has it already.
            let taken = hits.partition_point(|hit| hit.place.end <= place.start);
            let free = hits
                .get(taken)
                .is_none_or(|hit| hit.place.start >= place.end);
            if free && hits.len() < HITS_MAX {
                hits.insert(taken, Hit { form, place });
            }
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
    }
    hits
}

/// A text in which whatever was recognised has given way to its form's name.
pub fn without_identifiers(text: &str) -> Cow<'_, str> {
    without(text, |_| true)
}

/// A line of a log, which also holds what must stay: only forms that nothing else has give way.
pub fn without_certain_identifiers(line: &str) -> Cow<'_, str> {
    without(line, Form::is_certain)
}

fn without(text: &str, wanted: impl Fn(Form) -> bool) -> Cow<'_, str> {
    let mut hits = recognise(text);
    hits.retain(|hit| wanted(hit.form));
    if hits.is_empty() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for hit in hits {
        out.push_str(text.get(copied..hit.place.start).unwrap_or_default());
        out.push('[');
        out.push_str(hit.form.name());
        out.push(']');
        copied = hit.place.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out.into()
}

/// Looks at every place where a word begins.
fn at_word_starts(
    bytes: &[u8],
    from: usize,
    at: fn(&[u8], usize) -> Option<usize>,
) -> Option<Range<usize>> {
    (from..bytes.len())
        .filter(|start| bytes[*start].is_ascii_alphanumeric() && starts_word(bytes, *start))
        .find_map(|start| at(bytes, start).map(|end| start..end))
}

/// Whether nothing that belongs to the same word stands before. In a text that is JSON itself, the
/// letter before may belong to an escape: `\n4111…`.
fn starts_word(bytes: &[u8], at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| bytes.get(before)) {
        None => true,
        Some(b'n' | b'r' | b't') => at >= 2 && bytes.get(at - 2) == Some(&b'\\'),
        Some(byte) => !byte.is_ascii_alphanumeric(),
    }
}

/// Letters and digits from one place on, with at most one separator between two of them.
struct Run {
    /// In capitals.
    letters: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    separated: bool,
}

impl Run {
    fn of(bytes: &[u8], start: usize, separators: &[u8], max: usize) -> Run {
        let mut run = Run {
            letters: Vec::with_capacity(max),
            ends: Vec::with_capacity(max),
            separated: false,
        };
        let mut at = start;
        let mut separator = true;
        while let Some(byte) = bytes.get(at) {
            if byte.is_ascii_alphanumeric() && run.letters.len() < max {
                run.letters.push(byte.to_ascii_uppercase());
                run.ends.push(at + 1);
                separator = false;
            } else if separators.contains(byte) && !separator {
                separator = true;
                run.separated |= run.letters.len() < max;
            } else {
                break;
            }
            at += 1;
        }
        run
    }

    /// The first so many letters, if no letter follows them directly.
    fn whole(&self, length: usize, bytes: &[u8]) -> Option<(&[u8], usize)> {
        let end = *self.ends.get(length.checked_sub(1)?)?;
        let follows = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
        (!follows).then_some((self.letters.get(..length)?, end))
    }
}

#[cfg(test)]
mod tests;
