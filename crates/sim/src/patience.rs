//! Waiting for something to happen, with an end to the wait and words for when it does not.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a scene waits for what it expects. Generous, since the machine may be busy; nothing
/// waits that long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// What was expected did not happen; says what did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}; saw {saw}")]
pub struct Unmet {
    /// What should have happened.
    pub expected: String,
    /// What happened in its stead.
    pub saw: String,
}

/// Asks `look` again after each notice until it answers, at most [`PATIENCE`] long.
pub(crate) async fn until<T>(notice: &Notify, look: impl FnMut() -> Option<T>) -> Option<T> {
    timeout(PATIENCE, whenever(notice, look)).await.ok()
}

/// The same, for as long as it takes.
pub(crate) async fn whenever<T>(notice: &Notify, mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        // Registered before the look, so that a notice in between is not lost.
        let next = notice.notified();
        tokio::pin!(next);
        next.as_mut().enable();
        if let Some(seen) = look() {
            return seen;
        }
        next.await;
    }
}
