//! What controls have objected to so far, by model and kind: what an operator looks at before a control
//! is enforced. Kept in a bounded table, and in a file beside the store, so that weeks of observing
//! survive an upgrade.

mod file;
mod proposal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guard::{Control, Event, Finding, Mode, Moment, SessionFacts};
use serde::{Deserialize, Serialize};

use crate::tell::Onlooker;

pub(crate) use file::{Keeper, begin};
pub(crate) use proposal::{Proposal, as_toml, proposals};

/// Kinds of findings that are told apart; more are counted together.
pub(crate) const KINDS_MAX: usize = 4096;
/// Stations of one kind that are told apart.
const STATIONS_MAX: usize = 32;
/// Characters of a text that a station or a rule may choose.
const TEXT_CHARS_MAX: usize = 200;

/// What is told apart: the same objection to the same model, or to one station that has not said what
/// it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Kind {
    /// Maker and model, as BootNotification says.
    pub(crate) model: Option<(String, String)>,
    /// Tenant and identity, where no BootNotification has named a model.
    pub(crate) station: Option<(String, String)>,
    pub(crate) control: String,
    /// `?` where we do not know it.
    pub(crate) action: String,
    pub(crate) kind: String,
    pub(crate) path: String,
}

/// How often, by whom and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) count: u64,
    /// Of those: refused.
    pub(crate) refused: u64,
    /// Of those: passed by a tolerance.
    pub(crate) tolerated: u64,
    /// Some of the stations, `tenant/identity`.
    pub(crate) stations: Vec<String>,
    /// There are more of them.
    pub(crate) more_stations: bool,
    /// Milliseconds since 1970.
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    seen: HashMap<Kind, Seen>,
    /// Findings of kinds that there was no room for.
    beyond: u64,
    /// Since it was last written.
    changed: bool,
}

/// The table as it is shown and kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) beyond: u64,
    pub(crate) seen: Vec<(Kind, Seen)>,
}

/// The table, shared by those who count and those who look.
pub(crate) type SharedFindings = Arc<Mutex<Findings>>;

/// Nothing of it can be half done when a thread that holds it panics.
pub(crate) fn lock(findings: &SharedFindings) -> MutexGuard<'_, Findings> {
    findings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts what controls object to, before anybody else looks on.
pub(crate) fn onlooker(findings: SharedFindings, mut next: Option<Onlooker>) -> Onlooker {
    Box::new(move |event| {
        if matches!(event, Event::Message(message) if !message.findings.is_empty()) {
            lock(&findings).count(event);
        }
        if let Some(next) = &mut next {
            next(event);
        }
    })
}

impl Findings {
    /// Counts what an event tells of; nearly every one tells of nothing.
    pub(crate) fn count(&mut self, event: &Event) {
        let Event::Message(message) = event else {
            return;
        };
        let session = &message.session;
        for finding in &message.findings {
            let model = message
                .model
                .as_ref()
                .map(|model| (cut(&model.maker), cut(&model.model)));
            let station = match model {
                Some(_) => None,
                None => Some((session.tenant.0.to_string(), session.station.to_string())),
            };
            let kind = Kind {
                model,
                station,
                control: finding.control.name().to_owned(),
                action: message.action.to_owned(),
                kind: cut(&finding.kind),
                path: cut(&finding.path),
            };
            self.add(kind, message.at, session, finding);
        }
    }

    fn add(&mut self, kind: Kind, at: Moment, session: &SessionFacts, finding: &Finding) {
        self.changed = true;
        if self.seen.len() >= KINDS_MAX && !self.seen.contains_key(&kind) {
            self.beyond = self.beyond.saturating_add(1);
            return;
        }
        let seen = self.seen.entry(kind).or_insert_with(|| Seen {
            first: at.wall.0,
            ..Seen::default()
        });
        seen.count = seen.count.saturating_add(1);
        if finding.tolerated {
            seen.tolerated = seen.tolerated.saturating_add(1);
        } else if finding.mode == Mode::Enforce {
            seen.refused = seen.refused.saturating_add(1);
        }
        seen.last = at.wall.0;
        let station = format!("{}/{}", session.tenant.0, session.station);
        if !seen.stations.contains(&station) {
            match seen.stations.len() < STATIONS_MAX {
                true => seen.stations.push(station),
                false => seen.more_stations = true,
            }
        }
    }

    /// Everything, the most frequent first.
    pub(crate) fn report(&self) -> Report {
        let rows = self.seen.iter();
        let mut seen: Vec<(Kind, Seen)> = rows
            .map(|(kind, seen)| (kind.clone(), seen.clone()))
            .collect();
        seen.sort_by(|(a_kind, a), (b_kind, b)| (b.count, a_kind).cmp(&(a.count, b_kind)));
        Report {
            beyond: self.beyond,
            seen,
        }
    }

    /// Forgets everything; how many kinds there were.
    pub(crate) fn forget(&mut self) -> usize {
        let kinds = self.seen.len();
        *self = Findings {
            changed: true,
            ..Findings::default()
        };
        kinds
    }

    fn restore(report: Report) -> Findings {
        Findings {
            seen: report.seen.into_iter().take(KINDS_MAX).collect(),
            beyond: report.beyond,
            changed: false,
        }
    }
}

/// What a station chose stays short.
fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// Which controls object to habits that honest stations have; an objection of any other looks like an
/// attack.
fn is_of_habits(control: &str) -> bool {
    matches!(
        Control::named(control),
        Some(
            Control::Schema
                | Control::Timestamps
                | Control::Pipelining
                | Control::Rate
                | Control::Registration
                | Control::Connectors
        )
    )
}

#[cfg(test)]
mod tests;
