//! Our own request for an upgrade, to the CSMS: written from parsed values only.

use std::fmt::Write;
use std::net::IpAddr;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use guard::Secret;
use ocpp::StationId;

use super::answer::push_header;
use super::deflate;
use super::head::is_token;
use super::{Authorization, WebSocketKey};

/// Everything the CSMS is told about a station.
#[derive(Clone, Debug)]
pub struct UpgradeRequest<'r> {
    /// The CSMS's host and port, as its URL names them.
    pub host: &'r str,
    /// The path of its URL; the identity is appended as one segment.
    pub path: &'r str,
    /// Who connects, as parsed.
    pub identity: &'r StationId,
    /// The one subprotocol we have chosen.
    pub subprotocol: &'r str,
    /// It is offered permessage-deflate.
    pub deflate: bool,
    /// Our key.
    pub key: WebSocketKey,
    /// What we show the CSMS.
    pub authorization: Option<&'r Authorization>,
    /// The station's address.
    pub peer: IpAddr,
    /// The station came by TLS.
    pub tls: bool,
    /// The station's certificate, verified by us.
    pub certificate: Option<ForwardedCertificate<'r>>,
}

/// A client certificate whose chain we have verified.
#[derive(Clone, Copy, Debug)]
pub struct ForwardedCertificate<'r> {
    /// The certificate itself.
    pub der: &'r [u8],
    /// The header in which this CSMS wants all of it as percent-encoded PEM (SteVe's
    /// `client-cert-header-from-proxy`).
    pub pem_header: Option<&'r str>,
}

impl UpgradeRequest<'_> {
    /// The request, to the byte. Wiped after use, since it may hold a credential.
    pub fn to_bytes(&self) -> Secret {
        let mut head = format!("GET {} HTTP/1.1\r\n", self.target());
        push_header(&mut head, "Host", self.host);
        push_header(&mut head, "Upgrade", "websocket");
        push_header(&mut head, "Connection", "Upgrade");
        push_header(&mut head, "Sec-WebSocket-Version", "13");
        push_header(&mut head, "Sec-WebSocket-Key", &self.key.text());
        push_header(&mut head, "Sec-WebSocket-Protocol", self.subprotocol);
        if self.deflate {
            push_header(&mut head, "Sec-WebSocket-Extensions", deflate::OFFER);
        }
        push_header(&mut head, "User-Agent", "Portcullis");
        self.push_forwarding(&mut head);
        self.push_certificate(&mut head);
        let mut out = head.into_bytes();
        if let Some(authorization) = self.authorization {
            const NAME: &[u8] = b"Authorization: ";
            // Room first, so that no half-written copy of the secret is left behind.
            out.reserve_exact(NAME.len() + authorization.value().len() + 4);
            out.extend_from_slice(NAME);
            out.extend_from_slice(authorization.value());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        Secret::new(out)
    }

    fn target(&self) -> String {
        let mut target = String::new();
        let path = self.path.strip_suffix('/').unwrap_or(self.path);
        if !path.starts_with('/') && !path.is_empty() {
            target.push('/');
        }
        // The path is the operator's, escapes included; only what would break the line is escaped.
        push_escaped(&mut target, path.as_bytes(), |byte| byte.is_ascii_graphic());
        target.push('/');
        push_escaped(
            &mut target,
            self.identity.as_str().as_bytes(),
            is_unreserved,
        );
        target
    }

    fn push_forwarding(&self, head: &mut String) {
        let scheme = if self.tls { "https" } else { "http" };
        let peer = self.peer.to_canonical();
        push_header(head, "X-Forwarded-For", &peer.to_string());
        push_header(head, "X-Forwarded-Proto", scheme);
        // RFC 7239: an IPv6 address stands in brackets, and what has colons in quotes.
        let node = match peer {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        push_header(head, "Forwarded", &format!("for={node};proto={scheme}"));
    }

    /// As MaEVe's gateway reads them: the hash is SHA-256 over the DER, in base64 without padding.
    fn push_certificate(&self, head: &mut String) {
        let Some(certificate) = self.certificate else {
            push_header(head, "X-Client-Cert-Present", "false");
            return;
        };
        let hash = digest::digest(&digest::SHA256, certificate.der);
        push_header(head, "X-Client-Cert-Present", "true");
        push_header(head, "X-Client-Cert-Chain-Verified", "true");
        push_header(head, "X-Client-Cert-Hash", &STANDARD_NO_PAD.encode(hash));
        if let Some(name) = certificate.pem_header
            && is_token(name.as_bytes())
        {
            push_header(head, name, &escaped_pem(certificate.der));
        }
    }
}

fn escaped_pem(der: &[u8]) -> String {
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let text = STANDARD.encode(der);
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    let mut escaped = String::with_capacity(pem.len() * 2);
    push_escaped(&mut escaped, pem.as_bytes(), is_unreserved);
    escaped
}

/// Letters that never need an escape (RFC 3986, 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn push_escaped(out: &mut String, bytes: &[u8], plain: impl Fn(u8) -> bool) {
    for byte in bytes {
        if plain(*byte) {
            out.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
