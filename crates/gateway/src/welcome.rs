//! From an accepted socket to a session, in the order that is the gate's argument:
//!
//! TLS → request head → route → identity → authentication → seat → upstream handshake → 101.
//!
//! Each step takes what only the step before it hands out. Whoever fails hears a status and no
//! reason: unknown identity and wrong password look the same (threat A04). The reason is an event.

mod arrange;
mod head;
mod seating;
mod secure;
mod send_off;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use guard::admission::{CertificateRules, Transport};
use guard::{Book, Event, RefusedHandshake, Route, SessionFacts, UnixMillis};
use ocpp::StationId;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use self::arrange::arrange;
use self::head::read_head;
use self::seating::seat;
use self::secure::{carried, secure};
use self::send_off::{hold_back, send_off, status};
use crate::certificate::PeerCertificate;
use crate::counters::count;
use crate::gate::Gate;
use crate::http;
use crate::live::Seat;
use crate::network::Network;
use crate::relay::Opened;
use crate::wire::Wire;
use crate::ws::DeflateTerms;

/// One listening address as a worker sees it.
pub(crate) struct Door {
    pub(crate) gate: Arc<Gate>,
    pub(crate) tls: Option<DoorTls>,
    pub(crate) proxies: Arc<[Network]>,
    pub(crate) sessions: Arc<Semaphore>,
}

/// TLS at one address.
#[derive(Clone)]
pub(crate) struct DoorTls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificate_rules: Arc<ArcSwap<CertificateRules>>,
}

/// A refusal: what the peer hears, and what is told.
struct Rejected {
    station: Option<StationId>,
    why: RefusedHandshake,
    /// It asked for a canary: the peer hears what it would have heard anyway, we tell it as such.
    canary: bool,
}

impl Rejected {
    fn because(why: RefusedHandshake) -> Rejected {
        Rejected {
            station: None,
            why,
            canary: false,
        }
    }
}

/// A peer with TLS behind it.
struct Visit {
    wire: Wire,
    peer: SocketAddr,
    /// By TLS: what this listener asks of a certificate.
    certificate_rules: Option<Arc<ArcSwap<CertificateRules>>>,
    certificate: Option<PeerCertificate>,
}

impl Visit {
    /// How it came in. A certificate is looked at anew each time: TLS has verified it when the session
    /// was made, and a resumed session may be hours old (A13).
    fn transport(&self, route: &Route, now: UnixMillis) -> Result<Transport, RefusedHandshake> {
        let Some(rules) = &self.certificate_rules else {
            return Ok(Transport::Plain);
        };
        let certificate = self.certificate.as_ref();
        let organization = route.organization.as_deref();
        let vetted =
            certificate.map(|certificate| certificate.claim(&rules.load(), organization, now));
        Ok(Transport::Tls(
            vetted.transpose().map_err(RefusedHandshake::Certificate)?,
        ))
    }
}

/// An admitted station whose CSMS has agreed: only the 101 is missing.
struct Arrival {
    station: Wire,
    unread: Vec<u8>,
    response: Vec<u8>,
    deflate: Option<DeflateTerms>,
    csms: Opened,
    session: SessionFacts,
    seat: Seat,
    /// What it was admitted by.
    book: Arc<Book>,
}

/// Takes one connection from accept to a session of its own, or refuses it.
pub(crate) async fn welcome(door: &Door, mut stream: TcpStream, peer: SocketAddr) {
    let gate = &door.gate;
    let Ok(place) = Arc::clone(&door.sessions).try_acquire_owned() else {
        count(&gate.counters.over_limit);
        return refuse(
            gate,
            peer,
            Rejected::because(RefusedHandshake::Limit("connections_max")),
        );
    };
    let _ = stream.set_nodelay(true);
    let peer = match carried(door, &mut stream, peer).await {
        Ok(peer) => peer,
        Err(why) => return refuse(gate, peer, Rejected::because(why)),
    };
    let visit = match secure(door, stream, peer).await {
        Ok(visit) => visit,
        Err(why) => return refuse(gate, peer, Rejected::because(why)),
    };
    // The handshake's future is large and short-lived; the session's is small and lives for weeks.
    match Box::pin(admit(gate, visit)).await {
        Err(rejected) => refuse(gate, peer, rejected),
        Ok(arrival) => {
            let Some(relay) = seat(gate, arrival).await else {
                return;
            };
            tokio::spawn(async move {
                relay.await;
                drop(place);
            });
        }
    }
}

fn refuse(gate: &Gate, peer: SocketAddr, rejected: Rejected) {
    count(&gate.counters.refused);
    let Rejected {
        station,
        why,
        canary,
    } = rejected;
    let why = if canary {
        RefusedHandshake::Canary
    } else {
        why
    };
    gate.events.tell(Event::Refused {
        at: gate.clock.now(),
        peer,
        station,
        why,
    });
}

/// Everything between TLS and 101. A refusal has been answered when this returns.
async fn admit(gate: &Arc<Gate>, mut visit: Visit) -> Result<Arrival, Rejected> {
    let (head, unread) = match read_head(gate, &mut visit.wire).await {
        Ok(read) => read,
        Err((why, answer)) => {
            send_off(&mut visit.wire, answer).await;
            return Err(Rejected::because(why));
        }
    };
    match arrange(gate, &visit, &head).await {
        Ok((csms, session, seat, named, book)) => {
            let named = named.then_some(session.version.subprotocol());
            let deflate = head.deflate.filter(|_| gate.settings.session.compression);
            let response = http::switching_protocols(&head.key, named, deflate);
            if let (Some(rules), Some(certificate)) = (&visit.certificate_rules, &visit.certificate)
                && let Some(shown) = certificate.shown(rules)
            {
                seat.shows(shown);
            }
            Ok(Arrival {
                station: visit.wire,
                unread,
                response,
                deflate,
                csms,
                session,
                seat,
                book,
            })
        }
        Err(rejected) => {
            let answer = status(&rejected.why).map(|status| http::refusal(status, &[]));
            if matches!(rejected.why, RefusedHandshake::TooManyAttempts(_)) {
                hold_back(gate, visit.peer).await;
            }
            send_off(&mut visit.wire, answer).await;
            Err(rejected)
        }
    }
}
