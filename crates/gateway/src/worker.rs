//! One relaying thread: accepts on its own listening sockets and keeps the connections it accepted.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::counters::count;
use crate::generation::Generation;
use crate::live::Live;
use crate::welcome::welcome;

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
struct Rooms {
    handshakes: Arc<Semaphore>,
    sessions: Arc<Semaphore>,
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
        handshakes: Arc::new(Semaphore::new(limits.handshakes_max)),
        sessions: Arc::new(Semaphore::new(limits.connections_max)),
    });
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

/// Accepts while the gate is open and there is room for another handshake; who comes when there is
/// none waits in the kernel's queue.
async fn accept(
    socket: TcpListener,
    listener: usize,
    current: Arc<ArcSwap<Generation>>,
    rooms: Arc<Rooms>,
    mut phase: watch::Receiver<Phase>,
) {
    let mut changes = phase.clone();
    loop {
        let Ok(Phase::Open) = phase
            .wait_for(|phase| *phase != Phase::Waiting)
            .await
            .map(|phase| *phase)
        else {
            return;
        };
        let next = async {
            let permit = Arc::clone(&rooms.handshakes).acquire_owned().await.ok()?;
            Some((permit, socket.accept().await))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            // What is given up here has not been taken from the queue yet.
            _ = changes.wait_for(|phase| *phase != Phase::Open) => continue,
        };
        let Some((permit, accepted)) = accepted else {
            return;
        };
        match accepted {
            Ok((stream, peer)) => {
                let door = current.load().door(listener, &rooms.sessions);
                let Some(door) = door else { return };
                count(&door.gate.counters.accepted);
                tokio::spawn(async move {
                    welcome(&door, stream, peer).await;
                    drop(permit);
                });
            }
            // Out of files, or the peer is gone again: taking a breath beats spinning.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// How long a failed accept is left alone.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
