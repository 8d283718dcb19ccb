//! What is told about everything that happens: connections, refusals, messages and their verdicts.
//!
//! Events leave the gate through a bounded queue that the road never waits for. They hold no
//! payload, no secret, and no identifier of a person, token, vehicle or SIM.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ocpp::{HardFault, Side, StationId, Version};

use crate::admission::{CertificateFault, Exception, ExceptionFault};
use crate::attempts::AttemptLimit;
use crate::model::Model;
use crate::{ChangeEvent, Control, Finding, Moment, RouteId, Tenant, TlsFingerprint, Weaknesses};

/// How a station came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionKind {
    /// TLS and HTTP Basic (security profile 2).
    TlsBasic,
    /// TLS with a client certificate (security profile 3).
    TlsCertificate,
    /// HTTP Basic in clear text on a trusted network, by exception (security profile 1).
    PlainBasic,
    /// TLS, and nothing to show: by exception.
    TlsOpen,
    /// Clear text on a trusted network, and nothing to show: by exception.
    Plain,
}

/// A live session, shared by all its events.
#[derive(Debug)]
pub struct SessionFacts {
    /// Counts the sessions of this process.
    pub number: u64,
    /// Which station.
    pub station: StationId,
    /// Whose.
    pub tenant: Tenant,
    /// By which route.
    pub route: RouteId,
    /// What it speaks.
    pub version: Version,
    /// How it came in.
    pub kind: ConnectionKind,
    /// From where.
    pub peer: SocketAddr,
    /// What its TLS is known by.
    pub tls: Option<TlsFingerprint>,
    /// The exception that let it in, where it needed one.
    pub exception: Option<Arc<Exception>>,
}

