//! The plumbing of the reader's scenes: a message goes in as text, what the reader made of it comes
//! out as plain values.
#![allow(
    dead_code,
    clippy::panic,
    reason = "test plumbing, of which each test file uses a part"
)]

use ocpp::catalogue::{self, ActionFacts};
use ocpp::{Frame, HardFault, Limits, Message, OpenCalls, Reader, Side, Version};

/// The station has asked `action`, under the id `asked`; the CSMS likewise.
pub(crate) struct Asked(pub(crate) Option<&'static ActionFacts>);

impl OpenCalls for Asked {
    fn action_of(&self, _: Side, id: &str) -> Option<Option<&'static ActionFacts>> {
        (id == "asked").then_some(self.0)
    }
}

pub(crate) fn asked(version: Version, action: &str) -> Asked {
    Asked(catalogue::action(version, action))
}

/// What the reader made of a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Made {
    /// Kind, id and action (or `-`), and the departures from the schema as `Kind path`.
    Read(String, Vec<String>),
    Hard(HardFault),
}

pub(crate) fn read_with(
    version: Version,
    bytes: &[u8],
    limits: &Limits,
    open: &impl OpenCalls,
) -> Made {
    let mut reader = Reader::new();
    let message = reader.read(Frame::text(bytes), Side::Station, version, limits, open);
    let (head, faults) = match message {
        Message::Unreadable(unreadable) => {
            assert!(unreadable.at <= bytes.len());
            return Made::Hard(unreadable.fault);
        }
        Message::Call(call) => (
            format!("Call {} {}", call.id, call.action.name()),
            call.faults,
        ),
        Message::Send(call) => (
            format!("Send {} {}", call.id, call.action.name()),
            call.faults,
        ),
        Message::Answer(answer) => {
            let action = answer.action.map_or("-", |action| action.name());
            let code = answer
                .error_code
                .map_or(String::new(), |code| format!(" {code}"));
            (
                format!("{:?} {} {action}{code}", answer.outcome, answer.id),
                answer.faults,
            )
        }
    };
    let faults = faults
        .iter()
        .map(|fault| format!("{:?} {}", fault.kind, fault.path));
    Made::Read(head, faults.collect())
}

pub(crate) fn read(version: Version, text: impl AsRef<[u8]>) -> Made {
    read_with(version, text.as_ref(), &Limits::default(), &Asked(None))
}

/// The hard fault of a message, if it has one.
pub(crate) fn hard(version: Version, text: impl AsRef<[u8]>) -> Option<HardFault> {
    match read(version, text) {
        Made::Hard(fault) => Some(fault),
        Made::Read(..) => None,
    }
}

/// A CALL's departures from its schema.
pub(crate) fn faults(version: Version, action: &str, payload: &str) -> Vec<String> {
    match read(version, format!(r#"[2,"1","{action}",{payload}]"#)) {
        Made::Read(_, faults) => faults,
        Made::Hard(fault) => panic!("{fault:?} in {payload}"),
    }
}

/// An answer's departures from its schema.
pub(crate) fn answer_faults(version: Version, action: &str, payload: &str) -> Vec<String> {
    let text = format!(r#"[3,"asked",{payload}]"#);
    let open = asked(version, action);
    match read_with(version, text.as_bytes(), &Limits::default(), &open) {
        Made::Read(_, faults) => faults,
        Made::Hard(fault) => panic!("{fault:?} in {payload}"),
    }
}
