//! The one place of this room that looks at a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use guard::{Moment, UnixMillis};

/// Where moments come from: both clocks, read together.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_wall_millis: i64,
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Clock {
        Clock {
            start: Instant::now(),
            start_wall_millis: wall_millis(),
        }
    }

    /// Now. The wall time is the one at the start plus what has passed, so that one look suffices
    /// on the road; [`Clock::wall_drift_millis`] tells when the system's clock was set meanwhile.
    pub fn now(&self) -> Moment {
        let elapsed = self.start.elapsed();
        let passed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        Moment {
            elapsed,
            wall: UnixMillis(self.start_wall_millis.saturating_add(passed)),
        }
    }

    /// What the system's wall clock shows: where days matter, a clock that was set after the start
    /// must count.
    pub(crate) fn wall(&self) -> UnixMillis {
        UnixMillis(wall_millis())
    }

    /// The instant of a moment, for timers.
    pub(crate) fn instant(&self, elapsed: std::time::Duration) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.start + elapsed)
    }

    /// How far the system's wall clock has moved away from ours since the start.
    pub fn wall_drift_millis(&self) -> i64 {
        wall_millis().saturating_sub(self.now().wall.0)
    }
}

fn wall_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
