//! `portcullis serve`: everything wired together, and kept running until somebody says stop. The
//! demo opens the gate by the same function.
//!
//! ```text
//! portcullis.toml ─▶ Settings ─▶ Gateway (threads of its own) ─▶ events ─▶ log, /metrics
//! store ─▶ Book, read anew when it changes                    conditions ─▶ log, /readyz
//! ```

mod admin_door;
mod keeper;
mod learning;
mod log;
mod memory_keeper;
pub(crate) mod orders;
mod refused;
mod revocation_watch;
mod stop;
mod tell;
pub(crate) mod upgrade;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{Clock, Gateway, Memories, Shared, event_queue, lesson_queue};
use guard::Book;
use prometheus_client::registry::Registry;
use sd_notify::NotifyState;
use serde::Serialize;
use store::Store;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::info;

use self::admin_door::AdminDoor;
use self::keeper::{Keeper, World};
use self::learning::{LESSONS_MAX, Learning};
use self::log::LevelHandle;
use self::memory_keeper::MemoryKeeper;
use self::orders::{Order, Orders};
pub(crate) use self::refused::{RefusedDesk, RefusedFigures};
use self::revocation_watch::Lists;
pub(crate) use self::stop::Stops;
pub(crate) use self::tell::Onlooker;
use self::upgrade::{Inherited, Predecessor, Started, Upgrades};
use self::watch::Looked;
pub(crate) use self::watch::tell as tell_findings;
use crate::admin::{self, Figures, GateView, Shown, Ticket};
use crate::config::{Config, Materials};
use crate::findings;
use crate::health::conditions::Conditions;
use crate::output::Output;
use crate::passwords::Passwords;
use crate::recorder::Recording;
use crate::register::Register;
use crate::tell::Teller;
use crate::tell::metrics::EventMetrics;
use crate::{Exit, Failure};

/// What sessions get to say goodbye when the gate is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);
/// The relay has threads of its own; these are for the log, the admin listener and the watches.
const THREADS: usize = 2;

/// What is told when the gate is open.
#[derive(Serialize)]
struct Open {
    listening: Vec<String>,
    admin: String,
    stations: usize,
    routes: usize,
}

/// Everything that has been read before the gate is opened.
pub(crate) struct Ready {
    config: Config,
    materials: Materials,
    register: Register,
    book: Book,
    level: LevelHandle,
}

impl Ready {
    /// Reads the files and the register that a configuration names.
    pub(crate) fn of(config: Config) -> Result<Ready, Failure> {
        let materials = Materials::load(&config)?;
        let mut register = Register::of(&config)?;
        keeper::write_routes(&mut register.store, &materials.routes);
        let book = keeper::read(&register.store, &materials.routes)?;
        Ok(Ready {
            config,
            materials,
            register,
            book,
            level: LevelHandle::default(),
        })
    }
}

pub(crate) fn run(path: &Path, output: &mut Output) -> Result<(), Failure> {
    let started = Started::now()?;
    match Predecessor::find()? {
        None => serve(path, output, &started, None, Inherited::default()),
        Some((predecessor, inherited)) => {
            let served = serve(path, output, &started, Some(&predecessor), inherited);
            if let Err(failure) = &served {
                predecessor.give_up(failure);
            }
            served
        }
    }
}

fn serve(
    path: &Path,
    output: &mut Output,
    started: &Started,
    predecessor: Option<&Predecessor>,
    inherited: Inherited,
) -> Result<(), Failure> {
    let config = Config::load(path)?;
    let level = log::begin(&config.log);
    let ready = Ready {
        level,
        ..Ready::of(config)?
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Whoever is told that the gate is open may tell it to stop in the next moment.
        let mut stops = Stops::listen()?;
        let mut renewals = signal(SignalKind::user_defined2())?;
        let mut opened = prepare(path, ready, None, inherited).await?;
        match predecessor {
            None => {
                opened.begin()?;
                output.result(&opened.told, || opened.told.in_words())?;
            }
            // Standard output is the old process's, whose reader may be gone.
            Some(predecessor) => opened.succeed(predecessor)?,
        }
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        loop {
            let waiting = tokio::select! {
                () = stops.next() => break,
                _ = renewals.recv() => None,
                waiting = opened.upgrades.recv() => waiting,
            };
            if opened.upgrade(started, waiting).await {
                break;
            }
        }
        opened.drain(&mut stops).await;
        Ok(())
    })
}

