//! The upgrade from HTTP/1.1 to WebSocket, both ways, without a socket.
//!
//! ```text
//! station ─ request head ─▶ RequestHead ─▶ (authentication) ─▶ UpgradeRequest ─ request head ─▶ CSMS
//! station ◀─ 101 or refusal ──────────────────────────────────── Switched ◀──── response head ─ CSMS
//! ```
//!
//! Read strictly, since what two readers understand differently is an attack: one spelling of line
//! ends, no folding, nothing twice that must be once. What goes on to the CSMS is written anew from
//! parsed values; no header of the station travels (threat A17), so there is nothing to strip.

mod answer;
mod basic;
mod deflate;
mod head;
mod key;
mod request;
mod response;
mod upstream;

pub use answer::{Status, refusal, switching_protocols};
pub use basic::{Authorization, BasicCredential, Offered};
pub use key::WebSocketKey;
pub use request::{RequestError, RequestHead};
pub use response::{ResponseError, Switched, read_response};
pub use upstream::{ForwardedCertificate, UpgradeRequest};

/// Bytes of a request's or a response's head, at most; more is refused as soon as it is there.
pub const HEAD_BYTES_MAX: usize = 8 << 10;
/// Header lines of a head, at most.
pub const HEADERS_MAX: usize = 64;
/// Bytes of a request's path, at most: a route, and an identity whose every byte is escaped.
pub const PATH_BYTES_MAX: usize = 2 << 10;
/// Extensions of an offer that are looked at.
pub const EXTENSIONS_MAX: usize = 16;
/// Subprotocols of an offer that are looked at; there are three to find.
pub const SUBPROTOCOLS_MAX: usize = 16;

/// How far a head has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// Its end has not arrived.
    Incomplete,
    /// It is whole, and lawful.
    Complete {
        /// What it says.
        head: T,
        /// Where it ends: what follows belongs to the WebSocket.
        consumed: usize,
    },
}

#[cfg(test)]
mod tests;
