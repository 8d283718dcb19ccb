//! A day in UTC: keys and retention count in days.

use std::fmt;

use guard::UnixMillis;
use jiff::civil::Date;

/// A day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

const MILLIS: i64 = 24 * 60 * 60 * 1000;

impl Day {
    /// The day that holds this moment.
    pub fn of(at: UnixMillis) -> Day {
        Day(
            i32::try_from(at.0.div_euclid(MILLIS)).unwrap_or(if at.0 < 0 {
                i32::MIN
            } else {
                i32::MAX
            }),
        )
    }

    /// The day of a name such as `2026-11-22`.
    pub fn named(name: &str) -> Option<Day> {
        let date: Date = name.parse().ok()?;
        let since = date.since(Date::constant(1970, 1, 1)).ok()?;
        Some(Day(since.get_days()))
    }

    /// When it begins.
    pub fn begins(self) -> UnixMillis {
        UnixMillis(i64::from(self.0) * MILLIS)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = jiff::Span::new().try_days(self.0);
        match since.and_then(|days| Date::constant(1970, 1, 1).checked_add(days)) {
            Ok(date) => write!(out, "{date}"),
            Err(_) => write!(out, "day {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_keeps_its_name() {
        for (millis, name) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (1_795_305_600_000, "2026-11-22"),
            (1_795_391_999_999, "2026-11-22"),
        ] {
            let day = Day::of(UnixMillis(millis));
            assert_eq!(day.to_string(), name);
            assert_eq!(Day::named(name), Some(day));
        }
        assert_eq!(Day::named("2026-02-30"), None);
        assert_eq!(Day::of(Day(20_000).begins()), Day(20_000));
    }
}
