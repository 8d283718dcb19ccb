//! What we make of it: who may connect, what may pass, and what is told about it.
//!
//! Pure: deciding code takes values and returns values. Time is a [`Moment`], randomness and keys are
//! arguments, and nothing here knows a socket, a file, a clock, a thread or an async runtime.

mod credential;
mod event;
mod moment;
mod station;
mod verdict;

pub use credential::{Credential, PasswordForm, PasswordHash, Verifier};
pub use event::{
    Closing, ConnectionKind, Event, MessageKind, Outcome, RefusedHandshake, SessionFacts,
};
pub use moment::{Moment, UnixMillis};
pub use station::{Protocols, Route, RouteId, Secret, StationRecord, Tenant, UpstreamCredential};
pub use verdict::{Cleared, Control, Finding, Judgement, Mode, Own, Reason, Refusal, Verdict};
