//! From an accepted socket to a session, in the order that is the gate's argument:
//!
//! TLS → request head → route → identity → authentication → seat → upstream handshake → 101.
//!
//! Each step takes what only the step before it hands out. Whoever fails hears a status and no
//! reason: unknown identity and wrong password look the same (threat A04). The reason is an event.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::admission::{self, Admitted, CertificateRules, Transport};
use guard::attempts::Source;
use guard::{Event, RefusedHandshake, Route, SessionFacts, UnixMillis};
use ocpp::StationId;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::certificate::PeerCertificate;
use crate::counters::count;
use crate::credential;
use crate::gate::{Gate, lets_in};
use crate::http::{self, Parsed, RequestHead, Status};
use crate::live::{Patience, Seat, Taken};
use crate::network::Network;
use crate::proxy::{self, Carried};
use crate::records::StationTls;
use crate::relay::{Opened, Relay};
use crate::upstream::Visitor;
use crate::wire::Wire;

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
    fn transport(&self, now: UnixMillis) -> Result<Transport, RefusedHandshake> {
        let Some(rules) = &self.certificate_rules else {
            return Ok(Transport::Plain);
        };
        let certificate = self.certificate.as_ref();
        let vetted = certificate.map(|certificate| certificate.claim(&rules.load(), now));
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
    csms: Opened,
    session: SessionFacts,
    seat: Seat,
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

/// Whose connection it is: the peer's, or that of whom a load balancer names.
async fn carried(
    door: &Door,
    stream: &mut TcpStream,
    peer: SocketAddr,
) -> Result<SocketAddr, RefusedHandshake> {
    if !door
        .proxies
        .iter()
        .any(|network| network.contains(peer.ip()))
    {
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

async fn secure(
    door: &Door,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Visit, RefusedHandshake> {
    let Some(tls) = &door.tls else {
        return Ok(Visit {
            wire: Wire::Plain(stream),
            peer,
            certificate_rules: None,
            certificate: None,
        });
    };
    let deadline = door.gate.settings.limits.tls_deadline;
    let accepting = StationTls::accept(stream, Arc::clone(&tls.config));
    let stream = match timeout(deadline, accepting).await {
        Err(_) => return Err(RefusedHandshake::Deadline("tls_deadline")),
        Ok(Err(error)) => return Err(RefusedHandshake::Tls(error.to_string())),
        Ok(Ok(stream)) => stream,
    };
    let chain = stream.common().peer_certificates();
    let leaf = chain.and_then(|chain| chain.first());
    let certificate = leaf.map(|leaf| PeerCertificate::read(leaf.as_ref()));
    let wire = Wire::FromStation(Box::new(stream));
    Ok(Visit {
        wire,
        peer,
        certificate_rules: Some(Arc::clone(&tls.certificate_rules)),
        certificate,
    })
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
        Ok((csms, session, seat, named)) => {
            let named = named.then_some(session.version.subprotocol());
            let response = http::switching_protocols(&head.key, named);
            if let (Some(rules), Some(certificate)) = (&visit.certificate_rules, &visit.certificate)
                && let Some(shown) = certificate.shown(rules)
            {
                seat.shows(shown);
            }
            Ok(Arrival {
                station: visit.wire,
                unread,
                response,
                csms,
                session,
                seat,
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

/// Whoever is over a limit waits for its refusal, as long as there is room to wait.
async fn hold_back(gate: &Gate, peer: SocketAddr) {
    count(&gate.counters.throttled);
    let Ok(_place) = gate.held_back.try_acquire() else {
        return;
    };
    let source = Source::of(peer.ip());
    let delay = gate.attempts().delay(gate.clock.now(), source);
    tokio::time::sleep(delay).await;
}

type Head = (RequestHead, Vec<u8>);

/// Reads the request head; what follows it belongs to the session.
async fn read_head(
    gate: &Gate,
    wire: &mut Wire,
) -> Result<Head, (RefusedHandshake, Option<Vec<u8>>)> {
    let mut bytes = Vec::with_capacity(1024);
    let reading = async {
        loop {
            match wire.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return Err((RefusedHandshake::BadRequest("gone"), None)),
                Ok(_) => {}
            }
            match RequestHead::parse(&bytes) {
                Ok(Parsed::Incomplete) => {}
                Ok(Parsed::Complete { head, consumed }) => return Ok((head, consumed)),
                Err(error) => {
                    let why = RefusedHandshake::BadRequest(error.words());
                    return Err((why, Some(error.refusal())));
                }
            }
        }
    };
    match timeout(gate.settings.limits.head_deadline, reading).await {
        Err(_) => Err((RefusedHandshake::Deadline("head_deadline"), None)),
        Ok(Err(rejected)) => Err(rejected),
        Ok(Ok((head, consumed))) => {
            let unread = bytes.get(consumed..).unwrap_or_default().to_vec();
            Ok((head, unread))
        }
    }
}

type Arranged = (Opened, SessionFacts, Seat, bool);

/// Route, identity, authentication, seat, upstream: whoever gets through all of it is in.
async fn arrange(
    gate: &Arc<Gate>,
    visit: &Visit,
    head: &RequestHead,
) -> Result<Arranged, Rejected> {
    let book = gate.book.load_full();
    let Some((route, segment)) = book.route(&head.path) else {
        return Err(Rejected::because(RefusedHandshake::NoRoute));
    };
    let station = admission::identify(segment).map_err(Rejected::because)?;
    let canary = gate.settings.canaries.contains(&station);
    let rejected = |why| Rejected {
        station: Some(station.clone()),
        why,
        canary,
    };
    let transport = visit.transport(gate.clock.wall()).map_err(&rejected)?;
    let claim = credential::claim(route, &station, transport, head).map_err(&rejected)?;
    let admitted = credential::check(gate, &book, claim, visit.peer.ip())
        .await
        .map_err(&rejected)?;
    if canary {
        return Err(rejected(RefusedHandshake::Unauthorized));
    }
    let seat = take_seat(gate, route, &admitted, visit.peer)
        .await
        .map_err(&rejected)?;
    let visitor = Visitor {
        peer: visit.peer,
        tls: visit.certificate_rules.is_some(),
        certificate: visit.certificate.as_ref(),
        authorization: credential::authorization(&head.credential),
    };
    let deadline = gate.settings.limits.upstream_deadline;
    let csms = gate
        .upstreams
        .connect(&admitted, route, &visitor, deadline)
        .await
        .map_err(|error| rejected(RefusedHandshake::Upstream(error.to_string())))?;
    let session = SessionFacts {
        number: gate.next_session(),
        station: station.clone(),
        tenant: route.tenant.clone(),
        route: route.id.clone(),
        version: admitted.version(),
        kind: admitted.kind(),
        peer: visit.peer,
    };
    Ok((csms, session, seat, admitted.named_subprotocol()))
}

async fn take_seat(
    gate: &Gate,
    route: &Route,
    admitted: &Admitted,
    newcomer: SocketAddr,
) -> Result<Seat, RefusedHandshake> {
    let key = (route.tenant.clone(), admitted.station().id.clone());
    let limits = &gate.settings.limits;
    let patience = Patience {
        takeover: limits.takeover_deadline,
        pause: limits.probe_pause,
    };
    let taken = gate.live.take(key, newcomer, patience).await;
    taken.map_err(|taken| match taken {
        Taken::Alive(holder) => RefusedHandshake::SessionAlive { holder },
        Taken::Arriving | Taken::WillNotLeave => RefusedHandshake::AlreadyConnected,
    })
}

/// Sends the 101 and hands both wires to a relay; `None` when the station is gone by then.
async fn seat(gate: &Arc<Gate>, arrival: Arrival) -> Option<Relay> {
    // Dropped last to first: whatever goes wrong, the seat is free only when the CSMS's socket is gone.
    let Arrival {
        seat,
        csms,
        mut station,
        unread,
        response,
        session,
    } = arrival;
    let session = Arc::new(session);
    let sent = async {
        station.write_all(&response).await?;
        station.flush().await
    };
    let deadline = gate.settings.limits.head_deadline;
    if !matches!(timeout(deadline, sent).await, Ok(Ok(()))) {
        let station = Some(session.station.clone());
        refuse(
            gate,
            session.peer,
            Rejected {
                station,
                why: RefusedHandshake::Deadline("101"),
                canary: false,
            },
        );
        return None;
    }
    count(&gate.counters.admitted);
    gate.events.tell(Event::Connected {
        at: gate.clock.now(),
        session: Arc::clone(&session),
    });
    let station = Opened {
        wire: station,
        unread,
    };
    let shown = seat.shown();
    let relay = Relay::new(gate, Arc::clone(&session), station, csms, seat, seed());
    // The book and the revocation lists may have changed since they were asked. From here on either
    // this look sees that, or whoever ends sessions by the new ones sees this one.
    let is_revoked = shown.is_some_and(|shown| shown.is_revoked());
    if is_revoked || !lets_in(&gate.book.load(), &session) {
        gate.live.end(&session.tenant, &session.station);
    }
    Some(relay)
}

/// The key of the session's id hashes: random and never shown. Without randomness TLS would not have
/// come about either; zero only makes ids collide for whoever knows it.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_default()
}

/// What the peer hears: one status for everything that would tell an identity from a password. Who
/// is too slow to ask hears nothing.
fn status(why: &RefusedHandshake) -> Option<Status> {
    match why {
        RefusedHandshake::NoRoute => Some(Status::NotFound),
        RefusedHandshake::NoCredential
        | RefusedHandshake::Unauthorized
        | RefusedHandshake::Certificate(_)
        | RefusedHandshake::UserNotIdentity
        | RefusedHandshake::Canary
        | RefusedHandshake::BadIdentity => Some(Status::Unauthorized),
        RefusedHandshake::TooManyAttempts(_) => Some(Status::TooManyRequests),
        RefusedHandshake::AlreadyConnected
        | RefusedHandshake::SessionAlive { .. }
        | RefusedHandshake::Upstream(_)
        | RefusedHandshake::Deadline("hash_deadline")
        | RefusedHandshake::Limit(_) => Some(Status::ServiceUnavailable),
        RefusedHandshake::BadRequest(_) | RefusedHandshake::NoVersion => Some(Status::BadRequest),
        RefusedHandshake::Deadline(_)
        | RefusedHandshake::ProxyHeader(_)
        | RefusedHandshake::Tls(_) => None,
    }
}

/// How long a refused peer gets to take its answer.
const SEND_OFF: Duration = Duration::from_secs(2);

async fn send_off(wire: &mut Wire, answer: Option<Vec<u8>>) {
    let Some(answer) = answer else { return };
    let sending = async {
        wire.write_all(&answer).await?;
        wire.shutdown().await
    };
    let _ = timeout(SEND_OFF, sending).await;
}
