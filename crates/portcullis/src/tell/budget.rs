//! How many lines of one kind a second may have: an attacker, or a fleet that comes back after an
//! outage, must not fill the disk. What is held back is counted. Pure: time is an argument.

use std::time::Duration;

/// Lines of one kind in one second.
const LINES_MAX: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

/// The kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Connected,
    Disconnected,
    Refused,
    Doubled,
    WeakPassword,
    Changed,
    MessageRefused,
    Observed,
}

impl Line {
    const ALL: [Line; 8] = [
        Line::Connected,
        Line::Disconnected,
        Line::Refused,
        Line::Doubled,
        Line::WeakPassword,
        Line::Changed,
        Line::MessageRefused,
        Line::Observed,
    ];

    pub(super) fn words(self) -> &'static str {
        match self {
            Line::Connected => "station connected",
            Line::Disconnected => "station disconnected",
            Line::Refused => "connection refused",
            Line::Doubled => "a credential used twice",
            Line::WeakPassword => "weak password",
            Line::Changed => "credential change",
            Line::MessageRefused => "message refused",
            Line::Observed => "message observed",
        }
    }
}

/// What was told in the second that is running.
#[derive(Debug, Default)]
pub(super) struct Budget {
    window: Duration,
    told: [u32; Line::ALL.len()],
}

impl Budget {
    /// Whether one more line of that kind may be told.
    pub(super) fn admit(&mut self, line: Line) -> bool {
        let Some(told) = self.told.get_mut(line as usize) else {
            return false;
        };
        *told = told.saturating_add(1);
        *told <= LINES_MAX
    }

    /// Begins a new second when the old one is over; returns what was held back in it.
    pub(super) fn turn(&mut self, now: Duration) -> Vec<(Line, u32)> {
        if now < self.window + WINDOW {
            return Vec::new();
        }
        self.window = now;
        let told = std::mem::take(&mut self.told);
        let held = told.map(|told| told.saturating_sub(LINES_MAX));
        Line::ALL
            .into_iter()
            .zip(held)
            .filter(|(_, held)| *held > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_part_and_counted_whole() {
        let mut budget = Budget::default();
        let told = (0..1000).filter(|_| budget.admit(Line::Refused)).count();
        assert_eq!(told, LINES_MAX as usize);
        assert!(budget.admit(Line::Connected), "each kind has its own");
        assert_eq!(budget.turn(Duration::from_millis(900)), []);
        let held = budget.turn(Duration::from_millis(1000));
        assert_eq!(held, [(Line::Refused, 1000 - LINES_MAX)]);
        assert!(budget.admit(Line::Refused), "a new second, a new budget");
        assert_eq!(budget.turn(Duration::from_secs(60)), []);
    }
}
