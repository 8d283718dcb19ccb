//! Every rule is tried on its own examples, by the same code that looks at messages.

use std::sync::Arc;

use ocpp::{Frame, Message, Reader, Side, Version};

use super::{InjectionRule, KeyRule, Matcher, Patch, RuleTexts, Rules};
use crate::model::Model;
use crate::{Mode, Moment, Outcome, Policy, StationState};

/// A message for a station that needs a patch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatchExample {
    /// What the station speaks.
    pub version: Version,
    /// A CALL of the CSMS; `{300}` in it stands for 300 letters.
    pub message: String,
}

/// An example that went the other way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missed {
    /// It lets pass what it must catch.
    #[error("it misses its example {0:?}")]
    Example(String),
    /// It catches what it must let pass.
    #[error("it is too eager: it catches its counter-example {0:?}")]
    CounterExample(String),
    /// It has nothing to be tried on.
    #[error("it has no example, or no counter-example")]
    Untried,
}

impl Rules {
    /// Tries every rule, and names those that do not do what they say.
    pub fn try_examples(&self) -> Vec<(String, Missed)> {
        let RuleTexts {
            injection,
            patches,
            keys,
        } = self.texts();
        let mut missed = Vec::new();
        for rule in injection {
            let catches = catching(rule);
            missed.extend(tried(
                &rule.id,
                &rule.examples,
                &rule.counter_examples,
                catches,
            ));
        }
        for rule in keys {
            let catches = |name: &String| rule.knows(name);
            missed.extend(tried(
                &rule.id,
                &rule.examples,
                &rule.counter_examples,
                catches,
            ));
        }
        for patch in patches {
            let texts = |examples: &[PatchExample]| -> Vec<String> {
                let messages = examples.iter().map(|example| example.message.clone());
                messages.collect()
            };
            let all = patch.examples.iter().chain(&patch.counter_examples);
            let all: Vec<(&str, bool)> = all
                .map(|example| (example.message.as_str(), patch.holds(example)))
                .collect();
            let catches = |message: &String| all.contains(&(message.as_str(), true));
            let (good, bad) = (texts(&patch.examples), texts(&patch.counter_examples));
            missed.extend(tried(&patch.id, &good, &bad, catches));
        }
        missed
    }
}

fn tried(
    id: &str,
    examples: &[String],
    counter_examples: &[String],
    catches: impl Fn(&String) -> bool,
) -> Vec<(String, Missed)> {
    let mut missed = Vec::new();
    if examples.is_empty() || counter_examples.is_empty() {
        missed.push(Missed::Untried);
    }
    let not_caught = examples.iter().filter(|text| !catches(text));
    missed.extend(not_caught.map(|text| Missed::Example(text.clone())));
    let caught = counter_examples.iter().filter(|text| catches(text));
    missed.extend(caught.map(|text| Missed::CounterExample(text.clone())));
    missed.into_iter().map(|why| (id.to_owned(), why)).collect()
}

/// Whether that rule alone catches a text in one of its fields.
fn catching(rule: &InjectionRule) -> impl Fn(&String) -> bool {
    let alone = Matcher::new(std::slice::from_ref(rule), rule.from, &mut Vec::new());
    let meaning = rule.meanings.first().copied();
    move |text| {
        let class = meaning.and_then(|meaning| alone.class(meaning));
        class
            .is_some_and(|class| class.suspects(text) && alone.caught(class, text).next().is_some())
    }
}

impl KeyRule {
    /// A name that the rule is about, for reports.
    pub fn example(&self) -> &str {
        self.examples.first().map_or("", String::as_str)
    }
}

impl Patch {
    /// Whether a station that needs this patch would not get that message, were it enforced.
    fn holds(&self, example: &PatchExample) -> bool {
        let start = |pattern: &str| pattern.trim_end_matches('*').to_owned().into_boxed_str();
        let station = Model {
            maker: start(&self.maker),
            model: start(self.models.first().map_or("", String::as_str)),
            firmware: self.firmware.as_deref().map(start),
        };
        let alone = RuleTexts {
            patches: vec![self.clone()],
            ..RuleTexts::default()
        };
        let Ok(rules) = Rules::new(alone) else {
            return false;
        };
        let mut policy = Policy {
            rules: Arc::new(rules),
            ..Policy::default()
        };
        policy.controls.patches = Mode::Enforce;
        let mut state = StationState::new(example.version, 0);
        state.is_model(station);
        let text = written_out(&example.message);
        let mut reader = Reader::new();
        let (version, frame) = (example.version, Frame::text(text.as_bytes()));
        let message = reader.read(frame, Side::Csms, version, &policy.limits, state.exchange());
        if !matches!(message, Message::Call(_)) {
            return false;
        }
        let judged = policy.judge(message, Moment::default(), &mut state, Moment::default());
        matches!(judged.outcome(), Outcome::Refused(..))
    }
}

/// Letters that a `{300}` may stand for at most.
const LETTERS_MAX: usize = 100_000;

/// Puts letters in place of each `{300}`.
fn written_out(message: &str) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = after.split_at(digits);
        match (number.parse::<usize>(), tail.strip_prefix('}')) {
            (Ok(count), Some(tail)) => {
                text.push_str(&"A".repeat(count.min(LETTERS_MAX)));
                rest = tail;
            }
            _ => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}
