//! The live view: one line for each thing that happens, and a summary now and then. It scrolls, so
//! that it can be read in a terminal, in a pipe, and in the log of a CI run alike.

mod summary;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use guard::{Event, MessageEvent, MessageKind, Moment, Outcome, SessionFacts, words};
use jiff::Timestamp;
use ocpp::{Side, Version};
use sim::attack::Saw;
use sim::lab::{self, Exploit};

use super::account::Account;
use super::cast::Cast;
use super::paint::{Ink, Paint};

/// Lines a second for messages that simply passed; the others are counted.
const PASSED_LINES_MAX: u32 = 5;
/// Lines a second for messages that passed with a remark.
const NOTED_LINES_MAX: u32 = 2;
/// Lines a second for whatever was refused: everything, unless somebody floods us.
const REFUSED_LINES_MAX: u32 = 20;

/// The view and what it remembers.
pub(super) struct Show {
    out: Box<dyn Write + Send>,
    paint: Paint,
    account: Account,
    here: BTreeMap<u64, Guest>,
    remarks: HashMap<String, &'static str>,
    lines: Lines,
}

/// A station that is connected.
struct Guest {
    identity: String,
    version: Version,
    how: &'static str,
    messages: u64,
}

/// Lines printed within this second, and those that were not.
#[derive(Default)]
struct Lines {
    passed: u32,
    noted: u32,
    refused: u32,
    unshown: u32,
}

impl Show {
    /// A view on standard output.
    pub(super) fn new(cast: &Cast) -> Show {
        let chargers = cast.chargers();
        let remarks = chargers.iter().filter_map(|charger| {
            let remark = cast.remark(&charger.identity)?;
            Some((charger.identity.clone(), remark))
        });
        let stolen = (cast.stolen.identity.clone(), "its password was stolen");
        let charging = (lab::LIVE.to_owned(), "exploits want its place");
        let remarks = remarks.chain([stolen, charging]).collect();
        Show::on(Box::new(io::stdout()), Paint::for_stdout(), remarks)
    }

    fn on(
        out: Box<dyn Write + Send>,
        paint: Paint,
        remarks: HashMap<String, &'static str>,
    ) -> Show {
        Show {
            out,
            paint,
            account: Account::default(),
            here: BTreeMap::new(),
            remarks,
            lines: Lines::default(),
        }
    }

    /// The numbers.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// Shows a text as it is.
    pub(super) fn say(&mut self, text: &str) {
        // A reader that has gone away (`| head`) is no reason to stop the gate.
        drop(writeln!(self.out, "{text}"));
        drop(self.out.flush());
    }

    /// A second has passed.
    pub(super) fn tick(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.unshown > 0 {
            let text = format!("          … and {} more messages passed", lines.unshown);
            let text = self.paint.ink(Ink::Faint, &text);
            self.say(&text);
        }
    }

