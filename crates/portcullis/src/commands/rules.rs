//! `portcullis rules list`: what is looked for in messages.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use guard::rules::{InjectionRule, KeyRule, KeysFor, Longest, Patch, PatchExample, RuleTexts};
use guard::{Control, words};
use ocpp::Side;
use serde::Serialize;

use crate::Failure;
use crate::cli::RulesCommand;
use crate::config::Config;
use crate::output::Output;

/// One rule, as it is shown.
#[derive(Serialize)]
struct RuleView<'r> {
    id: &'r str,
    /// The control whose findings bear its id; `None`: it helps others.
    control: Option<&'static str>,
    enforceable: bool,
    threat: &'r str,
    from: &'static str,
    what: &'r str,
    #[serde(flatten)]
    terms: Terms<'r>,
    examples: Vec<String>,
    counter_examples: Vec<String>,
}

/// When it catches something.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Terms<'r> {
    Injection {
        meanings: Vec<&'static str>,
        pattern: &'r str,
    },
    Patch {
        maker: &'r str,
        models: &'r [String],
        firmware: Option<&'r str>,
        mended_in: Option<&'r str>,
        actions: &'r [String],
        fields: &'r [String],
        meanings: Vec<&'static str>,
        /// `None`: as long as the schema says.
        chars_max: Option<u32>,
        cves: &'r [String],
        source: &'r str,
    },
    Keys {
        keys_for: &'static str,
        pattern: &'r str,
    },
}

pub(crate) fn run(
    command: &RulesCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let RulesCommand::List = command;
    let config = Config::load(config)?;
    let views = views(config.policy.rules.texts());
    output.result(&views, || table(&views))
}

fn views(texts: &RuleTexts) -> Vec<RuleView<'_>> {
    let injection = texts.injection.iter().map(of_injection);
    let patches = texts.patches.iter().map(of_patch);
    let keys = texts.keys.iter().map(of_keys);
    injection.chain(patches).chain(keys).collect()
}

fn of_injection(rule: &InjectionRule) -> RuleView<'_> {
    let control = match rule.from {
        Side::Station => Control::InjectionUp,
        Side::Csms => Control::Injection,
    };
    RuleView {
        id: &rule.id,
        control: Some(control.name()),
        enforceable: control.strictest() == guard::Mode::Enforce,
        threat: &rule.threat,
        from: words::side(rule.from),
        what: &rule.what,
        terms: Terms::Injection {
            meanings: rule.meanings.iter().map(|known| known.name()).collect(),
            pattern: &rule.pattern,
        },
        examples: rule.examples.clone(),
        counter_examples: rule.counter_examples.clone(),
    }
}

fn of_patch(patch: &Patch) -> RuleView<'_> {
    let written = |examples: &[PatchExample]| -> Vec<String> {
        let write =
            |example: &PatchExample| format!("{} {}", example.version.number(), example.message);
        examples.iter().map(write).collect()
    };
    RuleView {
        id: &patch.id,
        control: Some(Control::Patches.name()),
        enforceable: true,
        threat: &patch.threat,
        from: words::side(Side::Csms),
        what: &patch.what,
        terms: Terms::Patch {
            maker: &patch.maker,
            models: &patch.models,
            firmware: patch.firmware.as_deref(),
            mended_in: patch.mended_in.as_deref(),
            actions: &patch.actions,
            fields: &patch.fields,
            meanings: patch.meanings.iter().map(|known| known.name()).collect(),
            chars_max: match patch.longest {
                Longest::Schema => None,
                Longest::Chars(max) => Some(max),
            },
            cves: &patch.cves,
            source: &patch.source,
        },
        examples: written(&patch.examples),
        counter_examples: written(&patch.counter_examples),
    }
}

fn of_keys(rule: &KeyRule) -> RuleView<'_> {
    let control = match rule.keys_for {
        KeysFor::Backend => Some(Control::BackendUrl.name()),
        KeysFor::Secret => None,
    };
    RuleView {
        id: &rule.id,
        control,
        enforceable: control.is_some(),
        threat: &rule.threat,
        from: words::side(Side::Csms),
        what: &rule.what,
        terms: Terms::Keys {
            keys_for: rule.keys_for.name(),
            pattern: &rule.pattern,
        },
        examples: rule.examples.clone(),
        counter_examples: rule.counter_examples.clone(),
    }
}

fn table(views: &[RuleView<'_>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["RULE", "CONTROL", "THREAT", "FROM", "WHAT"]);
    for view in views {
        let control = view.control.unwrap_or("–");
        table.add_row([view.id, control, view.threat, view.from, view.what]);
    }
    table.trim_fmt()
}
