//! Words for what happened: short ones that label a count or a record, and sentences for the log.

use std::borrow::Cow;

use ocpp::Side;

use crate::attempts::AttemptLimit;
use crate::{
    ChangeEvent, Closing, ConnectionKind, Finding, MessageKind, Outcome, Reason, RefusedHandshake,
};

/// Who spoke.
pub fn side(side: Side) -> &'static str {
    match side {
        Side::Station => "station",
        Side::Csms => "csms",
    }
}

/// How a station came in.
pub fn connection(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::TlsBasic => "TLS and password",
        ConnectionKind::TlsCertificate => "TLS and certificate",
        ConnectionKind::PlainBasic => "clear text and password",
        ConnectionKind::TlsOpen => "TLS alone",
        ConnectionKind::Plain => "clear text alone",
    }
}

/// What kind of message, in the words of OCPP-J.
pub fn kind(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Call => "CALL",
        MessageKind::Result => "CALLRESULT",
        MessageKind::Error => "CALLERROR",
        MessageKind::ResultError => "CALLRESULTERROR",
        MessageKind::Send => "SEND",
        MessageKind::Unreadable => "unreadable",
    }
}

/// What became of a message.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Forwarded => "forwarded",
        Outcome::Joined => "joined",
        Outcome::Refused(..) => "refused",
        Outcome::Disconnected => "disconnected",
    }
}

/// The label of a refused handshake.
pub fn refusal(why: &RefusedHandshake) -> &'static str {
    match why {
        RefusedHandshake::Tls(_) => "tls",
        RefusedHandshake::BadRequest(_) => "bad-request",
        RefusedHandshake::NoRoute => "no-route",
        RefusedHandshake::BadIdentity => "bad-identity",
        RefusedHandshake::NoCredential => "no-credential",
        RefusedHandshake::Unauthorized => "unauthorized",
        RefusedHandshake::TooManyAttempts(AttemptLimit::Source) => "attempts-of-source",
        RefusedHandshake::TooManyAttempts(AttemptLimit::Pair) => "attempts-of-pair",
        RefusedHandshake::Canary => "canary",
        RefusedHandshake::ProxyHeader(_) => "proxy-header",
        RefusedHandshake::Certificate(_) => "certificate",
        RefusedHandshake::WeakPassword(_) => "weak-password",
        RefusedHandshake::Exception(_) => "exception",
        RefusedHandshake::UserNotIdentity => "user-not-identity",
        RefusedHandshake::NoVersion => "no-version",
        RefusedHandshake::AlreadyConnected => "already-connected",
        RefusedHandshake::SessionAlive { .. } => "session-alive",
        RefusedHandshake::Upstream(_) => "upstream",
        RefusedHandshake::Deadline(_) => "deadline",
        RefusedHandshake::Limit(_) => "limit",
    }
}

/// A refused handshake in words.
pub fn refused(why: &RefusedHandshake) -> Cow<'static, str> {
    Cow::Borrowed(match why {
        RefusedHandshake::Tls(what) => {
            return format!("TLS did not come about: {}", one_line(what)).into();
        }
        RefusedHandshake::BadRequest(what) => {
            return format!("no WebSocket request: {what}").into();
        }
        RefusedHandshake::NoRoute => "no route has that path",
        RefusedHandshake::BadIdentity => "the path holds no identity",
        RefusedHandshake::NoCredential => "it showed no credential that can be read",
        RefusedHandshake::Unauthorized => "unknown identity or wrong credential",
        RefusedHandshake::TooManyAttempts(AttemptLimit::Source) => {
            "too many failed attempts from that address"
        }
        RefusedHandshake::TooManyAttempts(AttemptLimit::Pair) => {
            "too many failed attempts at that identity from that address"
        }
        RefusedHandshake::Canary => "a canary: no station has that identity",
        RefusedHandshake::ProxyHeader(what) => return format!("PROXY header: {what}").into(),
        RefusedHandshake::Certificate(fault) => return format!("its certificate: {fault}").into(),
        RefusedHandshake::WeakPassword(weaknesses) => {
            return format!("its password is right, and weak: {weaknesses}").into();
        }
        RefusedHandshake::Exception(fault) => return format!("by exception: {fault}").into(),
        RefusedHandshake::UserNotIdentity => "its user name is not its identity",
        RefusedHandshake::NoVersion => "it offers no version of OCPP that it may speak",
        RefusedHandshake::AlreadyConnected => "that station is connected already",
        RefusedHandshake::SessionAlive { holder } => {
            return format!("that station is connected from {holder}, and answers there").into();
        }
        RefusedHandshake::Upstream(what) => return format!("the CSMS: {}", one_line(what)).into(),
        RefusedHandshake::Deadline(what) => return format!("too slow: {what}").into(),
        RefusedHandshake::Limit(what) => return format!("a limit was reached: {what}").into(),
    })
}

