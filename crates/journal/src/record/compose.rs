//! From an event to its record.

use std::borrow::Cow;
use std::net::SocketAddr;

use guard::{
    Closing, Event, Finding, Heard, MessageEvent, MessageKind, Outcome, RefusedHandshake,
    SessionFacts, Tenant, UnixMillis, words,
};
use ocpp::{Side, StationId};

use super::json::{Object, Pair, key, pair, quoted};
use super::{About, PRIVATE, Pseudonyms};
use crate::{Handle, Weight};

/// Writes an event's record behind what `out` holds, and the handles in it behind those of `handles`.
pub fn compose<'e, P: Pseudonyms>(
    event: &'e Event,
    heard: Option<Heard<'_>>,
    names: &mut P,
    out: &mut Vec<u8>,
    handles: &mut Vec<Handle>,
) -> Result<About<'e>, P::Error> {
    let mut page = Page {
        names,
        object: Object::new(out),
        handles,
    };
    let about = page.event(event, heard)?;
    page.object.end();
    Ok(about)
}

/// Something that a person, or the gate by itself, has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act<'a> {
    /// When.
    pub at: UnixMillis,
    /// What, in one word: `mode`, `session-end`, `reload`.
    pub what: &'a str,
    /// Who: a command's user, a person's name, or `gate`.
    pub by: &'a str,
    /// What for and to what, in words without any identifier.
    pub details: &'a str,
}

/// Writes an act's record.
pub fn compose_act(act: &Act<'_>, out: &mut Vec<u8>) -> About<'static> {
    let mut object = Object::new(out);
    object.time(key!("at"), act.at);
    object.pair(pair!("kind", "act"));
    object.text(key!("what"), act.what);
    object.text(key!("by"), act.by);
    object.text(key!("details"), act.details);
    object.end();
    kept(act.at, None, false)
}

/// Records that are not there, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When it was noticed last.
    pub at: UnixMillis,
    /// When the first of them was missed.
    pub since: UnixMillis,
    /// How many events.
    pub events: u64,
    /// Of how many messages only the words.
    pub words: u64,
    /// Why, in our own words: `queue-full`, `locked`, `disk-full`.
    pub why: &'static str,
}

/// Writes a gap's record.
pub fn compose_gap(gap: &Gap, out: &mut Vec<u8>) -> About<'static> {
    let mut object = Object::new(out);
    object.time(key!("at"), gap.at);
    object.pair(pair!("kind", "gap"));
    object.time(key!("since"), gap.since);
    object.number(key!("events"), gap.events);
    object.number(key!("words"), gap.words);
    object.word(key!("why"), gap.why);
    object.end();
    kept(gap.at, None, false)
}

struct Page<'p, P> {
    names: &'p mut P,
    object: Object<'p>,
    handles: &'p mut Vec<Handle>,
}

