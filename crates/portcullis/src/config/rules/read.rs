//! One file of rules: `[[injection]]`, `[[patch]]` and `[[keys]]`, in any order.

use guard::rules::{InjectionRule, KeyRule, KeysFor, Longest, Patch, PatchExample};
use ocpp::{Meaning, Side, Version};

use super::super::policy::{is_action, nearest_action};
use super::super::source::{Placed, Source};
use super::super::table::Section;
use super::Gathered;
use crate::{Problem, nearest};

/// Reads a file of rules; everything that is wrong with it is told at once.
pub(super) fn file(name: &str, text: &str) -> (Gathered, Vec<Problem>) {
    let source = Source::new(name, text);
    let mut gathered = Gathered::default();
    if let Some(document) = source.document("the files of rules/") {
        let mut root = Section::new(&source, "", document.get_ref());
        sections(&mut root, name, &mut gathered);
        root.finish();
    }
    (gathered, source.problems())
}

fn sections(root: &mut Section<'_>, name: &str, gathered: &mut Gathered) {
    for section in root.sections("injection") {
        let line = section.line;
        if let Some(rule) = injection(section) {
            gathered.place(&rule.id, name, line);
            gathered.texts.injection.push(rule);
        }
    }
    for section in root.sections("patch") {
        let line = section.line;
        if let Some(rule) = patch(section) {
            gathered.place(&rule.id, name, line);
            gathered.texts.patches.push(rule);
        }
    }
    for section in root.sections("keys") {
        let line = section.line;
        if let Some(rule) = keys(section) {
            gathered.place(&rule.id, name, line);
            gathered.texts.keys.push(rule);
        }
    }
}

fn injection(mut section: Section<'_>) -> Option<InjectionRule> {
    let id = id(&mut section);
    let threat = value(section.needed_text("threat", "B06"));
    let sides = [("station", Some(Side::Station)), ("csms", Some(Side::Csms))];
    if !section.has("from") {
        section.problem(
            section.line,
            "it does not say who sends it",
            "Add: from = \"csms\", or \"station\".",
        );
    }
    let from = section.choice("from", &sides, None);
    let meanings = meanings(&mut section, true);
    let pattern = value(section.needed_text("pattern", "[;|]"));
    let what = value(section.needed_text("what", "a command"));
    let (examples, counter_examples) = examples(&mut section);
    section.finish();
    Some(InjectionRule {
        id: id?.into(),
        threat: threat?,
        from: from?,
        meanings,
        pattern: pattern?,
        what: what?,
        examples,
        counter_examples,
    })
}

fn keys(mut section: Section<'_>) -> Option<KeyRule> {
    let id = id(&mut section);
    let threat = value(section.needed_text("threat", "A14"));
    let named = KeysFor::NAMED.map(|(name, keys_for)| (name, Some(keys_for)));
    if !section.has("for") {
        section.problem(
            section.line,
            "it does not say what the keys are for",
            "Add: for = \"backend\", or \"secret\".",
        );
    }
    let keys_for = section.choice("for", &named, None);
    let pattern = value(section.needed_text("pattern", "ocpp(?:url|address)"));
    let what = value(section.needed_text("what", "where the CSMS is"));
    let (examples, counter_examples) = examples(&mut section);
    section.finish();
    Some(KeyRule {
        id: id?.into(),
        threat: threat?,
        keys_for: keys_for?,
        pattern: pattern?,
        what: what?,
        examples,
        counter_examples,
    })
}

/// A virtual patch, of a file of rules or of the configuration itself.
pub(in super::super) fn patch(mut section: Section<'_>) -> Option<Patch> {
    let id = id(&mut section);
    let threat = value(section.text("threat")).unwrap_or_else(|| "B05".to_owned());
    let cves = values(section.texts("cves"));
    let source = value(section.text("source")).unwrap_or_default();
    let maker = value(section.needed_text("maker", "Maker AG"));
    let models = values(section.texts("models"));
    if models.is_empty() {
        section.problem(
            section.line,
            "it names no model",
            "Add: models = [\"Wall Box*\"], or [\"*\"] for all of the maker.",
        );
    }
    let firmware = value(section.text("firmware"));
    let mended_in = value(section.text("mended_in"));
    let actions = actions(&mut section);
    let fields = values(section.texts("fields"));
    let meanings = meanings(&mut section, false);
    let longest = longest(&mut section);
    let what = value(section.text("what"));
    let examples = messages(&mut section, "examples");
    let counter_examples = messages(&mut section, "counter_examples");
    section.finish();
    let id = id?;
    Some(Patch {
        what: what.unwrap_or_else(|| format!("a text that is too long, by patch {id}")),
        id: id.into(),
        threat,
        cves,
        source,
        maker: maker?,
        models,
        firmware,
        mended_in,
        actions,
        fields,
        meanings,
        longest: longest?,
        examples,
        counter_examples,
    })
}

