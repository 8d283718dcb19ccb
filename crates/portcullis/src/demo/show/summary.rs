//! What is told every few seconds: the numbers, and who is in.

use jiff::Timestamp;
use ocpp::Version;

use super::{Guest, Show};
use crate::demo::account::counted;
use crate::demo::paint::Ink;

/// Stations that a list of who is in names; the others are counted.
const GUESTS_MAX: usize = 50;

impl Show {
    /// The numbers so far.
    pub(in crate::demo) fn summary(&mut self) {
        let since = self.account.since_summary();
        let account = &self.account;
        let of = |version| {
            let speak = self.here.values().filter(|guest| guest.version == version);
            speak.count()
        };
        let median = account.latency_median().map_or_else(String::new, |median| {
            format!(
                ", half of the answers within {:.1} ms",
                median.as_secs_f64() * 1e3
            )
        });
        let heading = format!(
            "── {} UTC ── {} stations are in: {} with 1.6, {} with 2.0.1, {} with 2.1",
            clock_now(),
            self.here.len(),
            of(Version::V16),
            of(Version::V201),
            of(Version::V21),
        );
        let body = format!(
            "   lately      {} messages ({} calls, {} kB){median}\n\
             \x20  passed      {} messages so far, {} of them with a remark ({})\n\
             \x20  refused     {} messages: {}\n\
             \x20  turned away {} connections: {}\n\
             \x20  attacks     {} tried, {} got through; faults of the advisories put to use in vain: {}",
            since.messages,
            since.calls,
            since.bytes / 1000,
            account.passed,
            account.noted_total(),
            counted(&account.noted),
            account.refused_total(),
            counted(&account.refused),
            account.turned_away_total(),
            counted(&account.turned_away).replace("-", " "),
            account.attacks,
            account.got_through.len(),
            account.faults_held.len(),
        );
        let text = format!("\n{}\n{body}\n", self.paint.ink(Ink::Heading, &heading));
        self.say(&text);
    }

    /// Everybody who is connected.
    pub(in crate::demo) fn who_is_here(&mut self) {
        let mut guests: Vec<&Guest> = self.here.values().collect();
        guests.sort_by(|one, other| one.identity.cmp(&other.identity));
        let mut text = self.paint.ink(Ink::Heading, "\n── who is in ──");
        let others = guests.len().saturating_sub(GUESTS_MAX);
        for guest in guests.into_iter().take(GUESTS_MAX) {
            let remark = self.remarks.get(&guest.identity);
            let remark = remark.map_or_else(String::new, |remark| format!("({remark})"));
            text.push_str(&format!(
                "\n   {:<20} {:<6} {:<19} {:>5} messages  {remark}",
                guest.identity,
                guest.version.number(),
                guest.how,
                guest.messages,
            ));
        }
        if others > 0 {
            text.push_str(&format!("\n   … and {others} more"));
        }
        self.say(&text);
    }
}

fn clock_now() -> String {
    Timestamp::now().strftime("%H:%M:%S").to_string()
}
