//! One station's request as the CSMS saw it, and the answer to it.

use std::net::SocketAddr;

use ocpp::Version;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{LOCATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::{Admission, House, lock};
use crate::conversation::config;
use crate::tls::Transport;

/// A request for a WebSocket, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// From where.
    pub peer: SocketAddr,
    /// The path and query.
    pub path: String,
    /// Every header; names in lower case, values byte for byte.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The client certificate that was shown, as DER.
    pub certificate: Option<Vec<u8>>,
}

impl Handshake {
    /// The first value of that header, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers(name).into_iter().next()
    }

    /// Every value of that header, as text.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter().filter(|(key, _)| key == name);
        named
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The last segment of the path, percent-decoded: who it says it is.
    pub fn identity(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let segment = path.trim_end_matches('/').rsplit('/').next();
        percent_decoded(segment.unwrap_or_default())
    }

    /// The subprotocols it offers, in order.
    pub fn offers(&self) -> Vec<String> {
        let all = self.headers("sec-websocket-protocol").join(",");
        let names = all.split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// A station that has been let in.
pub(super) struct Arrived {
    pub(super) identity: String,
    pub(super) version: Option<Version>,
    pub(super) admission: Admission,
}

/// Reads the request and answers it; `None` when there is no conversation.
// tungstenite asks for an error response by value.
#[expect(
    clippy::result_large_err,
    reason = "the callback's type is tungstenite's"
)]
pub(super) async fn answer(
    transport: Transport,
    peer: SocketAddr,
    house: &House,
) -> Option<(WebSocketStream<Transport>, Arrived)> {
    let certificate = transport.peer_certificate();
    let mut arrived = None;
    let decide = |request: &Request, mut response: Response| {
        let handshake = written_down(request, peer, certificate);
        let admit = lock(&house.admit).clone();
        let admission = admit(&handshake);
        let (identity, offers) = (handshake.identity(), handshake.offers());
        if house.entries_max > 0 {
            lock(&house.book).handshakes.push(handshake);
        }
        house.news.notify_waiters();
        if let Some(refusal) = refusal(&admission) {
            return Err(refusal);
        }
        let chosen = match &admission {
            Admission::AcceptAs(name) => Some(name.clone()),
            _ => offers.into_iter().find(|name| {
                Version::from_subprotocol(name)
                    .is_some_and(|version| house.versions.contains(&version))
            }),
        };
        let version = chosen.as_deref().and_then(Version::from_subprotocol);
        if let Some(value) = chosen.and_then(|name| HeaderValue::try_from(name).ok()) {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        arrived = Some(Arrived {
            identity,
            version,
            admission,
        });
        Ok(response)
    };
    let accepted = accept_hdr_async_with_config(transport, decide, Some(config())).await;
    Some((accepted.ok()?, arrived?))
}

fn refusal(admission: &Admission) -> Option<ErrorResponse> {
    let (status, location) = match admission {
        Admission::Refuse(status) => (*status, None),
        Admission::Redirect(to) => (302, Some(to)),
        _ => return None,
    };
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    if let Some(to) = location.and_then(|to| HeaderValue::try_from(to).ok()) {
        response.headers_mut().insert(LOCATION, to);
    }
    Some(response)
}

fn written_down(request: &Request, peer: SocketAddr, certificate: Option<Vec<u8>>) -> Handshake {
    let path = request.uri().path_and_query();
    let headers = request.headers().iter();
    Handshake {
        peer,
        path: path.map(ToString::to_string).unwrap_or_default(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect(),
        certificate,
    }
}

fn percent_decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| segment.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