/// A gate that is open, with all that stands around it.
pub(crate) struct Opened {
    gate: GateView,
    admin: AdminDoor,
    looked: Arc<ArcSwap<Looked>>,
    told: Open,
    orders: Orders,
    keeper: JoinHandle<()>,
    /// What is remembered of the stations, until it is kept.
    to_remember: Option<(Register, Arc<Memories>)>,
    memory_keeper: Option<MemoryKeeper>,
    upgrades: mpsc::Receiver<upgrade::Waiting>,
    findings: findings::Keeper,
    recording: Option<Recording>,
}

impl Opened {
    /// Accepts stations and orders from now on.
    fn begin(&mut self) -> Result<(), Failure> {
        // Only now: a gate that could not open must take neither the memories nor the ticket of the
        // one that runs.
        if let Some((register, memories)) = self.to_remember.take() {
            let conditions = Arc::clone(&self.admin.shown.conditions);
            let keeper = memory_keeper::begin(register, memories, conditions)?;
            self.memory_keeper = Some(keeper);
        }
        self.admin.open()?;
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gate.as_ref() {
            gate.open();
        }
        Ok(())
    }

    /// Says goodbye to every station at once, and closes.
    pub(crate) async fn close(mut self) {
        self.close_doors();
        self.shut_down(FAREWELL).await;
    }

    /// Listens no more, neither for stations nor for orders: another process may.
    fn close_doors(&mut self) {
        self.admin.close();
        let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gate.as_mut() {
            gate.close_doors();
        }
    }

    async fn shut_down(self, patience: Duration) {
        let gateway = self
            .gate
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(gateway) = gateway {
            gateway.shut_down(patience).await;
        }
        // What is learnt while the gate closes is still kept.
        self.orders.put(Order::Close);
        let _ = self.keeper.await;
        if let Some(memory_keeper) = self.memory_keeper {
            memory_keeper.close().await;
        }
        // The last farewells are still in the queue.
        tokio::time::sleep(DRAIN).await;
        self.findings.close();
        if let Some(recording) = self.recording {
            // It waits for a disk, and for a thread.
            let _ = tokio::task::spawn_blocking(move || recording.close()).await;
        }
        info!("closed");
    }
}

/// Opens the gate; `path` is where the configuration is read anew.
pub(crate) async fn open(
    path: &Path,
    ready: Ready,
    onlooker: Option<Onlooker>,
) -> Result<Opened, Failure> {
    let mut opened = prepare(path, ready, onlooker, Inherited::default()).await?;
    opened.begin()?;
    Ok(opened)
}

