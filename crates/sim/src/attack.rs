//! What a hostile peer tries: strangers at the door, and a station whose password was stolen.
//!
//! Each attack has a name, says what it tries, and tells afterwards what it saw. Ids in brackets
//! are those of the threat catalogue (A01, B04 …).

mod door;
mod session;

use std::fmt;
use std::net::IpAddr;

use ocpp::Version;
use rustls::pki_types::CertificateDer;

use crate::station::Station;

/// Where an attack goes, and what the attacker knows.
#[derive(Clone, Debug)]
pub struct Target {
    /// `wss://host:port/ocpp`, without the identity.
    pub url: String,
    /// Whom an attacker trusts, so that TLS comes about.
    pub trusted: Vec<CertificateDer<'static>>,
    /// A registered station whose password the attacker does not know.
    pub victim: String,
    /// A registered station whose password was stolen.
    pub stolen: Stolen,
    /// Where the attacker comes from, if that is to be an address of its own.
    pub from: Option<IpAddr>,
}

/// A stolen identity.
#[derive(Clone)]
pub struct Stolen {
    /// The identity.
    pub identity: String,
    /// What that station speaks.
    pub version: Version,
    /// Its password on the wire.
    pub password: Vec<u8>,
}

impl fmt::Debug for Stolen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Even a stolen password does not belong in a log.
        write!(out, "Stolen({}, {})", self.identity, self.version)
    }
}

/// One thing a hostile peer tries.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Its name.
    pub name: &'static str,
    /// What it tries, in one line.
    pub tries: &'static str,
    way: Way,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Door(door::Trick),
    Session(session::Trick),
}

/// What an attack saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saw {
    /// An HTTP status other than 101.
    TurnedAway(u16),
    /// No handshake came about; in words.
    NoHandshake(String),
    /// A CALLERROR; its code.
    Refused(String),
    /// The connection was closed, with a code if there was one.
    Closed(Option<u16>),
    /// Nothing came back, and the conversation went on.
    Ignored,
    /// It got what it wanted.
    GotThrough(String),
}

impl Saw {
    /// Whether the other side held.
    pub fn held(&self) -> bool {
        !matches!(self, Saw::GotThrough(_))
    }
}

impl fmt::Display for Saw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Saw::TurnedAway(status) => write!(out, "turned away with HTTP {status}"),
            Saw::NoHandshake(how) => write!(out, "no handshake: {how}"),
            Saw::Refused(code) => write!(out, "refused with {code}"),
            Saw::Closed(Some(code)) => write!(out, "the connection was closed with {code}"),
            Saw::Closed(None) => write!(out, "the connection was cut"),
            Saw::Ignored => write!(out, "it was dropped; the conversation went on"),
            Saw::GotThrough(what) => write!(out, "IT GOT THROUGH: {what}"),
        }
    }
}

impl Attack {
    /// Every attack, those at the door first.
    pub fn all() -> Vec<Attack> {
        let doors = door::ALL.iter().map(|&(name, tries, trick)| Attack {
            name,
            tries,
            way: Way::Door(trick),
        });
        let sessions = session::ALL.iter().map(|&(name, tries, trick)| Attack {
            name,
            tries,
            way: Way::Session(trick),
        });
        doors.chain(sessions).collect()
    }

    /// Whether only the schema speaks against it: a gate that merely observes the schema lets it
    /// pass, and says so.
    pub fn is_judged_by_schema(&self) -> bool {
        matches!(self.name, "empty-boot" | "unknown-action")
    }

    /// Whether it needs a conversation, and so the stolen identity's one connection.
    pub fn needs_a_session(&self) -> bool {
        matches!(self.way, Way::Session(_))
    }

    /// Tries it.
    pub async fn run(&self, target: &Target) -> Saw {
        match self.way {
            Way::Door(trick) => door::run(trick, target).await,
            Way::Session(trick) => session::run(trick, target).await,
        }
    }
}

impl Target {
    /// A station without any credential.
    fn stranger(&self, identity: &str) -> Station {
        let station = Station::new(&self.url, identity).recording(64);
        let trusted = self.trusted.iter().cloned();
        let station = trusted
            .fold(station, Station::trust)
            .version(self.stolen.version);
        match self.from {
            Some(from) => station.bind(from),
            None => station,
        }
    }

    /// The station whose password was stolen.
    fn impostor(&self) -> Station {
        self.stranger(&self.stolen.identity)
            .password(self.stolen.password.clone())
    }
}
