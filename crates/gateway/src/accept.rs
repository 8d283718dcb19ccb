//! From a listening socket to the lobby: every connection is taken at once and waits there, not in
//! the kernel, where nobody could tell an attacker's from a station's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::RefusedHandshake;
use guard::attempts::Source;
use guard::crowd::Standing;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::counters::count;
use crate::gate::Gate;
use crate::generation::Generation;
use crate::welcome::{Door, turn_away, welcome};
use crate::worker::{Phase, Rooms};

/// How long a failed accept is left alone.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Connections accepted before sessions get their turn.
const ACCEPTS_AT_ONCE_MAX: u32 = 16;

/// Accepts while the gate is open.
pub(crate) async fn accept(
    socket: TcpListener,
    listener: usize,
    current: Arc<ArcSwap<Generation>>,
    rooms: Arc<Rooms>,
    mut phase: watch::Receiver<Phase>,
) {
    let mut changes = phase.clone();
    let mut at_once = 0;
    loop {
        let Ok(Phase::Open) = phase
            .wait_for(|phase| *phase != Phase::Waiting)
            .await
            .map(|phase| *phase)
        else {
            return;
        };
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            // What is given up here has not been taken from the queue yet.
            _ = changes.wait_for(|phase| *phase != Phase::Open) => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                let door = current.load().door(listener, &rooms);
                let Some(door) = door else { return };
                take(door, stream, peer);
            }
            // Out of files, or the peer is gone again: taking a breath beats spinning.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
        at_once += 1;
        if at_once == ACCEPTS_AT_ONCE_MAX {
            at_once = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Gives a connection a ticket and a task of its own; where there is no room, closes it at once.
fn take(door: Door, stream: TcpStream, peer: SocketAddr) {
    let gate = &door.gate;
    count(&gate.counters.accepted);
    let standing = match door.is_balancer(peer) {
        true => Standing::Exempt,
        false => standing(gate, peer),
    };
    let Some(ticket) = door.lobby.arrive(Source::of(peer.ip()), standing) else {
        reset(&stream);
        return turn_away(gate, peer, RefusedHandshake::Limit("waiting_max"));
    };
    tokio::spawn(async move { welcome(&door, stream, peer, ticket).await });
}

/// What is known of whoever connects from there.
pub(crate) fn standing(gate: &Gate, peer: SocketAddr) -> Standing {
    let exempt = &gate.settings.exempt_sources;
    if exempt.iter().any(|network| network.contains(peer.ip())) {
        return Standing::Exempt;
    }
    match gate.attempts().knows_source(Source::of(peer.ip())) {
        true => Standing::Known,
        false => Standing::Stranger,
    }
}

/// Makes the close that follows a reset: nothing of the connection stays behind, here or there.
pub(crate) fn reset(stream: &TcpStream) {
    // A socket that is gone already needs none.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
