//! `portcullis serve`: everything wired together, and kept running until somebody says stop. The
//! demo opens the gate by the same function.
//!
//! ```text
//! portcullis.toml ─▶ Settings ─▶ Gateway (threads of its own) ─▶ events ─▶ log, /metrics
//! store ─▶ Book, read anew when it changes                    conditions ─▶ log, /readyz
//! ```

mod log;
mod refused;
mod register_watch;
mod reload;
mod revocation_watch;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{Clock, EventReceiver, Gateway, Kept, Shared, event_queue, lesson_queue};
use guard::{Book, Event};
use prometheus_client::registry::Registry;
use serde::Serialize;
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

pub(crate) use self::refused::{RefusedDesk, RefusedFigures};
use self::register_watch::Learning;
use crate::admin::{self, Figures, GateView, Shown, Ticket};
use crate::config::{Config, Materials};
use crate::health::conditions::Conditions;
use crate::output::Output;
use crate::passwords;
use crate::register::Register;
use crate::tell::Teller;
use crate::tell::metrics::EventMetrics;
use crate::{Exit, Failure};

/// What sessions get to say goodbye when the gate is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);
/// The relay has threads of its own; these are for the log, the admin listener and the watches.
const THREADS: usize = 2;
/// Lessons that wait to be written; a fleet that comes back all at once is learnt in a few turns.
const LESSONS_QUEUED_MAX: usize = 16_384;

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
}

impl Ready {
    /// Reads the files and the register that a configuration names.
    pub(crate) fn of(config: Config) -> Result<Ready, Failure> {
        let materials = Materials::load(&config)?;
        let mut register = Register::of(&config)?;
        register.store.replace_file_routes(&materials.routes)?;
        let book = register_watch::read(&register.store)?;
        Ok(Ready {
            config,
            materials,
            register,
            book,
        })
    }
}

/// Sees each event before it is counted and logged.
pub(crate) type Onlooker = Box<dyn FnMut(&Event) + Send>;

pub(crate) fn run(path: &Path, output: &mut Output) -> Result<(), Failure> {
    let config = Config::load(path)?;
    log::begin(&config.log);
    let ready = Ready::of(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Whoever is told that the gate is open may tell it to stop in the next moment.
        let stop = until_told_to_stop()?;
        let opened = open(path, ready, None).await?;
        output.result(&opened.told, || opened.told.in_words())?;
        stop.await;
        opened.close().await;
        Ok(())
    })
}

/// A gate that is open, with all that stands around it.
pub(crate) struct Opened {
    gate: GateView,
    ticket: Arc<Ticket>,
    told: Open,
    kept: register_watch::Kept,
}

impl Opened {
    /// Says goodbye to every station and closes.
    pub(crate) async fn close(self) {
        self.ticket.withdraw();
        let gateway = self
            .gate
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(gateway) = gateway {
            info!(
                "closing: saying goodbye to {} stations",
                gateway.counters().snapshot().live()
            );
            gateway.shut_down(FAREWELL).await;
        }
        self.kept.close().await;
        // The last farewells are still in the queue.
        tokio::time::sleep(DRAIN).await;
        info!("closed");
    }
}