/// How a session ended, in words.
pub fn closing(how: &Closing) -> Cow<'static, str> {
    match how {
        Closing::Said(from, Some(code)) => {
            format!("the {} said goodbye ({code})", side(*from)).into()
        }
        Closing::Said(from, None) => format!("the {} said goodbye", side(*from)).into(),
        Closing::Lost(whom) => format!("the connection to the {} broke", side(*whom)).into(),
        Closing::Silent(whom) => format!("the {} answered no ping", side(*whom)).into(),
        Closing::Displaced(newcomer) => {
            format!("it gave no sign of life when its station came anew from {newcomer}").into()
        }
        Closing::Idle => "nothing was said for too long".into(),
        Closing::Protocol(whom, what) => {
            format!("the {} broke RFC 6455: {what}", side(*whom)).into()
        }
        Closing::Policy(Reason::Unreadable(fault)) => format!("policy: unreadable, {fault}").into(),
        Closing::Policy(Reason::Control(of)) => format!("policy: {}", of.name()).into(),
        Closing::Policy(Reason::BootDemand) => {
            "its BootNotification does not say what its exception demands".into()
        }
        Closing::Operator => "the gate ended it".into(),
        Closing::Panic => "a bug of ours".into(),
    }
}

/// How a change of a credential goes on: its label, and in words.
pub fn change(step: ChangeEvent) -> (&'static str, &'static str) {
    match step {
        ChangeEvent::Offered => (
            "offered",
            "the CSMS gives the station a new credential: it and the old one are good",
        ),
        ChangeEvent::Accepted => ("accepted", "the station takes its new credential"),
        ChangeEvent::Refused => (
            "refused",
            "the station refuses its new credential: the old one stays",
        ),
        ChangeEvent::Proved => (
            "proved",
            "the station has shown its new credential: the old one is over",
        ),
        ChangeEvent::Foreign => (
            "foreign",
            "the CSMS gives the station a certificate that does not name it: the gate will not know it",
        ),
        ChangeEvent::NoRoom => (
            "no-room",
            "too many credentials are being changed: the gate will not know this new one",
        ),
        ChangeEvent::Weak { is_refused: false } => {
            ("weak", "the CSMS gives the station a weak password")
        }
        ChangeEvent::Weak { is_refused: true } => (
            "weak-refused",
            "the CSMS gives the station a weak password, with which it will be turned away here",
        ),
    }
}

/// The label of a session's end.
pub fn ending(how: &Closing) -> &'static str {
    match how {
        Closing::Said(Side::Station, _) => "station-said",
        Closing::Said(Side::Csms, _) => "csms-said",
        Closing::Lost(Side::Station) => "station-lost",
        Closing::Lost(Side::Csms) => "csms-lost",
        Closing::Silent(Side::Station) => "station-silent",
        Closing::Silent(Side::Csms) => "csms-silent",
        Closing::Displaced(_) => "displaced",
        Closing::Idle => "idle",
        Closing::Protocol(..) => "protocol",
        Closing::Policy(_) => "policy",
        Closing::Operator => "operator",
        Closing::Panic => "panic",
    }
}

/// Why a message was refused, in words.
pub fn why(outcome: Outcome, findings: &[Finding]) -> String {
    let found = findings
        .first()
        .map(|finding| finding.what.as_str())
        .unwrap_or_default();
    match outcome {
        Outcome::Refused(_, Some(fault)) => fault.to_string(),
        Outcome::Refused(Some(of), None) => format!("{}: {found}", of.name()),
        Outcome::Refused(None, None) => {
            "before the BootNotification that the station's exception demands".to_owned()
        }
        _ => found.to_owned(),
    }
}

/// What a peer's library put into an error may hold anything: it stays on its line.
fn one_line(text: &str) -> String {
    text.chars()
        .take(300)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_stay_on_their_line() {
        let why = RefusedHandshake::Upstream("HTTP 503\r\nfake log line\u{1b}[31m".to_owned());
        assert_eq!(refused(&why), "the CSMS: HTTP 503  fake log line [31m");
        let long = RefusedHandshake::Tls("x".repeat(100_000));
        assert!(refused(&long).len() < 400);
    }
}
