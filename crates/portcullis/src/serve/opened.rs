//! A gate that is open, from its first station to its last farewell.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{Gateway, Memories, Shared};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::info;

use super::admin_door::AdminDoor;
use super::memory_keeper::{self, MemoryKeeper};
use super::orders::{Order, Orders};
use super::tell::Telling;
use super::upgrade;
use super::watch::Looked;
use crate::Failure;
use crate::admin::GateView;
use crate::findings;
use crate::recorder::Recording;
use crate::register::Register;

/// What sessions get to say goodbye when the gate is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// A gate that is open, with all that stands around it.
pub(crate) struct Opened {
    pub(super) gate: GateView,
    pub(super) admin: AdminDoor,
    pub(super) looked: Arc<ArcSwap<Looked>>,
    pub(super) told: Open,
    pub(super) orders: Orders,
    pub(super) keeper: JoinHandle<()>,
    /// What is remembered of the stations, until it is kept.
    pub(super) to_remember: Option<(Register, Arc<Memories>)>,
    pub(super) memory_keeper: Option<MemoryKeeper>,
    pub(super) upgrades: mpsc::Receiver<upgrade::Waiting>,
    pub(super) findings: findings::Keeper,
    pub(super) telling: Telling,
    pub(super) recording: Option<Recording>,
}

impl Opened {
    /// Accepts stations and orders from now on.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
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
    pub(super) fn close_doors(&mut self) {
        self.admin.close();
        let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gate.as_mut() {
            gate.close_doors();
        }
    }

    pub(super) async fn shut_down(self, patience: Duration) {
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
        self.telling.close().await;
        self.findings.close();
        if let Some(recording) = self.recording {
            // It waits for a disk, and for a thread.
            let _ = tokio::task::spawn_blocking(move || recording.close()).await;
        }
        info!("closed");
    }
}

/// What is told when the gate is open.
#[derive(Serialize)]
pub(super) struct Open {
    listening: Vec<String>,
    admin: String,
    stations: usize,
    routes: usize,
}

impl Open {
    pub(super) fn of(gateway: &Gateway, shared: &Shared, admin: SocketAddr) -> Open {
        let book = shared.book.load();
        let listening = gateway.addresses().iter().map(ToString::to_string);
        Open {
            listening: listening.collect(),
            admin: admin.to_string(),
            stations: book.stations().len(),
            routes: book.routes().count(),
        }
    }

    pub(super) fn in_words(&self) -> String {
        format!(
            "Portcullis is open on {} for {} stations and {} routes; /healthz, /readyz and /metrics on {}.",
            self.listening.join(", "),
            self.stations,
            self.routes,
            self.admin
        )
    }
}
