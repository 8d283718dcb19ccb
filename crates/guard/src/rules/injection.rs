//! Patterns by direction and by what a field means. A text costs one look at each of its bytes until
//! it holds one that a pattern needs; only then is a pattern tried.

use ocpp::{Meaning, Side};
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::needed::{ByteSet, needed};
use super::{RuleFault, Rules};

/// One pattern and where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InjectionRule {
    /// Its name, which is the finding's kind.
    pub id: Box<str>,
    /// The threat it answers.
    pub threat: String,
    /// Who says it.
    pub from: Side,
    /// In which fields.
    pub meanings: Vec<Meaning>,
    /// A regular expression, for the text with its escapes undone.
    pub pattern: String,
    /// What it finds, in words that hold nothing of a message.
    pub what: String,
    /// Texts that it must catch.
    pub examples: Vec<String>,
    /// Texts that it must let pass.
    pub counter_examples: Vec<String>,
}

impl InjectionRule {
    /// The pattern alone, and the bytes of which every match holds one.
    pub(crate) fn compiled(&self) -> Result<(Regex, ByteSet), RuleFault> {
        compiled(&self.pattern)
    }
}

/// A pattern with the bytes that it needs.
pub(super) fn compiled(pattern: &str) -> Result<(Regex, ByteSet), RuleFault> {
    if pattern.len() > Rules::PATTERN_BYTES_MAX {
        return Err(RuleFault::Long);
    }
    let fault = |error: String| {
        let last = error.lines().last().unwrap_or_default();
        RuleFault::Pattern(last.trim().trim_start_matches("error: ").to_owned())
    };
    let regex = RegexBuilder::new(pattern)
        .size_limit(Rules::COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| fault(error.to_string()))?;
    let hir = regex_syntax::parse(pattern).map_err(|error| fault(error.to_string()))?;
    let needed = needed(&hir).ok_or(RuleFault::Anything)?;
    Ok((regex, needed))
}

/// All patterns for what one side says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matcher {
    set: Option<RegexSet>,
    /// Which rule each pattern of the set is.
    rules: Vec<usize>,
    /// By meaning: the class of its fields, counted from 1; 0 for none.
    class_of: Vec<u8>,
    classes: Vec<Class>,
}

/// Fields that the same rules are for.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// A text without any of these bytes holds nothing that is looked for.
    quick: Box<[bool; 256]>,
    /// The patterns of the set that count here.
    patterns: Vec<usize>,
}

impl Matcher {
    pub(super) fn new(
        rules: &[InjectionRule],
        from: Side,
        faults: &mut Vec<(String, RuleFault)>,
    ) -> Matcher {
        let mut matcher = Matcher::default();
        let mut patterns: Vec<&str> = Vec::new();
        let mut wanted: Vec<(&[Meaning], ByteSet)> = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            if rule.from != from {
                continue;
            }
            match rule.compiled() {
                Ok((_, bytes)) => {
                    patterns.push(&rule.pattern);
                    wanted.push((&rule.meanings, bytes));
                    matcher.rules.push(place);
                }
                Err(fault) => faults.push((rule.id.to_string(), fault)),
            }
        }
        if patterns.is_empty() {
            return matcher;
        }
        matcher.class_of = vec![0; Meaning::NAMED.len()];
        for (_, meaning) in Meaning::NAMED {
            matcher.sort_in(*meaning, &wanted);
        }
        let set = RegexSetBuilder::new(&patterns)
            .size_limit(Rules::COMPILED_BYTES_MAX)
            .dfa_size_limit(Rules::CACHE_BYTES_MAX)
            .build();
        match set {
            Ok(set) => matcher.set = Some(set),
            Err(error) => faults.push((String::new(), RuleFault::Pattern(error.to_string()))),
        }
        matcher
    }

    fn sort_in(&mut self, meaning: Meaning, wanted: &[(&[Meaning], ByteSet)]) {
        let patterns: Vec<usize> = (0..wanted.len())
            .filter(|place| {
                wanted
                    .get(*place)
                    .is_some_and(|(of, _)| of.contains(&meaning))
            })
            .collect();
        if patterns.is_empty() {
            return;
        }
        let known = self
            .classes
            .iter()
            .position(|class| class.patterns == patterns);
        let place = known.unwrap_or_else(|| {
            let mut bytes = ByteSet::default();
            for (_, needs) in patterns.iter().filter_map(|place| wanted.get(*place)) {
                bytes.join(needs);
            }
            // What an escape stands for is seen only when it is undone.
            bytes.add(b'\\');
            self.classes.push(Class {
                quick: Box::new(bytes.table()),
                patterns,
            });
            self.classes.len() - 1
        });
        // Classes are as many as meanings at most, and those fit in a byte.
        if let Some(class) = self.class_of.get_mut(meaning as usize) {
            *class = u8::try_from(place + 1).unwrap_or_default();
        }
    }

    /// The class of a field; `None`: nothing is looked for in it.
    #[inline]
    pub(crate) fn class(&self, meaning: Meaning) -> Option<&Class> {
        let class = *self.class_of.get(meaning as usize)?;
        self.classes.get(usize::from(class).checked_sub(1)?)
    }

    /// The rules that catch a text of that class, its escapes undone, by their places in
    /// [`super::RuleTexts`].
    pub(crate) fn caught(&self, class: &Class, text: &str) -> impl Iterator<Item = usize> {
        let set = self.set.as_ref().filter(|set| set.is_match(text));
        let matches = set.map(|set| set.matches(text));
        let caught = class.patterns.iter().filter(move |place| {
            matches
                .as_ref()
                .is_some_and(|matches| matches.matched(**place))
        });
        caught.filter_map(|place| self.rules.get(*place).copied())
    }
}

impl Class {
    /// Whether a text, as it stands in the message, may hold something.
    #[inline]
    pub(crate) fn suspects(&self, text: &str) -> bool {
        let quick = &self.quick;
        text.bytes().any(|byte| quick[usize::from(byte)])
    }
}
