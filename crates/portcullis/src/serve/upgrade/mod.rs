//! Another process takes this one's place, and nobody who connects notices.
//!
//! ```text
//! old                                   new
//! start it, give it the sockets ──────▶ read everything, make everything
//! stop accepting ◀────────────── ready
//! who is connected here ─────── go ───▶ accept, from the same queues
//! send the fleet away ◀────────── open
//! who has gone ───────────────────────▶ let them in
//! ```
//!
//! The listening sockets are never closed: whoever comes while nobody accepts waits in their queues
//! for some milliseconds. A station that is still connected to the old process gets no second session
//! at the new one. If the new one does not get ready, the old one goes on as if nothing had been.

mod handing;
mod taking;
mod wire;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

pub(super) use handing::Started;
use handing::{Estate, Successor, hand_over};
pub(super) use taking::{Inherited, Predecessor};

use super::orders::Order;
use super::{Opened, stop};
use crate::recorder::GATE;
use crate::{Exit, Failure};

/// Says to a new process that it comes after another one.
const TAKE_OVER: &str = "PORTCULLIS_TAKE_OVER";

/// What whoever asks for one waits; longer than the two processes wait for each other.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What came of an upgrade.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upgraded {
    /// The new process.
    pub(crate) process: u32,
    /// Sessions of the old one, which it sends away now.
    pub(crate) sessions: usize,
    /// Over this time.
    pub(crate) over_seconds: f32,
}

/// Who waits for an upgrade.
pub(super) type Waiting = oneshot::Sender<Result<Upgraded, Failure>>;

/// Where upgrades are asked for.
#[derive(Clone)]
pub(crate) struct Upgrades(mpsc::Sender<Waiting>);

impl Upgrades {
    /// One at a time.
    pub(super) fn queue() -> (Upgrades, mpsc::Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(1);
        (Upgrades(sender), receiver)
    }

    /// Asks for one and waits for it; `None` when one is under way, or the gate is closing.
    pub(crate) async fn upgrade(&self) -> Option<Result<Upgraded, Failure>> {
        let (answer, outcome) = oneshot::channel();
        self.0.try_send(answer).ok()?;
        outcome.await.ok()
    }
}

impl Opened {
    /// Has a new process take this one's place; true when it has.
    pub(super) async fn upgrade(&mut self, started: &Started, waiting: Option<Waiting>) -> bool {
        info!("upgrading: a new process is started beside this one");
        let outcome = self.try_to_upgrade(started).await;
        let has = outcome.is_ok();
        match &outcome {
            Ok(upgraded) => {
                info!(
                    process = upgraded.process,
                    "upgraded: whoever comes is accepted by the new process"
                );
                if let Some(recording) = &self.recording {
                    let process = format!("process {} has taken over", upgraded.process);
                    recording.recorder().done("upgrade", GATE, process);
                }
            }
            Err(failure) => {
                self.orders.put(Order::GoOn);
                for problem in &failure.problems {
                    let (place, line) = (problem.file.as_deref(), problem.line);
                    let remedy = &problem.remedy;
                    error!(
                        place,
                        line, remedy, "not upgraded, this process goes on: {}", problem.what
                    );
                }
            }
        }
        if let Some(waiting) = waiting {
            let _ = waiting.send(outcome);
        }
        has
    }

    async fn try_to_upgrade(&mut self, started: &Started) -> Result<Upgraded, Failure> {
        self.rest().await?;
        let estate = Estate {
            started: started.clone(),
            gate: Arc::clone(&self.gate),
            admin: self.admin.handle()?,
            admin_configured: self.admin.configured,
            token: self.admin.ticket.token().to_owned(),
        };
        let handed = tokio::task::spawn_blocking(move || hand_over(&estate)).await;
        let broken = |_| Failure::new(Exit::Failed, "the upgrade ended by a bug of ours", "");
        let successor = handed.map_err(broken)??;
        // The ticket is the new process's by now.
        self.admin.leave();
        let process = successor.process;
        // From the old process, since it is the one that the service manager knows.
        let _ = sd_notify::notify(&[NotifyState::MainPid(process)]);
        Ok(self.step_back(successor))
    }

    /// Nothing may change while it is handed over, and nothing may come into force by the way that
    /// somebody has yet to confirm.
    async fn rest(&self) -> Result<(), Failure> {
        let (answer, resting) = oneshot::channel();
        self.orders.put(Order::Rest { answer });
        let Ok(held) = resting.await else {
            return Err(Failure::new(Exit::Failed, "the gate is closing", ""));
        };
        held.map_or(Ok(()), |ended| {
            let what = format!(
                "the register has changed in a way that would end {}, and a new process would take it as it is",
                ended.in_words()
            );
            let remedy = "Undo it, or, if it is meant: portcullis reload --force, and then upgrade.";
            Err(Failure::new(Exit::Conflict, what, remedy))
        })
    }

    /// Closes the doors and leaves it to the drain to send everybody away.
    fn step_back(&mut self, successor: Successor) -> Upgraded {
        let process = successor.process;
        self.close_doors();
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let sessions = gate.as_ref().map_or(0, |gate| gate.sessions().len());
        drop(gate);
        let window = stop::window(self.looked.load().drain, sessions);
        let gate = Arc::clone(&self.gate);
        // It ends with the process at the latest.
        tokio::task::spawn_blocking(move || successor.tell_who_goes(&gate));
        Upgraded {
            process,
            sessions,
            over_seconds: window.as_secs_f32(),
        }
    }

    /// Takes the old process's place.
    pub(super) fn succeed(&mut self, predecessor: &Predecessor) -> Result<(), Failure> {
        predecessor.ask_to_go(&self.gate)?;
        self.begin()?;
        predecessor.follow(Arc::clone(&self.gate))?;
        info!("this process has taken the place of the one before it");
        Ok(())
    }
}
