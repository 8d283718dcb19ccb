//! TLS handshakes take turns: one step costs as much CPU as relaying twenty messages, and a reconnect
//! storm brings thousands of them. So few are done before the sessions that run get theirs (A18, A20).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Steps of TLS handshakes that one worker takes before everything else that is ready has its turn:
/// about a millisecond.
pub const HANDSHAKE_STEPS_MAX: usize = 8;

thread_local! {
    /// A worker is a thread.
    static TURNS: Arc<Semaphore> = Arc::new(Semaphore::new(HANDSHAKE_STEPS_MAX));
}

/// A turn. To be ended by [`Turn::end`].
pub(crate) struct Turn(Option<OwnedSemaphorePermit>);

/// Waits for a turn.
pub(crate) async fn turn() -> Turn {
    let turns = TURNS.with(Arc::clone);
    // It is never closed; were it, a step without a turn is better than none.
    Turn(turns.acquire_owned().await.ok())
}

impl Turn {
    /// Lets all that is ready go first, sockets that have something to say included; only then is the
    /// turn the next one's.
    pub(crate) async fn end(self) {
        tokio::task::yield_now().await;
        drop(self.0);
    }
}
