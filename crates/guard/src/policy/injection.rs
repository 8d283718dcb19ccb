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
use crate::rules::{InjectionRule, KeysFor, Rules};

/// Texts of one message that patterns are tried on at most.
const SUSPECTS_MAX: usize = 256;
/// Objections to one message at most, the same one in several places of a list counted each time.
const HITS_MAX: usize = 16;

pub(super) fn examine(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    let matcher = court.policy.rules.matcher(said.from);
    let mut look = Look {
        bytes_left: Rules::MATCHED_BYTES_MAX,
        suspects_left: SUSPECTS_MAX,
        hits_left: HITS_MAX,
    };
    for fact in said.facts.iter() {
        // Most fields are numbers and names of OCPP's own: their text is not even asked for.
        let Some(class) = matcher.class(fact.field.meaning) else {
            continue;
        };
        let text = said.facts.text(fact);
        if !class.suspects(text) {
            continue;
        }
        if fact.field.meaning == Meaning::ConfigValue && is_secret(court, said, fact) {
            continue;
        }
        let looked_at = text.get(..look.take(text)).unwrap_or_default();
        for rule in matcher.caught(class, &ocpp::unescape(looked_at)) {
            if let Some(rule) = court.policy.rules.injection(rule)
                && look.hit()
            {
                object(court, said, (rule, fact), case);
            }
        }
        if look.is_over() {
            // Whoever wants something unseen would put it behind that much.
            let what = "more text than is looked at";
            let charge = Charge::of("too-much-text", ErrorCode::SecurityError, what);
            return case.object(court, control(said.from), charge);
        }
    }
}

const fn control(from: Side) -> Control {
    match from {
        Side::Station => Control::InjectionUp,
        Side::Csms => Control::Injection,
    }
}

/// What one message may still cost.
struct Look {
    bytes_left: usize,
    suspects_left: usize,
    hits_left: usize,
}

impl Look {
    /// How many bytes of a text may be looked at.
    fn take(&mut self, text: &str) -> usize {
        let bytes = text.floor_char_boundary(self.bytes_left);
        // What is cut off is more than is looked at.
        self.bytes_left = match bytes < text.len() {
            true => 0,
            false => self.bytes_left - bytes,
        };
        self.suspects_left = self.suspects_left.saturating_sub(1);
        bytes
    }

    fn hit(&mut self) -> bool {
        let has_room = self.hits_left > 0;
        self.hits_left = self.hits_left.saturating_sub(1);
        has_room
    }

    fn is_over(&self) -> bool {
        self.bytes_left == 0 || self.suspects_left == 0 || self.hits_left == 0
    }
}

#[cold]
fn object(
    court: &Court<'_>,
    said: &Said<'_>,
    (rule, fact): (&InjectionRule, &Fact),
    case: &mut Case,
) {
    let path = place(said.frame, fact.start as usize);
    let control = control(said.from);
    if case.has(control, &rule.id, &path) {
        return;
    }
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
#[cold]
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
