//! What happens at the gate, told: every event is counted, and what somebody may want to read is
//! logged, within a budget. An event holds no payload and no identifier of a person or a token, so
//! neither does a line.

mod budget;
pub(crate) mod metrics;
mod words;

use std::sync::Arc;

use guard::{Event, Moment, Outcome, SessionFacts};
use tracing::{debug, info};

use budget::{Budget, Line};
use metrics::EventMetrics;

/// Turns events into counts and lines.
pub(crate) struct Teller {
    metrics: Arc<EventMetrics>,
    budget: Budget,
}

impl Teller {
    pub(crate) fn new(metrics: Arc<EventMetrics>) -> Teller {
        Teller {
            metrics,
            budget: Budget::default(),
        }
    }

    /// Counts an event, and tells it if there is still room in this second.
    pub(crate) fn tell(&mut self, event: &Event) {
        self.metrics.count(event);
        match event {
            Event::Connected { at, session } => {
                if self.has_room(Line::Connected, *at) {
                    connected(session);
                }
            }
            Event::Refused {
                at,
                peer,
                station,
                why,
            } => {
                if self.has_room(Line::Refused, *at) {
                    let station = station.as_ref().map(|id| id.as_str());
                    info!(%peer, station, why = %words::refused(why), "connection refused");
                }
            }
            Event::Message { .. } => self.message(event),
            Event::Disconnected { at, session, how } => {
                if self.has_room(Line::Disconnected, *at) {
                    info!(
                        station = session.station.as_str(),
                        tenant = &*session.tenant.0,
                        session = session.number,
                        how = %words::closing(how),
                        "station disconnected"
                    );
                }
            }
        }
    }

    fn message(&mut self, event: &Event) {
        let Event::Message {
            at,
            session,
            from,
            kind,
            action,
            bytes,
            outcome,
            findings,
            latency,
        } = event
        else {
            return;
        };
        let station = session.station.as_str();
        let (from, kind) = (words::side(*from), words::kind(*kind));
        debug!(
            station,
            from,
            kind,
            action,
            bytes,
            outcome = words::outcome(*outcome),
            latency_ms = latency.map(|latency| latency.as_secs_f64() * 1e3),
            "message"
        );
        if matches!(outcome, Outcome::Refused(..) | Outcome::Disconnected)
            && self.has_room(Line::MessageRefused, *at)
        {
            let why = words::why(*outcome, findings);
            info!(station, from, kind, action, why, "message refused");
        } else if let Some(finding) = findings.first()
            && self.has_room(Line::Observed, *at)
        {
            let control = words::control(finding.control);
            info!(
                station,
                from,
                kind,
                action,
                control,
                what = finding.what,
                "message observed"
            );
        }
    }

    /// Whether another line of that kind may be told in this second; what was held back before is
    /// told as a number.
    fn has_room(&mut self, line: Line, now: Moment) -> bool {
        self.close_windows(now);
        self.budget.admit(line)
    }

    /// Tells how much was left untold in the seconds that are over. To be called now and then.
    pub(crate) fn close_windows(&mut self, now: Moment) {
        for (line, held) in self.budget.turn(now.elapsed) {
            info!(
                held,
                "and more lines of this kind in that second: {}",
                line.words()
            );
        }
    }
}

fn connected(session: &SessionFacts) {
    info!(
        station = session.station.as_str(),
        tenant = &*session.tenant.0,
        route = &*session.route.0,
        version = session.version.number(),
        by = words::connection(session.kind),
        peer = %session.peer,
        session = session.number,
        "station connected"
    );
}
