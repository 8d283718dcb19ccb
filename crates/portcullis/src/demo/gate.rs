//! The gate of the demo, started from its configuration and its register.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{Gateway, Shared, event_queue};
use guard::{Book, Event};
use store::Store;
use tokio::task::JoinHandle;

use super::stage::Stage;
use crate::config::{Config, Materials};
use crate::register::Register;
use crate::{Exit, Failure};

/// What conversations get to end in.
const FAREWELL: Duration = Duration::from_secs(3);

/// A gate that is open.
pub(super) struct Open {
    gateway: Gateway,
    watching: JoinHandle<()>,
}

impl Open {
    /// Says goodbye to everybody and closes.
    pub(super) async fn close(self) {
        self.gateway.shut_down(FAREWELL).await;
        self.watching.abort();
    }
}

/// Opens the gate; `watch` is told everything that happens at it.
pub(super) fn open(
    stage: &Stage,
    mut watch: impl FnMut(&Event) + Send + 'static,
) -> Result<Open, Failure> {
    let config = Config::load(&stage.config)?;
    let materials = Materials::load(&config)?;
    let register = Register::of(&config)?;
    let book = Book::new(materials.routes, register.store.stations(None)?)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))?;
    let (sender, events) = event_queue(config.events_queued_max);
    let shared = Shared {
        book: Arc::new(ArcSwap::from_pointee(book)),
        policy: Arc::new(ArcSwap::from_pointee(config.policy.clone())),
        events: sender,
        verifier_key: Arc::new(register.key.verifier_key()),
    };
    let gateway = Gateway::start(materials.settings, shared)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string(), ""))?;
    let watching = tokio::spawn(async move {
        loop {
            events.batch().await.iter().for_each(&mut watch);
        }
    });
    Ok(Open { gateway, watching })
}
