//! How the gate stops: the doors are closed first, so that another process may have the addresses, and
//! the stations are sent away over a while, so that they do not all come back in the same second.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;

use super::Opened;
use crate::Failure;

/// Few stations need not wait for the whole window: the next one goes no later than this.
const DEPARTURE_PACE: Duration = Duration::from_millis(10);
/// What sockets get for their goodbyes when there is no time left.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The time over which so many are sent away.
pub(super) fn window(configured: Duration, sessions: usize) -> Duration {
    let sessions = u32::try_from(sessions).unwrap_or(u32::MAX);
    configured.min(DEPARTURE_PACE.saturating_mul(sessions))
}

/// SIGTERM and Ctrl-C. The handlers are in place when this has been made.
pub(crate) struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    pub(crate) fn listen() -> Result<Stops, Failure> {
        Ok(Stops {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits until somebody says stop, again.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Opened {
    /// Says goodbye to every station, spread over the configured window, and closes. Who says stop
    /// again means at once.
    pub(super) async fn drain(mut self, stops: &mut Stops) {
        self.close_doors();
        if let Some((drain, patience)) = self.farewells() {
            tokio::select! {
                _ = tokio::time::timeout(patience, drain) => {}
                () = stops.next() => info!("closing at once"),
            }
        }
        self.shut_down(AT_ONCE).await;
    }

    /// The farewells to all who are here, and the longest that they may take.
    fn farewells(&self) -> Option<(impl Future<Output = ()> + use<>, Duration)> {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let gate = gate.as_ref()?;
        let sessions = gate.sessions().len();
        let looked = self.looked.load();
        let window = window(looked.drain, sessions);
        info!(
            "closing: saying goodbye to {sessions} stations over {} s; a second signal closes at once",
            window.as_secs_f32()
        );
        // For the answers that are waited for, and again for the goodbyes.
        let patience = window + 2 * looked.close_deadline + AT_ONCE;
        Some((gate.drain(window), patience))
    }
}