fn longest(section: &mut Section<'_>) -> Option<Longest> {
    let has_chars = section.has("chars_max");
    let chars = section.number("chars_max", 1..=1 << 20, 1);
    let by_schema = section.flag("schema_length", false);
    match (has_chars, by_schema) {
        (true, false) => u32::try_from(chars).ok().map(Longest::Chars),
        (false, true) => Some(Longest::Schema),
        _ => {
            section.problem(
                section.line,
                "it does not say how long a text may be",
                "Write chars_max = 255, or schema_length = true for as long as OCPP allows; not both.",
            );
            None
        }
    }
}

/// Characters of a rule's id.
const ID_CHARS_MAX: usize = 64;

fn id(section: &mut Section<'_>) -> Option<String> {
    let id = section.needed_text("id", "shell-chain")?;
    let fits =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if id.value.len() > ID_CHARS_MAX || !id.value.chars().all(fits) {
        section.problem(
            id.line,
            format!("`id` is \"{}\"", id.value),
            format!("Write at most {ID_CHARS_MAX} small letters, digits and hyphens: it is a finding's kind."),
        );
        return None;
    }
    Some(id.value)
}

fn meanings(section: &mut Section<'_>, needed: bool) -> Vec<Meaning> {
    let words = section.texts("meanings");
    if needed && words.is_empty() {
        section.problem(
            section.line,
            "it names no fields",
            "Add: meanings = [\"free-text\"].",
        );
    }
    let mut meanings = Vec::new();
    for word in words {
        // Fields that mean nothing are not kept track of.
        match Meaning::named(&word.value).filter(|meaning| *meaning != Meaning::Plain) {
            Some(meaning) => meanings.push(meaning),
            None => {
                let known: Vec<&str> = Meaning::NAMED.iter().map(|(name, _)| *name).collect();
                section.problem(
                    word.line,
                    format!("no field means `{}`", word.value),
                    nearest::remedy(&word.value, &known),
                );
            }
        }
    }
    meanings
}

fn actions(section: &mut Section<'_>) -> Vec<String> {
    let actions = section.texts("actions");
    for action in actions.iter().filter(|action| !is_action(&action.value)) {
        section.problem(
            action.line,
            format!("no version of OCPP has an action `{}`", action.value),
            nearest_action(&action.value),
        );
    }
    values(actions)
}

fn examples(section: &mut Section<'_>) -> (Vec<String>, Vec<String>) {
    let examples = values(section.texts("examples"));
    (examples, values(section.texts("counter_examples")))
}

/// Messages such as `1.6 [2,"1","Reset",{"type":"Hard"}]`.
fn messages(section: &mut Section<'_>, key: &'static str) -> Vec<PatchExample> {
    let mut messages = Vec::new();
    for text in section.texts(key) {
        let (version, message) = text.value.split_once(' ').unwrap_or_default();
        let known = Version::ALL
            .into_iter()
            .find(|known| known.number() == version);
        match known {
            Some(version) => messages.push(PatchExample {
                version,
                message: message.to_owned(),
            }),
            None => section.problem(
                text.line,
                format!("`{key}` holds \"{}\", which names no version of OCPP", text.value),
                "Write the version before the message: '1.6 [2,\"1\",\"Reset\",{\"type\":\"{300}\"}]'.",
            ),
        }
    }
    messages
}

fn value(text: Option<Placed<String>>) -> Option<String> {
    text.map(|text| text.value)
}

fn values(texts: Vec<Placed<String>>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}
