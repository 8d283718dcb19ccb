//! Virtual patches: texts that a model does not survive are held back until its maker has mended it.

use std::cmp::Ordering;

use ocpp::{Fact, Facts, Meaning, SchemaFault, SchemaFaultKind};

use super::Rules;
use super::firmware::compare;
use super::trial::PatchExample;
use crate::model::{Model, matches};

/// What a model must not be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Patch {
    /// Its name, which is the finding's kind.
    pub id: Box<str>,
    /// The threat it answers.
    pub threat: String,
    /// The CVEs it is for.
    pub cves: Vec<String>,
    /// Where it is told of; what is our own guess is said so.
    pub source: String,
    /// The maker as BootNotification spells it; case does not matter, a `*` at the end stands for
    /// anything.
    pub maker: String,
    /// The models, likewise; any of them.
    pub models: Vec<String>,
    /// The firmware, likewise; `None`: any.
    pub firmware: Option<String>,
    /// The first version that is mended: stations that are surely no older are left alone.
    pub mended_in: Option<String>,
    /// In which actions' messages, and in the answers to them; empty: in any.
    pub actions: Vec<String>,
    /// In which fields, by name; empty: in any.
    pub fields: Vec<String>,
    /// In which fields, by meaning; empty: in any.
    pub meanings: Vec<Meaning>,
    /// How long a text may be.
    pub longest: Longest,
    /// What it holds back, in words.
    pub what: String,
    /// Messages that it must catch.
    pub examples: Vec<PatchExample>,
    /// Messages that it must let pass.
    pub counter_examples: Vec<PatchExample>,
}

/// How long a text may be for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Longest {
    /// As its schema says.
    Schema,
    /// So many characters.
    Chars(u32),
}

impl Patch {
    /// Whether a station that says this of itself needs it. Where its firmware leaves that open, it
    /// does.
    pub(crate) fn is_for(&self, station: &Model) -> bool {
        let firmware = station.firmware.as_deref().unwrap_or_default();
        let named = matches(&self.maker, &station.maker)
            && self
                .models
                .iter()
                .any(|model| matches(model, &station.model))
            && self
                .firmware
                .as_ref()
                .is_none_or(|wanted| matches(wanted, firmware));
        named
            && self.mended_in.as_ref().is_none_or(|mended| {
                !matches!(
                    compare(firmware, mended),
                    Some(Ordering::Equal | Ordering::Greater)
                )
            })
    }

    fn is_about(&self, action: &str) -> bool {
        self.actions.is_empty() || self.actions.iter().any(|known| known == action)
    }

    /// The first field of a message that is too long for the model, or that its schema finds so.
    pub(crate) fn caught<'f>(
        &self,
        action: &str,
        facts: &Facts<'f>,
        faults: &'f [SchemaFault],
    ) -> Option<Caught<'f>> {
        if !self.is_about(action) {
            return None;
        }
        match self.longest {
            Longest::Schema => faults
                .iter()
                .find(|fault| {
                    fault.kind == SchemaFaultKind::TooLong
                        && self.names(fault.place().rsplit('.').next().unwrap_or_default())
                        && self.means(fault.meaning)
                })
                .map(Caught::Fault),
            Longest::Chars(max) => facts
                .iter()
                .find(|fact| {
                    self.names(fact.field.name)
                        && self.means(fact.field.meaning)
                        && is_longer(facts.text(fact), max)
                })
                .map(Caught::Fact),
        }
    }

    fn names(&self, field: &str) -> bool {
        let field = field.trim_end_matches("[]");
        self.fields.is_empty() || self.fields.iter().any(|known| known == field)
    }

    fn means(&self, meaning: Meaning) -> bool {
        self.meanings.is_empty() || self.meanings.contains(&meaning)
    }
}

/// Where a patch found something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caught<'f> {
    Fact(&'f Fact),
    Fault(&'f SchemaFault),
}

fn is_longer(text: &str, chars_max: u32) -> bool {
    let max = chars_max as usize;
    // There are never more characters than bytes.
    text.len() > max && ocpp::unescaped(text).count() > max
}

/// Which patches a session's station needs; asked anew when they change, or the station says what it
/// is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patched {
    edition: u32,
    /// One bit for each patch, in their order.
    needed: u64,
}

impl Patched {
    pub(crate) fn is_of(self, rules: &Rules) -> bool {
        self.edition == rules.patches_edition()
    }

    pub(crate) fn of(rules: &Rules, station: Option<&Model>) -> Patched {
        let mut needed = 0;
        for (place, patch) in rules.patches().iter().enumerate().take(Rules::RULES_MAX) {
            let is_needed = station.is_some_and(|station| patch.is_for(station));
            needed |= u64::from(is_needed) << place;
        }
        Patched {
            edition: rules.patches_edition(),
            needed,
        }
    }

    /// The station has said what it is.
    pub(crate) fn forget(&mut self) {
        self.edition = u32::MAX;
    }

    pub(crate) fn any(self) -> bool {
        self.needed != 0
    }

    pub(crate) fn has(self, place: usize) -> bool {
        u32::try_from(place).is_ok_and(|place| self.needed.checked_shr(place).unwrap_or(0) & 1 == 1)
    }
}

/// A mask holds as many patches as there may be.
const _: () = assert!(Rules::RULES_MAX <= 64);
