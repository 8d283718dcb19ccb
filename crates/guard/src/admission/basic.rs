//! HTTP Basic (RFC 7617) as admission sees it: a user name and a password, both bytes. The header has
//! been read at the door, once.

use crate::Secret;

/// What a Basic header held.
#[derive(Clone, Debug)]
pub struct Basic {
    pub(super) user: Vec<u8>,
    pub(super) password: Secret,
}

impl Basic {
    /// What stood before the first colon, and what stood after it, byte for byte: OCPP 1.6's password
    /// need not be UTF-8.
    pub fn new(user: Vec<u8>, password: Secret) -> Basic {
        Basic { user, password }
    }
}
