//! The request with which a station asks for its WebSocket.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::http::header::{
    AUTHORIZATION, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL,
};

use super::{ConnectError, Station};

impl Station {
    /// The request for that URL, with everything the station was told to show.
    pub(super) fn request(&self, uri: &Uri) -> Result<Request, ConnectError> {
        let wrong = |what: &dyn std::fmt::Display| ConnectError::Request(what.to_string());
        let path = match &self.path {
            Some(path) => path.clone(),
            None => format!(
                "{}/{}",
                uri.path().trim_end_matches('/'),
                percent_encoded(&self.identity)
            ),
        };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let scheme = uri.scheme_str().unwrap_or("ws");
        let mut request = format!("{scheme}://{authority}{path}")
            .into_client_request()
            .map_err(|error| wrong(&error))?;
        let headers = request.headers_mut();
        if !self.subprotocols.is_empty() {
            let offered = HeaderValue::try_from(self.subprotocols.join(", "));
            headers.insert(
                SEC_WEBSOCKET_PROTOCOL,
                offered.map_err(|error| wrong(&error))?,
            );
        }
        if let Some(password) = &self.password {
            let user = self.user.as_ref().unwrap_or(&self.identity);
            let value = HeaderValue::try_from(basic(user, password));
            headers.append(AUTHORIZATION, value.map_err(|error| wrong(&error))?);
        }
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|error| wrong(&error))?;
            let value = HeaderValue::try_from(value.as_str()).map_err(|error| wrong(&error))?;
            headers.append(name, value);
        }
        Ok(request)
    }
}

/// `Basic …` for that user and password (RFC 7617).
pub(crate) fn basic(user: &str, password: &[u8]) -> String {
    let mut pair = user.as_bytes().to_vec();
    pair.push(b':');
    pair.extend(password);
    format!("Basic {}", STANDARD.encode(pair))
}

/// Encodes what RFC 3986 does not let stand in a path segment.
pub(crate) fn percent_encoded(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'*' | b'=' | b'+' | b'@' | b':' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
