//! From an accepted socket to a session, in the order that is the gate's argument:
//!
//! lobby → TLS → request head → route → identity → authentication → seat → upstream handshake → 101.
//!
//! Each step takes what only the step before it hands out. Whoever fails hears a status and no
//! reason: unknown identity and wrong password look the same (threat A04). The reason is an event.

mod arrange;
mod head;
mod seating;
mod secure;
mod send_off;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use guard::admission::{CertificateRules, Transport};
use guard::attempts::Source;
use guard::crowd::{self, Standing};
use guard::{
    Book, Event, Network, RefusedHandshake, Route, SessionFacts, TlsFingerprint, UnixMillis,
};
use ocpp::StationId;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use self::arrange::arrange;
use self::head::read_head;
use self::seating::seat;
use self::secure::{carried, secure};
use self::send_off::{hold_back, send_off, status};
use crate::accept::{reset, standing};
use crate::certificate::{PeerCertificate, Trust};
use crate::counters::count;
use crate::gate::{Gate, SourcePlace};
use crate::http;
use crate::live::Seat;
use crate::lobby::{Lobby, Ticket, first_words};
use crate::relay::{Opened, Relay};
use crate::settings::GateLimits;
use crate::wire::Wire;
use crate::ws::DeflateTerms;

/// One listening address as a worker sees it.
pub(crate) struct Door {
    pub(crate) gate: Arc<Gate>,
    pub(crate) tls: Option<DoorTls>,
    pub(crate) proxies: Arc<[Network]>,
    pub(crate) sessions: Arc<Semaphore>,
    pub(crate) lobby: Arc<Lobby>,
}

impl Door {
    /// Whether a peer must say by the PROXY protocol for whom it comes.
    pub(crate) fn is_balancer(&self, peer: SocketAddr) -> bool {
        let mut proxies = self.proxies.iter();
        proxies.any(|network| network.contains(peer.ip()))
    }
}

/// TLS at one address.
#[derive(Clone)]
pub(crate) struct DoorTls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificate_rules: Arc<ArcSwap<CertificateRules>>,
    pub(crate) trust: Trust,
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
    /// And what it vouched for when the peer came.
    trust: Trust,
    certificate: Option<PeerCertificate>,
    /// What its TLS is known by.
    fingerprint: Option<TlsFingerprint>,
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

/// Takes one connection from the lobby to a session of its own, or refuses it.
pub(crate) async fn welcome(door: &Door, mut stream: TcpStream, peer: SocketAddr, ticket: Ticket) {
    let gate = &door.gate;
    let _ = stream.set_nodelay(true);
    let (peer, places) = match called_in(door, &mut stream, peer, &ticket).await {
        Ok(called) => called,
        Err((peer, why)) => {
            reset(&stream);
            return turn_away(gate, peer, why);
        }
    };
    let securing = secure(door, stream, peer);
    let visit = match ticket
        .unless_it_gives_way("handshake_grace", securing)
        .await
    {
        Ok(visit) => visit,
        Err(why) => return turn_away(gate, peer, why),
    };
    // The handshake's future is large and short-lived; the session's is small and lives for weeks.
    match Box::pin(admit(gate, visit, &ticket)).await {
        Err(rejected) => refuse(gate, peer, rejected),
        Ok(arrival) => {
            let Some(relay) = seat(gate, arrival).await else {
                return;
            };
            tokio::spawn(Seated {
                relay,
                _places: places,
            });
        }
    }
}

/// A session, and the places that it holds until it is over. Written out, since an `async` block that
/// awaits what it has captured has room for it twice: a kilobyte a session.
struct Seated {
    relay: Relay,
    _places: Places,
}

impl Future for Seated {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.get_mut().relay).poll(context)
    }
}

/// A connection's places: among those of its worker, and of its source.
type Places = (OwnedSemaphorePermit, SourcePlace);

/// Waits in the lobby: for whom it is, for its first words, for a place among the handshakes.
async fn called_in(
    door: &Door,
    stream: &mut TcpStream,
    peer: SocketAddr,
    ticket: &Ticket,
) -> Result<(SocketAddr, Places), (SocketAddr, RefusedHandshake)> {
    let gate = &door.gate;
    let limits = &gate.settings.limits;
    let told = ticket.unless_it_gives_way("waiting_max", carried(door, stream, peer));
    let carried = told.await.map_err(|why| (peer, why))?;
    let because = |why| (carried, why);
    let standing = standing(gate, carried);
    let source = Source::of(carried.ip());
    if carried != peer {
        ticket.speaks_for(source, standing);
    }
    let place = SourcePlace::take(gate, source, standing == Standing::Exempt);
    let over = |limit| {
        count(&gate.counters.over_limit);
        because(RefusedHandshake::Limit(limit))
    };
    let place = place.ok_or_else(|| over("connections_per_source_max"))?;
    let speaking = spoken(stream, door.tls.is_some(), limits);
    ticket
        .unless_it_gives_way("waiting_max", speaking)
        .await
        .map_err(because)?;
    let patience = crowd::patience(limits.waiting_deadline, random());
    ticket.enter(patience).await.map_err(because)?;
    let sessions = Arc::clone(&door.sessions).try_acquire_owned();
    let session = sessions.map_err(|_| over("connections_max"))?;
    Ok((carried, (session, place)))
}

/// Waits for a peer's first words, as long as it has time for them.
async fn spoken(
    stream: &TcpStream,
    tls: bool,
    limits: &GateLimits,
) -> Result<(), RefusedHandshake> {
    let (deadline, name) = match tls {
        true => (limits.tls_deadline, "tls_deadline"),
        false => (limits.head_deadline, "head_deadline"),
    };
    match timeout(deadline, first_words(stream, tls)).await {
        Err(_) => Err(RefusedHandshake::Deadline(name)),
        Ok(Err(_)) => Err(RefusedHandshake::BadRequest("gone")),
        Ok(Ok(())) => Ok(()),
    }
}

/// For what must not be foreseen, and would do no harm if it were.
fn random() -> u64 {
    getrandom::u64().unwrap_or_default()
}

/// Refuses a peer that has not said who it is; where there are many, they are told together.
pub(crate) fn turn_away(gate: &Gate, peer: SocketAddr, why: RefusedHandshake) {
    count(&gate.counters.refused);
    if why == RefusedHandshake::Limit("waiting_max") {
        count(&gate.counters.over_limit);
    }
    if let Some(event) = gate.turned_away.note(gate.clock.now(), peer, why) {
        gate.events.tell(event);
    }
}

fn refuse(gate: &Gate, peer: SocketAddr, rejected: Rejected) {
    let Rejected {
        station,
        why,
        canary,
    } = rejected;
    if station.is_none() {
        return turn_away(gate, peer, why);
    }
    count(&gate.counters.refused);
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
async fn admit(gate: &Arc<Gate>, mut visit: Visit, ticket: &Ticket) -> Result<Arrival, Rejected> {
    ticket.listens();
    let reading = async { Ok(read_head(gate, &mut visit.wire).await) };
    let read = ticket.unless_it_gives_way("handshake_grace", reading).await;
    ticket.is_busy();
    let (head, unread) = match read.map_err(Rejected::because)? {
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
                && let Some(shown) = certificate.shown(rules, &visit.trust)
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
