//! A message as the reader hands it on: what kind it is, whose call it answers, what is wrong with
//! it, and the facts that policy and detection need. Everything borrows; nothing is copied.

use crate::catalogue::ActionFacts;
use crate::{Facts, Frame, HardFault, SchemaFault};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The charging station (or a local controller in its place).
    Station,
    /// The management system.
    Csms,
}

impl Side {
    /// The one who listens.
    pub const fn other(self) -> Side {
        match self {
            Side::Station => Side::Csms,
            Side::Csms => Side::Station,
        }
    }
}

/// One message, read. What could not be read is a message too: [`Message::Unreadable`].
#[derive(Debug)]
pub enum Message<'m> {
    /// CALL (2): a request that wants an answer.
    Call(Call<'m>),
    /// SEND (6, OCPP 2.1): a request that wants none.
    Send(Call<'m>),
    /// CALLRESULT (3), CALLERROR (4) or CALLRESULTERROR (5, OCPP 2.1).
    Answer(Answer<'m>),
    /// A hard fault: always refused.
    Unreadable(Unreadable<'m>),
}

impl<'m> Message<'m> {
    /// What it states; nothing, where it could not be read.
    pub fn facts(&self) -> Facts<'m> {
        match self {
            Message::Call(call) | Message::Send(call) => call.facts,
            Message::Answer(answer) => answer.facts,
            Message::Unreadable(_) => Facts::NONE,
        }
    }
}

/// The action a message names.
#[derive(Clone, Copy, Debug)]
pub enum Action<'m> {
    /// One the version knows.
    Known(&'static ActionFacts),
    /// One it does not; the name is the peer's own words.
    Unknown(&'m str),
}

impl<'m> Action<'m> {
    /// The name, ours or the peer's.
    pub fn name(&self) -> &'m str {
        match self {
            Action::Known(facts) => facts.name,
            Action::Unknown(name) => name,
        }
    }
}

/// A CALL or a SEND.
#[derive(Debug)]
pub struct Call<'m> {
    /// The bytes as they came.
    pub frame: Frame<'m>,
    /// Who speaks.
    pub from: Side,
    /// The message id, unescaped; at most [`crate::Limits::MESSAGE_ID_BYTES_MAX`] bytes.
    pub id: &'m str,
    /// What is asked.
    pub action: Action<'m>,
    /// Departures from the schema, in order, at most [`crate::Limits::FAULTS_MAX`] of them.
    pub faults: &'m [SchemaFault],
    /// What policy and detection need to know.
    pub facts: Facts<'m>,
}

/// How an answer turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerOutcome {
    /// CALLRESULT.
    Result,
    /// CALLERROR.
    Error,
    /// CALLRESULTERROR (OCPP 2.1): the asker could not read our CALLRESULT.
    ResultError,
}

/// A CALLRESULT, CALLERROR or CALLRESULTERROR.
#[derive(Debug)]
pub struct Answer<'m> {
    /// The bytes as they came.
    pub frame: Frame<'m>,
    /// Who speaks: for a CALLRESULT and a CALLERROR the one who was asked; for a CALLRESULTERROR the
    /// one who asked.
    pub from: Side,
    /// The id of the CALL it answers, unescaped.
    pub id: &'m str,
    /// CALLRESULT, CALLERROR or CALLRESULTERROR.
    pub outcome: AnswerOutcome,
    /// The CALL's action, when such a CALL is open; `None` when nobody asked.
    pub action: Option<Action<'m>>,
    /// The error code of a CALLERROR or CALLRESULTERROR, as the peer spelled it.
    pub error_code: Option<&'m str>,
    /// Departures from the schema, in order.
    pub faults: &'m [SchemaFault],
    /// What policy and detection need to know.
    pub facts: Facts<'m>,
}

/// A message with a hard fault.
#[derive(Debug)]
pub struct Unreadable<'m> {
    /// The bytes as they came.
    pub frame: Frame<'m>,
    /// Who speaks.
    pub from: Side,
    /// Why it is refused.
    pub fault: HardFault,
    /// The byte offset at which the reader stopped.
    pub at: usize,
    /// The message id and whether it was a CALL, where the envelope was readable that far.
    pub refused: Option<Refused<'m>>,
}

/// As much of an unreadable message's envelope as a refusal needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<'m> {
    /// The message id, unescaped.
    pub id: &'m str,
    /// It was a CALL, so its sender waits for an answer.
    pub wants_answer: bool,
}

/// What the reader asks about the conversation so far: an answer's payload is read by the action of
/// the CALL it answers.
pub trait OpenCalls {
    /// The action of the CALL with this id that `asker` sent and that may still be answered. The
    /// inner `None` is a CALL whose action the catalogue does not know.
    fn action_of(&self, asker: Side, id: &str) -> Option<Option<&'static ActionFacts>>;
}
