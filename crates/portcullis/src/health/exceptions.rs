//! Who comes in by exception, and for how long still? (A24)

use guard::admission::ExceptionKind;
use guard::{Credential, StationRecord};

use super::Finding;
use crate::config::{Config, ExceptionSettings};

/// Days before the last one at which each exception is told anew: time to plan, to call, to act.
const TOLD_AT_DAYS: [i64; 3] = [30, 7, 1];

/// Looks at each exception's last day; `now` is in Unix seconds.
pub(crate) fn look(exceptions: &[ExceptionSettings], now: i64) -> Vec<Finding> {
    exceptions
        .iter()
        .map(|exception| one(exception, now))
        .collect()
}

const REPLACE: &str = "Give its stations a credential, or another last day; `portcullis exception list` shows which they are.";

fn one(exception: &ExceptionSettings, now: i64) -> Finding {
    let subject = exception.name();
    let (days, until) = (exception.days_left(now), exception.until);
    if days == 0 {
        let what = format!("lets nobody in since its last day, {until}, is over");
        return Finding::warn(subject, what, REPLACE).urgent(u8::MAX);
    }
    let passed = TOLD_AT_DAYS.iter().filter(|at| days <= **at).count();
    match u8::try_from(passed) {
        Ok(0) | Err(_) => Finding::ok(subject, format!("lets its stations in until {until}")),
        Ok(urgency) => {
            let what = match days {
                1 => "lets its stations in for the last day".to_owned(),
                days => format!("lets its stations in for {days} days more, until {until}"),
            };
            Finding::warn(subject, what, REPLACE).urgent(urgency)
        }
    }
}

/// What does not go together: listeners, exceptions and the register.
pub(crate) fn compare(config: &Config, stations: &[StationRecord]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_plain = |exception: &ExceptionSettings| exception.kind != ExceptionKind::TlsOpen;
    for listener in config.listeners.iter().filter(|listener| listener.plain) {
        if !config.exceptions.iter().any(is_plain) {
            findings.push(Finding::warn(
                format!("listener {}", listener.address.value),
                "is for clear text, and no exception lets anybody in that way",
                "Write an [[exception]] of kind \"plain-basic\" or \"plain\", or remove the listener.",
            ));
        }
    }
    let all_tls = config.listeners.iter().all(|listener| !listener.plain);
    for exception in config
        .exceptions
        .iter()
        .filter(|one| is_plain(one) && all_tls)
    {
        findings.push(Finding::warn(
            format!("listener of the {}", exception.name()),
            "is not there: no [[listener]] is plain",
            "Remove the exception, or add a listener with: plain = true",
        ));
    }
    let open = stations.iter().filter(|station| is_open(station));
    let left_out: Vec<&str> = open
        .filter(|station| !config.exceptions.iter().any(|one| lets_in(one, station)))
        .map(|station| station.id.as_str())
        .collect();
    if let Some(first) = left_out.first() {
        findings.push(Finding::warn(
            "stations without a credential",
            format!(
                "{} that no exception is for, such as {first}; they cannot come in",
                left_out.len()
            ),
            "Name them in an [[exception]], or register a credential for them.",
        ));
    }
    findings
}

fn is_open(station: &StationRecord) -> bool {
    matches!(station.credential, Credential::ByException)
}

/// Whether a station comes in by that exception while it lasts.
pub(crate) fn lets_in(exception: &ExceptionSettings, station: &StationRecord) -> bool {
    let proof = match exception.kind {
        ExceptionKind::PlainBasic => matches!(station.credential, Credential::Password(_)),
        ExceptionKind::Plain | ExceptionKind::TlsOpen => is_open(station),
    };
    proof && exception.stations.hold(&exception.tenant, station)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Level;
    use super::*;

    const DAY: i64 = 86_400;
    /// 2027-03-31T00:00:00Z
    const LAST: i64 = 1_806_451_200;

    fn exception() -> ExceptionSettings {
        let text = "[[listener]]\naddress = \"127.0.0.1:0\"\nplain = true\ntrusted_network = true\n\
             [[route]]\nid = \"main\"\npath = \"/{identity}\"\nupstream = \"ws://csms\"\n\
             [[exception]]\nkind = \"plain-basic\"\nstations = [\"OLD-*\"]\nuntil = \"2027-03-31\"\n\
             reason = \"until the tunnel is there\"\n";
        let config = Config::read("portcullis.toml", text, Path::new("")).unwrap();
        config.exceptions[0].clone()
    }

    #[test]
    fn the_last_day_is_a_whole_one() {
        let exception = exception();
        assert_eq!(exception.ends().0, (LAST + DAY) * 1000);
        for (now, left) in [
            (LAST - 1, 2),
            (LAST, 1),
            (LAST + DAY - 1, 1),
            (LAST + DAY, 0),
            (LAST + 400 * DAY, 0),
            (LAST - 29 * DAY, 30),
        ] {
            assert_eq!(exception.days_left(now), left, "{now}");
        }
    }

    #[test]
    fn a24_an_end_is_told_thirty_seven_and_one_day_ahead() {
        let exception = exception();
        let found = |days_left: i64| {
            let now = LAST - (days_left - 1) * DAY;
            look(std::slice::from_ref(&exception), now).remove(0)
        };
        for (days, level, urgency) in [
            (400, Level::Ok, 0),
            (31, Level::Ok, 0),
            (30, Level::Warn, 1),
            (8, Level::Warn, 1),
            (7, Level::Warn, 2),
            (2, Level::Warn, 2),
            (1, Level::Warn, 3),
            (0, Level::Warn, u8::MAX),
        ] {
            let found = found(days);
            assert_eq!(
                (found.level, found.urgency),
                (level, urgency),
                "{days}: {}",
                found.what
            );
        }
        assert!(found(0).what.contains("is over"));
    }
}
