//! A charging station: how it connects, and how it is turned away.

mod request;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ocpp::Version;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::http::header::{LOCATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{Response, Uri};
use tokio_tungstenite::tungstenite::{self};

use crate::answers;
use crate::ca::Identity;
use crate::conversation::{Asked, Conversation, Handler, Reply, config, drive};
use crate::tls::{self, TlsError, Transport};

/// Messages that a conversation records unless told otherwise.
const ENTRIES_MAX: usize = 10_000;

/// A station that is yet to connect.
#[derive(Clone)]
pub struct Station {
    url: String,
    identity: String,
    path: Option<String>,
    subprotocols: Vec<String>,
    user: Option<String>,
    password: Option<Vec<u8>>,
    headers: Vec<(String, String)>,
    trusted: Vec<CertificateDer<'static>>,
    certificate: Option<Identity>,
    tls: Option<Arc<ClientConfig>>,
    from: Option<IpAddr>,
    handler: Handler,
    entries_max: usize,
}

/// Why a station is not connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// What was asked for cannot be sent.
    #[error("no such request can be made: {0}")]
    Request(String),
    /// The TLS set-up is wrong.
    #[error(transparent)]
    Setup(#[from] TlsError),
    /// Nobody there.
    #[error("cannot reach {0}: {1}")]
    Unreachable(String, io::Error),
    /// TLS did not come about.
    #[error("TLS: {0}")]
    Tls(io::Error),
    /// The answer was not 101.
    #[error("refused with {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// `Location`, where it was a redirect.
        location: Option<String>,
        /// `Retry-After`, if it was there.
        retry_after: Option<String>,
        /// What the answer's body said.
        body: String,
    },
    /// The socket died, or the answer breaks RFC 6455.
    #[error("handshake: {0}")]
    Handshake(String),
}

impl ConnectError {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            ConnectError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Station {
    /// A station of that identity for `ws://host:port/ocpp` or `wss://…`; the identity becomes the
    /// last segment of the path. It offers no subprotocol until told which.
    pub fn new(url: impl Into<String>, identity: impl Into<String>) -> Station {
        Station {
            url: url.into(),
            identity: identity.into(),
            path: None,
            subprotocols: Vec::new(),
            user: None,
            password: None,
            headers: Vec::new(),
            trusted: Vec::new(),
            certificate: None,
            tls: None,
            from: None,
            handler: answers::station(),
            entries_max: ENTRIES_MAX,
        }
    }

    /// Offers that version's subprotocol.
    #[must_use]
    pub fn version(self, version: Version) -> Station {
        self.subprotocols(&[version.subprotocol()])
    }

    /// Offers these subprotocols, whatever they are, in that order.
    #[must_use]
    pub fn subprotocols(mut self, names: &[&str]) -> Station {
        self.subprotocols = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Asks for this path, as it is, in place of the URL's and the identity.
    #[must_use]
    pub fn path(mut self, path: &str) -> Station {
        self.path = Some(path.to_owned());
        self
    }

    /// Shows a Basic password: bytes, as OCPP has them.
    #[must_use]
    pub fn password(mut self, password: impl Into<Vec<u8>>) -> Station {
        self.password = Some(password.into());
        self
    }

    /// Shows another Basic user name than its identity.
    #[must_use]
    pub fn user(mut self, name: &str) -> Station {
        self.user = Some(name.to_owned());
        self
    }

    /// Adds a header; the same name may come more than once.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Station {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Trusts that authority.
    #[must_use]
    pub fn trust(mut self, authority: CertificateDer<'static>) -> Station {
        self.trusted.push(authority);
        self
    }

    /// Shows that client certificate.
    #[must_use]
    pub fn certificate(mut self, identity: &Identity) -> Station {
        self.certificate = Some(identity.clone());
        self
    }

    /// Uses this TLS set-up in place of one made from `trust` and `certificate`: a fleet shares one,
    /// and with it the session tickets.
    #[must_use]
    pub fn tls(mut self, config: Arc<ClientConfig>) -> Station {
        self.tls = Some(config);
        self
    }

    /// Connects from that source address.
    #[must_use]
    pub fn bind(mut self, from: IpAddr) -> Station {
        self.from = Some(from);
        self
    }

    /// Answers the CSMS's calls so, in place of [`answers::station`].
    #[must_use]
    pub fn answering(
        mut self,
        handler: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> Station {
        self.handler = Arc::new(handler);
        self
    }

    /// Records at most that many messages; 0 for a fleet.
    #[must_use]
    pub fn recording(mut self, entries_max: usize) -> Station {
        self.entries_max = entries_max;
        self
    }

    /// Connects.
    pub async fn connect(&self) -> Result<Conversation, ConnectError> {
        let uri = self.uri()?;
        let transport = self.reach(&uri).await?;
        let request = self.request(&uri)?;
        // Boxed, so that the handshake's room is given back once the session begins.
        let handshake = Box::pin(client_async_with_config(request, transport, Some(config())));
        let (socket, response) = handshake.await.map_err(turned_away)?;
        let version = agreed(&response);
        let (conversation, shared) =
            Conversation::new(self.identity.clone(), version, self.entries_max);
        tokio::spawn(drive(socket, shared, Arc::clone(&self.handler)));
        Ok(conversation)
    }

    /// Opens the TCP or TLS stream and says nothing on it: for those who want to speak HTTP by
    /// hand, or not at all.
    pub async fn stream(&self) -> Result<Transport, ConnectError> {
        self.reach(&self.uri()?).await
    }

    fn uri(&self) -> Result<Uri, ConnectError> {
        let read = self.url.parse();
        read.map_err(|_| ConnectError::Request(format!("{} is no URL", self.url)))
    }

    /// Opens the TCP or TLS stream that the URL asks for.
    async fn reach(&self, uri: &Uri) -> Result<Transport, ConnectError> {
        let secure = uri.scheme_str() == Some("wss");
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let unreachable = |error| ConnectError::Unreachable(self.url.clone(), error);
        let socket = open(host, port, self.from).await.map_err(unreachable)?;
        // Small messages that wait for no other are the whole of OCPP.
        socket.set_nodelay(true).map_err(unreachable)?;
        if !secure {
            return Ok(Transport::Plain(socket));
        }
        let config = match &self.tls {
            Some(config) => Arc::clone(config),
            None => tls::client(&self.trusted, self.certificate.as_ref())?,
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ConnectError::Request(format!("{host} is no server name")))?;
        let connecting = Box::pin(TlsConnector::from(config).connect(name, socket));
        let stream = connecting.await.map_err(ConnectError::Tls)?;
        Ok(Transport::Tls(Box::new(stream.into())))
    }
}

/// Opens a TCP connection, from a given source address if need be.
pub(crate) async fn open(host: &str, port: u16, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let Some(from) = from else {
        return TcpStream::connect((host, port)).await;
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address of that family");
    for address in lookup_host((host, port)).await? {
        if address.is_ipv4() != from.is_ipv4() {
            continue;
        }
        let socket = if from.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.bind(SocketAddr::new(from, 0))?;
        match socket.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn agreed<T>(response: &Response<T>) -> Option<Version> {
    let name = response.headers().get(SEC_WEBSOCKET_PROTOCOL)?;
    Version::from_subprotocol(name.to_str().ok()?)
}

fn turned_away(error: tungstenite::Error) -> ConnectError {
    let tungstenite::Error::Http(response) = error else {
        return ConnectError::Handshake(error.to_string());
    };
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    ConnectError::Refused {
        status: response.status().as_u16(),
        location: header(LOCATION.as_str()),
        retry_after: header("retry-after"),
        body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
    }
}
