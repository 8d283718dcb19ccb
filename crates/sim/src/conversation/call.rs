//! Calls: as they come, what may be done about them, and how ours turned out.

use std::sync::Arc;
use std::time::Duration;

use ocpp::Version;
use serde_json::Value;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// The other side answered with an error.
    #[error("{code}: {description}")]
    Error {
        /// The error code as it was spelled.
        code: String,
        /// In words.
        description: String,
    },
    /// No answer came in time.
    #[error("no answer in time")]
    Silence,
    /// The conversation is over.
    #[error("the connection is gone")]
    Gone,
}

/// A CALL or SEND that came from the other side.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// Its message id.
    pub id: String,
    /// What is asked.
    pub action: String,
    /// With what.
    pub payload: Value,
}

/// A call as a [`Handler`] sees it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The station of this conversation.
    pub station: &'a str,
    /// What the conversation speaks, where that was agreed.
    pub version: Option<Version>,
    /// The call.
    pub call: &'a Called,
}

/// What to do about a call.
#[derive(Clone, Debug)]
pub enum Reply {
    /// CALLRESULT.
    Result(Value),
    /// CALLERROR with that code and these words.
    Error(String, String),
    /// The same, later.
    After(Duration, Box<Reply>),
    /// This text, whatever it is, in place of an answer.
    Text(String),
    /// Several of these.
    All(Vec<Reply>),
    /// Close with that code.
    Close(u16),
    /// Nothing; the scene answers by itself, or nobody does.
    Nothing,
}

/// Decides about each call that comes.
pub type Handler = Arc<dyn Fn(&Asked<'_>) -> Reply + Send + Sync>;
