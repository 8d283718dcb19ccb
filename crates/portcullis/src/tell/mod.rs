//! What happens at the gate, told: every event is counted, and what somebody may want to read is
//! logged, within a budget. An event holds no payload and no identifier of a person or a token, so
//! neither does a line.

mod budget;
mod episode;
pub(crate) mod metrics;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use guard::admission::Exception;
use guard::{
    ChangeEvent, Closing, Event, MessageEvent, Moment, RefusedHandshake, SessionFacts, UnixMillis,
    Weaknesses, words,
};
use journal::Day;
use tracing::{debug, info, warn};

use budget::{Budget, Line};
use episode::Episode;
use metrics::EventMetrics;

use crate::health::Finding;

/// Sees each event before it is counted and logged.
pub(crate) type Onlooker = Box<dyn FnMut(&Event) + Send>;

/// Turns events into counts and lines.
pub(crate) struct Teller {
    metrics: Arc<EventMetrics>,
    budget: Budget,
    /// Stations that were turned away because their CSMS was not there for them.
    csms: Episode,
    /// Events there was no room for, and how many had been dropped at the last look.
    dropped: Episode,
    dropped_seen: u64,
    /// Canaries that somebody asked for.
    canaries: Episode,
    /// Those that have been told of; never more than are configured.
    canaries_told: BTreeSet<String>,
}