impl<P: Pseudonyms> Page<'_, P> {
    fn event<'e>(
        &mut self,
        event: &'e Event,
        heard: Option<Heard<'_>>,
    ) -> Result<About<'e>, P::Error> {
        match event {
            Event::Message(message) => self.message(message, heard),
            Event::Connected { at, session } => self.connected(at.wall, session),
            Event::Disconnected { at, session, how } => self.disconnected(at.wall, session, how),
            Event::Refused {
                at,
                peer,
                station,
                why,
            } => {
                self.head(pair!("kind", "refused"), at.wall);
                let asked = station.as_ref();
                let name = asked.map(|asked| self.station(None, asked, at.wall));
                let name = name.transpose()?;
                self.peer(peer, name.as_deref());
                self.why_refused(why);
                Ok(kept(at.wall, name, true))
            }
            Event::TurnedAway {
                at,
                why,
                times,
                last,
            } => {
                self.head(pair!("kind", "turned-away"), at.wall);
                self.object.number(key!("times"), u64::from(*times));
                self.object.text(key!("last"), &last.to_string());
                self.why_refused(why);
                Ok(kept(at.wall, None, true))
            }
            Event::WeakPassword {
                at,
                station,
                tenant,
                weaknesses,
            } => {
                let kind = pair!("kind", "weak-password");
                let about = self.of_station(kind, at.wall, station, tenant)?;
                self.object.text(key!("why"), &weaknesses.to_string());
                Ok(about)
            }
            Event::Adopted {
                at,
                station,
                tenant,
            } => self.of_station(pair!("kind", "adopted"), at.wall, station, tenant),
            Event::CredentialChange {
                at,
                station,
                tenant,
                is_certificate,
                step,
            } => {
                let kind = pair!("kind", "credential-change");
                let about = self.of_station(kind, at.wall, station, tenant)?;
                self.object.flag(key!("certificate"), *is_certificate);
                self.object.word(key!("step"), words::change(*step).0);
                Ok(about)
            }
        }
    }

    fn message<'e>(
        &mut self,
        message: &'e MessageEvent,
        heard: Option<Heard<'_>>,
    ) -> Result<About<'e>, P::Error> {
        let (at, session) = (message.at.wall, &message.session);
        let mut about = self.session(kind_of(message.kind), at, session)?;
        self.object.pair(match message.from {
            Side::Station => pair!("from", "station"),
            Side::Csms => pair!("from", "csms"),
        });
        self.object.word(key!("action"), message.action);
        self.verdict(message.outcome);
        if let Some(latency) = message.latency {
            let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
            self.object.number(key!("latency_us"), micros);
        }
        if !message.findings.is_empty() {
            self.findings(&message.findings);
        }
        let length = heard.map(|heard| self.heard(&session.tenant.0, heard, at));
        let length = length.transpose()?;
        if length != usize::try_from(message.bytes).ok() {
            self.object.number(key!("bytes"), u64::from(message.bytes));
        }
        about.action = Some(message.action);
        about.is_refused = !message.outcome.has_passed();
        about.weight = weight(message);
        Ok(about)
    }

    /// A message without a verdict was forwarded, as nearly all are.
    fn verdict(&mut self, outcome: Outcome) {
        if outcome == Outcome::Forwarded {
            return;
        }
        self.object.word(key!("verdict"), words::outcome(outcome));
        if let Outcome::Refused(control, fault) = outcome {
            let by = control.map(guard::Control::name);
            self.object.word(key!("by"), by.unwrap_or("hard-fault"));
            if let Some(fault) = fault {
                self.object.text(key!("fault"), &fault.to_string());
            }
        }
    }

    /// Writes what was said, and gives the bytes that it takes here.
    fn heard(&mut self, tenant: &str, heard: Heard<'_>, at: UnixMillis) -> Result<usize, P::Error> {
        let out = self.object.key(key!("message"));
        let begin = out.len();
        self.names.message(tenant, heard, at, out, self.handles)?;
        Ok(out.len() - begin)
    }

    fn findings(&mut self, findings: &[Finding]) {
        let out = self.object.key(key!("findings"));
        out.push(b'[');
        for (place, finding) in findings.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            let mut object = Object::new(out);
            object.word(key!("control"), finding.control.name());
            object.word(key!("mode"), finding.mode.name());
            object.text(key!("kind"), &finding.kind);
            if !finding.path.is_empty() {
                object.text(key!("path"), &finding.path);
            }
            if finding.tolerated {
                object.flag(key!("tolerated"), true);
            }
            quoted(&self.names.words(&finding.what), object.key(key!("what")));
            object.end();
        }
        out.push(b']');
    }

    fn connected<'e>(
        &mut self,
        at: UnixMillis,
        session: &'e SessionFacts,
    ) -> Result<About<'e>, P::Error> {
        let about = self.session(pair!("kind", "connected"), at, session)?;
        self.object.text(key!("route"), &session.route.0);
        self.object.word(key!("ocpp"), session.version.number());
        self.object
            .word(key!("by"), words::connection(session.kind));
        self.peer(&session.peer, about.station.as_deref());
        if let Some(tls) = &session.tls {
            self.object.text(key!("tls"), &tls.to_string());
        }
        if let Some(exception) = &session.exception {
            self.object.time(key!("exception_until"), exception.until);
        }
        Ok(about)
    }

    fn disconnected<'e>(
        &mut self,
        at: UnixMillis,
        session: &'e SessionFacts,
        how: &Closing,
    ) -> Result<About<'e>, P::Error> {
        let mut about = self.session(pair!("kind", "disconnected"), at, session)?;
        self.object.word(key!("how"), words::ending(how));
        let said = self.names.words(&words::closing(how));
        self.object.text(key!("why"), &said);
        about.is_refused = matches!(how, Closing::Policy(_));
        Ok(about)
    }

    fn why_refused(&mut self, why: &RefusedHandshake) {
        self.object.word(key!("how"), words::refusal(why));
        let said = self.names.words(&words::refused(why));
        self.object.text(key!("why"), &said);
    }

    fn head(&mut self, kind: Pair, at: UnixMillis) {
        self.object.time(key!("at"), at);
        self.object.pair(kind);
    }

    fn session<'e>(
        &mut self,
        kind: Pair,
        at: UnixMillis,
        session: &'e SessionFacts,
    ) -> Result<About<'e>, P::Error> {
        let about = self.of_station(kind, at, &session.station, &session.tenant)?;
        self.object.number(key!("session"), session.number);
        Ok(about)
    }

    fn of_station<'e>(
        &mut self,
        kind: Pair,
        at: UnixMillis,
        station: &'e StationId,
        tenant: &Tenant,
    ) -> Result<About<'e>, P::Error> {
        self.head(kind, at);
        self.object.text(key!("tenant"), &tenant.0);
        let name = self.station(Some(&tenant.0), station, at)?;
        Ok(kept(at, Some(name), false))
    }

    fn station<'e>(
        &mut self,
        tenant: Option<&str>,
        identity: &'e StationId,
        at: UnixMillis,
    ) -> Result<Cow<'e, str>, P::Error> {
        let name = self.names.station(tenant, identity, at, self.handles)?;
        self.object.text(key!("station"), &name);
        Ok(name)
    }

    /// Where a private station comes from is somebody's home.
    fn peer(&mut self, peer: &SocketAddr, station: Option<&str>) {
        let is_private = |name: &str| name == PRIVATE || Handle::parse(name).is_some();
        if !station.is_some_and(is_private) {
            self.object.text(key!("peer"), &peer.to_string());
        }
    }
}

fn kept(at: UnixMillis, station: Option<Cow<'_, str>>, is_refused: bool) -> About<'_> {
    About {
        at,
        weight: Weight::Kept,
        station,
        action: None,
        is_refused,
    }
}

/// OCPP-J's kinds as a record writes them; by these reading knows a message (`Facts::is_message`).
fn kind_of(kind: MessageKind) -> Pair {
    match kind {
        MessageKind::Call => pair!("kind", "call"),
        MessageKind::Result => pair!("kind", "result"),
        MessageKind::Error => pair!("kind", "error"),
        MessageKind::ResultError => pair!("kind", "result-error"),
        MessageKind::Send => pair!("kind", "send"),
        MessageKind::Unreadable => pair!("kind", "unreadable"),
    }
}

fn weight(message: &MessageEvent) -> Weight {
    match message.action {
        _ if message.is_remarkable() => Weight::Kept,
        "Heartbeat"
        | "MeterValues"
        | "StatusNotification"
        | "NotifyEvent"
        | "NotifyReport"
        | "NotifyMonitoringReport"
        | "NotifyPeriodicEventStream" => Weight::Telemetry,
        _ => Weight::Message,
    }
}
