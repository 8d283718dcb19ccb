//! The way to the CSMS: opened only for a station that has been admitted, and finished before the
//! station gets its 101.
//!
//! Redirects are never followed: they would carry a station, and with `forward` its password, to a
//! place that nobody configured.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use guard::admission::Admitted;
use guard::{Route, RouteId, UpstreamCredential};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use crate::certificate::PeerCertificate;
use crate::http::{
    self, Authorization, ForwardedCertificate, Parsed, ResponseError, UpgradeRequest, WebSocketKey,
};
use crate::records::CsmsTls;
use crate::relay::Opened;
use crate::settings::UpstreamSettings;
use crate::socket::Socket;
use crate::target::{InvalidTarget, Target};
use crate::tls::{self, TlsError};
use crate::wire::Wire;
use crate::ws::DeflateTerms;

/// Why a CSMS was not reached. The station hears 503 for all of these.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the route's upstream is no WebSocket URL: {0}")]
    Target(#[from] InvalidTarget),
    #[error("{0} has no address")]
    NoAddress(String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Refused(#[from] ResponseError),
    #[error("the CSMS closed the connection during the handshake")]
    Closed,
    #[error("the station has no upstream password, and its route wants one")]
    NoPassword,
    #[error("not reached within {} s", .0.as_secs_f32())]
    Deadline(Duration),
}

impl UpstreamError {
    /// The CSMS was there, and does not want this station.
    pub(crate) fn is_no(&self) -> bool {
        matches!(
            self,
            UpstreamError::Refused(ResponseError::Status(401 | 403 | 404))
        )
    }
}

/// Everything about upstreams that is made once.
pub(crate) struct Upstreams {
    routes: HashMap<RouteId, Arc<Prepared>>,
    others: Arc<Prepared>,
}

struct Prepared {
    settings: UpstreamSettings,
    tls: Arc<ClientConfig>,
    next: AtomicUsize,
}

impl Upstreams {
    /// Makes them; what an earlier setting has made serves again where it is still the setting.
    pub(crate) fn prepare(
        settings: &HashMap<RouteId, UpstreamSettings>,
        before: Option<&Upstreams>,
    ) -> Result<Upstreams, (RouteId, TlsError)> {
        let mut routes = HashMap::new();
        for (route, settings) in settings {
            let known = before
                .and_then(|before| before.routes.get(route))
                .filter(|known| known.settings == *settings);
            let prepared = match known {
                Some(known) => Arc::clone(known),
                None => Prepared::new(settings).map_err(|error| (route.clone(), error))?,
            };
            routes.insert(route.clone(), prepared);
        }
        let others = match before {
            Some(before) => Arc::clone(&before.others),
            None => Prepared::new(&UpstreamSettings::default())
                .map_err(|error| (RouteId(Arc::from("(default)")), error))?,
        };
        Ok(Upstreams { routes, others })
    }

    /// Opens the admitted station's connection to its CSMS, upgrade included.
    pub(crate) async fn connect(
        &self,
        admitted: &Admitted,
        route: &Route,
        visitor: &Visitor<'_>,
        deadline: Duration,
    ) -> Result<Opened, UpstreamError> {
        let prepared = self.routes.get(&route.id).unwrap_or(&self.others);
        let opening = prepared.open(admitted, route, visitor);
        match tokio::time::timeout(deadline, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(UpstreamError::Deadline(deadline)),
        }
    }
}

/// What the CSMS may know about how the station came to us.
pub(crate) struct Visitor<'v> {
    pub(crate) peer: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) certificate: Option<&'v PeerCertificate>,
    pub(crate) authorization: Option<&'v Authorization>,
}

impl Prepared {
    fn new(settings: &UpstreamSettings) -> Result<Arc<Prepared>, TlsError> {
        Ok(Arc::new(Prepared {
            settings: settings.clone(),
            tls: tls::client_config(settings)?,
            next: AtomicUsize::new(0),
        }))
    }