impl Teller {
    pub(crate) fn new(metrics: Arc<EventMetrics>) -> Teller {
        Teller {
            metrics,
            budget: Budget::default(),
            csms: Episode::default(),
            dropped: Episode::default(),
            dropped_seen: 0,
            canaries: Episode::default(),
            canaries_told: BTreeSet::new(),
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
            } => self.refused(*at, *peer, station.as_ref().map(|id| id.as_str()), why),
            Event::WeakPassword {
                at,
                station,
                tenant,
                weaknesses,
            } => {
                if self.has_room(Line::WeakPassword, *at) {
                    weak_password((station.as_str(), &tenant.0), *weaknesses);
                }
            }
            Event::TurnedAway {
                at,
                why,
                times,
                last,
            } => {
                if self.has_room(Line::Refused, *at) {
                    let why = words::refused(why);
                    info!(times, %last, %why, "connections refused");
                }
            }
            Event::Adopted {
                at,
                station,
                tenant,
            } => {
                if self.has_room(Line::Changed, *at) {
                    adopted((station.as_str(), &tenant.0));
                }
            }
            Event::CredentialChange {
                at,
                station,
                tenant,
                is_certificate,
                step,
            } => {
                if self.has_room(Line::Changed, *at) {
                    changed((station.as_str(), &tenant.0), *is_certificate, *step);
                }
            }
            Event::Message(message) => self.message(message),
            Event::Disconnected { at, session, how } => {
                if self.has_room(Line::Disconnected, *at) {
                    disconnected(session, how);
                }
            }
        }
    }

    fn refused(
        &mut self,
        at: Moment,
        peer: SocketAddr,
        station: Option<&str>,
        why: &RefusedHandshake,
    ) {
        let words = words::refused(why);
        if let (RefusedHandshake::Canary, Some(station)) = (why, station) {
            let words = format!("{peer} asked for {station}");
            self.canaries.happened(at.elapsed, 1, words);
            if self.canaries_told.insert(station.to_owned()) {
                warn!(%peer, station, "somebody tries identities out: no station has this one");
                return;
            }
        }
        if matches!(why, RefusedHandshake::Upstream(_)) {
            // Every station of the fleet says so while the CSMS is away: one story, not a flood.
            debug!(%peer, station, why = %words, "connection refused");
            self.csms.happened(at.elapsed, 1, words);
        } else if let RefusedHandshake::SessionAlive { holder } = why {
            if self.has_room(Line::Doubled, at) {
                doubled(peer, *holder, station);
            }
        } else if self.has_room(Line::Refused, at) {
            info!(%peer, station, why = %words, "connection refused");
        }
    }

    fn message(&mut self, message: &MessageEvent) {
        let (at, outcome, action) = (message.at, message.outcome, message.action);
        let station = message.session.station.as_str();
        let (from, kind) = (words::side(message.from), words::kind(message.kind));
        debug!(
            station,
            from,
            kind,
            action,
            bytes = message.bytes,
            outcome = words::outcome(outcome),
            latency_ms = message.latency.map(|latency| latency.as_secs_f64() * 1e3),
            "message"
        );
        if !outcome.has_passed() && self.has_room(Line::MessageRefused, at) {
            let why = words::why(outcome, &message.findings);
            info!(station, from, kind, action, why, "message refused");
        } else if let Some(finding) = message.findings.first()
            && self.has_room(Line::Observed, at)
        {
            let control = finding.control.name();
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

    /// Tells how much was left untold in the second that is over.
    fn close_windows(&mut self, now: Moment) {
        for (line, held) in self.budget.turn(now.elapsed) {
            info!(
                held,
                "and more lines of this kind in that second: {}",
                line.words()
            );
        }
    }

    /// What the events of late say about the state of things. To be asked every second or so, also
    /// when nothing happens; `dropped` is how many events were lost since the start.
    pub(crate) fn look(&mut self, now: Moment, dropped: u64) -> Vec<Finding> {
        self.close_windows(now);
        let new = dropped.saturating_sub(self.dropped_seen);
        self.dropped_seen = dropped;
        if new > 0 {
            self.dropped
                .happened(now.elapsed, new, "an event was dropped");
        }
        vec![
            self.csms.finding(
                now.elapsed,
                "csms handshakes",
                "stations reach their CSMS",
                "See the CSMS's log and certificate; the route's `ca` and `credential` must suit it.",
            ),
            self.canaries.finding(
                now.elapsed,
                "canaries",
                "nobody tries identities out",
                "See who is at that address; what else it asked for is in the log.",
            ),
            self.dropped.finding(
                now.elapsed,
                "events",
                "none is dropped",
                "The log or the machine is too slow: set [log] level = \"info\", or raise events_queued_max.",
            ),
        ]
    }
}

fn weak_password((station, tenant): (&str, &str), why: Weaknesses) {
    warn!(station, tenant, %why, "a station came in with a weak password");
}

fn adopted((station, tenant): (&str, &str)) {
    warn!(
        station,
        tenant, "adopted: the CSMS takes this station, and nobody has registered it"
    );
}

/// A station is being given another credential.
fn changed((station, tenant): (&str, &str), is_certificate: bool, step: ChangeEvent) {
    let what = if is_certificate {
        "certificate"
    } else {
        "password"
    };
    let (_, words) = words::change(step);
    match step {
        ChangeEvent::Foreign | ChangeEvent::NoRoom => {
            let remedy = "Register it by hand: portcullis station --help";
            warn!(station, tenant, what, remedy, "{words}");
        }
        ChangeEvent::Weak { is_refused } => {
            let remedy = match is_refused {
                true => {
                    "Have the CSMS set another one now, or register this one: portcullis station set-password --allow-weak"
                }
                false => "Have the CSMS set another one.",
            };
            warn!(station, tenant, what, remedy, "{words}");
        }
        _ => info!(station, tenant, what, "{words}"),
    }
}

/// Two parties hold one credential, or a station has not let go of its old connection.
fn doubled(newcomer: SocketAddr, holder: SocketAddr, station: Option<&str>) {
    warn!(
        station,
        %newcomer,
        %holder,
        "refused: somebody else came with the credential of a station that is connected and answers"
    );
}

fn connected(session: &SessionFacts) {
    info!(
        station = session.station.as_str(),
        tenant = &*session.tenant.0,
        route = &*session.route.0,
        version = session.version.number(),
        by = words::connection(session.kind),
        peer = %session.peer,
        tls = session.tls.map(tracing::field::display),
        exception_until = session.exception.as_deref().map(last_day),
        session = session.number,
        "station connected"
    );
}

fn disconnected(session: &SessionFacts, how: &Closing) {
    info!(
        station = session.station.as_str(),
        tenant = &*session.tenant.0,
        session = session.number,
        how = %words::closing(how),
        "station disconnected"
    );
}

/// The last day of an exception, by UTC.
pub(crate) fn last_day(exception: &Exception) -> String {
    Day::of(UnixMillis(exception.until.0.saturating_sub(1))).to_string()
}
