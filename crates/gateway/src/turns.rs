//! TLS handshakes take turns: one step costs as much CPU as relaying twenty messages, and a reconnect
//! storm brings thousands of them. So few are done before the sessions that run get theirs (A18, A20).

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Steps of TLS handshakes that one worker takes before everything else that is ready has its turn:
/// about a millisecond.
pub const HANDSHAKE_STEPS_MAX: usize = 8;

thread_local! {
    /// The steps that are left until then. A worker is a thread.
    static TURNS: Arc<Semaphore> = Arc::new(Semaphore::new(HANDSHAKE_STEPS_MAX));
}

/// A turn. To be ended by [`Turn::end`].
pub(crate) struct Turn {
    turns: Arc<Semaphore>,
    /// None is left behind it.
    is_last: bool,
}

/// Waits for a turn.
pub(crate) async fn turn() -> Turn {
    let turns = TURNS.with(Arc::clone);
    // It is never closed; were it, a step without a turn is better than none.
    let is_last = match turns.acquire().await {
        Ok(turn) => {
            turn.forget();
            turns.available_permits() == 0
        }
        Err(_) => false,
    };
    Turn { turns, is_last }
}

impl Turn {
    /// The last one lets all that is ready go first, sockets that have something to say included; only
    /// then are there turns again.
    pub(crate) async fn end(self) {
        if self.is_last {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Turn {
    /// Also when its handshake is broken off in between.
    fn drop(&mut self) {
        if self.is_last {
            self.turns.add_permits(HANDSHAKE_STEPS_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_so_many_steps_others_have_their_turn_and_then_there_are_more() {
        for _ in 0..HANDSHAKE_STEPS_MAX - 1 {
            turn().await.end().await;
        }
        let last = turn().await;
        let next = tokio::spawn(async { turn().await.end().await });
        tokio::task::yield_now().await;
        assert!(!next.is_finished(), "none is left");
        // A handshake that is broken off in its turn keeps nobody waiting.
        drop(last);
        next.await.unwrap();
    }
}
