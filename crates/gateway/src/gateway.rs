//! Threads and sockets: one relaying thread for each worker, with a listening socket of its own.
//!
//! A connection stays on the thread that accepted it. The kernel spreads connections over the
//! workers' sockets (SO_REUSEPORT), so the threads share nothing on the road but counters.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use guard::admission::VerifierCache;
use guard::attempts::Attempts;
use guard::{SessionFacts, Tenant};
use ocpp::StationId;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::counters::{Counters, count};
use crate::gate::{Gate, Shared, lets_in};
use crate::live::Live;
use crate::network::Network;
use crate::settings::{ListenerSettings, Settings};
use crate::tls::{self, TlsError};
use crate::upstream::Upstreams;
use crate::welcome::{Door, DoorTls, welcome};

/// A running gate.
pub struct Gateway {
    gate: Arc<Gate>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// Why a gate did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// A listener's TLS cannot be set up.
    #[error("listener {address}: {error}")]
    Tls {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: TlsError,
    },
    /// A route's TLS towards its CSMS cannot be set up.
    #[error("route {route}: {error}")]
    Upstream {
        /// Which.
        route: String,
        /// Why.
        error: TlsError,
    },
    /// No listener is configured.
    #[error("there is no listener")]
    NoListener,
    /// The system gives us no thread or runtime.
    #[error("cannot start a worker: {0}")]
    Worker(io::Error),
}

impl Gateway {
    /// Binds every listener and starts relaying. What is bound stays bound until the gate is dropped
    /// or shut down.
    pub fn start(settings: Settings, shared: Shared) -> Result<Gateway, StartError> {
        if settings.listeners.is_empty() {
            return Err(StartError::NoListener);
        }
        let workers = match settings.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        // All of them before the first is taken: `0.0.0.0` and `[::]` may stand side by side.
        for ListenerSettings { address, .. } in &settings.listeners {
            let address = *address;
            must_be_free(address).map_err(|error| StartError::Listen { address, error })?;
        }
        let mut doors = vec![Vec::new(); workers];
        let mut addresses = Vec::new();
        for listener in &settings.listeners {
            let sessions_max = settings.limits.tls12_sessions_max;
            let tls = listener.tls.as_ref().map(|tls| {
                Ok(DoorTls {
                    config: tls::server_config(tls, sessions_max)?,
                    certificate_rules: Arc::clone(&tls.certificate_rules),
                })
            });
            let tls = tls.transpose().map_err(|error| StartError::Tls {
                address: listener.address,
                error,
            })?;
            let mut address = listener.address;
            let proxies: Arc<[Network]> = listener.proxy_protocol_from.as_slice().into();
            for worker in &mut doors {
                let socket = listen(address, settings.limits.accept_backlog)
                    .map_err(|error| StartError::Listen { address, error })?;
                address = socket.local_addr().unwrap_or(address);
                worker.push((Arc::new(socket), tls.clone(), Arc::clone(&proxies)));
            }
            addresses.push(address);
        }
        let gate = Arc::new(gate(settings, shared)?);
        let (stop, stopped) = watch::channel(false);
        let mut threads = Vec::with_capacity(workers);
        for (number, doors) in doors.into_iter().enumerate() {
            let (gate, stopped) = (Arc::clone(&gate), stopped.clone());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(StartError::Worker)?;
            let thread = std::thread::Builder::new()
                .name(format!("relay-{number}"))
                .spawn(move || {
                    runtime.block_on(work(gate, doors, stopped));
                    // A name that is still being looked up must not keep us from leaving.
                    runtime.shutdown_background();
                })
                .map_err(StartError::Worker)?;
            threads.push(thread);
        }
        Ok(Gateway {
            gate,
            addresses,
            stop,
            threads,
        })
    }

    /// The addresses listened on, in the order of the settings, with the ports actually taken.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What the gate counts.
    pub fn counters(&self) -> &Counters {
        &self.gate.counters
    }

