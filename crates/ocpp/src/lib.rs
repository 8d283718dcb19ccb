//! What is said: every message of OCPP 1.6-J (with the security extension), 2.0.1 and 2.1, read in
//! one pass over the bytes and checked against a table of facts.
//!
//! Pure: no socket, file, clock, thread or async runtime. Nothing in here allocates per message on
//! the good path, nothing panics, and nothing is changed: a [`Frame`] leaves as it came.

pub mod catalogue;
mod error_code;
mod exchange;
mod fact;
mod fault;
mod frame;
mod identity;
mod limits;
mod meaning;
mod message;
mod message_type;
mod reader;
mod timestamp;
mod unescape;
mod version;

pub use error_code::ErrorCode;
pub use exchange::{CallKey, Exchange, Recall};
pub use fact::{Fact, Facts};
pub use fault::{HardFault, SchemaFault, SchemaFaultKind};
pub use frame::{Frame, Payload};
pub use identity::{InvalidStationId, StationId};
pub use limits::Limits;
pub use meaning::Meaning;
pub use message::{
    Action, Answer, AnswerOutcome, Call, Message, OpenCalls, Refused, Side, Unreadable,
};
pub use message_type::{MessageType, peek};
pub use reader::Reader;
pub use timestamp::Timestamp;
pub use unescape::{Unescaped, unescape, unescaped};
pub use version::Version;
