//! All that a gate needs before it opens: read first, then made, each part in the order in which one
//! needs the other.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use arc_swap::ArcSwap;
use gateway::{
    Clock, EventReceiver, EventSender, Gateway, ListeningSocket, Memories, Shared, event_queue,
    event_queue_waited_for, lesson_queue,
};
use guard::Book;
use store::Store;
use tokio::signal::unix::{SignalKind, signal};

use super::admin_door::{self, AdminDoor};
use super::around::Around;
use super::keeper::{self, Keeper};
use super::learning::{LESSONS_MAX, Learning};
use super::log::LevelHandle;
use super::opened::{Open, Opened};
use super::orders::{Order, Orders};
use super::refused::RefusedDesk;
use super::upgrade::{Inherited, Upgrades};
use crate::admin::{Shown, Ticket};
use crate::config::{Config, Materials};
use crate::findings;
use crate::health::conditions::Conditions;
use crate::passwords::Passwords;
use crate::recorder::Recording;
use crate::register::Register;
use crate::tell::{Onlooker, Teller};
use crate::{Exit, Failure};

/// Everything that has been read before the gate is opened.
pub(crate) struct Ready {
    config: Config,
    materials: Materials,
    register: Register,
    book: Book,
    pub(super) level: LevelHandle,
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
    /// Makes everything; nobody is accepted yet. `path` is where the configuration is read anew.
    pub(super) fn prepare(
        self,
        path: &Path,
        onlooker: Option<Onlooker>,
        inherited: Inherited,
    ) -> Result<Opened, Failure> {
        let Ready {
            config,
            mut materials,
            register,
            book,
            level,
        } = self;
        let made = Made::of(&config, &mut materials, &register, book, inherited)?;
        let around = made.around;
        let (orders, ordered) = Orders::queue();
        let (upgrade, upgrades) = Upgrades::queue();
        let desk = RefusedDesk::new(Register::of(&config)?.store, config.refused.clone());
        let (seen, findings) = findings::begin(&config.store.value);
        let (registry, metrics) = around.figures(&desk);
        let shown = Shown {
            routes: Arc::clone(&around.shared.book),
            conditions: Arc::clone(&around.conditions),
            registry,
            gate: Arc::clone(&around.gate),
            ticket: Arc::clone(&made.ticket),
            refused: desk.clone(),
            findings: Arc::clone(&seen),
            orders: orders.clone(),
            policy: Arc::clone(&around.shared.policy),
            upgrades: upgrade,
            recorder: around.recorder.clone(),
        };
        let admin = AdminDoor::new(config.admin.value, made.listener, made.ticket, shown);
        let world = around.world(&config, &mut materials, level);
        let looked = Arc::clone(&world.looked);
        let path = path.to_owned();
        let keeper = Keeper::new(
            path,
            config,
            &materials,
            register,
            &around.shared,
            made.learning,
            world,
        );
        let keeper = tokio::task::spawn_blocking(move || keeper.keep(&ordered));
        tokio::spawn(on_hangup(orders.clone())?);
        let telling = around.begin(
            desk,
            Teller::new(metrics),
            findings::onlooker(seen, onlooker),
            &looked,
        )?;
        Ok(Opened {
            gate: around.gate,
            admin,
            looked,
            orders,
            keeper,
            to_remember: Some(made.to_remember),
            memory_keeper: None,
            upgrades,
            told: made.told,
            findings,
            telling,
            recording: made.recording,
        })
    }
}

/// The gate itself, and what is made along with it.
struct Made {
    around: Around,
    listener: TcpListener,
    ticket: Arc<Ticket>,
    told: Open,
    to_remember: (Register, Arc<Memories>),
    learning: Learning,
    recording: Option<Recording>,
}

impl Made {
    fn of(
        config: &Config,
        materials: &mut Materials,
        register: &Register,
        book: Book,
        inherited: Inherited,
    ) -> Result<Made, Failure> {
        let listener = admin_door::listener(config.admin.value, inherited.admin)?;
        let admin = listener.local_addr()?;
        let queued_max = config.events_queued_max;
        let (sender, events) = match config.journal.as_ref().map(|journal| journal.wait) {
            Some(Some(patience)) => event_queue_waited_for(queued_max, patience),
            is_recorded => event_queue(queued_max, is_recorded.is_some()),
        };
        let shared = shared(config, register, book, sender)?;
        // The gate begins its own clock now; a few milliseconds between the two do not matter.
        let clock = Clock::start();
        let learning = learning(register, materials);
        let gateway = gateway(materials, &shared, inherited.sockets)?;
        let to_remember = (Register::of(config)?, Arc::clone(&shared.memories));
        let ticket = Ticket::draw(&config.store.value, admin, inherited.token)?;
        let told = Open::of(&gateway, &shared, admin);
        let (conditions, events) = (Arc::default(), Arc::new(events));
        let recording = recording(config, &events, &conditions, clock)?;
        Ok(Made {
            around: Around {
                gate: Arc::new(RwLock::new(Some(gateway))),
                conditions,
                events,
                recorder: recording.as_ref().map(|it| it.recorder().clone()),
                shared,
                clock,
            },
            listener,
            ticket: Arc::new(ticket),
            told,
            to_remember,
            learning,
            recording,
        })
    }
}

/// What the gate shares with whoever changes what it goes by.
fn shared(
    config: &Config,
    register: &Register,
    book: Book,
    events: EventSender,
) -> Result<Shared, Failure> {
    // Whoever was observed only before a restart is so from the first session on.
    let mut policy = config.policy.clone();
    policy.scopes = policy.scopes.relaxed_to(register.store.way_back()?.relaxed);
    let mut shared = Shared::new(
        Arc::new(ArcSwap::from_pointee(book)),
        Arc::new(ArcSwap::from_pointee(policy)),
        events,
        Arc::new(register.key.verifier_key()),
    );
    shared.memories = Arc::new(Memories::new(register.key.pseudonym_key()));
    Ok(shared)
}

/// Passwords that stations are given on the way, from the gate to the register.
fn learning(register: &Register, materials: &mut Materials) -> Learning {
    let passwords = Passwords::of(&register.key);
    let (lessons, learnt) = lesson_queue(LESSONS_MAX);
    let settings = &mut materials.settings.passwords;
    settings.rules = Some(Arc::new(passwords.rules.clone()));
    settings.lessons = Some(lessons);
    Learning::new(learnt, passwords)
}

fn gateway(
    materials: &Materials,
    shared: &Shared,
    sockets: Vec<ListeningSocket>,
) -> Result<Gateway, Failure> {
    let gateway = Gateway::prepare(materials.settings.clone(), shared.clone(), sockets);
    gateway.map_err(|error| {
        let remedy = "See which program has that port, and whether this user may listen on it.";
        Failure::new(Exit::Failed, error.to_string(), remedy)
    })
}

fn recording(
    config: &Config,
    events: &Arc<EventReceiver>,
    conditions: &Arc<Mutex<Conditions>>,
    clock: Clock,
) -> Result<Option<Recording>, Failure> {
    let recording = config.journal.as_ref().map(|journal| {
        Recording::begin(journal, Arc::clone(events), Arc::clone(conditions), clock)
    });
    Ok(recording.transpose()?)
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