    /// The sessions live now.
    pub fn sessions(&self) -> Vec<Arc<SessionFacts>> {
        self.gate.live.sessions()
    }

    /// Ends one station's session; false if it has none.
    pub fn end_session(&self, tenant: &Tenant, station: &StationId) -> bool {
        self.gate.live.end(tenant, station)
    }

    /// Ends the sessions of stations that the book no longer lets in; how many.
    pub fn end_unregistered(&self) -> usize {
        let book = self.gate.book.load();
        self.gate.live.end_where(|session| !lets_in(&book, session))
    }

    /// Ends the sessions of stations whose certificate has been taken back; how many.
    pub fn end_revoked(&self) -> usize {
        self.gate.live.end_revoked()
    }

    /// Stops accepting, says goodbye to every session (1001), and waits for them at most that long.
    pub async fn shut_down(mut self, patience: Duration) {
        self.stop.send_replace(true);
        self.gate.live.end_where(|_| true);
        let deadline = tokio::time::Instant::now() + patience;
        while self.gate.live.len() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.gate.live.end_where(|_| true);
        }
        let (gate, threads) = (Arc::clone(&self.gate), std::mem::take(&mut self.threads));
        drop(self);
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
        drop(gate);
    }
}

/// What the workers share, before any of them runs.
pub(crate) fn gate(settings: Settings, shared: Shared) -> Result<Gate, StartError> {
    let upstreams =
        Upstreams::prepare(&settings.upstreams).map_err(|(route, error)| StartError::Upstream {
            route: route.0.to_string(),
            error,
        })?;
    Ok(Gate {
        slow_hashes: Semaphore::new(settings.limits.slow_hashes_max.max(1)),
        // Whoever is held back keeps its place among the handshakes: most must stay free for others.
        held_back: Semaphore::new(settings.limits.handshakes_max / 4),
        attempts: std::sync::Mutex::new(Attempts::new(settings.attempts.clone())),
        verified: std::sync::Mutex::new(VerifierCache::bounded(
            settings.limits.hashes_remembered_max,
        )),
        settings,
        book: shared.book,
        policy: shared.policy,
        events: shared.events,
        verifier_key: shared.verifier_key,
        counters: Counters::default(),
        live: Arc::new(Live::default()),
        upstreams,
        sessions: AtomicU64::new(0),
        clock: Clock::start(),
    })
}

/// The workers' sockets share their address (SO_REUSEPORT), and would share it with another gate as
/// well: half the stations here, half there, and two upstreams of one station. So first we ask for the
/// address as one who does not share.
fn must_be_free(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

type BoundDoor = (Arc<std::net::TcpListener>, Option<DoorTls>, Arc<[Network]>);

/// One worker: accepts on its sockets until told to stop, then lets its sessions finish.
async fn work(gate: Arc<Gate>, doors: Vec<BoundDoor>, mut stopped: watch::Receiver<bool>) {
    let handshakes = Arc::new(Semaphore::new(gate.settings.limits.handshakes_max));
    let sessions = Arc::new(Semaphore::new(gate.settings.limits.connections_max));
    for (socket, tls, proxies) in doors {
        let Ok(listener) = socket.try_clone().and_then(TcpListener::from_std) else {
            continue;
        };
        let door = Arc::new(Door {
            gate: Arc::clone(&gate),
            tls,
            proxies,
            sessions: Arc::clone(&sessions),
        });
        tokio::spawn(accept(
            listener,
            door,
            Arc::clone(&handshakes),
            stopped.clone(),
        ));
    }
    let _ = stopped.wait_for(|stopped| *stopped).await;
    // Sessions were told to end; the runtime lives until they are gone or their deadline is over.
    let deadline = tokio::time::Instant::now() + gate.settings.session.close_deadline;
    while gate.live.len() > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Accepts while there is room for another handshake; who comes when there is none waits in the
/// kernel's queue.
async fn accept(
    listener: TcpListener,
    door: Arc<Door>,
    handshakes: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                count(&door.gate.counters.accepted);
                let door = Arc::clone(&door);
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
