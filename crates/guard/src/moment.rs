//! Time as an argument: one value that carries both clocks, so that a test can live a night in a
//! millisecond.

use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

/// When something happens, by both clocks: the steady one for waits, the wall clock for records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Since the process began; never goes back.
    pub elapsed: Duration,
    /// What the wall clock shows; may jump.
    pub wall: UnixMillis,
}

impl Moment {
    /// How long ago `earlier` was; zero if it was not.
    pub fn since(self, earlier: Moment) -> Duration {
        self.elapsed.saturating_sub(earlier.elapsed)
    }

    /// The moment that much later, by both clocks.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Moment {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Moment {
            elapsed: self.elapsed.saturating_add(wait),
            wall: UnixMillis(self.wall.0.saturating_add(millis)),
        }
    }
}
