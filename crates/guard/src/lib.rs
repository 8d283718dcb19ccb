//! What we make of it: who may connect, what may pass, and what is told about it.
//!
//! Pure: deciding code takes values and returns values. Time is a [`Moment`], randomness and keys are
//! arguments, and nothing here knows a socket, a file, a clock, a thread or an async runtime.

pub mod admission;
pub mod attempts;
mod backend_url;
mod book;
mod change;
mod control;
mod credential;
pub mod crowd;
mod describe;
mod event;
mod heard;
mod keys;
mod ledger;
mod lesson;
mod memory;
mod model;
mod moment;
mod network;
mod password;
mod policy;
pub mod rates;
mod redact;
mod refusal;
pub mod rules;
mod scope;
mod state;
mod station;
pub mod succession;
mod tls_fingerprint;
mod verdict;
mod verifier;
pub mod words;

pub use admission::{Admitted, VerifierCache};
pub use backend_url::BackendUrl;
pub use book::{Book, BookError};
pub use change::{
    ChangeEvent, ChangeStep, Changes, Changing, CredentialChange, CredentialMark, NewCredential,
    NoRoom, PendingCredential,
};
pub use control::{Control, Controls, Mode};
pub use credential::{Credential, PasswordForm, PasswordHash, Verifier};
pub use describe::describe;
pub use event::{
    Closing, ConnectionKind, Event, MessageEvent, MessageKind, Outcome, RefusedHandshake,
    SessionFacts,
};
pub use heard::{Heard, matters_to_record};
pub use keys::{FingerprintKey, PseudonymKey, VerifierKey};
pub use ledger::{Disputes, Ledger, Owner};
pub use lesson::Lesson;
pub use memory::{
    BootIdentity, EndedTransaction, OpenTransaction, Registration, SimMark, StationMemory,
    TransactionId, Transactions, csms_mark,
};
pub use model::{LimitsException, Model};
pub use moment::{Moment, UnixMillis};
pub use network::{InvalidNetwork, Network};
pub use password::{
    OnWeakPassword, PasswordFingerprint, PasswordRules, PasswordTraits, Weakness, Weaknesses,
};
pub use policy::{NotReleased, OnUnreadable, Policy, TimeWindow};
pub use redact::{Shown, shown};
pub use scope::{Relaxed, Scope, Scopes, Tolerance, Who};
pub use state::{News, StationState};
pub use station::{Protocols, Route, RouteId, Secret, StationRecord, Tenant, UpstreamCredential};
pub use tls_fingerprint::{InvalidTlsFingerprint, TlsFingerprint};
pub use verdict::{Cleared, Finding, Judgement, Own, Reason, Refusal, Verdict};
pub use verifier::UnfitPassword;
