//! `[controls]` and `[messages]`: what a message must keep, and what it may cost.

use guard::{Control, Controls, LimitsException, OnUnreadable, Policy, Scopes};
use ocpp::{Limits, Version, catalogue};

use super::scope;
use super::source::Placed;
use super::table::Section;
use crate::nearest;

pub(super) fn policy(
    mut controls: Section<'_>,
    mut messages: Section<'_>,
    scopes: Scopes,
) -> Policy {
    let d = Policy::default();
    let mut kept = Controls::default();
    for control in Control::ALL {
        let mode = scope::mode(&mut controls, *control, d.controls.mode(*control));
        kept.set(*control, mode);
    }
    let policy = Policy {
        controls: kept,
        unreadable: controls.choice(
            "unreadable",
            &[
                ("answer", OnUnreadable::Answer),
                ("close", OnUnreadable::Close),
            ],
            d.unreadable,
        ),
        call_timeout: controls.seconds("call_timeout_seconds", 1..=3600, d.call_timeout),
        limits: limits(&mut messages, &d.limits),
        limits_exceptions: Vec::new(),
        scopes,
    };
    let limits_exceptions = exceptions(&mut messages, &policy.limits);
    let policy = Policy {
        limits_exceptions,
        ..policy
    };
    controls.finish();
    messages.finish();
    policy
}

/// Models with other caps; what an exception does not set is as for everyone.
fn exceptions(messages: &mut Section<'_>, usual: &Limits) -> Vec<LimitsException> {
    let sections = messages.sections("exception");
    let exception = |mut section: Section<'_>| {
        let name = |name: Option<Placed<String>>| name.map(|name| name.value);
        let maker = name(section.needed_text("maker", "Maker AG")).unwrap_or_default();
        let model = name(section.needed_text("model", "Wall Box*")).unwrap_or_default();
        let limits = limits(&mut section, usual);
        section.finish();
        LimitsException {
            maker,
            model,
            limits,
        }
    };
    sections.into_iter().map(exception).collect()
}

fn limits(section: &mut Section<'_>, usual: &Limits) -> Limits {
    let bytes = 1024..=u64::from(Limits::MESSAGE_BYTES_MAX);
    let mut limits = usual.clone();
    limits.message_bytes_max = number(
        section,
        "bytes_max",
        bytes.clone(),
        limits.message_bytes_max,
    );
    limits.list_items_max = number(
        section,
        "list_items_max",
        1..=1_000_000,
        limits.list_items_max,
    );
    for (action, bytes_max) in section.numbers_by_name("action_bytes_max", bytes) {
        let bytes_max = u32::try_from(bytes_max).unwrap_or(Limits::MESSAGE_BYTES_MAX);
        if !is_action(&action.value) {
            section.problem(
                action.line,
                format!("no version of OCPP has an action `{}`", action.value),
                nearest_action(&action.value),
            );
        }
        limits
            .action_bytes_max
            .retain(|(name, _)| *name != action.value);
        limits.action_bytes_max.push((action.value, bytes_max));
    }
    limits
}

fn number(
    section: &mut Section<'_>,
    key: &'static str,
    bounds: std::ops::RangeInclusive<u64>,
    default: u32,
) -> u32 {
    u32::try_from(section.number(key, bounds, u64::from(default))).unwrap_or(default)
}

pub(super) fn is_action(name: &str) -> bool {
    Version::ALL
        .into_iter()
        .any(|version| catalogue::action(version, name).is_some())
}

pub(super) fn nearest_action(name: &str) -> String {
    let known = Version::ALL
        .into_iter()
        .flat_map(catalogue::actions)
        .map(|facts| facts.name);
    match nearest::nearest(name, known) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => "Write the action as OCPP spells it, such as SendLocalList.".to_owned(),
    }
}
