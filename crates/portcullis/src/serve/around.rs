//! What stands around the gate: parts that look on, tell, and answer, each with the same few things in
//! hand.

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use gateway::{Clock, EventReceiver, Shared};
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;

use super::keeper::World;
use super::log::LevelHandle;
use super::refused::{self, RefusedDesk};
use super::revocation_watch::{self, Lists};
use super::tell::{self, Telling};
use super::watch::{self, Looked};
use crate::admin::{Figures, GateView};
use crate::config::{Config, Materials};
use crate::health::conditions::Conditions;
use crate::recorder::Recorder;
use crate::tell::metrics::EventMetrics;
use crate::tell::{Onlooker, Teller};

/// The gate, and what all around it have in hand.
pub(super) struct Around {
    pub(super) gate: GateView,
    pub(super) conditions: Arc<Mutex<Conditions>>,
    pub(super) shared: Shared,
    pub(super) events: Arc<EventReceiver>,
    pub(super) recorder: Option<Recorder>,
    pub(super) clock: Clock,
}

impl Around {
    /// What `/metrics` shows, and that part of it which events move.
    pub(super) fn figures(&self, desk: &RefusedDesk) -> (Registry, Arc<EventMetrics>) {
        let mut registry = Registry::with_prefix("portcullis");
        let metrics = Arc::new(EventMetrics::register(&mut registry));
        registry.register_collector(Box::new(Figures {
            gate: Arc::clone(&self.gate),
            events: Arc::clone(&self.events),
            conditions: Arc::clone(&self.conditions),
            kept: self.shared.kept.clone(),
            refused: Arc::clone(&desk.figures),
            recorder: self.recorder.clone(),
        }));
        (registry, metrics)
    }

    /// What the keeper changes. The revocation lists are watched from now on.
    pub(super) fn world(
        &self,
        config: &Config,
        materials: &mut Materials,
        level: LevelHandle,
    ) -> World {
        let lists = Lists::of(std::mem::take(&mut materials.lists));
        let (gate, conditions) = (Arc::clone(&self.gate), Arc::clone(&self.conditions));
        revocation_watch::begin(lists.clone(), gate, conditions);
        let dates = std::mem::take(&mut materials.certificates);
        World {
            gate: Arc::clone(&self.gate),
            conditions: Arc::clone(&self.conditions),
            lists,
            looked: Arc::new(ArcSwap::from_pointee(Looked::new(config, dates))),
            recorder: self.recorder.clone(),
            level,
            runtime: Handle::current(),
        }
    }

    /// Keeps what is refused, tells what happens, and looks how things are.
    pub(super) fn begin(
        &self,
        desk: RefusedDesk,
        teller: Teller,
        onlooker: Onlooker,
        looked: &Arc<ArcSwap<Looked>>,
    ) -> std::io::Result<Telling> {
        let (gate, told_to) = (Arc::clone(&self.gate), Arc::clone(&self.conditions));
        refused::begin(self.shared.kept.clone(), desk, self.clock, gate, told_to);
        let ways = tell::Ways {
            events: Arc::clone(&self.events),
            recorder: self.recorder.clone(),
        };
        let told_to = Arc::clone(&self.conditions);
        let telling = Telling::begin(ways, teller, told_to, self.clock, onlooker)?;
        let told_to = Arc::clone(&self.conditions);
        tokio::spawn(watch::keep(Arc::clone(looked), told_to));
        Ok(telling)
    }
}
