//! Whose connection it is, and TLS: what comes before the first byte of a request.

use std::net::SocketAddr;
use std::sync::Arc;

use guard::RefusedHandshake;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Door, Visit};
use crate::certificate::{PeerCertificate, Trust};
use crate::proxy::{self, Carried};
use crate::records::StationTls;
use crate::socket::Socket;
use crate::tls::in_words;
use crate::wire::Wire;

/// Whose connection it is: the peer's, or that of whom a load balancer names.
pub(super) async fn carried(
    door: &Door,
    stream: &mut TcpStream,
    peer: SocketAddr,
) -> Result<SocketAddr, RefusedHandshake> {
    if !door.is_balancer(peer) {
        return Ok(peer);
    }
    let deadline = door.gate.settings.limits.proxy_deadline;
    match timeout(deadline, proxy::read(stream)).await {
        Err(_) => Err(RefusedHandshake::Deadline("proxy_deadline")),
        Ok(Err(what)) => Err(RefusedHandshake::ProxyHeader(what)),
        Ok(Ok(Carried::From(station))) => Ok(station),
        Ok(Ok(Carried::Own)) => Ok(peer),
    }
}

/// TLS, where the listener speaks it.
pub(super) async fn secure(
    door: &Door,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Visit, RefusedHandshake> {
    let Some(tls) = &door.tls else {
        return Ok(Visit {
            wire: Wire::Plain(Socket::over(stream)),
            peer,
            certificate_rules: None,
            trust: Trust::default(),
            certificate: None,
            fingerprint: None,
        });
    };
    let deadline = door.gate.settings.limits.tls_deadline;
    let accepting = StationTls::accept(stream, Arc::clone(&tls.config));
    let (stream, fingerprint) = match timeout(deadline, accepting).await {
        Err(_) => return Err(RefusedHandshake::Deadline("tls_deadline")),
        Ok(Err(error)) => return Err(RefusedHandshake::Tls(in_words(&error))),
        Ok(Ok(accepted)) => accepted,
    };
    let chain = stream.common().peer_certificates();
    let leaf = chain.and_then(|chain| chain.first());
    let certificate = leaf.map(|leaf| PeerCertificate::read(leaf.as_ref()));
    let wire = Wire::FromStation(stream);
    Ok(Visit {
        wire,
        peer,
        certificate_rules: Some(Arc::clone(&tls.certificate_rules)),
        trust: tls.trust.clone(),
        certificate,
        fingerprint,
    })
}
