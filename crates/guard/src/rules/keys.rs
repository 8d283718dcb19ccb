//! Configuration keys that mean something no schema tells: makers name them as they like.

use regex::{RegexSet, RegexSetBuilder};

use super::{RuleFault, Rules, injection};

/// Names of configuration keys, and what they are for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRule {
    /// Its name.
    pub id: Box<str>,
    /// The threat it answers.
    pub threat: String,
    /// What the keys are for.
    pub keys_for: KeysFor,
    /// A regular expression for the whole name, in lower case and without anything but letters and
    /// digits: `centralsystemurl` is `CentralSystemURL` and `central-system.url`.
    pub pattern: String,
    /// What they are, in words.
    pub what: String,
    /// Names that it must catch.
    pub examples: Vec<String>,
    /// Names that it must let pass.
    pub counter_examples: Vec<String>,
}

/// What a configuration key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeysFor {
    /// It says where the station's CSMS is.
    Backend,
    /// Its value is a secret, drawn from any characters.
    Secret,
}

impl KeysFor {
    /// Every purpose with its name in a rule.
    pub const NAMED: [(&'static str, KeysFor); 2] =
        [("backend", KeysFor::Backend), ("secret", KeysFor::Secret)];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            KeysFor::Backend => "backend",
            KeysFor::Secret => "secret",
        }
    }
}

impl KeyRule {
    fn whole(&self) -> String {
        format!("^(?:{})$", self.pattern)
    }

    /// Whether it knows a key of that name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        regex::Regex::new(&self.whole()).is_ok_and(|regex| regex.is_match(&plain(name)))
    }
}

/// All rules about keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    set: Option<RegexSet>,
    keys_for: Vec<KeysFor>,
}

/// Characters of a key's name that are looked at; OCPP allows 50.
const NAME_CHARS_MAX: usize = 256;

impl Keys {
    pub(super) fn new(rules: &[KeyRule], faults: &mut Vec<(String, RuleFault)>) -> Keys {
        let mut patterns = Vec::new();
        for rule in rules {
            match injection::compiled(&rule.whole()) {
                Ok(_) => patterns.push(rule.whole()),
                Err(fault) => faults.push((rule.id.to_string(), fault)),
            }
        }
        if patterns.is_empty() {
            return Keys::default();
        }
        let set = RegexSetBuilder::new(&patterns)
            .size_limit(Rules::COMPILED_BYTES_MAX)
            .dfa_size_limit(Rules::CACHE_BYTES_MAX)
            .build();
        Keys {
            set: set.ok(),
            keys_for: rules.iter().map(|rule| rule.keys_for).collect(),
        }
    }

    /// Whether a key, as it stands in the message, is for that.
    pub(crate) fn is_for(&self, name: &str, wanted: KeysFor) -> bool {
        let Some(set) = &self.set else {
            return false;
        };
        set.matches(&plain(&ocpp::unescape(name)))
            .iter()
            .any(|place| self.keys_for.get(place) == Some(&wanted))
    }
}

fn plain(name: &str) -> String {
    name.chars()
        .take(NAME_CHARS_MAX)
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
