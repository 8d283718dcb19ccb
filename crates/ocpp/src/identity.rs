//! A station's identity: parsed once, where it enters, and never a path again (threat A15).

use std::fmt;
use std::sync::Arc;

use crate::Version;
use crate::unescape::folded;

/// A station's name. Cheap to clone; compared byte for byte.
///
/// OCPP 2.x: identifierString without a colon, at most 48 characters. OCPP 1.6: printable
/// characters other than `/ \ %`, at most 255 bytes; a colon cannot be used with HTTP Basic
/// (RFC 7617, 2), which whoever checks the credential must see to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StationId(Arc<str>);

/// Why a text is no station identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStationId {
    /// Nothing there.
    #[error("the identity is empty")]
    Empty,
    /// Longer than the version allows.
    #[error("the identity is longer than {max}")]
    TooLong {
        /// Characters (2.x) or bytes (1.6).
        max: usize,
    },
    /// A character the version does not allow.
    #[error("the identity holds a character that OCPP {0} does not allow in one")]
    Character(Version),
}

impl StationId {
    /// Characters of an identity in OCPP 2.x.
    pub const CHARS_MAX_2X: usize = 48;
    /// Bytes of an identity in OCPP 1.6, which states no limit of its own for JSON.
    pub const BYTES_MAX_16: usize = 255;

    /// Reads an identity as that version allows it; the only door in.
    pub fn parse(text: &str, version: Version) -> Result<StationId, InvalidStationId> {
        if text.is_empty() {
            return Err(InvalidStationId::Empty);
        }
        let (fits, max, allowed): (bool, usize, fn(char) -> bool) = match version {
            Version::V16 => (
                text.len() <= Self::BYTES_MAX_16,
                Self::BYTES_MAX_16,
                printable,
            ),
            Version::V201 | Version::V21 => (
                text.len() <= Self::CHARS_MAX_2X,
                Self::CHARS_MAX_2X,
                identifier_string,
            ),
        };
        if !fits {
            return Err(InvalidStationId::TooLong { max });
        }
        // A leading or trailing space survives no configuration file, and a segment of dots only
        // names another path: both are tricks (A15).
        let trick = text.starts_with(' ') || text.ends_with(' ') || matches!(text, "." | "..");
        if trick || !text.chars().all(allowed) {
            return Err(InvalidStationId::Character(version));
        }
        Ok(StationId(Arc::from(text)))
    }

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which two identities that differ only in case are the same, so that a store
    /// can refuse the second. Letters meet as they do in keys: a CSMS that matches names whatever
    /// their case takes `ſ` for `s`.
    pub fn folded(&self) -> String {
        self.0.chars().map(folded).collect()
    }

    /// Whether HTTP Basic can carry it as a user name (RFC 7617, 2).
    pub fn fits_basic(&self) -> bool {
        !self.0.contains(':')
    }
}

/// 1.6 leaves the alphabet open: printable, and nothing that a path or a log line could be bent with.
fn printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '/' | '\\' | '%' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// OCPP 2.x, part 2: identifierString without the colon that Basic cannot carry.
fn identifier_string(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '*' | '-' | '_' | '=' | '+' | '|' | '@' | '.')
}

impl fmt::Display for StationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for StationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "StationId({:?})", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_alphabet() {
        let spaced = "CP 1";
        assert!(StationId::parse(spaced, Version::V16).is_ok());
        assert!(StationId::parse(spaced, Version::V201).is_err());
        assert!(StationId::parse("DE*ABC*E1@x|y=z+_-.", Version::V21).is_ok());
        assert!(StationId::parse("a:b", Version::V16).is_ok_and(|id| !id.fits_basic()));
        assert!(StationId::parse("a:b", Version::V201).is_err());
    }

    #[test]
    fn identities_that_differ_only_in_case_fold_to_one() {
        let folded = |text| StationId::parse(text, Version::V16).map(|id| id.folded());
        for (one, other) in [("CP-k", "cp-\u{212a}"), ("BOXES", "boxeſ"), ("Ä1", "ä1")] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("CP-1"), folded("CP-2"));
    }

    #[test]
    fn tricks_with_paths_are_no_identities() {
        for trick in [
            "",
            "a/b",
            "a\\b",
            "a%2fb",
            "a\0b",
            "a\nb",
            " a",
            "a ",
            "a\u{202e}b",
            "\u{feff}a",
            ".",
            "..",
        ] {
            for version in Version::ALL {
                assert!(
                    StationId::parse(trick, version).is_err(),
                    "{trick:?} in {version}"
                );
            }
        }
        assert!(StationId::parse(&"a".repeat(48), Version::V201).is_ok());
        assert!(StationId::parse(&"a".repeat(49), Version::V201).is_err());
        assert!(StationId::parse(&"a".repeat(256), Version::V16).is_err());
    }
}