    async fn open(
        &self,
        admitted: &Admitted,
        route: &Route,
        visitor: &Visitor<'_>,
    ) -> Result<Opened, UpstreamError> {
        let target = Target::parse(&route.upstream)?;
        let authorization = authorization(admitted, route, visitor)?;
        let stream = self.dial(&target).await?;
        let mut wire = if target.tls {
            self.secure(stream, &target).await?
        } else {
            Wire::Plain(Socket::over(stream))
        };
        let key = WebSocketKey::new(random()?);
        let request = UpgradeRequest {
            host: &target.authority,
            path: &target.path,
            identity: &admitted.station().id,
            subprotocol: admitted.version().subprotocol(),
            deflate: self.settings.compression,
            key,
            authorization: authorization.as_ref(),
            peer: visitor.peer.ip(),
            tls: visitor.tls,
            certificate: visitor.certificate.map(|certificate| ForwardedCertificate {
                der: &certificate.der,
                pem_header: self.settings.certificate_header.as_deref(),
            }),
        };
        wire.write_all(request.to_bytes().expose()).await?;
        wire.flush().await?;
        let (unread, deflate) = read_response(&mut wire, &request).await?;
        Ok(Opened {
            wire,
            unread,
            deflate,
        })
    }

    /// Tries each address of the host in turn, from our own addresses in turn.
    async fn dial(&self, target: &Target) -> Result<TcpStream, UpstreamError> {
        let mut last = None;
        for address in lookup_host((target.host.as_str(), target.port)).await? {
            match self.dial_one(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(
            || UpstreamError::NoAddress(target.host.clone()),
            UpstreamError::Io,
        ))
    }

    async fn dial_one(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        let usable = |bind: &&IpAddr| bind.is_ipv4() == address.is_ipv4();
        let count = self.settings.bind.iter().filter(usable).count();
        if count > 0 {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % count;
            if let Some(bind) = self.settings.bind.iter().filter(usable).nth(turn) {
                socket.bind(SocketAddr::new(*bind, 0))?;
            }
        }
        socket.connect(address).await
    }

    async fn secure(&self, stream: TcpStream, target: &Target) -> Result<Wire, UpstreamError> {
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| UpstreamError::NoAddress(target.host.clone()))?;
        let stream = CsmsTls::connect(stream, Arc::clone(&self.tls), name).await?;
        Ok(Wire::ToCsms(stream))
    }
}

/// What we show the CSMS.
fn authorization(
    admitted: &Admitted,
    route: &Route,
    visitor: &Visitor<'_>,
) -> Result<Option<Authorization>, UpstreamError> {
    let station = admitted.station();
    let user = station.id.as_str().as_bytes();
    Ok(match &route.credential {
        UpstreamCredential::None => None,
        UpstreamCredential::Forward => visitor.authorization.cloned(),
        UpstreamCredential::Fixed(password) => Some(Authorization::basic(user, password.expose())),
        UpstreamCredential::PerStation => {
            let password = station
                .upstream_password
                .as_ref()
                .ok_or(UpstreamError::NoPassword)?;
            Some(Authorization::basic(user, password.expose()))
        }
    })
}

/// Reads the response head: what follows it belongs to the session, and what was agreed on.
async fn read_response(
    wire: &mut Wire,
    request: &UpgradeRequest<'_>,
) -> Result<(Vec<u8>, Option<DeflateTerms>), UpstreamError> {
    let mut bytes = Vec::with_capacity(512);
    loop {
        if wire.read_buf(&mut bytes).await? == 0 {
            return Err(UpstreamError::Closed);
        }
        let parsed =
            http::read_response(&bytes, &request.key, request.subprotocol, request.deflate)?;
        if let Parsed::Complete { head, consumed } = parsed {
            let unread = bytes.get(consumed..).unwrap_or_default().to_vec();
            return Ok((unread, head.deflate()));
        }
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
