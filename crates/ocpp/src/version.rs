//! The versions of OCPP-J we read, and how a WebSocket names them.

use std::fmt;

/// A version of OCPP-J.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// OCPP 1.6-J with the security extension ("Improved security for OCPP 1.6-J").
    V16,
    /// OCPP 2.0.1.
    V201,
    /// OCPP 2.1, with SEND and CALLRESULTERROR.
    V21,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Version; 3] = [Version::V16, Version::V201, Version::V21];

    /// The name a WebSocket handshake uses (`Sec-WebSocket-Protocol`).
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Version::V16 => "ocpp1.6",
            Version::V201 => "ocpp2.0.1",
            Version::V21 => "ocpp2.1",
        }
    }

    /// Reads a subprotocol name; they are case-sensitive (RFC 6455, 11.3.4).
    pub fn from_subprotocol(name: &str) -> Option<Version> {
        Version::ALL
            .into_iter()
            .find(|version| version.subprotocol() == name)
    }

    /// The number people write: `1.6`, `2.0.1`, `2.1`.
    pub const fn number(self) -> &'static str {
        match self {
            Version::V16 => "1.6",
            Version::V201 => "2.0.1",
            Version::V21 => "2.1",
        }
    }

    /// Reads the number people write.
    pub fn from_number(number: &str) -> Option<Version> {
        Version::ALL
            .into_iter()
            .find(|version| version.number() == number)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn every_version_reads_its_own_names() {
        for version in Version::ALL {
            assert_eq!(
                Version::from_subprotocol(version.subprotocol()),
                Some(version)
            );
            assert_eq!(Version::from_number(version.number()), Some(version));
        }
        assert_eq!(Version::from_subprotocol("OCPP1.6"), None);
        assert_eq!(Version::from_subprotocol("ocpp1.5"), None);
    }
}