/// Opens the gate; `path` is where the configuration is read anew on SIGHUP.
pub(crate) async fn open(
    path: &Path,
    ready: Ready,
    onlooker: Option<Onlooker>,
) -> Result<Opened, Failure> {
    let Ready {
        config,
        materials,
        register,
        book,
    } = ready;
    let admin = admin::bind(config.admin.value).await.map_err(|error| {
        let what = format!("cannot listen on {}: {error}", config.admin.value);
        let remedy = "See which program has that port, or set another [admin] address.";
        Failure::new(Exit::Failed, what, remedy)
    })?;
    let (sender, events) = event_queue(config.events_queued_max);
    let shared = Shared::new(
        Arc::new(ArcSwap::from_pointee(book)),
        Arc::new(ArcSwap::from_pointee(config.policy.clone())),
        sender,
        Arc::new(register.key.verifier_key()),
    );
    // The gate begins its own clock now; a few milliseconds between the two do not matter.
    let clock = Clock::start();
    let rules = Arc::new(passwords::rules(&register.key));
    let (lessons, learnt) = lesson_queue(LESSONS_QUEUED_MAX);
    let mut settings = materials.settings;
    settings.passwords.rules = Some(Arc::clone(&rules));
    settings.passwords.lessons = Some(lessons);
    let gateway = Gateway::start(settings, shared.clone()).map_err(|error| {
        let remedy = "See which program has that port, and whether this user may listen on it.";
        Failure::new(Exit::Failed, error.to_string(), remedy)
    })?;
    // Only now: a gate that could not open must not take the ticket of the one that runs.
    let ticket = Arc::new(Ticket::issue(&config.store.value, admin.1)?);
    let told = Open::of(&gateway, &shared, admin.1);
    let gate: GateView = Arc::new(RwLock::new(Some(gateway)));
    let conditions = Arc::new(Mutex::new(Conditions::default()));
    let told_to = Arc::clone(&conditions);
    let reread = revocation_watch::begin(materials.lists, Arc::clone(&gate), told_to);
    tokio::spawn(reload::on_hangup(
        path.to_owned(),
        Arc::clone(&shared.policy),
        reread,
    )?);
    let events = Arc::new(events);
    let desk = RefusedDesk::new(Register::of(&config)?.store, config.refused.clone());
    let metrics = listen(
        admin.0,
        &events,
        &gate,
        &conditions,
        &ticket,
        &shared.kept,
        &desk,
    );
    let (gate_is, told_to) = (Arc::clone(&gate), Arc::clone(&conditions));
    refused::begin(shared.kept.clone(), desk, clock, gate_is, told_to);
    let told_to = Arc::clone(&conditions);
    tokio::spawn(tell(events, Teller::new(metrics), told_to, clock, onlooker));
    let told_to = Arc::clone(&conditions);
    let learning = Learning {
        lessons: learnt,
        rules,
    };
    let (store, book) = (register.store, shared.book);
    let kept = register_watch::begin(store, learning, book, Arc::clone(&gate), told_to);
    tokio::spawn(watch::keep(config, materials.certificates, conditions));
    Ok(Opened {
        gate,
        ticket,
        told,
        kept,
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

/// Begins to answer on the admin listener; returns what the events are counted in.
fn listen(
    admin: TcpListener,
    events: &Arc<EventReceiver>,
    gate: &GateView,
    conditions: &Arc<Mutex<Conditions>>,
    ticket: &Arc<Ticket>,
    kept: &Kept,
    desk: &RefusedDesk,
) -> Arc<EventMetrics> {
    let mut registry = Registry::with_prefix("portcullis");
    let metrics = Arc::new(EventMetrics::register(&mut registry));
    registry.register_collector(Box::new(Figures {
        gate: Arc::clone(gate),
        events: Arc::clone(events),
        conditions: Arc::clone(conditions),
        kept: kept.clone(),
        refused: Arc::clone(&desk.figures),
    }));
    let conditions = Arc::clone(conditions);
    tokio::spawn(admin::serve(
        admin,
        Shown {
            conditions,
            registry,
            gate: Arc::clone(gate),
            ticket: Arc::clone(ticket),
            refused: desk.clone(),
        },
    ));
    metrics
}

/// Longer than the reader of events takes to come by.
const DRAIN: Duration = Duration::from_millis(200);

/// How often the teller is asked what the events of late say about the state of things.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Counts and logs what happens, as long as the gate runs.
async fn tell(
    events: Arc<EventReceiver>,
    mut teller: Teller,
    conditions: Arc<Mutex<Conditions>>,
    clock: Clock,
    mut onlooker: Option<Onlooker>,
) {
    let mut looked = Duration::ZERO;
    loop {
        // Nothing may happen for long, and that is news, too.
        let batch = tokio::time::timeout(TELL_EVERY, events.batch()).await;
        let mut batch = batch.unwrap_or_default();
        for event in batch.drain(..) {
            if let Some(onlooker) = &mut onlooker {
                onlooker(&event);
            }
            teller.tell(&event);
        }
        events.give_back(batch);
        let now = clock.now();
        if now.elapsed >= looked + TELL_EVERY {
            looked = now.elapsed;
            watch::tell(&conditions, teller.look(now, events.dropped()));
        }
    }
}

/// Waits for SIGTERM or Ctrl-C. The handlers are in place when this returns.
pub(crate) fn until_told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
