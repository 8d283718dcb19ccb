//! Whether somebody has set the system's clock while the gate runs: records, times in messages,
//! certificates and exceptions go by the clock as it is now, and whoever reads has to know.

use std::time::Duration;

use gateway::Clock;

use crate::health::Finding;

/// Less is how clocks are kept right.
const TOLD_FROM_MILLIS: u64 = 2_000;
/// So long is it a thing to look at.
const TOLD_FOR: Duration = Duration::from_secs(60 * 60);
/// What is told of it.
const SUBJECT: &str = "clock";

/// Looks at both clocks, every second.
pub(super) struct ClockWatch {
    clock: Clock,
    /// When it was set last, and by how many seconds.
    set: Option<(Duration, i64)>,
    /// How often it was: each time is told.
    times: u8,
}

/// What a look has found.
#[derive(Default)]
pub(super) struct Seen {
    /// The clock was set just now: what is to be recorded.
    pub(super) set: Option<String>,
    /// How it is, once it was set.
    pub(super) finding: Option<Finding>,
}

impl ClockWatch {
    pub(super) fn new(clock: Clock) -> ClockWatch {
        ClockWatch {
            clock,
            set: None,
            times: 0,
        }
    }

    /// Takes up what the system's clock shows.
    pub(super) fn look(&mut self) -> Seen {
        let moved = self.clock.follow();
        let now = self.clock.now().elapsed;
        let mut seen = Seen::default();
        if moved.unsigned_abs() >= TOLD_FROM_MILLIS {
            let seconds = moved / 1000;
            self.set = Some((now, seconds));
            self.times = self.times.saturating_add(1);
            seen.set = Some(format!("by {seconds} s"));
        }
        let finding = |(at, seconds)| finding(now.saturating_sub(at), seconds).urgent(self.times);
        seen.finding = self.set.map(finding);
        seen
    }
}

fn finding(ago: Duration, seconds: i64) -> Finding {
    if ago >= TOLD_FOR {
        return Finding::ok(SUBJECT, "nobody has set it within the hour");
    }
    Finding::warn(
        SUBJECT,
        format!(
            "the system's clock was set by {seconds} s {} minutes ago: times, certificates, exceptions \
             and records go by it",
            ago.as_secs() / 60
        ),
        "See that it is right and stays so: `timedatectl status`. Records before and after it are in \
         order by their numbers, not by their times.",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use gateway::WallClock;

    use super::*;
    use crate::health::Level;

    const NOON: i64 = 1_795_348_800_000;

    static SHOWN: AtomicI64 = AtomicI64::new(NOON);
    static WALL: WallClock = WallClock::new(|| SHOWN.load(Ordering::Relaxed));

    #[test]
    fn a_clock_that_is_set_is_told_and_recorded_once_and_followed() {
        let clock = Clock::with(&WALL);
        let mut watch = ClockWatch::new(clock);
        let seen = watch.look();
        assert!(seen.set.is_none() && seen.finding.is_none());

        SHOWN.fetch_add(-3_600_000, Ordering::Relaxed);
        // A look that is interrupted between both clocks is one that has seen nothing.
        let set = (0..1_000).find_map(|_| watch.look().set).unwrap();
        assert!(
            set.starts_with("by -36") || set.starts_with("by -35"),
            "{set}"
        );
        let behind = NOON - clock.now().wall.0;
        assert!((3_500_000..=3_600_000).contains(&behind), "{behind}");

        // The clock of the test stands still, so it falls behind by what passes, which is not told.
        let seen = watch.look();
        assert!(seen.set.is_none());
        assert_eq!(seen.finding.unwrap().level, Level::Warn);
        assert_eq!(finding(TOLD_FOR, -3_600).level, Level::Ok);
    }
}