/// Why a handshake was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedHandshake {
    /// TLS did not come about.
    Tls(String),
    /// Not an HTTP upgrade to WebSocket that we can read.
    BadRequest(&'static str),
    /// No route has that path.
    NoRoute,
    /// The path's identity is none (A15).
    BadIdentity,
    /// No credential, or one we cannot read.
    NoCredential,
    /// Unknown identity or wrong credential: one and the same to the peer (A04).
    Unauthorized,
    /// Too many failures before it, so what it showed was not looked at, or makes no difference (A06).
    TooManyAttempts(AttemptLimit),
    /// It asked for an identity that nobody has: whoever does so is trying identities out (A04).
    Canary,
    /// What a load balancer says before TLS is missing, or cannot be read.
    ProxyHeader(&'static str),
    /// It showed a certificate that proves nothing (A12, A13).
    Certificate(CertificateFault),
    /// It proved itself with a password that an attacker would try early, and such are refused (A07).
    WeakPassword(Weaknesses),
    /// It needs an exception, and none lets it in (A01, A09, A24).
    Exception(ExceptionFault),
    /// User name and identity differ (A08).
    UserNotIdentity,
    /// None of the offered subprotocols is allowed (A16).
    NoVersion,
    /// The station already has a live session, or another handshake of it is under way.
    AlreadyConnected,
    /// The station's live session has shown that its station is still there: somebody else comes
    /// with its credential (A02, A03).
    SessionAlive {
        /// From where the live session comes.
        holder: SocketAddr,
    },
    /// The CSMS could not be reached, or refused; in words.
    Upstream(String),
    /// A deadline passed.
    Deadline(&'static str),
    /// A limit of ours was reached.
    Limit(&'static str),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// One side said goodbye; the close code, if it gave one.
    Said(Side, Option<u16>),
    /// One side's socket died without a close.
    Lost(Side),
    /// One side did not answer pings.
    Silent(Side),
    /// Nothing was said for too long.
    Idle,
    /// One side broke RFC 6455; in words.
    Protocol(Side, &'static str),
    /// Policy ended it.
    Policy(crate::Reason),
    /// We are shutting down, or the operator ended it.
    Operator,
    /// The same station came again and proved itself, and its old socket gave no sign of life (A02);
    /// from where it came.
    Displaced(SocketAddr),
    /// A bug of ours ended this session.
    Panic,
}

/// What kind of message an event speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// CALL.
    Call,
    /// CALLRESULT.
    Result,
    /// CALLERROR.
    Error,
    /// CALLRESULTERROR.
    ResultError,
    /// SEND.
    Send,
    /// None that could be read.
    Unreadable,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Passed on.
    Forwarded,
    /// Joined to the same CALL, still open.
    Joined,
    /// Refused by a control, or for a hard fault; by neither: before the BootNotification that its
    /// session's exception demands.
    Refused(Option<Control>, Option<HardFault>),
    /// Ended the session.
    Disconnected,
}

impl Outcome {
    /// Whether the message got where it was going, or another one had already.
    pub fn has_passed(self) -> bool {
        matches!(self, Outcome::Forwarded | Outcome::Joined)
    }
}

/// A message, and what became of it.
#[derive(Debug)]
pub struct MessageEvent {
    /// When.
    pub at: Moment,
    /// In which session.
    pub session: Arc<SessionFacts>,
    /// From whom.
    pub from: Side,
    /// What kind.
    pub kind: MessageKind,
    /// The action, ours where we know it; `?` where not.
    pub action: &'static str,
    /// Bytes of its payload.
    pub bytes: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// What the controls found; empty, and so free, for nearly every message.
    pub findings: Vec<Finding>,
    /// For an answer: how long its CALL had been open.
    pub latency: Option<Duration>,
    /// Where something was found: what the station says it is.
    pub model: Option<Arc<Model>>,
}

impl MessageEvent {
    /// Whether it did not simply pass: it was stopped, or a control objected.
    pub fn is_remarkable(&self) -> bool {
        !self.findings.is_empty() || !self.outcome.has_passed()
    }
}

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// A station is in: its CSMS has accepted, and the 101 is on its way.
    Connected {
        /// When.
        at: Moment,
        /// Who.
        session: Arc<SessionFacts>,
    },
    /// Somebody is not in.
    Refused {
        /// When.
        at: Moment,
        /// From where.
        peer: SocketAddr,
        /// The identity asked for, where one could be read.
        station: Option<StationId>,
        /// Why.
        why: RefusedHandshake,
    },
    /// A station proved itself with a password that an attacker would try early (A07).
    WeakPassword {
        /// When.
        at: Moment,
        /// Which station.
        station: StationId,
        /// Whose.
        tenant: Tenant,
        /// Why.
        weaknesses: Weaknesses,
    },
    /// Many are not in, told together: none of them had said who it is.
    TurnedAway {
        /// When they were counted.
        at: Moment,
        /// Why; of its kind, one of them.
        why: RefusedHandshake,
        /// How many, within a second or so.
        times: u32,
        /// From where the last of them came.
        last: SocketAddr,
    },
    /// A station that nobody had registered came in an adoption window, and the CSMS agreed.
    Adopted {
        /// When.
        at: Moment,
        /// Which station.
        station: StationId,
        /// Whose.
        tenant: Tenant,
    },
    /// A station is being given another credential (D03).
    CredentialChange {
        /// When.
        at: Moment,
        /// Which station.
        station: StationId,
        /// Whose.
        tenant: Tenant,
        /// Whether it is a certificate, and not a password.
        is_certificate: bool,
        /// How far it is.
        step: ChangeEvent,
    },
    /// A message came.
    Message(MessageEvent),
    /// A session is over.
    Disconnected {
        /// When.
        at: Moment,
        /// Which.
        session: Arc<SessionFacts>,
        /// How.
        how: Closing,
    },
}

impl Event {
    /// Whose station it is about, where that is known.
    pub fn tenant(&self) -> Option<&Tenant> {
        match self {
            Event::Connected { session, .. } | Event::Disconnected { session, .. } => {
                Some(&session.tenant)
            }
            Event::Message(message) => Some(&message.session.tenant),
            Event::WeakPassword { tenant, .. }
            | Event::Adopted { tenant, .. }
            | Event::CredentialChange { tenant, .. } => Some(tenant),
            Event::Refused { .. } | Event::TurnedAway { .. } => None,
        }
    }
}
