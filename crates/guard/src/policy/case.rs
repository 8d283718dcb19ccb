//! The objections to one message, gathered control by control.

use std::borrow::Cow;

use ocpp::{ErrorCode, Facts, SchemaFault};

use super::Policy;
use crate::describe::{in_words, short};
use crate::model::Model;
use crate::scope::Objection;
use crate::{Control, Finding, Mode, StationState};

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

/// By what rules a message is looked at. Only an objection asks for them: the good path does not.
pub(super) struct Court<'c> {
    pub(super) policy: &'c Policy,
    pub(super) state: &'c StationState,
    /// Of the message, or of the CALL it answers.
    pub(super) action: &'static str,
    /// Money hangs on it.
    pub(super) is_billing: &'c dyn Fn() -> bool,
    /// What a BootNotification says of its station, which is borne with from its first word on: a
    /// model whose Boot is at fault would never be known otherwise.
    pub(super) boot: Option<&'c Facts<'c>>,
}

impl Court<'_> {
    /// How strictly that control is kept for this message.
    pub(super) fn mode(&self, control: Control) -> Mode {
        self.policy.mode_of(control, self.state, self.is_billing)
    }

    fn tolerates(&self, control: Control, kind: &str, path: &str) -> bool {
        let boots_as = self.boot.and_then(Model::of);
        self.policy.scopes.tolerates(&Objection {
            control,
            action: self.action,
            kind,
            path,
            session: self.state.session.as_deref(),
            said: boots_as.as_ref().or(self.state.model.as_deref()),
        })
    }
}

/// One objection, before it is known what becomes of it.
pub(super) struct Charge {
    /// The control's own short name for it, for tolerances and reports.
    pub(super) kind: Cow<'static, str>,
    /// What the peer is told, where it is enforced.
    pub(super) code: ErrorCode,
    /// In words that hold nothing of the message.
    pub(super) what: String,
    /// Where, in the schema's own names and without places in lists; empty for the whole message.
    pub(super) path: String,
    /// The same for the peer, which may hear its own words; `None`: `what`.
    pub(super) description: Option<String>,
}

impl Charge {
    /// An objection to the message as a whole.
    pub(super) fn of(kind: &'static str, code: ErrorCode, what: &str) -> Charge {
        Charge {
            kind: Cow::Borrowed(kind),
            code,
            what: what.to_owned(),
            path: String::new(),
            description: None,
        }
    }

    fn finding(self, control: Control, mode: Mode, tolerated: bool) -> Finding {
        Finding {
            control,
            mode,
            kind: self.kind,
            path: self.path,
            tolerated,
            what: self.what,
        }
    }
}

impl Case {
    /// A control objects. Does nothing where that control is off.
    pub(super) fn object(&mut self, court: &Court<'_>, control: Control, mut charge: Charge) {
        let mode = court.mode(control);
        if mode == Mode::Off {
            return;
        }
        let tolerated = court.tolerates(control, &charge.kind, &charge.path);
        let refuses = mode == Mode::Enforce && !tolerated && self.ground.is_none();
        if refuses {
            self.ground = Some(Ground {
                control,
                code: charge.code,
                description: charge
                    .description
                    .take()
                    .unwrap_or_else(|| charge.what.clone()),
            });
        }
        let finding = charge.finding(control, mode, tolerated);
        match refuses {
            true => self.findings.insert(0, finding),
            false => self.findings.push(finding),
        }
    }

    /// Whether a control has objected to that already.
    pub(super) fn has(&self, control: Control, kind: &str, path: &str) -> bool {
        self.findings.iter().any(|finding| {
            finding.control == control && finding.kind == kind && finding.path == path
        })
    }

    /// A control objects without refusing. Whether it is to act otherwise: it is enforced, and not
    /// tolerated.
    pub(super) fn note(&mut self, court: &Court<'_>, control: Control, charge: Charge) -> bool {
        let mode = court.mode(control);
        if mode == Mode::Off {
            return false;
        }
        let tolerated = court.tolerates(control, &charge.kind, &charge.path);
        self.findings.push(charge.finding(control, mode, tolerated));
        mode == Mode::Enforce && !tolerated
    }

    /// A control has something to tell that nobody is refused for.
    pub(super) fn mention(&mut self, court: &Court<'_>, control: Control, charge: Charge) {
        if court.mode(control) == Mode::Off {
            return;
        }
        self.findings
            .push(charge.finding(control, Mode::Observe, false));
    }

    /// The schema objects. The peer is told where; the finding, which is kept and shown, says so only
    /// where the path is made of the schema's own names.
    pub(super) fn object_schema(&mut self, court: &Court<'_>, faults: &[SchemaFault], whose: &str) {
        for fault in faults {
            self.object(court, Control::Schema, schema_charge(fault, whose));
        }
        // The reader stops counting there: what comes behind may be what nobody has tolerated.
        if faults.len() >= ocpp::Limits::FAULTS_MAX && self.ground.is_none() {
            let what = format!("{whose}more kinds of departure from the schema than are looked at");
            let code = ErrorCode::for_fault(ocpp::SchemaFaultKind::WrongType);
            let charge = Charge::of("too-many-faults", code, &what);
            self.object(court, Control::Schema, charge);
        }
    }
}

fn schema_charge(fault: &SchemaFault, whose: &str) -> Charge {
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
    Charge {
        kind: Cow::Borrowed(short(fault.kind)),
        code: ErrorCode::for_fault(fault.kind),
        what,
        path: fault.place(),
        description: Some(description),
    }
}

/// Characters of a field's path that we repeat to a peer.
const PATH_CHARS_MAX: usize = 160;