    /// Something happened at the gate.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Connected { at, session } => self.connected(*at, session),
            Event::Refused {
                at,
                peer,
                station,
                why,
            } => {
                let counted = self.account.turned_away.entry(words::refusal(why));
                *counted.or_default() += 1;
                let who = match station {
                    Some(station) => station.to_string(),
                    None => peer.to_string(),
                };
                self.refused_line(*at, &who, "", "TURNED AWAY", &words::refused(why));
            }
            // The demo draws its passwords.
            Event::WeakPassword { .. } | Event::CredentialChange { .. } | Event::Adopted { .. } => {
            }
            Event::TurnedAway {
                at,
                why,
                times,
                last,
            } => {
                let counted = self.account.turned_away.entry(words::refusal(why));
                *counted.or_default() += u64::from(*times);
                let who = format!("{times} like {last}");
                self.refused_line(*at, &who, "", "TURNED AWAY", &words::refused(why));
            }
            Event::Message(message) => self.message(message),
            Event::Disconnected { at, session, how } => {
                self.account.went += 1;
                self.here.remove(&session.number);
                let text = format!("gone: {}", words::closing(how));
                self.line(*at, session, Ink::Faint, &text);
            }
        }
    }

    fn connected(&mut self, at: Moment, session: &SessionFacts) {
        self.account.came_in += 1;
        let how = words::connection(session.kind);
        let identity = session.station.to_string();
        self.here.insert(
            session.number,
            Guest {
                identity,
                version: session.version,
                how,
                messages: 0,
            },
        );
        self.line(at, session, Ink::Good, &format!("IN, by {how}"));
    }

    fn message(&mut self, message: &MessageEvent) {
        let call = matches!(
            message.kind,
            MessageKind::Call | MessageKind::Send | MessageKind::Unreadable
        );
        self.account.message(call, message.bytes, message.latency);
        if let Some(guest) = self.here.get_mut(&message.session.number) {
            guest.messages += 1;
        }
        let way = match message.from {
            Side::Station => "station → CSMS",
            Side::Csms => "CSMS → station",
        };
        let (kind, bytes) = (words::kind(message.kind), message.bytes);
        let what = format!("{way}  {} ({kind}, {bytes} B)", message.action);
        match message.outcome.has_passed() {
            true => self.passed(message, &what),
            false => {
                let heading = refused_for(message.outcome);
                *self.account.refused.entry(heading).or_default() += 1;
                let who = message.session.station.to_string();
                let why = words::why(message.outcome, &message.findings);
                self.refused_line(message.at, &who, &format!("{what}  "), "REFUSED", &why);
            }
        }
    }

    fn passed(&mut self, message: &MessageEvent, what: &str) {
        let is_joined = message.outcome == Outcome::Joined;
        self.account.passed += 1;
        self.account.joined += u64::from(is_joined);
        match message.findings.first() {
            Some(finding) => {
                let name = finding.control.name();
                *self.account.noted.entry(name).or_default() += 1;
                let text = format!("{what}  passed, noted: {}", finding.what);
                let shown = self.lines.noted < NOTED_LINES_MAX;
                self.lines.noted += u32::from(shown);
                self.line_if(shown, message.at, &message.session, Ink::Noted, &text);
            }
            None => {
                let took = message.latency;
                let took = took.map(|took| format!(", {:.1} ms", took.as_secs_f64() * 1e3));
                let joined = match is_joined {
                    true => "joined to the same call, still open",
                    false => "passed",
                };
                let text = format!("{what}  {joined}{}", took.unwrap_or_default());
                let shown = self.lines.passed < PASSED_LINES_MAX;
                self.lines.passed += u32::from(shown);
                self.line_if(shown, message.at, &message.session, Ink::Plain, &text);
            }
        }
    }

    /// Somebody hostile is about to try something.
    pub(super) fn attack(&mut self, name: &str, tries: &str) {
        self.account.attacks += 1;
        let text = format!("ATTACK    {name}: {tries}");
        let text = self.paint.ink(Ink::Hostile, &text);
        self.say(&text);
    }

    /// What came of it, as the attacker sees it.
    pub(super) fn attacker_saw(&mut self, name: &str, saw: &str) {
        let text = format!("ATTACKER  {name}: {saw}");
        let text = self.paint.ink(Ink::Hostile, &text);
        self.say(&text);
    }

    /// A fault of the advisories was put to use, against a CSMS alone and through the gate.
    pub(super) fn exploit(&mut self, exploit: &Exploit, bare: &Saw, gate: &Saw) {
        let Exploit { cwe, name, .. } = exploit;
        let bare = match bare {
            Saw::GotThrough(what) => format!("it works: {what}"),
            other => {
                self.account.blunt.push(name);
                format!("in vain: {other}")
            }
        };
        let heading = format!("EXPLOIT   CWE-{cwe} {name}");
        let text = format!(
            "{heading}: {}\n             at the CSMS alone  {bare}\n             at the gate        {gate}",
            exploit.tries
        );
        let text = self.paint.ink(Ink::Hostile, &text);
        self.say(&text);
        if gate.held() {
            self.account.faults_held.insert(*cwe);
        } else {
            self.account.got_through.push(name);
        }
    }

    /// An attack got what it wanted, and no setting says that it may.
    pub(super) fn got_through(&mut self, name: &'static str) {
        self.account.got_through.push(name);
    }

    fn line_if(&mut self, shown: bool, at: Moment, session: &SessionFacts, ink: Ink, text: &str) {
        if shown {
            self.line(at, session, ink, text);
        } else {
            self.lines.unshown += 1;
        }
    }

    fn line(&mut self, at: Moment, session: &SessionFacts, ink: Ink, text: &str) {
        let who = format!(
            "{:<18} {:<5}",
            session.station.as_str(),
            session.version.number()
        );
        let text = format!("{}  {who}  {}", clock(at), self.paint.ink(ink, text));
        self.say(&text);
    }

    fn refused_line(&mut self, at: Moment, who: &str, before: &str, verdict: &str, why: &str) {
        if self.lines.refused >= REFUSED_LINES_MAX {
            return;
        }
        self.lines.refused += 1;
        let verdict = self.paint.ink(Ink::Refused, &format!("{verdict}: {why}"));
        let text = format!("{}  {who:<18}        {before}{verdict}", clock(at));
        self.say(&text);
    }
}

/// Under which heading a refused message is counted.
fn refused_for(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(_, Some(fault)) => fault.to_string(),
        Outcome::Refused(Some(control), None) => control.name().to_owned(),
        _ => words::outcome(outcome).to_owned(),
    }
}

fn clock(at: Moment) -> String {
    let time = Timestamp::from_millisecond(at.wall.0).unwrap_or_default();
    time.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
