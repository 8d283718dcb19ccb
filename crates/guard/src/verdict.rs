//! What policy decides about a message, and the only two things that may leave on a socket.
//!
//! A [`Cleared`] message is the peer's, bytes untouched; only [`crate::Policy::judge`] makes one. An
//! [`Own`] message is ours; it is made only from a [`Verdict`]. Nothing else has a way out.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use ocpp::{ErrorCode, Frame, HardFault, SchemaFault, Side, Version};

use crate::model::Model;
use crate::{Control, MessageKind, Mode, Outcome};

/// A message the policy lets through, bytes untouched.
///
/// Nobody else can make one:
/// ```compile_fail
/// let frame = ocpp::Frame::text(b"[2,\"1\",\"Reset\",{}]");
/// let smuggled = guard::Cleared::new(frame);
/// ```
/// ```compile_fail
/// let frame = ocpp::Frame::text(b"[2,\"1\",\"Reset\",{}]");
/// let smuggled = guard::Cleared(frame);
/// ```
#[derive(Debug)]
pub struct Cleared<'m>(Frame<'m>);

impl<'m> Cleared<'m> {
    /// Only `Policy::judge` clears a message.
    pub(crate) fn new(frame: Frame<'m>) -> Cleared<'m> {
        Cleared(frame)
    }

    /// The bytes, exactly as they came.
    pub fn bytes(&self) -> &'m [u8] {
        self.0.bytes()
    }
}

/// A message of our own: an answer in somebody's stead. It comes from a [`Refusal`], and no text can
/// be turned into one:
/// ```compile_fail
/// let smuggled = guard::Own::new(ocpp::Side::Station, String::from("[2,\"1\",\"Reset\",{}]"));
/// ```
#[derive(Debug)]
pub struct Own {
    to: Side,
    text: String,
}

impl Own {
    pub(crate) fn new(to: Side, text: String) -> Own {
        Own { to, text }
    }

    /// Who gets it.
    pub fn to(&self) -> Side {
        self.to
    }

    /// The OCPP-J text.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// What to do with a message. Later: Hold, for two people, and Answer, in the CSMS's stead.
#[derive(Debug)]
pub enum Verdict<'m> {
    /// Pass it on, untouched.
    Forward(Cleared<'m>),
    /// It repeats a CALL that is still open: the one answer will serve both, so it goes no further.
    Join,
    /// Do not pass it on; tell whoever waits for an answer.
    Refuse(Refusal),
    /// Do not pass it on and end the session.
    Disconnect(Reason),
}

/// A refused message, and what we owe for it.
#[derive(Debug)]
pub struct Refusal {
    /// Which control refused; `None` for a hard fault.
    pub control: Option<Control>,
    /// The hard fault, if that is why.
    pub fault: Option<HardFault>,
    /// What the peer is told.
    pub code: ErrorCode,
    pub(crate) owed: Option<Owed>,
    /// In OCPP 2.1 whoever gave a CALLRESULT is told that it was refused.
    pub(crate) rejects: Option<Owed>,
}

/// Whom we owe a word, and under which id.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) to: Side,
    /// `false`: with a CALLRESULTERROR in place of a CALLERROR.
    pub(crate) is_answer: bool,
    /// What it is told.
    pub(crate) code: ErrorCode,
    pub(crate) version: Version,
    pub(crate) id: String,
    pub(crate) description: String,
}

/// Why a session ends by policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The message could not be read, and policy closes on that.
    Unreadable(HardFault),
    /// A control set to close.
    Control(Control),
    /// Its BootNotification does not say what its exception demands (A01).
    BootDemand,
}

/// One control's objection to a message, whether or not it was enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which control.
    pub control: Control,
    /// Its mode at that moment.
    pub mode: Mode,
    /// Which of the control's objections, by its short name: `too-long`, `wrong-side`; for a rule its id.
    pub kind: Cow<'static, str>,
    /// Where in the message, in the schema's own names and without places in lists
    /// (`meterValue[].sampledValue[].value`); empty for the message as a whole.
    pub path: String,
    /// A tolerance lets this station do so: it is told, and passes whatever the mode.
    pub tolerated: bool,
    /// In words, without any identifier or secret.
    pub what: String,
}

/// A verdict with everything the controls had to say, and what an event tells of the message.
#[derive(Debug)]
pub struct Judgement<'m> {
    /// What to do.
    pub verdict: Verdict<'m>,
    /// What the controls found, the refusing one first. Empty for nearly every message.
    pub findings: Vec<Finding>,
    /// The schema's objections, for tolerances and reports.
    pub faults: Vec<SchemaFault>,
    /// What kind of message it was.
    pub kind: MessageKind,
    /// Its action, or that of the CALL it answers; `?` where we do not know it.
    pub action: &'static str,
    /// Bytes of its payload.
    pub bytes: u32,
    /// For a forwarded answer: how long its CALL had been open.
    pub latency: Option<Duration>,
    /// Where something was found: what the station says it is.
    pub model: Option<Arc<Model>>,
    /// It is refused, and money hangs on it: it is to be kept.
    pub to_keep: bool,
    /// What a forwarded CALL, or the answer to one, means for the station's credential.
    pub change: Option<Box<crate::CredentialChange>>,
}

impl Judgement<'_> {
    /// What became of the message, for its event.
    pub fn outcome(&self) -> Outcome {
        match &self.verdict {
            Verdict::Forward(_) => Outcome::Forwarded,
            Verdict::Join => Outcome::Joined,
            Verdict::Refuse(refusal) => Outcome::Refused(refusal.control, refusal.fault),
            Verdict::Disconnect(_) => Outcome::Disconnected,
        }
    }
}
