//! The CSMS's answer to our upgrade.

use httparse::{EMPTY_HEADER, Response};

use super::deflate;
use super::head::{Fields, HeadFault, head_end};
use super::{HEADERS_MAX, Parsed, WebSocketKey};
use crate::ws::DeflateTerms;

/// Proof that the CSMS has agreed, with our key and our subprotocol: only [`read_response`] makes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Switched {
    deflate: Option<DeflateTerms>,
}

impl Switched {
    /// What it has agreed to about compression.
    pub fn deflate(&self) -> Option<DeflateTerms> {
        self.deflate
    }
}

/// Why there is no WebSocket to the CSMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// More than [`super::HEAD_BYTES_MAX`], or more headers than [`HEADERS_MAX`].
    #[error("the CSMS's response head is too large")]
    TooLarge,
    /// Not HTTP/1.1, or HTTP that two readers could read differently.
    #[error("the CSMS's response is not HTTP/1.1")]
    Malformed,
    /// Another status than 101. A redirect is one of them: it is never followed.
    #[error("the CSMS answered with status {0}")]
    Status(u16),
    /// A 101 to something else than WebSocket.
    #[error("the CSMS's 101 is no upgrade to WebSocket")]
    NotWebSocket,
    /// No `Sec-WebSocket-Accept`, more than one, or one for another key.
    #[error("the CSMS's Sec-WebSocket-Accept is not the answer to our key")]
    Accept,
    /// Another subprotocol than the one we asked for, or none.
    #[error("the CSMS did not agree to the subprotocol")]
    Subprotocol,
    /// An extension that was not offered, or compression on terms that we do not keep.
    #[error("the CSMS chose an extension that was not offered, or not on these terms")]
    Extension,
}

impl From<HeadFault> for ResponseError {
    fn from(fault: HeadFault) -> ResponseError {
        match fault {
            HeadFault::TooLarge => ResponseError::TooLarge,
            HeadFault::Malformed => ResponseError::Malformed,
        }
    }
}

/// Reads the answer to an [`super::UpgradeRequest`] with this key, subprotocol and perhaps an offer of
/// compression from everything that has arrived so far. What follows the head are the CSMS's first frames.
pub fn read_response(
    bytes: &[u8],
    key: &WebSocketKey,
    subprotocol: &str,
    offered_deflate: bool,
) -> Result<Parsed<Switched>, ResponseError> {
    const START: &[u8] = b"HTTP/1.1 ";
    if !bytes.iter().zip(START).all(|(byte, start)| byte == start) {
        return Err(ResponseError::Malformed);
    }
    let Some(consumed) = head_end(bytes)? else {
        return Ok(Parsed::Incomplete);
    };
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut response = Response::new(&mut headers);
    match response.parse(bytes.get(..consumed).unwrap_or_default()) {
        Ok(httparse::Status::Complete(end)) if end == consumed => {}
        Err(httparse::Error::TooManyHeaders) => return Err(ResponseError::TooLarge),
        _ => return Err(ResponseError::Malformed),
    }
    match response.code {
        Some(101) => {}
        Some(code) => return Err(ResponseError::Status(code)),
        None => return Err(ResponseError::Malformed),
    }
    let fields = Fields(response.headers);
    check_fields(fields, key, subprotocol)?;
    let deflate = deflate::agreed(fields, offered_deflate).map_err(|_| ResponseError::Extension)?;
    Ok(Parsed::Complete {
        head: Switched { deflate },
        consumed,
    })
}

fn check_fields(
    fields: Fields<'_>,
    key: &WebSocketKey,
    subprotocol: &str,
) -> Result<(), ResponseError> {
    if !fields.lists("upgrade", "websocket") || !fields.lists("connection", "upgrade") {
        return Err(ResponseError::NotWebSocket);
    }
    let expected = key.accept();
    match fields.one("sec-websocket-accept") {
        Ok(Some(accept)) if accept == expected.as_bytes() => {}
        _ => return Err(ResponseError::Accept),
    }
    match fields.one("sec-websocket-protocol") {
        Ok(Some(name)) if name == subprotocol.as_bytes() => {}
        _ => return Err(ResponseError::Subprotocol),
    }
    Ok(())
}
