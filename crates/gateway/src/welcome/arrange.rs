//! From a request to a CSMS that agrees: route, identity, authentication, seat, upstream.

use std::net::SocketAddr;
use std::sync::Arc;

use guard::admission::{self, Admitted, Adopting, Circumstances, PathSecret};
use guard::{Book, RefusedHandshake, Route, SessionFacts};

use super::{Rejected, Visit};
use crate::adoption;
use crate::change;
use crate::credential;
use crate::gate::Gate;
use crate::http::RequestHead;
use crate::live::{Patience, Seat, Taken};
use crate::password;
use crate::relay::Opened;
use crate::upstream::{UpstreamError, Visitor};

/// The CSMS, the session's facts, its seat, and whether the station named its version; and the book
/// in which all of that was looked up.
pub(super) type Arranged = (Opened, SessionFacts, Seat, bool, Arc<Book>);

/// Route, identity, authentication, seat, upstream: whoever gets through all of it is in.
pub(super) async fn arrange(
    gate: &Arc<Gate>,
    visit: &Visit,
    head: &RequestHead,
) -> Result<Arranged, Rejected> {
    let book = gate.book.load_full();
    let Some((route, secret, segment)) = route(gate, &book, &head.path) else {
        return Err(Rejected::because(RefusedHandshake::NoRoute));
    };
    let station = admission::identify(segment).map_err(Rejected::because)?;
    let canary = gate.settings.canaries.contains(&station);
    let rejected = |why| Rejected {
        station: Some(station.clone()),
        why,
        canary,
    };
    let transport = visit
        .transport(route, gate.clock.wall())
        .map_err(&rejected)?;
    let circumstances = Circumstances {
        peer: visit.peer.ip(),
        path_secret: secret.map(PathSecret::of),
        tls: visit.fingerprint,
    };
    let claim = credential::claim(route, &station, transport, circumstances, head);
    let claim = claim.map_err(&rejected)?;
    if !canary && let Some(adopting) = adoption::fits(gate, &book, route, &claim) {
        let adopted = adopt(gate, visit, head, route, &adopting).await;
        return adopted.map_err(rejected);
    }
    let password = credential::password(&head.credential);
    let admitted = credential::check(gate, &book, claim, password)
        .await
        .map_err(&rejected)?;
    if canary {
        return Err(rejected(RefusedHandshake::Unauthorized));
    }
    password::examine(gate, &book, &admitted, password).map_err(&rejected)?;
    change::proved(gate, &book, &admitted, password);
    let seat = take_seat(gate, route, &admitted, visit.peer)
        .await
        .map_err(&rejected)?;
    let csms = reach(gate, visit, head, route, &admitted)
        .await
        .map_err(|error| rejected(RefusedHandshake::Upstream(error.to_string())))?;
    let session = facts(gate, visit, route, &admitted);
    let named = admitted.named_subprotocol();
    drop(admitted);
    Ok((csms, session, seat, named, book))
}

/// A station that nobody has registered, while a window is open: the CSMS decides.
async fn adopt(
    gate: &Arc<Gate>,
    visit: &Visit,
    head: &RequestHead,
    route: &Route,
    adopting: &Adopting,
) -> Result<Arranged, RefusedHandshake> {
    let asking = adoption::begin(gate, adopting, visit.peer.ip())?;
    let station = adopting.provisional();
    let seat = take_seat(gate, route, station, visit.peer).await?;
    let csms = match reach(gate, visit, head, route, station).await {
        Ok(csms) => csms,
        Err(error) if error.is_no() => {
            adoption::refused(gate, asking);
            return Err(RefusedHandshake::Unauthorized);
        }
        Err(error) => return Err(RefusedHandshake::Upstream(error.to_string())),
    };
    adoption::learn(gate, adopting, asking).await?;
    let session = facts(gate, visit, route, station);
    let book = gate.book.load_full();
    Ok((csms, session, seat, station.named_subprotocol(), book))
}

async fn reach(
    gate: &Gate,
    visit: &Visit,
    head: &RequestHead,
    route: &Route,
    admitted: &Admitted,
) -> Result<Opened, UpstreamError> {
    let visitor = Visitor {
        peer: visit.peer,
        tls: visit.certificate_rules.is_some(),
        certificate: visit.certificate.as_ref(),
        authorization: credential::authorization(&head.credential),
    };
    let deadline = gate.settings.limits.upstream_deadline;
    gate.upstreams
        .connect(admitted, route, &visitor, deadline)
        .await
}

fn facts(gate: &Gate, visit: &Visit, route: &Route, admitted: &Admitted) -> SessionFacts {
    SessionFacts {
        number: gate.next_session(),
        station: admitted.station().id.clone(),
        tenant: route.tenant.clone(),
        route: route.id.clone(),
        version: admitted.version(),
        kind: admitted.kind(),
        peer: visit.peer,
        tls: visit.fingerprint,
        exception: admitted.exception().cloned(),
    }
}

/// The route, the secret before the identity, and the identity's segment. A secret is only looked for
/// where some station must have one; whether it is right, and this station's, is admission's to say.
fn route<'b, 'p>(
    gate: &Gate,
    book: &'b Book,
    path: &'p str,
) -> Option<(&'b Route, Option<&'p str>, &'p str)> {
    if let Some((route, segment)) = book.route(path) {
        return Some((route, None, segment));
    }
    if !gate.settings.exceptions.ask_for_secrets() {
        return None;
    }
    let (route, secret, segment) = book.route_behind_secret(path)?;
    Some((route, Some(secret), segment))
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
