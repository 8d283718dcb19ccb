//! The running gate: one relaying thread for each worker, each with listening sockets of its own.
//!
//! A connection stays on the thread that accepted it. The kernel spreads connections over the
//! workers' sockets (SO_REUSEPORT), so the threads share nothing on the road but counters.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use guard::admission::Window;
use guard::{Route, Secret, SessionFacts, Tenant};
use ocpp::StationId;
use tokio::sync::{oneshot, watch};

use crate::adoption;
use crate::counters::Counters;
use crate::gate::{Gate, Shared, lets_in};
use crate::generation::{Generation, Renewal};
use crate::live::Live;
use crate::relay::Released;
use crate::settings::Settings;
use crate::sockets::{self, ListeningSocket};
use crate::tls::TlsError;
use crate::worker::{Phase, Worker, work};

/// A running gate.
pub struct Gateway {
    current: Arc<ArcSwap<Generation>>,
    live: Arc<Live>,
    addresses: Vec<SocketAddr>,
    /// The sockets that the workers accept on, for the process that comes after this one.
    sockets: Vec<ListeningSocket>,
    phase: watch::Sender<Phase>,
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
        let gateway = Gateway::prepare(settings, shared, Vec::new())?;
        gateway.open();
        Ok(gateway)
    }

    /// Makes everything ready, on new sockets and on those that another process has handed over.
    /// Nobody is accepted until [`Gateway::open`].
    pub fn prepare(
        settings: Settings,
        shared: Shared,
        handed_over: Vec<ListeningSocket>,
    ) -> Result<Gateway, StartError> {
        if settings.listeners.is_empty() {
            return Err(StartError::NoListener);
        }
        let workers = match settings.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        let bound = sockets::bind(&settings, workers, handed_over)?;
        let kept = keep(&settings, &bound.of_workers)?;
        let first = Generation::first(Gate::new(settings, shared)?)?;
        let live = Arc::clone(&first.gate.live);
        let current = Arc::new(ArcSwap::from_pointee(first));
        let (phase, phases) = watch::channel(Phase::Waiting);
        let mut threads = Vec::with_capacity(workers);
        for (number, sockets) in bound.of_workers.into_iter().enumerate() {
            let worker = Worker {
                sockets,
                current: Arc::clone(&current),
                phase: phases.clone(),
                live: Arc::clone(&live),
            };
            threads.push(spawn(number, worker).map_err(StartError::Worker)?);
        }
        Ok(Gateway {
            current,
            live,
            addresses: bound.addresses,
            sockets: kept,
            phase,
            threads,
        })
    }

    /// Accepts from now on, whoever waits in the queue first.
    pub fn open(&self) {
        self.go_to(Phase::Open);
    }

    /// Accepts nobody until it is opened again; whoever comes waits in the kernel's queue.
    pub fn pause(&self) {
        self.go_to(Phase::Waiting);
    }

    /// Listens no more: another process may have the addresses. Sessions go on.
    pub fn close_doors(&mut self) {
        self.go_to(Phase::Closed);
        self.sockets.clear();
        self.live.let_all_go();
    }

    fn go_to(&self, next: Phase) {
        self.phase.send_if_modified(|phase| {
            let may = *phase < Phase::Closed || next > *phase;
            if may {
                *phase = next;
            }
            may
        });
    }

    /// The listening sockets, to be handed to another process; none once the doors are closed.
    pub fn sockets(&self) -> &[ListeningSocket] {
        &self.sockets
    }

    /// The addresses listened on, in the order of the settings, with the ports actually taken.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What the gate counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.current.load().gate.counters)
    }

    /// The sessions live now.
    pub fn sessions(&self) -> Vec<Arc<SessionFacts>> {
        self.live.sessions()
    }

    /// The stations whose places are taken, those that are just arriving included.
    pub fn taken(&self) -> Vec<(Tenant, StationId)> {
        self.live.keys()
    }

    /// These stations are still connected to the process before this one: nobody gets their place here
    /// until it has let go of them, so that no CSMS sees two connections of one station.
    pub fn keep_for_others(&self, stations: impl IntoIterator<Item = (Tenant, StationId)>) {
        self.live.keep_for_others(stations);
    }

    /// It has let go of these.
    pub fn let_go(&self, stations: impl IntoIterator<Item = (Tenant, StationId)>) {
        self.live.let_go(stations);
    }

    /// It is gone.
    pub fn let_all_go(&self) {
        self.live.let_all_go();
    }

    /// Makes other settings ready: everything that can be wrong with them is found out here, and
    /// nothing changes. Listeners are known by their configured addresses; none comes or goes, and
    /// none begins or ends to speak TLS.
    pub fn renewal(&self, settings: Settings) -> Result<Renewal, StartError> {
        self.current.load().renewed(settings)
    }

    /// Brings new settings into force for whoever comes from now on. Sessions keep those they began
    /// under, except that certificates are asked by the new rules at once.
    pub fn renew(&self, renewal: Renewal) {
        renewal.bring_into_force();
        self.current.store(Arc::new(renewal.generation));
    }

    /// Opens a window in which stations that nobody has registered are learnt when the CSMS agrees; the
    /// one before it is closed. It closes by itself, and with the process.
    pub fn open_adoption(&self, window: Window) {
        *self.current.load().gate.adoption.window() = Some(window);
    }

    /// Closes the window; false if there is none.
    pub fn close_adoption(&self) -> bool {
        self.current.load().gate.adoption.window().take().is_some()
    }

    /// The window, closed by its time or count or not.
    pub fn adoption(&self) -> Option<Window> {
        self.current.load().gate.adoption.window().clone()
    }

    /// Asks the route's CSMS about a station that there is not: whether it lets anybody in.
    pub fn lets_anybody_in(
        &self,
        route: Route,
    ) -> impl Future<Output = Result<bool, String>> + Send + use<> {
        let gate = Arc::clone(&self.current.load().gate);
        async move { adoption::lets_anybody_in(&gate, &route).await }
    }

    /// Ends one station's session; false if it has none.
    pub fn end_session(&self, tenant: &Tenant, station: &StationId) -> bool {
        self.live.end(tenant, station)
    }

    /// Ends the sessions with these numbers, at once; how many.
    pub fn end_sessions(&self, numbers: &HashSet<u64>) -> usize {
        self.live
            .end_where(|session| numbers.contains(&session.number))
    }

    /// Has a refused message sent to the CSMS in its station's live session; `None`: it has none.
    /// When no outcome comes, the session has ended before there was one.
    pub fn release(
        &self,
        tenant: &Tenant,
        station: &StationId,
        text: Secret,
    ) -> Option<oneshot::Receiver<Released>> {
        self.live.release(tenant, station, text)
    }

    /// Ends the sessions of stations that the book no longer lets in, or in whose place it has put
    /// another one; how many.
    pub fn end_unregistered(&self) -> usize {
        let current = self.current.load();
        let (book, memories) = (current.gate.book.load_full(), &current.gate.memories);
        let leave = |session: &SessionFacts| {
            !lets_in(&book, session) || memories.is_replaced(session, &book)
        };
        self.live.end_where(leave)
    }

    /// Forgets what is remembered of stations that are not in the book any more.
    pub fn forget_unregistered(&self) {
        let current = self.current.load();
        let book = current.gate.book.load_full();
        current.gate.memories.forget_strangers(&book);
    }

    /// Ends the sessions of stations whose certificate has been taken back; how many.
    pub fn end_revoked(&self) -> usize {
        self.live.end_revoked()
    }

    /// Sends the sessions with these numbers away (1001), spread over that time in a random order;
    /// each one still gets the answers it waits for, within its close deadline.
    pub fn depart(
        &self,
        numbers: HashSet<u64>,
        window: Duration,
    ) -> impl Future<Output = ()> + Send + use<> {
        let live = Arc::clone(&self.live);
        live.depart(move |session| numbers.contains(&session.number), window)
    }

    /// Sends every session away like that, and whoever gets in meanwhile; ready when nobody is left.
    pub fn drain(&self, window: Duration) -> impl Future<Output = ()> + Send + use<> {
        let live = Arc::clone(&self.live);
        async move {
            Arc::clone(&live).depart(|_| true, window).await;
            while live.len() > 0 {
                Arc::clone(&live).depart(|_| true, Duration::ZERO).await;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// Stops accepting, says goodbye to every session (1001) at once, and waits for them at most that
    /// long.
    pub async fn shut_down(mut self, patience: Duration) {
        self.close_doors();
        self.go_to(Phase::Over);
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            self.live.end_where(|_| true);
            if self.live.len() == 0 || tokio::time::Instant::now() >= deadline {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let threads = std::mem::take(&mut self.threads);
        let kept = Arc::clone(&self.current);
        drop(self);
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
        drop(kept);
    }
}

/// How often it is looked whether everybody has gone.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A second handle on each socket.
fn keep(
    settings: &Settings,
    of_workers: &[Vec<(usize, std::net::TcpListener)>],
) -> Result<Vec<ListeningSocket>, StartError> {
    let sockets = of_workers.iter().flatten();
    sockets
        .filter_map(|(number, socket)| Some((settings.listeners.get(*number)?.address, socket)))
        .map(|(configured, socket)| {
            let socket = socket.try_clone().map_err(|error| StartError::Listen {
                address: configured,
                error,
            })?;
            Ok(ListeningSocket { configured, socket })
        })
        .collect()
}

fn spawn(number: usize, worker: Worker) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name(format!("relay-{number}"))
        .spawn(move || {
            runtime.block_on(work(worker));
            // A name that is still being looked up must not keep us from leaving.
            runtime.shutdown_background();
        })
}
