//! The one place of this room that looks at a clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use guard::{Moment, UnixMillis};

/// Less is how clocks are kept right between two looks, and how two looks differ.
const FOLLOWED_FROM_MILLIS: u64 = 10;
/// Whoever is kept off the processor between both clocks, for longer, has not read them together.
const TOGETHER: Duration = Duration::from_millis(2);

/// Where moments come from: both clocks, read together.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// What the wall clock showed at the start, but for what it has been set by.
    start_wall_millis: i64,
    wall: &'static WallClock,
}

/// A wall clock, and by how much it was set since somebody first looked: one for the whole process, as
/// all of its clocks show the same time.
#[derive(Debug)]
pub struct WallClock {
    read: fn() -> i64,
    set_by_millis: AtomicI64,
}

/// The system's own.
static SYSTEM: WallClock = WallClock::new(wall_millis);

impl WallClock {
    /// The wall clock that is read so, in milliseconds since 1970.
    pub const fn new(read: fn() -> i64) -> WallClock {
        WallClock {
            read,
            set_by_millis: AtomicI64::new(0),
        }
    }

    fn set_by(&self) -> i64 {
        // Alone it says all there is to know; nothing else is ordered by it.
        self.set_by_millis.load(Ordering::Relaxed)
    }
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Clock {
        Clock::with(&SYSTEM)
    }

    /// A clock that begins now and shows this wall time.
    pub fn with(wall: &'static WallClock) -> Clock {
        Clock {
            start: Instant::now(),
            start_wall_millis: (wall.read)().saturating_sub(wall.set_by()),
            wall,
        }
    }

    /// Now. The wall time is the one at the start, plus what has passed, plus what the clock was set by
    /// when [`Clock::follow`] looked last, so that one look at a clock suffices on the road.
    pub fn now(&self) -> Moment {
        self.at(self.start.elapsed())
    }

    fn at(&self, elapsed: Duration) -> Moment {
        let passed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let wall = self.start_wall_millis.saturating_add(self.wall.set_by());
        Moment {
            elapsed,
            wall: UnixMillis(wall.saturating_add(passed)),
        }
    }

    /// Takes up what the wall clock shows, where somebody has set it or it was kept right meanwhile, for
    /// all clocks of the process; by how many milliseconds it has moved. To be called every second or
    /// so, by one task. What waits, waits on: `elapsed` knows nothing of it.
    pub fn follow(&self) -> i64 {
        let before = self.start.elapsed();
        let shown = (self.wall.read)();
        let after = self.start.elapsed();
        if after.saturating_sub(before) > TOGETHER {
            return 0;
        }
        let moved = shown.saturating_sub(self.at(before).wall.0);
        if moved.unsigned_abs() < FOLLOWED_FROM_MILLIS {
            return 0;
        }
        self.wall.set_by_millis.fetch_add(moved, Ordering::Relaxed);
        moved
    }

    /// What the wall clock shows: where days matter, a clock that was set just now must count.
    pub(crate) fn wall(&self) -> UnixMillis {
        UnixMillis((self.wall.read)())
    }

    /// The instant of a moment, for timers.
    pub(crate) fn instant(&self, elapsed: Duration) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.start + elapsed)
    }
}

fn wall_millis() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_348_800_000;
    const HOUR: i64 = 3_600_000;
    /// What passes while a test runs.
    const WHILE: i64 = 60_000;

    static SHOWN: AtomicI64 = AtomicI64::new(NOON);
    static WALL: WallClock = WallClock::new(|| SHOWN.load(Ordering::Relaxed));

    /// What it followed by; a look that was interrupted is made again.
    fn followed(clock: &Clock) -> i64 {
        (0..1_000)
            .map(|_| clock.follow())
            .find(|moved| *moved != 0)
            .unwrap_or(0)
    }

    #[test]
    fn a_clock_that_is_set_is_followed_by_all_and_what_waits_goes_on() {
        let clock = Clock::with(&WALL);
        let near = |clock: &Clock, wall: i64| {
            let shows = clock.now().wall.0;
            assert!((wall..wall + WHILE).contains(&shows), "{shows} for {wall}");
        };
        near(&clock, NOON);
        let before = clock.now().elapsed;
        for shown in [NOON + HOUR, NOON - 24 * HOUR, NOON + 2 * HOUR] {
            SHOWN.store(shown, Ordering::Relaxed);
            let moved = followed(&clock);
            assert!(moved != 0);
            near(&clock, shown);
            // One that begins later agrees, and a copy of the first one, too.
            near(&Clock::with(&WALL), shown);
            let copy = clock;
            near(&copy, shown);
        }
        let passed = clock.now().elapsed.saturating_sub(before);
        assert!(passed < Duration::from_millis(WHILE as u64), "{passed:?}");
        assert!(clock.now().elapsed >= before);
    }
}