/// Makes everything ready; nobody is accepted yet.
async fn prepare(
    path: &Path,
    ready: Ready,
    onlooker: Option<Onlooker>,
    inherited: Inherited,
) -> Result<Opened, Failure> {
    let Ready {
        config,
        mut materials,
        register,
        book,
        level,
    } = ready;
    let Inherited {
        sockets,
        admin,
        token,
    } = inherited;
    let admin_configured = config.admin.value;
    let admin = admin.filter(|(configured, _)| *configured == admin_configured);
    let admin = match admin {
        Some((_, listener)) => listener,
        None => admin::bind(admin_configured).map_err(|error| {
            let what = format!("cannot listen on {admin_configured}: {error}");
            let remedy = "See which program has that port, or set another [admin] address.";
            Failure::new(Exit::Failed, what, remedy)
        })?,
    };
    let admin_address = admin.local_addr()?;
    let (sender, events) = event_queue(config.events_queued_max, config.journal.is_some());
    // Whoever was observed only before a restart is so from the first session on.
    let mut policy = config.policy.clone();
    policy.scopes = policy.scopes.relaxed_to(register.store.way_back()?.relaxed);
    let mut shared = Shared::new(
        Arc::new(ArcSwap::from_pointee(book)),
        Arc::new(ArcSwap::from_pointee(policy)),
        sender,
        Arc::new(register.key.verifier_key()),
    );
    shared.memories = Arc::new(Memories::new(register.key.pseudonym_key()));
    // The gate begins its own clock now; a few milliseconds between the two do not matter.
    let clock = Clock::start();
    let passwords = Passwords::of(&register.key);
    let (lessons, learnt) = lesson_queue(LESSONS_MAX);
    let settings = &mut materials.settings;
    settings.passwords.rules = Some(Arc::new(passwords.rules.clone()));
    settings.passwords.lessons = Some(lessons);
    let gateway = Gateway::prepare(materials.settings.clone(), shared.clone(), sockets);
    let gateway = gateway.map_err(|error| {
        let remedy = "See which program has that port, and whether this user may listen on it.";
        Failure::new(Exit::Failed, error.to_string(), remedy)
    })?;
    let conditions = Arc::new(Mutex::new(Conditions::default()));
    let to_remember = Some((Register::of(&config)?, Arc::clone(&shared.memories)));
    let ticket = Arc::new(Ticket::draw(&config.store.value, admin_address, token)?);
    let told = Open::of(&gateway, &shared, admin_address);
    let gate: GateView = Arc::new(RwLock::new(Some(gateway)));
    let lists = Lists::of(std::mem::take(&mut materials.lists));
    revocation_watch::begin(lists.clone(), Arc::clone(&gate), Arc::clone(&conditions));
    let dates = std::mem::take(&mut materials.certificates);
    let looked = Arc::new(ArcSwap::from_pointee(Looked::new(&config, dates)));
    let events = Arc::new(events);
    let recording = config.journal.as_ref().map(|journal| {
        let (events, told_to) = (Arc::clone(&events), Arc::clone(&conditions));
        Recording::begin(journal, events, told_to, clock)
    });
    let recording = recording.transpose()?;
    let recorder = recording
        .as_ref()
        .map(|recording| recording.recorder().clone());
    let (orders, ordered) = Orders::queue();
    let world = World {
        gate: Arc::clone(&gate),
        conditions: Arc::clone(&conditions),
        lists,
        looked: Arc::clone(&looked),
        recorder: recorder.clone(),
        level,
        runtime: Handle::current(),
    };
    let desk = RefusedDesk::new(Register::of(&config)?.store, config.refused.clone());
    let (seen, findings) = findings::begin(&config.store.value);
    let learning = Learning::new(learnt, passwords);
    let (upgrade, upgrades) = Upgrades::queue();
    let path = path.to_owned();
    let keeper = Keeper::new(path, config, &materials, register, &shared, learning, world);
    let keeper = tokio::task::spawn_blocking(move || keeper.keep(&ordered));
    tokio::spawn(on_hangup(orders.clone())?);
    let mut registry = Registry::with_prefix("portcullis");
    let metrics = Arc::new(EventMetrics::register(&mut registry));
    registry.register_collector(Box::new(Figures {
        gate: Arc::clone(&gate),
        events: Arc::clone(&events),
        conditions: Arc::clone(&conditions),
        kept: shared.kept.clone(),
        refused: Arc::clone(&desk.figures),
        recorder: recorder.clone(),
    }));
    let (gate_is, told_to) = (Arc::clone(&gate), Arc::clone(&conditions));
    refused::begin(shared.kept.clone(), desk.clone(), clock, gate_is, told_to);
    let shown = Shown {
        routes: Arc::clone(&shared.book),
        conditions: Arc::clone(&conditions),
        registry,
        gate: Arc::clone(&gate),
        ticket: Arc::clone(&ticket),
        refused: desk,
        findings: Arc::clone(&seen),
        orders: orders.clone(),
        policy: Arc::clone(&shared.policy),
        upgrades: upgrade,
        recorder: recorder.clone(),
    };
    let admin = AdminDoor {
        configured: admin_configured,
        listener: Some(admin),
        ticket,
        shown: Arc::new(shown),
        serving: None,
    };
    let told_to = Arc::clone(&conditions);
    let teller = Teller::new(metrics);
    let onlooker = findings::onlooker(seen, onlooker);
    let ways = tell::Ways { events, recorder };
    tokio::spawn(tell::tell(ways, teller, told_to, clock, onlooker));
    tokio::spawn(watch::keep(Arc::clone(&looked), conditions));
    Ok(Opened {
        gate,
        admin,
        looked,
        orders,
        keeper,
        to_remember,
        memory_keeper: None,
        upgrades,
        told,
        findings,
        recording,
    })
}

/// Waits for SIGHUP, again and again. The handler is in place when this returns.
fn on_hangup(orders: Orders) -> std::io::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            // One that finds no room is not needed: those before it read the same files.
            orders.put(Order::Reload {
                force: false,
                answer: None,
            });
        }
    })
}

impl Open {
    fn of(gateway: &Gateway, shared: &Shared, admin: SocketAddr) -> Open {
        let book = shared.book.load();
        let listening = gateway.addresses().iter().map(ToString::to_string);
        Open {
            listening: listening.collect(),
            admin: admin.to_string(),
            stations: book.stations().len(),
            routes: book.routes().count(),
        }
    }

    fn in_words(&self) -> String {
        format!(
            "Portcullis is open on {} for {} stations and {} routes; /healthz, /readyz and /metrics on {}.",
            self.listening.join(", "),
            self.stations,
            self.routes,
            self.admin
        )
    }
}

/// Longer than the reader of events takes to come by.
const DRAIN: Duration = Duration::from_millis(200);
