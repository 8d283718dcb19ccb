//! What was last told about each thing, so that a state is told when it begins and when it ends, and
//! not each time somebody looks. Pure: the findings are arguments.

use std::collections::BTreeMap;

use super::{Finding, Level};

/// A thing is told to be well again only when it was found so this often in a row: what comes and
/// goes is told once, and not with every look.
const RECOVERY_LOOKS: u32 = 2;

/// The state of everything that is watched.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    told: BTreeMap<String, Told>,
    /// Everything has been looked at once: before that, nobody knows.
    complete: bool,
}

#[derive(Debug)]
struct Told {
    finding: Finding,
    /// How often it was found better than told, in a row.
    better: u32,
}

impl Conditions {
    /// Takes a finding in; returns it if it is to be told, because the level has changed.
    pub(crate) fn observe(&mut self, found: Finding) -> Option<Finding> {
        let Some(told) = self.told.get_mut(&found.subject) else {
            let news = (found.level != Level::Ok).then(|| found.clone());
            self.told.insert(
                found.subject.clone(),
                Told {
                    finding: found,
                    better: 0,
                },
            );
            return news;
        };
        if found.level == told.finding.level {
            // Words may change (days left, megabytes free) without being news.
            let news = (found.urgency > told.finding.urgency).then(|| found.clone());
            told.finding = found;
            told.better = 0;
            return news;
        }
        if found.level < told.finding.level {
            told.better += 1;
            if told.better < RECOVERY_LOOKS {
                return None;
            }
        }
        told.finding = found.clone();
        told.better = 0;
        Some(found)
    }

    /// What is watched no more has no state.
    pub(crate) fn forget(&mut self, gone: impl Fn(&str) -> bool) {
        self.told.retain(|subject, _| !gone(subject));
    }

    /// Everything watched, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.told.values().map(|told| &told.finding)
    }

    /// Everything has been looked at for the first time.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether everything has been looked at.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the gate can do its work.
    pub(crate) fn is_ready(&self) -> bool {
        self.complete && self.all().all(|finding| finding.level < Level::Fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csms(level: Level) -> Finding {
        Finding {
            level,
            ..Finding::ok("csms main", "…")
        }
    }

    /// What is told of a row of looks.
    fn told(levels: &[Level]) -> Vec<Level> {
        let mut conditions = Conditions::default();
        levels
            .iter()
            .filter_map(|level| conditions.observe(csms(*level)))
            .map(|finding| finding.level)
            .collect()
    }

    #[test]
    fn a_state_is_told_when_it_begins_and_when_it_ends() {
        use Level::{Fail, Ok, Warn};
        assert_eq!(told(&[Ok, Ok, Ok]), []);
        assert_eq!(told(&[Fail; 1000]), [Fail]);
        assert_eq!(told(&[Ok, Fail, Fail, Ok, Ok, Ok]), [Fail, Ok]);
        assert_eq!(told(&[Ok, Warn, Fail, Warn, Warn]), [Warn, Fail, Warn]);
    }

    #[test]
    fn what_comes_and_goes_is_told_once() {
        let flapping: Vec<Level> = (0..1000)
            .map(|n| if n % 2 == 0 { Level::Fail } else { Level::Ok })
            .collect();
        assert_eq!(told(&flapping), [Level::Fail]);
    }

    #[test]
    fn what_comes_nearer_is_told_at_each_step() {
        let mut conditions = Conditions::default();
        let mut told = Vec::new();
        for urgency in [1, 1, 2, 2, 2, 3, 3] {
            let found = Finding::warn("exception", "…", "…").urgent(urgency);
            told.extend(conditions.observe(found).map(|news| news.urgency));
        }
        assert_eq!(told, [1, 2, 3]);
    }

    #[test]
    fn each_thing_is_told_for_itself_and_readiness_is_of_all() {
        let mut conditions = Conditions::default();
        assert!(!conditions.is_ready(), "nobody has looked yet");
        conditions.complete();
        assert!(conditions.is_ready());
        assert!(
            conditions
                .observe(Finding::warn("disk", "low", "…"))
                .is_some()
        );
        assert!(conditions.is_ready(), "a warning keeps nobody out");
        assert!(conditions.observe(csms(Level::Fail)).is_some());
        assert!(!conditions.is_ready());
        assert!(
            conditions
                .observe(Finding::warn("disk", "lower", "…"))
                .is_none()
        );
        let words: Vec<&str> = conditions
            .all()
            .map(|finding| finding.what.as_str())
            .collect();
        assert_eq!(words, ["…", "lower"]);
    }
}
