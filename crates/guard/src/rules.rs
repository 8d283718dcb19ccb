//! Rules as data: what people write about texts that a message may hold, compiled once and looked up
//! by what a field means. Every rule carries texts that it must catch and texts that it must let
//! pass, and is tried on them before it is used.

mod firmware;
mod injection;
mod keys;
mod needed;
mod patch;
mod trial;

use std::hash::{DefaultHasher, Hash, Hasher};

use ocpp::Side;

pub(crate) use injection::Matcher;
pub(crate) use keys::Keys;
pub(crate) use patch::{Caught, Patched};

pub use injection::InjectionRule;
pub use keys::{KeyRule, KeysFor};
pub use patch::{Longest, Patch};
pub use trial::{Missed, PatchExample};

/// All rules as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RuleTexts {
    /// Texts that are meant for another program than the one that reads them first.
    pub injection: Vec<InjectionRule>,
    /// Lengths that some models do not survive.
    pub patches: Vec<Patch>,
    /// Configuration keys with a meaning that no schema tells.
    pub keys: Vec<KeyRule>,
}

/// All rules, ready for use.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    texts: RuleTexts,
    from_station: Matcher,
    from_csms: Matcher,
    keys: Keys,
    /// Zero where there is no patch, so that there is nothing to ask.
    patches_edition: u32,
}

impl PartialEq for Rules {
    fn eq(&self, other: &Rules) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Rules {}

/// Why a rule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// It is no regular expression.
    #[error("its pattern is no regular expression: {0}")]
    Pattern(String),
    /// It would be tried on every text there is.
    #[error("its pattern matches a text of any letters, and would be tried on all")]
    Anything,
    /// The pattern is longer than [`Rules::PATTERN_BYTES_MAX`].
    #[error("its pattern is longer than {} bytes", Rules::PATTERN_BYTES_MAX)]
    Long,
    /// More rules of its kind than [`Rules::RULES_MAX`].
    #[error("there are more than {} rules of its kind", Rules::RULES_MAX)]
    Many,
    /// Another rule has its id.
    #[error("another rule has the same id")]
    SameId,
}

impl Rules {
    /// Rules of one kind at most.
    pub const RULES_MAX: usize = 64;
    /// Bytes of a pattern at most.
    pub const PATTERN_BYTES_MAX: usize = 1024;
    /// Bytes of one message that patterns are tried on at most; what is beyond is not looked at.
    pub const MATCHED_BYTES_MAX: usize = 64 << 10;
    /// Memory of one compiled pattern, and of all of one direction together.
    pub(crate) const COMPILED_BYTES_MAX: usize = 4 << 20;
    /// Memory that each thread may use to try the patterns of one direction quickly; beyond, they are
    /// tried slowly.
    pub(crate) const CACHE_BYTES_MAX: usize = 1 << 20;

    /// Compiles them. What is wrong is told with the id of the rule.
    pub fn new(texts: RuleTexts) -> Result<Rules, Vec<(String, RuleFault)>> {
        let mut faults = Vec::new();
        let mut ids: Vec<&str> = Vec::new();
        for id in texts.ids() {
            if ids.contains(&id) {
                faults.push((id.to_owned(), RuleFault::SameId));
            }
            ids.push(id);
        }
        let counts = [
            texts.injection.get(Rules::RULES_MAX).map(|rule| &rule.id),
            texts.patches.get(Rules::RULES_MAX).map(|rule| &rule.id),
            texts.keys.get(Rules::RULES_MAX).map(|rule| &rule.id),
        ];
        let beyond = counts.into_iter().flatten();
        faults.extend(beyond.map(|id| (id.to_string(), RuleFault::Many)));
        let from_station = Matcher::new(&texts.injection, Side::Station, &mut faults);
        let from_csms = Matcher::new(&texts.injection, Side::Csms, &mut faults);
        let keys = Keys::new(&texts.keys, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut hasher = DefaultHasher::new();
        texts.patches.hash(&mut hasher);
        let patches_edition = match texts.patches.is_empty() {
            true => 0,
            // The top half of a hash is as good as all of it.
            false => u32::try_from(hasher.finish() >> 32)
                .unwrap_or_default()
                .clamp(1, u32::MAX - 1),
        };
        Ok(Rules {
            from_station,
            from_csms,
            keys,
            patches_edition,
            texts,
        })
    }

    /// The rules as they were written.
    pub fn texts(&self) -> &RuleTexts {
        &self.texts
    }

    /// What is looked for in that side's messages.
    pub(crate) fn matcher(&self, from: Side) -> &Matcher {
        match from {
            Side::Station => &self.from_station,
            Side::Csms => &self.from_csms,
        }
    }

    /// The injection rule in that place.
    pub(crate) fn injection(&self, place: usize) -> Option<&InjectionRule> {
        self.texts.injection.get(place)
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn patches(&self) -> &[Patch] {
        &self.texts.patches
    }

    pub(crate) fn patches_edition(&self) -> u32 {
        self.patches_edition
    }
}

impl RuleTexts {
    /// The ids of all rules.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let injection = self.injection.iter().map(|rule| &*rule.id);
        let patches = self.patches.iter().map(|rule| &*rule.id);
        let keys = self.keys.iter().map(|rule| &*rule.id);
        injection.chain(patches).chain(keys)
    }
}
