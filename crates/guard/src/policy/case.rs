//! The objections to one message, gathered control by control.

use ocpp::{ErrorCode, SchemaFault};

use crate::describe::in_words;
use crate::{Control, Finding, Mode};

/// What the controls had to say so far; empty, and without any allocation, for nearly every message.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// The refusing one first.
    pub(super) findings: Vec<Finding>,
    /// The first objection that was enforced.
    pub(super) ground: Option<Ground>,
}

/// Why a message is refused.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) control: Control,
    pub(super) code: ErrorCode,
    /// For the peer.
    pub(super) description: String,
}

impl Case {
    /// A control objects, in words that hold nothing of the message.
    pub(super) fn object(&mut self, control: Control, mode: Mode, code: ErrorCode, what: &str) {
        self.put(control, mode, code, what.to_owned(), what.to_owned());
    }

    /// The schema objects. The peer is told where; the finding, which is kept and shown, says so only
    /// where the path is made of the schema's own names.
    pub(super) fn object_schema(&mut self, mode: Mode, faults: &[SchemaFault], whose: &str) {
        let Some(fault) = faults.first() else {
            return;
        };
        let words = in_words(fault.kind);
        let path: String = fault.path.chars().take(PATH_CHARS_MAX).collect();
        let description = match path.is_empty() {
            true => format!("{whose}{words}"),
            false => format!("{whose}{words}: {path}"),
        };
        let what = match fault.kind {
            ocpp::SchemaFaultKind::UnknownField => format!("{whose}{words}"),
            _ => description.clone(),
        };
        let code = ErrorCode::for_fault(fault.kind);
        self.put(Control::Schema, mode, code, what, description);
    }

    fn put(
        &mut self,
        control: Control,
        mode: Mode,
        code: ErrorCode,
        what: String,
        description: String,
    ) {
        let finding = Finding {
            control,
            mode,
            what,
        };
        if mode == Mode::Enforce && self.ground.is_none() {
            self.findings.insert(0, finding);
            self.ground = Some(Ground {
                control,
                code,
                description,
            });
        } else {
            self.findings.push(finding);
        }
    }
}

/// Characters of a field's path that we repeat to a peer.
const PATH_CHARS_MAX: usize = 160;
