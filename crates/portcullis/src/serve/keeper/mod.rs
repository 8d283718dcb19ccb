//! The keeper: the one thread that changes what the running gate goes by. It looks at the register and
//! at the files every second, and carries out orders one after the other, so that no two changes meet.
//!
//! Whatever it reads is made ready as a whole before anything of it comes into force, and a change
//! that would send more of the fleet away than [`guard::succession`] lets pass unasked waits for
//! somebody to confirm it. Revocation lists are not its business: those are never held back.

mod changes;
mod files;
mod leaving;
mod mode;
mod register;
mod reload;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{Settings, Shared};
use guard::admission::CertificateRules;
use guard::{Book, Policy, Route};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::learning::Learning;
use super::log::LevelHandle;
use super::orders::{Order, Reload};
use super::revocation_watch::Lists;
use super::watch::Looked;
use crate::admin::GateView;
use crate::config::{Config, Materials};
use crate::health::conditions::Conditions;
use crate::health::{self, Finding};
use crate::recorder::Recorder;
use crate::register::Register;
use files::Files;
use mode::Mode;
use register::RegisterState;
pub(super) use register::{read, write_routes};

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the keeper changes, and what it needs for that.
pub(super) struct Keeper {
    path: PathBuf,
    /// As the process was started: what cannot change until the next start is told against this.
    started: Config,
    /// In force.
    config: Config,
    settings: Settings,
    routes: Vec<Route>,
    /// Where the gate asks about certificates, by the listener's configured address.
    rules: HashMap<SocketAddr, Arc<ArcSwap<CertificateRules>>>,
    files: Files,
    register: RegisterState,
    mode: Mode,
    book: Arc<ArcSwap<Book>>,
    policy: Arc<ArcSwap<Policy>>,
    world: World,
    /// How the configuration is.
    finding: Finding,
}

/// What stands around the keeper.
pub(super) struct World {
    pub(super) gate: GateView,
    pub(super) conditions: Arc<Mutex<Conditions>>,
    pub(super) lists: Lists,
    pub(super) looked: Arc<ArcSwap<Looked>>,
    pub(super) level: LevelHandle,
    pub(super) runtime: Handle,
    /// Where changes are recorded, where a record is kept.
    pub(super) recorder: Option<Recorder>,
}

impl Keeper {
    /// Records a change.
    fn done(&self, what: &'static str, by: &'static str, details: impl Into<String>) {
        if let Some(recorder) = &self.world.recorder {
            recorder.done(what, by, details);
        }
    }

    pub(super) fn new(
        path: PathBuf,
        config: Config,
        materials: &Materials,
        register: Register,
        shared: &Shared,
        learning: Learning,
        world: World,
    ) -> Keeper {
        let listeners = materials.settings.listeners.iter();
        let rules = listeners.filter_map(|listener| {
            let tls = listener.tls.as_ref()?;
            Some((listener.address, Arc::clone(&tls.certificate_rules)))
        });
        Keeper {
            rules: rules.collect(),
            files: Files::of(&config),
            finding: Finding::ok(reload::SUBJECT, "in force as it is written"),
            mode: Mode::default(),
            register: RegisterState::new(register, learning),
            settings: materials.settings.clone(),
            routes: materials.routes.clone(),
            book: Arc::clone(&shared.book),
            policy: Arc::clone(&shared.policy),
            started: config.clone(),
            config,
            path,
            world,
        }
    }

    /// Keeps watch until it is told to end; on a thread that may wait for the disk.
    pub(super) fn keep(mut self, orders: &Receiver<Order>) {
        loop {
            self.look_at_register(false);
            let mut findings = vec![self.finding.clone()];
            findings.extend(self.register.findings());
            findings.push(self.mode.finding());
            health::tell(&self.world.conditions, findings);
            match orders.recv_timeout(INTERVAL) {
                Ok(Order::Close) => {
                    self.look_at_register(false);
                    return;
                }
                Ok(Order::Reload { force, answer }) => self.carry_out(force, answer),
                Ok(Order::Rest { answer }) => {
                    let held = self.register.unconfirmed();
                    if answer.send(held).is_ok() && !self.rest(orders) {
                        self.look_at_register(false);
                        return;
                    }
                    // The new process may have written what it read.
                    self.write_routes();
                }
                Ok(Order::GoOn) => {}
                Ok(Order::Mode { order, answer }) => {
                    let _ = answer.send(self.order_mode(&order));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.files.have_changed() {
                        let outcome = self.reload(false);
                        self.report("a file has changed", &outcome);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Waits until somebody says to go on; false when it is to end. Whoever orders something else
    /// meanwhile is told that it is not done. Sessions run on, until the last of them has been sent
    /// away: what they learn is kept, or the new process would lock a station out that was given another
    /// password here, and whom the register keeps out leaves.
    fn rest(&mut self, orders: &Receiver<Order>) -> bool {
        loop {
            match orders.recv_timeout(INTERVAL) {
                Ok(Order::GoOn) => return true,
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => drop(self.look_at_register(false)),
            }
        }
    }

    fn carry_out(&mut self, force: bool, answer: Option<oneshot::Sender<Reload>>) {
        self.files.look();
        let outcome = self.reload_all(force);
        self.report("asked to", &outcome);
        if let Some(answer) = answer {
            let _ = answer.send(outcome);
        }
    }

    /// The configuration, and the register with it.
    fn reload_all(&mut self, force: bool) -> Reload {
        let mut outcome = self.reload(force);
        let left = self.look_at_register(force);
        if let Reload::Done(done) = &mut outcome
            && let Some(left) = left
        {
            done.changed.push("stations".to_owned());
            done.sessions.live = done.sessions.live.max(left.live);
            done.sessions.ended += left.ended;
            for (kind, count) in left.by {
                *done.sessions.by.entry(kind).or_default() += count;
            }
        }
        match (outcome, self.register.unconfirmed()) {
            // The file may be as it was: what is asked about then is the register.
            (Reload::Done(done), Some(ended)) if done.changed.is_empty() => {
                Reload::Unconfirmed(ended)
            }
            (outcome, _) => outcome,
        }
    }
}
