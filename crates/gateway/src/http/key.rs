//! The key of an upgrade and the answer it wants (RFC 6455, 4.2.2).

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What RFC 6455 appends to every key.
const SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Key`: sixteen bytes in base64. A nonce, not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketKey([u8; 16]);

impl WebSocketKey {
    /// A key of our own, from sixteen random bytes.
    pub fn new(random: [u8; 16]) -> WebSocketKey {
        WebSocketKey(random)
    }

    /// Reads a peer's key; only the one canonical spelling of sixteen bytes is one.
    pub(super) fn parse(value: &[u8]) -> Option<WebSocketKey> {
        let bytes = STANDARD.decode(value).ok()?;
        bytes.try_into().ok().map(WebSocketKey)
    }

    /// How it is written in the request.
    pub fn text(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// What the server must answer in `Sec-WebSocket-Accept`.
    pub fn accept(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(self.text().as_bytes());
        context.update(SUFFIX);
        STANDARD.encode(context.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::WebSocketKey;

    #[test]
    fn the_standards_own_example_is_answered() {
        let key = WebSocketKey::parse(b"dGhlIHNhbXBsZSBub25jZQ==");
        let accept = key.map(|key| key.accept());
        assert_eq!(accept.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn only_sixteen_bytes_in_canonical_base64_are_a_key() {
        let wrong: [&[u8]; 7] = [
            b"",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZR==",
            b"dGhlIHNhbXBsZSBub25jZQ== ",
            b"dGhlIHNhbXBsZSBub25j",
            b"dGhlIHNhbXBsZSBub25jZTE=",
            b"dGhlIHNhbXBsZSBub25jZ_==",
        ];
        for value in wrong {
            assert_eq!(WebSocketKey::parse(value), None);
        }
    }
}
