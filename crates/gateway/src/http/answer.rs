//! What we answer a station's request: a 101, or a refusal that says no more than its status.

use super::WebSocketKey;
use super::deflate;
use crate::ws::DeflateTerms;

/// The statuses we refuse with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 400.
    BadRequest,
    /// 401, with the challenge that HTTP wants in it.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 409: the station has a live session.
    Conflict,
    /// 426: not an upgrade, or not to the WebSocket we speak.
    UpgradeRequired,
    /// 429.
    TooManyRequests,
    /// 431.
    HeadTooLarge,
    /// 500: a fault of ours.
    InternalError,
    /// 503: the CSMS cannot be reached, or refused.
    ServiceUnavailable,
    /// 505.
    VersionNotSupported,
}

impl Status {
    /// The number.
    pub const fn code(self) -> u16 {
        match self {
            Status::BadRequest => 400,
            Status::Unauthorized => 401,
            Status::Forbidden => 403,
            Status::NotFound => 404,
            Status::MethodNotAllowed => 405,
            Status::Conflict => 409,
            Status::UpgradeRequired => 426,
            Status::TooManyRequests => 429,
            Status::HeadTooLarge => 431,
            Status::InternalError => 500,
            Status::ServiceUnavailable => 503,
            Status::VersionNotSupported => 505,
        }
    }

    const fn phrase(self) -> &'static str {
        match self {
            Status::BadRequest => "Bad Request",
            Status::Unauthorized => "Unauthorized",
            Status::Forbidden => "Forbidden",
            Status::NotFound => "Not Found",
            Status::MethodNotAllowed => "Method Not Allowed",
            Status::Conflict => "Conflict",
            Status::UpgradeRequired => "Upgrade Required",
            Status::TooManyRequests => "Too Many Requests",
            Status::HeadTooLarge => "Request Header Fields Too Large",
            Status::InternalError => "Internal Server Error",
            Status::ServiceUnavailable => "Service Unavailable",
            Status::VersionNotSupported => "HTTP Version Not Supported",
        }
    }

    /// The headers that HTTP wants with a status.
    const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Status::Unauthorized => &[("WWW-Authenticate", "Basic realm=\"ocpp\"")],
            Status::MethodNotAllowed => &[("Allow", "GET")],
            Status::UpgradeRequired => &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
            _ => &[],
        }
    }
}

/// A refusal. Its body is always empty, so that it is no oracle (threat A04).
pub fn refusal(status: Status, extra: &[(&'static str, &str)]) -> Vec<u8> {
    let connection = match status {
        Status::UpgradeRequired => "close, Upgrade",
        _ => "close",
    };
    let mut out = format!("HTTP/1.1 {} {}\r\n", status.code(), status.phrase());
    push_header(&mut out, "Connection", connection);
    push_header(&mut out, "Content-Length", "0");
    for (name, value) in status.headers().iter().chain(extra) {
        push_header(&mut out, name, value);
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// The 101 that opens the WebSocket, compressed if that was agreed on.
pub fn switching_protocols(
    key: &WebSocketKey,
    subprotocol: Option<&str>,
    deflate: Option<DeflateTerms>,
) -> Vec<u8> {
    let mut out = String::from("HTTP/1.1 101 Switching Protocols\r\n");
    push_header(&mut out, "Upgrade", "websocket");
    push_header(&mut out, "Connection", "Upgrade");
    push_header(&mut out, "Sec-WebSocket-Accept", &key.accept());
    if let Some(name) = subprotocol {
        push_header(&mut out, "Sec-WebSocket-Protocol", name);
    }
    if let Some(terms) = deflate {
        push_header(
            &mut out,
            "Sec-WebSocket-Extensions",
            &deflate::answer(terms),
        );
    }
    out.push_str("\r\n");
    out.into_bytes()
}

/// Appends a header line. A value can never end the line: control characters are left out.
pub(super) fn push_header(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.extend(value.chars().filter(|letter| !letter.is_control()));
    out.push_str("\r\n");
}
