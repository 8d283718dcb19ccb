//! What a CSMS does with a station at its door, well-behaved or not.

/// What to do with a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// 101.
    Accept,
    /// That status, and no conversation.
    Refuse(u16),
    /// 302 to that address.
    Redirect(String),
    /// 101 with this subprotocol, whatever was offered.
    AcceptAs(String),
    /// 101, and at once a close frame with that code.
    AcceptThenClose(u16),
    /// 101, and at once the socket dies without a goodbye.
    AcceptThenDrop,
}
