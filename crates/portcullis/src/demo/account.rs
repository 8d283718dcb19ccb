//! What has happened so far, in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sim::lab::Exploit;

/// Answer times of which the median is told; older ones make room.
const LATENCIES_MAX: usize = 1_024;

/// The numbers of one demo.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) came_in: u64,
    pub(super) went: u64,
    pub(super) passed: u64,
    pub(super) joined: u64,
    /// Passed, though a control that only observes objected.
    pub(super) noted: BTreeMap<&'static str, u64>,
    /// Messages refused, by why.
    pub(super) refused: BTreeMap<String, u64>,
    /// Connections turned away, by why.
    pub(super) turned_away: BTreeMap<&'static str, u64>,
    pub(super) attacks: u64,
    /// Faults of the advisories that an exploit made nothing of at the gate, and something bare.
    pub(super) faults_held: BTreeSet<u16>,
    /// Exploits that made nothing of the CSMS alone, so that the gate's refusal shows nothing.
    pub(super) blunt: Vec<&'static str>,
    /// Attacks that got what they wanted.
    pub(super) got_through: Vec<&'static str>,
    pub(super) calls: u64,
    latencies: Vec<Duration>,
    latency_next: usize,
    since_summary: Since,
}

/// What a summary tells of the time since the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Since {
    pub(super) messages: u64,
    pub(super) calls: u64,
    pub(super) bytes: u64,
}

impl Account {
    /// Counts one message.
    pub(super) fn message(&mut self, call: bool, bytes: u32, latency: Option<Duration>) {
        self.since_summary.messages += 1;
        self.since_summary.bytes += u64::from(bytes);
        if call {
            self.calls += 1;
            self.since_summary.calls += 1;
        }
        let Some(latency) = latency else { return };
        if self.latencies.len() < LATENCIES_MAX {
            self.latencies.push(latency);
        } else {
            self.latencies[self.latency_next % LATENCIES_MAX] = latency;
        }
        self.latency_next = self.latency_next.wrapping_add(1);
    }

    /// The numbers since this was last asked.
    pub(super) fn since_summary(&mut self) -> Since {
        std::mem::take(&mut self.since_summary)
    }

    /// The median time between a call and its answer.
    pub(super) fn latency_median(&self) -> Option<Duration> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    pub(super) fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }

    pub(super) fn turned_away_total(&self) -> u64 {
        self.turned_away.values().sum()
    }

    pub(super) fn noted_total(&self) -> u64 {
        self.noted.values().sum()
    }

    /// What a demo is to show and this one has not.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.came_in == 0 {
            missing.push("a station that came in".to_owned());
        }
        if self.passed == 0 {
            missing.push("a message that passed".to_owned());
        }
        if self.turned_away_total() + self.refused_total() == 0 {
            missing.push("a refusal".to_owned());
        }
        let faults = Exploit::all().into_iter().map(|exploit| exploit.cwe);
        let unshown: BTreeSet<u16> = faults
            .filter(|cwe| !self.faults_held.contains(cwe))
            .collect();
        for cwe in unshown {
            missing.push(format!("CWE-{cwe} put to use in vain"));
        }
        if !self.blunt.is_empty() {
            let names = self.blunt.join(", ");
            missing.push(format!(
                "that every exploit works without a gate; these did not: {names}"
            ));
        }
        if !self.got_through.is_empty() {
            let names = self.got_through.join(", ");
            missing.push(format!(
                "that every attack is held; these got through: {names}"
            ));
        }
        missing
    }
}

/// Headings that one line of a summary names; the others are added up.
const HEADINGS_MAX: usize = 6;

/// Counts by heading as one line, the largest first.
pub(super) fn counted<K: std::fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    let mut items: Vec<(&K, u64)> = counts.iter().map(|(what, count)| (what, *count)).collect();
    items.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut words: Vec<String> = items
        .iter()
        .take(HEADINGS_MAX)
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    let others: u64 = items
        .iter()
        .skip(HEADINGS_MAX)
        .map(|(_, count)| count)
        .sum();
    if others > 0 {
        words.push(format!("others {others}"));
    }
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_demo_misses_everything_and_a_full_one_nothing() {
        let mut account = Account::default();
        assert_eq!(account.missing().len(), 3 + 5);
        account.came_in = 1;
        account.passed = 1;
        account.turned_away.insert("no credential", 1);
        account.faults_held.extend([306, 307, 613, 522, 284]);
        assert!(account.missing().is_empty());
        account.got_through.push("duplicate-key");
        assert!(account.missing()[0].contains("duplicate-key"));
        account.blunt.push("endless-guesses");
        assert!(account.missing()[0].contains("endless-guesses"));
    }

    #[test]
    fn the_median_is_that_of_the_latest() {
        let mut account = Account::default();
        assert_eq!(account.latency_median(), None);
        for millis in 0..2_000 {
            account.message(false, 10, Some(Duration::from_millis(millis)));
        }
        let median = account.latency_median().unwrap().as_millis();
        assert!((1_400..1_600).contains(&median), "{median}");
        assert_eq!(account.since_summary().messages, 2_000);
        assert_eq!(account.since_summary().messages, 0);
    }

    #[test]
    fn the_largest_count_comes_first() {
        let counts = BTreeMap::from([("a", 1), ("b", 3)]);
        assert_eq!(counted(&counts), "b 3 · a 1");
        assert_eq!(counted(&BTreeMap::<&str, u64>::new()), "none");
        let many: BTreeMap<u64, u64> = (1..=8).map(|count| (count, count)).collect();
        assert!(
            counted(&many).ends_with("3 3 · others 3"),
            "{}",
            counted(&many)
        );
    }
}
