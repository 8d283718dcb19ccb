//! Something that happens again and again for a while is one story: it begins with the first time,
//! and is over when it has not happened for a minute. Pure: time is an argument.

use std::time::Duration;

use crate::health::Finding;

/// Not happened for this long, and it is over.
const QUIET: Duration = Duration::from_secs(60);

/// One kind of trouble, as long as it lasts.
#[derive(Debug, Default)]
pub(super) struct Episode {
    last: Option<Duration>,
    times: u64,
    /// What was said of it the last time.
    words: String,
}

impl Episode {
    /// It has happened, so many times.
    pub(super) fn happened(&mut self, now: Duration, times: u64, words: impl Into<String>) {
        self.last = Some(now);
        self.times = self.times.saturating_add(times);
        self.words = words.into();
    }

    /// How it stands; `fine` is what is said when it is over or never was.
    pub(super) fn finding(
        &mut self,
        now: Duration,
        subject: &str,
        fine: &str,
        remedy: &str,
    ) -> Finding {
        match self.last {
            Some(last) if now < last + QUIET => {
                let what = format!("{} times of late: {}", self.times, self.words);
                Finding::warn(subject, what, remedy)
            }
            _ => {
                *self = Episode::default();
                Finding::ok(subject, fine)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Level;
    use crate::health::conditions::Conditions;

    #[test]
    fn a_storm_of_an_hour_is_one_story() {
        let (mut episode, mut conditions) = (Episode::default(), Conditions::default());
        let mut told = Vec::new();
        for second in 0..7200 {
            let now = Duration::from_secs(second);
            // For an hour, from the tenth second, in bursts.
            if (10..3610).contains(&second) && second % 40 < 3 {
                episode.happened(now, 9000, "503");
            }
            let finding = episode.finding(now, "csms", "fine", "…");
            told.extend(
                conditions
                    .observe(finding)
                    .map(|finding| (second, finding.level)),
            );
        }
        let levels: Vec<Level> = told.iter().map(|(_, level)| *level).collect();
        assert_eq!(levels, [Level::Warn, Level::Ok], "{told:?}");
    }
}
