//! A station's request for an upgrade, parsed once into values that cannot be wrong.

use httparse::{EMPTY_HEADER, Request};

use super::deflate;
use super::head::{Fields, HeadFault, Twice, head_end, is_token};
use super::{
    HEADERS_MAX, Offered, PATH_BYTES_MAX, Parsed, SUBPROTOCOLS_MAX, Status, WebSocketKey, refusal,
};
use crate::ws::DeflateTerms;

/// Characters of a user agent that are kept.
const USER_AGENT_CHARS_MAX: usize = 128;
/// Bytes of a subprotocol's name beyond which it is nobody we know.
const SUBPROTOCOL_BYTES_MAX: usize = 64;

/// What a station asks for. Its other headers are not kept: they have no way on (threat A17).
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The path as it stood: it starts with a slash, is visible ASCII, and is still percent-encoded.
    /// It names the identity, so it has no query: one would be a second place to say who one is.
    pub path: String,
    /// The subprotocols it offers, in its order.
    pub subprotocols: Vec<String>,
    /// Its first offer of compression that we can keep.
    pub deflate: Option<DeflateTerms>,
    /// The key its 101 must answer.
    pub key: WebSocketKey,
    /// Its credential.
    pub credential: Offered,
    /// What it calls itself, in printable ASCII, cut.
    pub user_agent: Option<String>,
}

/// Why a request is not an upgrade we can grant. Told to the peer by status alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More than [`super::HEAD_BYTES_MAX`].
    #[error("the request head is too large")]
    TooLarge,
    /// More than [`HEADERS_MAX`].
    #[error("the request has too many headers")]
    TooManyHeaders,
    /// Not HTTP, or HTTP that two readers could read differently.
    #[error("the request head is malformed")]
    Malformed,
    /// Another method than GET.
    #[error("the method is not GET")]
    NotGet,
    /// Another version than HTTP/1.1.
    #[error("the version is not HTTP/1.1")]
    NotHttp11,
    /// Not a plain path.
    #[error("the target is not a plain path")]
    Path,
    /// A path with a query or a fragment.
    #[error("the target has a query")]
    Query,
    /// No `Host`, or more than one.
    #[error("there is not exactly one Host")]
    Host,
    /// Not asking for an upgrade to WebSocket.
    #[error("the request asks for no upgrade to WebSocket")]
    NotUpgrade,
    /// Another version of WebSocket than 13.
    #[error("the WebSocket version is not 13")]
    WebSocketVersion,
    /// No key, more than one, or one that is not sixteen bytes.
    #[error("there is not exactly one sound Sec-WebSocket-Key")]
    Key,
    /// A request that announces a body.
    #[error("the request announces a body")]
    Body,
    /// More than one credential.
    #[error("there is more than one Authorization")]
    TwoCredentials,
}

impl RequestError {
    /// What the peer is told.
    pub const fn status(self) -> Status {
        match self {
            RequestError::TooLarge | RequestError::TooManyHeaders => Status::HeadTooLarge,
            RequestError::NotGet => Status::MethodNotAllowed,
            RequestError::NotHttp11 => Status::VersionNotSupported,
            RequestError::NotUpgrade | RequestError::WebSocketVersion => Status::UpgradeRequired,
            _ => Status::BadRequest,
        }
    }

    /// The whole answer.
    pub fn refusal(self) -> Vec<u8> {
        refusal(self.status(), &[])
    }

    /// What is wrong, in words that can be kept without a copy.
    pub const fn words(self) -> &'static str {
        match self {
            RequestError::TooLarge => "request head too large",
            RequestError::TooManyHeaders => "too many headers",
            RequestError::Malformed => "malformed request head",
            RequestError::NotGet => "method is not GET",
            RequestError::NotHttp11 => "not HTTP/1.1",
            RequestError::Path => "target is not a plain path",
            RequestError::Query => "target has a query",
            RequestError::Host => "not exactly one Host",
            RequestError::NotUpgrade => "no upgrade to WebSocket",
            RequestError::WebSocketVersion => "WebSocket version is not 13",
            RequestError::Key => "not exactly one sound Sec-WebSocket-Key",
            RequestError::Body => "request announces a body",
            RequestError::TwoCredentials => "more than one Authorization",
        }
    }
}

