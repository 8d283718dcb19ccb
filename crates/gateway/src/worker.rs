//! One relaying thread: accepts on its own listening sockets and keeps the connections it accepted.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::accept::accept;
use crate::gate::Gate;
use crate::generation::Generation;
use crate::live::Live;
use crate::lobby::Lobby;

/// How far a gate's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It listens and accepts nobody: whoever comes waits in the kernel's queue.
    Waiting,
    /// It accepts.
    Open,
    /// It listens no more; its sessions go on.
    Closed,
    /// Its threads end.
    Over,
}

/// What a worker is given.
pub(crate) struct Worker {
    /// Its sockets, each with its listener's number.
    pub(crate) sockets: Vec<(usize, StdListener)>,
    pub(crate) current: Arc<ArcSwap<Generation>>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) live: Arc<Live>,
}

/// What the connections of one worker share.
pub(crate) struct Rooms {
    pub(crate) lobby: Arc<Lobby>,
    pub(crate) sessions: Arc<Semaphore>,
}

/// Accepts until told to stop, then lets the sessions finish.
pub(crate) async fn work(worker: Worker) {
    let Worker {
        sockets,
        current,
        mut phase,
        live,
    } = worker;
    let settings = Arc::clone(&current.load().gate);
    let limits = &settings.settings.limits;
    let rooms = Arc::new(Rooms {
        lobby: Lobby::new(limits, settings.clock),
        sessions: Arc::new(Semaphore::new(limits.connections_max)),
    });
    let lobby = Arc::clone(&rooms.lobby);
    tokio::spawn(async move { lobby.keep().await });
    tokio::spawn(tell_who_was_turned_away(Arc::clone(&settings)));
    for (listener, socket) in sockets {
        let Ok(socket) = TcpListener::from_std(socket) else {
            continue;
        };
        let (current, rooms) = (Arc::clone(&current), Arc::clone(&rooms));
        let phase = phase.clone();
        tokio::spawn(accept(socket, listener, current, rooms, phase));
    }
    let _ = phase.wait_for(|phase| *phase == Phase::Over).await;
    // Sessions were told to end; the runtime lives until they are gone or their deadline is over.
    let deadline = tokio::time::Instant::now() + settings.settings.session.close_deadline;
    while live.len() > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Refusals that were not told one by one are told together, a second later.
async fn tell_who_was_turned_away(gate: Arc<Gate>) {
    loop {
        tokio::time::sleep(TURNED_AWAY_EVERY).await;
        for event in gate.turned_away.take(gate.clock.now()) {
            gate.events.tell(event);
        }
    }
}

/// How often that is looked at.
const TURNED_AWAY_EVERY: Duration = Duration::from_secs(1);
