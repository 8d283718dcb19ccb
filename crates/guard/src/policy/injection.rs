//! Texts that are meant for another program than the one that reads them first (B06): commands on
//! their way into a station, markup and queries on their way into the CSMS's pages and tables.
//!
//! What a station reports is only told of: an honest name may look like a query, and the CSMS is
//! there to quote it.

use std::borrow::Cow;

use ocpp::{ErrorCode, Fact, Meaning, Side};

use super::case::{Case, Charge, Court};
use super::place::place;
use super::texts::Said;
use crate::Control;
use crate::rules::{KeysFor, Rules};

/// Texts of one message that patterns are tried on at most.
const SUSPECTS_MAX: usize = 256;
/// Objections to one message at most.
const OBJECTIONS_MAX: usize = 8;

pub(super) fn examine(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    let matcher = court.policy.rules.matcher(said.from);
    let mut look = Look {
        bytes_left: Rules::MATCHED_BYTES_MAX,
        suspects: 0,
        objections: 0,
    };
    for fact in said.facts.iter() {
        let text = said.facts.text(fact);
        if let Some(class) = matcher.suspects(fact.field.meaning, text) {
            look.suspects += 1;
            if look.is_over() {
                break;
            }
            if fact.field.meaning == Meaning::ConfigValue && is_secret(court, said, fact) {
                continue;
            }
            let looked_at = text.floor_char_boundary(look.bytes_left);
            look.bytes_left -= looked_at;
            let text = ocpp::unescape(text.get(..looked_at).unwrap_or_default());
            for rule in matcher.caught(class, &text) {
                object(court, said, (rule, fact), &mut look, case);
            }
        }
    }
}

/// What this message has cost so far.
struct Look {
    bytes_left: usize,
    suspects: usize,
    objections: usize,
}

impl Look {
    fn is_over(&self) -> bool {
        self.bytes_left == 0 || self.suspects > SUSPECTS_MAX || self.objections >= OBJECTIONS_MAX
    }
}

#[cold]
fn object(
    court: &Court<'_>,
    said: &Said<'_>,
    (rule, fact): (usize, &Fact),
    look: &mut Look,
    case: &mut Case,
) {
    let Some(rule) = court.policy.rules.injection(rule) else {
        return;
    };
    let path = place(said.frame, fact.start as usize);
    let control = match said.from {
        Side::Station => Control::InjectionUp,
        Side::Csms => Control::Injection,
    };
    if case.has(control, &rule.id, &path) || look.is_over() {
        return;
    }
    look.objections += 1;
    let charge = Charge {
        kind: Cow::Owned(rule.id.to_string()),
        code: ErrorCode::SecurityError,
        what: format!("{}: {path}", rule.what),
        path,
        description: None,
    };
    case.object(court, control, charge);
}

/// The value of a key that holds a password may be drawn from any characters.
fn is_secret(court: &Court<'_>, said: &Said<'_>, value: &Fact) -> bool {
    let keys = said
        .facts
        .iter()
        .filter(|fact| fact.field.meaning == Meaning::ConfigKey && fact.object >= value.object);
    // In 1.6 key and value stand in one object; in 2.x the key's was opened inside the value's.
    keys.min_by_key(|key| key.object).is_some_and(|key| {
        let name = said.facts.text(key);
        court.policy.rules.keys().is_for(name, KeysFor::Secret)
    })
}
