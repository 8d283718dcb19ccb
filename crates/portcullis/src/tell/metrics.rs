//! What the events count up to. Labels come from short lists of ours, never from a peer, so that no
//! stranger can make us remember a new series.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use guard::{Event, MessageEvent, Outcome, words};
use ocpp::Side;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::passwords::audit::label;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct How {
    how: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Connected {
    version: &'static str,
    by: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Message {
    version: &'static str,
    from: &'static str,
    kind: &'static str,
    action: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Fault {
    fault: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Found {
    control: &'static str,
    mode: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct From {
    from: &'static str,
}

/// One series of messages, by numbers: to hash and compare the words of its labels twice for every
/// call would cost more than the count.
#[derive(PartialEq, Eq, Hash)]
struct Series {
    /// Where the action's name lies. A name that lay in two places would have two entries here, which
    /// count up the same series.
    action: usize,
    /// Version, side, kind and outcome.
    rest: [u8; 4],
}

/// Counts of events.
pub(crate) struct EventMetrics {
    connected: Family<Connected, Counter>,
    refused: Family<Why, Counter>,
    weak_passwords: Family<Why, Counter>,
    changes: Family<How, Counter>,
    disconnected: Family<How, Counter>,
    messages: Family<Message, Counter>,
    /// The series of `messages` that have been counted before. A family hashes labels against
    /// attack, which ours, being short lists of our own, do not need: there are two events for
    /// each call that the gate relays.
    known: Mutex<HashMap<Series, Counter, foldhash::fast::RandomState>>,
    faults: Family<Fault, Counter>,
    findings: Family<Found, Counter>,
    answers: Family<From, Histogram>,
    /// Those of `answers`: the station's, and the CSMS's.
    answered_by: [Histogram; 2],
}

impl EventMetrics {
    /// The counts, made known to a registry.
    pub(crate) fn register(registry: &mut Registry) -> EventMetrics {
        // From 1 ms to some 4 minutes: a station may take its time.
        let answers = Family::<From, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 2.0, 18))
        });
        let answered_by = [Side::Station, Side::Csms].map(|side| {
            let from = words::side(side);
            answers.get_or_create(&From { from }).clone()
        });
        let metrics = EventMetrics {
            connected: Family::default(),
            refused: Family::default(),
            weak_passwords: Family::default(),
            changes: Family::default(),
            disconnected: Family::default(),
            messages: Family::default(),
            known: Mutex::default(),
            faults: Family::default(),
            findings: Family::default(),
            answers,
            answered_by,
        };
        registry.register(
            "sessions_begun",
            "Stations that came in",
            metrics.connected.clone(),
        );
        registry.register(
            "handshakes_refused_by",
            "Connections refused",
            metrics.refused.clone(),
        );
        registry.register(
            "weak_passwords",
            "Weak passwords that stations came in with",
            metrics.weak_passwords.clone(),
        );
        registry.register(
            "credential_changes",
            "Steps of changes of stations' credentials",
            metrics.changes.clone(),
        );
        registry.register(
            "sessions_over",
            "How sessions ended",
            metrics.disconnected.clone(),
        );
        registry.register("messages_by", "Messages told of", metrics.messages.clone());
        registry.register(
            "hard_faults",
            "Messages that two parsers could read differently",
            metrics.faults.clone(),
        );
        registry.register(
            "findings",
            "Objections of controls, enforced or not",
            metrics.findings.clone(),
        );
        registry.register(
            "answer_seconds",
            "How long a CALL was open, by who answered",
            metrics.answers.clone(),
        );
        metrics
    }

    /// Counts an event.
    pub(super) fn count(&self, event: &Event) {
        match event {
            Event::Connected { session, .. } => {
                let version = session.version.number();
                let by = words::connection(session.kind);
                self.connected
                    .get_or_create(&Connected { version, by })
                    .inc();
            }
            Event::Refused { why, .. } => {
                self.refused
                    .get_or_create(&Why {
                        why: words::refusal(why),
                    })
                    .inc();
            }
            Event::Adopted { .. } => {
                self.changes.get_or_create(&How { how: "adopted" }).inc();
            }
            Event::CredentialChange { step, .. } => {
                let (how, _) = words::change(*step);
                self.changes.get_or_create(&How { how }).inc();
            }
            Event::WeakPassword { weaknesses, .. } => {
                for weakness in weaknesses.iter() {
                    let why = label(weakness);
                    self.weak_passwords.get_or_create(&Why { why }).inc();
                }
            }
            Event::TurnedAway { why, times, .. } => {
                let why = words::refusal(why);
                self.refused
                    .get_or_create(&Why { why })
                    .inc_by(u64::from(*times));
            }
            Event::Disconnected { how, .. } => {
                self.disconnected
                    .get_or_create(&How {
                        how: words::ending(how),
                    })
                    .inc();
            }
            Event::Message(message) => self.count_what_was_said(message),
        }
    }

    fn count_what_was_said(&self, message: &MessageEvent) {
        let MessageEvent {
            session,
            from,
            kind,
            action,
            outcome,
            findings,
            latency,
            ..
        } = message;
        let series = Series {
            action: action.as_ptr() as usize,
            rest: [
                session.version as u8,
                *from as u8,
                *kind as u8,
                place(*outcome),
            ],
        };
        self.count_message(series, || Message {
            version: session.version.number(),
            from: words::side(*from),
            kind: words::kind(*kind),
            action,
            outcome: words::outcome(*outcome),
        });
        if let Outcome::Refused(_, Some(fault)) = outcome {
            let fault = fault.to_string();
            self.faults.get_or_create(&Fault { fault }).inc();
        }
        for finding in findings {
            let control = finding.control.name();
            let mode = match finding.tolerated {
                true => "tolerated",
                false => finding.mode.name(),
            };
            self.findings.get_or_create(&Found { control, mode }).inc();
        }
        if let Some(latency) = latency {
            let [station, csms] = &self.answered_by;
            let answers = match from {
                Side::Station => station,
                Side::Csms => csms,
            };
            answers.observe(latency.as_secs_f64());
        }
    }

    fn count_message(&self, series: Series, labels: impl FnOnce() -> Message) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(&series) {
            counter.inc();
            return;
        }
        let counter = self.messages.get_or_create(&labels()).clone();
        counter.inc();
        known.insert(series, counter);
    }
}

/// What tells outcomes apart that have words of their own.
const fn place(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Forwarded => 0,
        Outcome::Joined => 1,
        Outcome::Refused(..) => 2,
        Outcome::Disconnected => 3,
    }
}
