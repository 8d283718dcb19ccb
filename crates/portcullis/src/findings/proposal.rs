//! From findings to tolerances: what a fleet's models do out of habit is proposed, what looks like an
//! attack is only shown.

use std::fmt::Write;

use guard::{Control, Mode};
use serde::Serialize;

use super::{Kind, Report, Seen, is_of_habits};

/// One kind of finding, and whether a tolerance for it is proposed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Proposal {
    #[serde(flatten)]
    pub(crate) kind: Kind,
    #[serde(flatten)]
    pub(crate) seen: Seen,
    pub(crate) proposed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) but: Option<&'static str>,
}

/// What comes of a report: with `all`, whatever a tolerance can be written for is proposed.
pub(crate) fn proposals(report: Report, all: bool, stations_min: usize) -> Vec<Proposal> {
    let propose = |(kind, seen): (Kind, Seen)| {
        let but = never(&kind, &seen).or_else(|| match all {
            true => None,
            false => doubt(&kind, &seen, stations_min),
        });
        Proposal {
            proposed: but.is_none(),
            kind,
            seen,
            but,
        }
    };
    report.seen.into_iter().map(propose).collect()
}

/// What no tolerance is for.
fn never(kind: &Kind, seen: &Seen) -> Option<&'static str> {
    let control = Control::named(&kind.control);
    if control.is_none_or(|control| control.strictest() < Mode::Enforce) {
        return Some("its control is never enforced");
    }
    if seen.tolerated == seen.count {
        return Some("it is tolerated already");
    }
    let open_ended =
        |(maker, model): &(String, String)| maker.ends_with('*') || model.ends_with('*');
    if kind.model.as_ref().is_some_and(open_ended) {
        return Some("its name ends in *, and would stand for others");
    }
    None
}

/// What looks like an attack rather than a habit.
fn doubt(kind: &Kind, seen: &Seen, stations_min: usize) -> Option<&'static str> {
    if !is_of_habits(&kind.control) {
        return Some("it looks like an attack");
    }
    if kind.model.is_none() {
        return Some("the station has not said what it is");
    }
    if seen.stations.len() < stations_min && !seen.more_stations {
        return Some("too few stations do so");
    }
    None
}

/// The proposals as sections of the configuration.
pub(crate) fn as_toml(proposals: &[Proposal]) -> String {
    let mut text = String::new();
    for Proposal { kind, seen, .. } in proposals.iter().filter(|one| one.proposed) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# seen {} times, by {}",
            seen.count,
            seen.stations_in_words()
        );
        text.push_str("[[tolerance]]\n");
        let mut line = |key: &str, value: &str| {
            let value = toml::Value::String(value.to_owned());
            let _ = writeln!(text, "{key} = {value}");
        };
        match (&kind.model, &kind.station) {
            (Some((maker, model)), _) => {
                line("maker", maker);
                line("model", model);
            }
            (None, Some((tenant, identity))) => {
                line("stations", identity);
                line("tenant", tenant);
            }
            (None, None) => {}
        }
        line("control", &kind.control);
        for (key, value) in [
            ("action", &kind.action),
            ("kind", &kind.kind),
            ("path", &kind.path),
        ] {
            // Left out, it stands for any.
            if !value.is_empty() && value != "?" {
                line(key, value);
            }
        }
        text.push('\n');
    }
    text
}

impl Seen {
    /// How many stations, as far as they are told apart.
    pub(crate) fn stations_in_words(&self) -> String {
        let more = if self.more_stations { "more than " } else { "" };
        match self.stations.len() {
            1 => "1 station".to_owned(),
            count => format!("{more}{count} stations"),
        }
    }
}
