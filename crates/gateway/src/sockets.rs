//! Listening sockets: one for each worker and address, bound here or taken over from the process that
//! listened before us.
//!
//! Closing a listening socket resets the connections that wait in its queue. So an upgrade closes none:
//! the sockets themselves go to the new process, queues and all.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::StartError;
use crate::settings::Settings;

/// A listening socket that is handed from one process to the next.
#[derive(Debug)]
pub struct ListeningSocket {
    /// The address as it is configured; a port 0 stays one, whichever port was taken.
    pub configured: SocketAddr,
    /// The socket.
    pub socket: TcpListener,
}

/// Every socket of a gate, by worker, and the address that each listener has got.
pub(crate) struct Bound {
    /// For each worker: a socket, and the number of the listener it belongs to.
    pub(crate) of_workers: Vec<Vec<(usize, TcpListener)>>,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Binds what the settings ask for. What was handed over serves where its address is still configured;
/// the rest of it is closed.
pub(crate) fn bind(
    settings: &Settings,
    workers: usize,
    mut handed_over: Vec<ListeningSocket>,
) -> Result<Bound, StartError> {
    // All of them before the first is taken: `0.0.0.0` and `[::]` may stand side by side.
    for listener in &settings.listeners {
        let address = listener.address;
        let is_ours = |socket: &ListeningSocket| socket.configured == address;
        if !handed_over.iter().any(is_ours) {
            must_be_free(address).map_err(|error| StartError::Listen { address, error })?;
        }
    }
    let mut of_workers: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
    let mut addresses = Vec::new();
    for (number, listener) in settings.listeners.iter().enumerate() {
        let configured = listener.address;
        let mut address = configured;
        let mut handed = handed_over.iter();
        let first = handed.find(|handed| handed.configured == configured);
        if let Some(first) = first {
            address = first.socket.local_addr().unwrap_or(address);
        }
        // By the address they have: there may be two listeners with port 0.
        let ours: Vec<_> = handed_over
            .extract_if(.., |handed| {
                let has = handed.socket.local_addr();
                handed.configured == configured && has.is_ok_and(|has| has == address)
            })
            .map(|handed| handed.socket)
            .collect();
        // Each one of them, also where there are more than workers now: somebody may wait in its queue.
        let mut sockets = ours;
        while sockets.len() < workers {
            let socket = listen(address, settings.limits.accept_backlog)
                .map_err(|error| StartError::Listen { address, error })?;
            address = socket.local_addr().unwrap_or(address);
            sockets.push(socket);
        }
        for (turn, socket) in sockets.into_iter().enumerate() {
            if let Some(worker) = of_workers.get_mut(turn % workers) {
                worker.push((number, socket));
            }
        }
        addresses.push(address);
    }
    Ok(Bound {
        of_workers,
        addresses,
    })
}

/// The workers' sockets share their address (SO_REUSEPORT), and would share it with another gate as
/// well: half the stations here, half there, and two upstreams of one station. So first we ask for the
/// address as one who does not share.
fn must_be_free(address: SocketAddr) -> io::Result<()> {
    bound(address, false).map(drop)
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = bound(address, true)?;
    socket.set_nonblocking(true)?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// A socket at an address, for itself or beside others.
fn bound(address: SocketAddr, beside_others: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if beside_others {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}
