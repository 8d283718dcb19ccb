//! Which certificates their issuers have taken back: a snapshot, read elsewhere, asked here.

use std::fmt;

/// RFC 5280 gives a serial number 20 octets; what some authorities issue is a little longer.
const SERIAL_BYTES_MAX: usize = 32;

/// A certificate's number among its issuer's. Leading zeros do not count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial {
    length: u8,
    bytes: [u8; SERIAL_BYTES_MAX],
}

impl Serial {
    /// Takes the content of a DER integer; `None` if it is longer than any authority's.
    pub fn new(der: &[u8]) -> Option<Serial> {
        let leading = der.iter().take_while(|byte| **byte == 0).count();
        let significant = der.get(leading..)?;
        let mut bytes = [0; SERIAL_BYTES_MAX];
        bytes
            .get_mut(..significant.len())?
            .copy_from_slice(significant);
        Some(Serial {
            length: u8::try_from(significant.len()).ok()?,
            bytes,
        })
    }

    /// The number, big-endian, without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}

/// As `openssl x509 -serial` writes it, in lower case.
impl fmt::Display for Serial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.length == 0 {
            return out.write_str("00");
        }
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Serial({self})")
    }
}

/// One revocation list, its signature checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    issuer: Vec<u8>,
    this_update: i64,
    next_update: i64,
    /// Sorted, so that asking is a binary search and a hostile list costs no more than another.
    revoked: Vec<Serial>,
}

impl RevocationList {
    /// A list of the issuer with that name (DER), made and due anew at these Unix seconds.
    pub fn new(
        issuer: Vec<u8>,
        this_update: i64,
        next_update: i64,
        mut revoked: Vec<Serial>,
    ) -> RevocationList {
        revoked.sort_unstable();
        revoked.dedup();
        revoked.shrink_to_fit();
        RevocationList {
            issuer,
            this_update,
            next_update,
            revoked,
        }
    }

    /// Whose list it is: the name, DER.
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// When it was made, in Unix seconds.
    pub fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When the next one is due, in Unix seconds.
    pub fn next_update(&self) -> i64 {
        self.next_update
    }

    /// What is revoked, in order.
    pub fn revoked(&self) -> &[Serial] {
        &self.revoked
    }
}

/// All lists of one listener's client CA. Several of one issuer count together: its certificate is
/// revoked when any of them says so, and they are due when the first of them is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    lists: Vec<RevocationList>,
}

/// What the lists say about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// No list is of its issuer.
    NoList,
    /// It is on one.
    Revoked,
    /// It is on none.
    Good {
        /// When the issuer's next list is due, in Unix seconds.
        next_update: i64,
    },
}

impl Revocations {
    /// Puts lists together.
    pub fn of(lists: impl IntoIterator<Item = RevocationList>) -> Revocations {
        Revocations {
            lists: lists.into_iter().collect(),
        }
    }

    /// Every list.
    pub fn lists(&self) -> &[RevocationList] {
        &self.lists
    }

    /// Asks about one certificate.
    pub fn look_up(&self, issuer: &[u8], serial: &Serial) -> Known {
        let mut known = Known::NoList;
        for list in self.lists.iter().filter(|list| list.issuer == issuer) {
            if list.revoked.binary_search(serial).is_ok() {
                return Known::Revoked;
            }
            let due = match known {
                Known::Good { next_update } => next_update.min(list.next_update),
                Known::NoList | Known::Revoked => list.next_update,
            };
            known = Known::Good { next_update: due };
        }
        known
    }
}
