//! What a TLS client is known by: its JA4, 36 characters in text and 22 bytes here.

use std::fmt;
use std::str::FromStr;

/// A JA4 fingerprint (TLS over TCP) of a ClientHello, of which tickets, pre-shared keys, early data and
/// padding are left out: a station that resumes its TLS session is known by the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsFingerprint {
    /// `t13d1516h2`: version, server name, how many suites and extensions, first protocol.
    start: [u8; 10],
    /// The first bytes of the suites' SHA-256.
    suites: [u8; 6],
    /// And of that of the extensions and signature algorithms.
    extensions: [u8; 6],
}

/// Why a text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not of the form t13d1516h2_8daaf6152771_02713d6af862")]
pub struct InvalidTlsFingerprint;

impl TlsFingerprint {
    /// Puts one together; `None` where the start is not what JA4 allows.
    pub fn new(start: [u8; 10], suites: [u8; 6], extensions: [u8; 6]) -> Option<TlsFingerprint> {
        let (first, rest) = start.split_first()?;
        let fits = *first == b't' && rest.iter().all(u8::is_ascii_alphanumeric);
        fits.then_some(TlsFingerprint {
            start,
            suites,
            extensions,
        })
    }
}

impl fmt::Display for TlsFingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.start {
            write!(out, "{}", char::from(byte))?;
        }
        for hash in [self.suites, self.extensions] {
            out.write_str("_")?;
            for byte in hash {
                write!(out, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for TlsFingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for TlsFingerprint {
    type Err = InvalidTlsFingerprint;

    fn from_str(text: &str) -> Result<TlsFingerprint, InvalidTlsFingerprint> {
        let mut parts = text.split('_');
        let (start, suites, extensions) = (parts.next(), parts.next(), parts.next());
        let start = start.and_then(|start| start.as_bytes().try_into().ok());
        let (Some(start), None) = (start, parts.next()) else {
            return Err(InvalidTlsFingerprint);
        };
        let hashes = suites.and_then(hash).zip(extensions.and_then(hash));
        let (suites, extensions) = hashes.ok_or(InvalidTlsFingerprint)?;
        TlsFingerprint::new(start, suites, extensions).ok_or(InvalidTlsFingerprint)
    }
}

/// Twelve hexadecimal digits in lower case.
fn hash(digits: &str) -> Option<[u8; 6]> {
    let mut hash = [0; 6];
    let digits = digits.as_bytes();
    if digits.len() != 12 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let text = std::str::from_utf8(pair).ok()?;
        if text.starts_with('+') {
            return None;
        }
        *byte = u8::from_str_radix(text, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_written_as_it_is_read() {
        let text = "t13d1516h2_8daaf6152771_02713d6af862";
        let read: TlsFingerprint = text.parse().unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(format!("{read:?}"), text);
        for wrong in [
            "",
            "t13d1516h2",
            "t13d1516h2_8daaf6152771",
            "t13d1516h2_8daaf6152771_02713d6af862_",
            "t13d1516h_8daaf6152771_02713d6af862",
            "t13d1516h2_8daaf615277_02713d6af862",
            "t13d1516h2_8DAAF6152771_02713d6af862",
            "t13d1516h2_8daaf615277g_02713d6af862",
            "t13d1516h2_+daaf6152771_02713d6af862",
            "q13d1516h2_8daaf6152771_02713d6af862",
            "t13d15-6h2_8daaf6152771_02713d6af862",
            "t13d1516h2_8daaf615277é_02713d6af86",
        ] {
            assert_eq!(
                wrong.parse::<TlsFingerprint>(),
                Err(InvalidTlsFingerprint),
                "{wrong}"
            );
        }
    }
}
