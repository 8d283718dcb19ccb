//! `[controls]` and `[messages]`: what a message must keep, and what it may cost.

use std::time::Duration;

use guard::rates::{Class, Over, Rate, Rates};
use guard::{
    BackendUrl, Control, Controls, LimitsException, OnUnreadable, Policy, Scopes, TimeWindow,
};
use ocpp::{Limits, Version, catalogue};

use super::scope;
use super::source::Placed;
use super::table::Section;
use crate::nearest;

pub(super) fn policy(
    mut controls: Section<'_>,
    mut messages: Section<'_>,
    rated: Section<'_>,
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
        rates: rates(rated, d.rates),
        scopes,
        ..d
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

/// `[rates]`: how much of each kind a session may say.
fn rates(mut section: Section<'_>, mut rates: Rates) -> Rates {
    for class in Class::ALL {
        let (burst, per_minute) = class.settings();
        let rate = rates.of_mut(*class);
        rate.burst = number(&mut section, burst, 1..=1_000_000, rate.burst);
        let flow = 1..=u64::from(Rate::PER_MINUTE_MAX);
        rate.per_minute = number(&mut section, per_minute, flow, rate.per_minute);
    }
    let ways = [("refuse", Over::Refuse), ("slow", Over::Slow)];
    rates.over = section.choice("over", &ways, rates.over);
    section.finish();
    rates
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

/// `[timestamps]`
pub(super) fn times(mut section: Section<'_>) -> TimeWindow {
    let usual = TimeWindow::default();
    let window = TimeWindow {
        future: section.seconds("future_seconds", 1..=86_400, usual.future),
        past: days(&mut section, "past_days", usual.past),
        late: days(&mut section, "late_days", usual.late),
        late_for: section.seconds("late_for_seconds", 0..=604_800, usual.late_for),
        csms: section.seconds("csms_clock_seconds", 1..=86_400, usual.csms),
    };
    section.finish();
    window
}

const DAY_SECONDS: u64 = 24 * 60 * 60;

fn days(section: &mut Section<'_>, key: &'static str, usual: Duration) -> Duration {
    let days = section.number(key, 1..=3650, usual.as_secs() / DAY_SECONDS);
    Duration::from_secs(days * DAY_SECONDS)
}

/// `[backend_urls]`
pub(super) fn backends(mut section: Section<'_>) -> Vec<BackendUrl> {
    let allow = section.texts("allow");
    if let Some(beyond) = allow.get(BackendUrl::ALLOWED_MAX) {
        section.problem(
            beyond.line,
            format!("more than {} addresses", BackendUrl::ALLOWED_MAX),
            "Name the path that they have in common: an address stands for all below it.",
        );
    }
    let mut backends = Vec::new();
    for text in allow {
        match BackendUrl::parse(&text.value) {
            Some(address) => backends.push(address),
            None => section.problem(
                text.line,
                format!("`allow` holds \"{}\"", text.value),
                "Write whole addresses without user information: allow = [\"wss://gate.example/ocpp\"]",
            ),
        }
    }
    section.finish();
    backends
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
