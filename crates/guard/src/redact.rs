//! How a field's value may be shown: by what it means, never by where it stands.
//!
//! Identifiers of persons, tokens, contracts, vehicles and SIMs become keyed pseudonyms, the same for
//! the same identifier; secrets and free text become a length. Whatever is left is shown with its
//! control characters escaped, so that no value can forge a line of a log.

use std::fmt;

use ocpp::{Fact, Facts, Meaning};

use crate::PseudonymKey;

/// A value with its meaning, to be displayed.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// What the value is.
    pub meaning: Meaning,
    /// The value, unescaped.
    pub text: &'a str,
    /// The key of its pseudonym.
    pub key: &'a PseudonymKey,
}

/// A fact of a message as it may be shown, its escapes undone.
pub fn shown(facts: &Facts<'_>, fact: &Fact, key: &PseudonymKey) -> String {
    let shown = Shown {
        meaning: fact.field.meaning,
        text: &ocpp::unescape(facts.text(fact)),
        key,
    };
    shown.to_string()
}

/// Characters of a value at most.
const SHOWN_CHARS_MAX: usize = 128;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning {
            Meaning::Token => self.pseudonym(out, "token"),
            Meaning::Person => self.pseudonym(out, "person"),
            Meaning::Contract => self.pseudonym(out, "contract"),
            Meaning::Vehicle => self.pseudonym(out, "vehicle"),
            Meaning::Sim => self.pseudonym(out, "sim"),
            Meaning::Secret => self.length(out, "secret"),
            Meaning::ConfigValue => self.length(out, "value"),
            Meaning::Certificate => self.length(out, "certificate"),
            // Signed meter data repeats the token it was measured for (OCMF, "ID").
            Meaning::Signature => self.length(out, "signature"),
            Meaning::FreeText => self.length(out, "text"),
            Meaning::VendorData => self.length(out, "data"),
            // Where a private charger stands is somebody's home.
            Meaning::Location => self.length(out, "place"),
            Meaning::Url => self.url(out),
            Meaning::Plain
            | Meaning::TokenKind
            | Meaning::CertificateHash
            | Meaning::Timestamp
            | Meaning::VendorId
            | Meaning::Serial
            | Meaning::Maker
            | Meaning::Model
            | Meaning::Firmware
            | Meaning::ConfigKey
            | Meaning::Component
            | Meaning::TransactionId
            | Meaning::Evse
            | Meaning::Connector
            | Meaning::Status
            | Meaning::ErrorCode
            | Meaning::Kind
            | Meaning::Interval
            | Meaning::Reading
            | Meaning::Measurand
            | Meaning::Unit
            | Meaning::Phase
            | Meaning::ReadingContext
            | Meaning::ChargingLimit
            | Meaning::ChargingProfile
            | Meaning::RequestId
            | Meaning::ListVersion
            | Meaning::Network
            | Meaning::SecurityProfile
            | Meaning::Offline
            | Meaning::Money => plain(out, self.text),
        }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Shown({self})")
    }
}

impl Shown<'_> {
    /// OCPP compares tokens without regard to case (CiString), and so does the pseudonym. The class
    /// is not part of it: a contract's id that is used as a token keeps its pseudonym.
    fn pseudonym(&self, out: &mut fmt::Formatter<'_>, class: &str) -> fmt::Result {
        let text = self.text.to_ascii_uppercase();
        let tag = self.key.tag("pseudonym", &[text.as_bytes()]);
        write!(out, "{class}:")?;
        for byte in &tag[..6] {
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }

    fn length(&self, out: &mut fmt::Formatter<'_>, class: &str) -> fmt::Result {
        write!(out, "{class}({} bytes)", self.text.len())
    }

    /// Scheme, host and path: user information, query and fragment may hold secrets. Where an `@`
    /// after the authority leaves open what is user information, only the scheme is shown.
    fn url(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.text.split_once("://") else {
            return self.length(out, "url");
        };
        let sound = !scheme.is_empty()
            && scheme.len() <= 16
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !sound || rest.contains('\\') {
            return self.length(out, "url");
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if tail.contains('@') {
            return write!(out, "{scheme}://({} bytes)", rest.len());
        }
        let host = authority.rsplit('@').next().unwrap_or_default();
        let path = tail.split(['?', '#']).next().unwrap_or_default();
        plain(out, &format!("{scheme}://{host}{path}"))
    }
}

/// Shows a text with everything escaped that could move a cursor, break a line or hide itself.
fn plain(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut characters = text.chars();
    for character in characters.by_ref().take(SHOWN_CHARS_MAX) {
        match moves_the_cursor(character) {
            true => write!(out, "{}", character.escape_unicode())?,
            false => write!(out, "{character}")?,
        }
    }
    match characters.next() {
        Some(_) => out.write_str("…"),
        None => Ok(()),
    }
}

fn moves_the_cursor(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