impl From<HeadFault> for RequestError {
    fn from(fault: HeadFault) -> RequestError {
        match fault {
            HeadFault::TooLarge => RequestError::TooLarge,
            HeadFault::Malformed => RequestError::Malformed,
        }
    }
}

impl RequestHead {
    /// Reads a head from everything that has arrived so far. What cannot become an upgrade is refused
    /// at once, not at the deadline.
    pub fn parse(bytes: &[u8]) -> Result<Parsed<RequestHead>, RequestError> {
        const START: &[u8] = b"GET ";
        if !bytes.iter().zip(START).all(|(byte, start)| byte == start) {
            // Letters: somebody speaks HTTP to us; else it is something else altogether.
            let is_method = bytes.first().is_some_and(u8::is_ascii_uppercase);
            let is_http = is_method && memchr::memmem::find(bytes, b" HTTP/1.").is_some();
            return Err(if is_http {
                RequestError::NotGet
            } else {
                RequestError::Malformed
            });
        }
        let Some(consumed) = head_end(bytes)? else {
            return Ok(Parsed::Incomplete);
        };
        let mut headers = [EMPTY_HEADER; HEADERS_MAX];
        let mut request = Request::new(&mut headers);
        match request.parse(bytes.get(..consumed).unwrap_or_default()) {
            Ok(httparse::Status::Complete(end)) if end == consumed => {}
            Ok(_) => return Err(RequestError::Malformed),
            Err(httparse::Error::TooManyHeaders) => return Err(RequestError::TooManyHeaders),
            Err(httparse::Error::Version) => return Err(RequestError::NotHttp11),
            Err(_) => return Err(RequestError::Malformed),
        }
        if request.version != Some(1) {
            return Err(RequestError::NotHttp11);
        }
        let path = read_path(request.path.unwrap_or_default())?;
        let head = RequestHead::from_fields(path, Fields(request.headers))?;
        Ok(Parsed::Complete { head, consumed })
    }

    fn from_fields(path: String, fields: Fields<'_>) -> Result<RequestHead, RequestError> {
        if !matches!(fields.one("host"), Ok(Some(_))) {
            return Err(RequestError::Host);
        }
        if fields.has("content-length") || fields.has("transfer-encoding") {
            return Err(RequestError::Body);
        }
        if !fields.lists("upgrade", "websocket") || !fields.lists("connection", "upgrade") {
            return Err(RequestError::NotUpgrade);
        }
        if !matches!(fields.one("sec-websocket-version"), Ok(Some(b"13"))) {
            return Err(RequestError::WebSocketVersion);
        }
        let key = fields.one("sec-websocket-key").ok().flatten();
        let key = key.and_then(WebSocketKey::parse).ok_or(RequestError::Key)?;
        let authorization = fields
            .one("authorization")
            .map_err(|Twice| RequestError::TwoCredentials)?;
        Ok(RequestHead {
            path,
            subprotocols: read_subprotocols(fields),
            deflate: deflate::first_acceptable(fields),
            key,
            credential: Offered::read(authorization),
            user_agent: fields.all("user-agent").next().map(read_user_agent),
        })
    }
}

fn read_path(target: &str) -> Result<String, RequestError> {
    if target.contains(['?', '#']) {
        return Err(RequestError::Query);
    }
    let plain = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || target.len() > PATH_BYTES_MAX {
        return Err(RequestError::Path);
    }
    Ok(target.to_owned())
}

/// Takes one list or several lines, skips what is no name: stations are sloppy here, and only an
/// exact match with a version we know has any effect.
fn read_subprotocols(fields: Fields<'_>) -> Vec<String> {
    fields
        .members("sec-websocket-protocol")
        .filter(|name| name.len() <= SUBPROTOCOL_BYTES_MAX && is_token(name))
        .take(SUBPROTOCOLS_MAX)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn read_user_agent(value: &[u8]) -> String {
    let printable = |byte: &u8| {
        if matches!(byte, b' '..=b'~') {
            char::from(*byte)
        } else {
            '?'
        }
    };
    value
        .iter()
        .take(USER_AGENT_CHARS_MAX)
        .map(printable)
        .collect()
}
