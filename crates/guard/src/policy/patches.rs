//! Virtual patches (B05): a text that this station's model is known not to survive is held back.

use std::borrow::Cow;

use ocpp::ErrorCode;

use super::case::{Case, Charge, Court};
use super::place::place;
use super::texts::Said;
use crate::Control;
use crate::rules::{Caught, Longest};

pub(super) fn examine(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    let patched = court.state.patched;
    if !patched.any() {
        return;
    }
    for (number, patch) in court.policy.rules.patches().iter().enumerate() {
        if !patched.has(number) {
            continue;
        }
        let Some(caught) = patch.caught(court.action, &said.facts, said.faults) else {
            continue;
        };
        let path = match caught {
            Caught::Fact(fact) => place(said.frame, fact.start as usize),
            Caught::Fault(fault) => fault.place(),
        };
        let limit = match patch.longest {
            Longest::Schema => "than its schema allows".to_owned(),
            Longest::Chars(max) => format!("than {max} characters"),
        };
        let charge = Charge {
            kind: Cow::Owned(patch.id.to_string()),
            code: ErrorCode::PropertyConstraintViolation,
            what: format!("a text longer {limit}, which this model may not survive: {path}"),
            path,
            description: None,
        };
        case.object(court, Control::Patches, charge);
    }
}
