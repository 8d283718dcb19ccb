//! What happened, in plain words.

use guard::{Closing, ConnectionKind, Control, Finding, MessageKind, Outcome, RefusedHandshake};
use ocpp::Side;

/// Why somebody was turned away: a short heading to count under, and a sentence.
pub(super) fn turned_away(why: &RefusedHandshake) -> (&'static str, String) {
    match why {
        RefusedHandshake::Tls(how) => ("no TLS", format!("TLS did not come about: {how}")),
        RefusedHandshake::BadRequest(what) => (
            "not a WebSocket request",
            format!("it is no WebSocket request: {what}"),
        ),
        RefusedHandshake::NoRoute => ("no such path", "nothing is behind that path".to_owned()),
        RefusedHandshake::BadIdentity => (
            "no identity",
            "what stands in the path is no station identity".to_owned(),
        ),
        RefusedHandshake::NoCredential => ("no credential", "it showed no credential".to_owned()),
        RefusedHandshake::Unauthorized => (
            "wrong credential",
            "unknown identity or wrong credential; the peer is not told which".to_owned(),
        ),
        RefusedHandshake::UserNotIdentity => (
            "other user",
            "the user name is not the identity in the path".to_owned(),
        ),
        RefusedHandshake::NoVersion => (
            "no OCPP version",
            "it offers no OCPP version that this station may speak".to_owned(),
        ),
        RefusedHandshake::AlreadyConnected => (
            "already connected",
            "the station is connected, and its connection is alive".to_owned(),
        ),
        RefusedHandshake::Upstream(how) => ("no CSMS", format!("the CSMS did not take it: {how}")),
        RefusedHandshake::Deadline(what) => ("too slow", format!("it took too long: {what}")),
        RefusedHandshake::Limit(what) => ("over a limit", format!("a limit was reached: {what}")),
    }
}

/// How a session ended.
pub(super) fn ended(how: &Closing) -> String {
    let who = |side: &Side| match side {
        Side::Station => "the station",
        Side::Csms => "the CSMS",
    };
    match how {
        Closing::Said(side, Some(code)) => format!("{} said goodbye ({code})", who(side)),
        Closing::Said(side, None) => format!("{} said goodbye", who(side)),
        Closing::Lost(side) => format!("the connection of {} died", who(side)),
        Closing::Silent(side) => format!("{} did not answer a ping", who(side)),
        Closing::Idle => "nothing was said for too long".to_owned(),
        Closing::Protocol(side, what) => format!("{} broke WebSocket: {what}", who(side)),
        Closing::Policy(_) => "the policy ended it".to_owned(),
        Closing::Operator => "the gate is closing".to_owned(),
        Closing::Panic => "a bug of ours".to_owned(),
    }
}

/// How a station came in.
pub(super) fn came_in(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::TlsBasic => "password over TLS",
        ConnectionKind::TlsCertificate => "certificate",
        ConnectionKind::PlainBasic => "password, in clear",
    }
}

/// What a message is.
pub(super) fn kind(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Call => "call",
        MessageKind::Result => "answer",
        MessageKind::Error => "error",
        MessageKind::ResultError => "result error",
        MessageKind::Send => "send",
        MessageKind::Unreadable => "unreadable",
    }
}

/// The name of a control.
pub(super) fn control(control: Control) -> &'static str {
    match control {
        Control::Schema => "schema",
        Control::Direction => "direction",
        Control::Correlation => "correlation",
        Control::Pipelining => "pipelining",
    }
}

/// Why a message was refused: a short heading to count under, and a sentence; `None` if it was not.
pub(super) fn refused(outcome: Outcome, findings: &[Finding]) -> Option<(String, String)> {
    let said = findings.first().map(|finding| finding.what.clone());
    match outcome {
        Outcome::Forwarded | Outcome::Joined => None,
        Outcome::Refused(_, Some(fault)) => {
            let fault = fault.to_string();
            Some((fault.clone(), fault))
        }
        Outcome::Refused(Some(by), None) => {
            let name = control(by);
            Some((name.to_owned(), said.unwrap_or_else(|| name.to_owned())))
        }
        Outcome::Refused(None, None) => Some(("refused".to_owned(), said.unwrap_or_default())),
        Outcome::Disconnected => Some((
            "disconnected".to_owned(),
            said.unwrap_or_else(|| "the session was ended for it".to_owned()),
        )),
    }
}
