//! An order that points a station to another CSMS (A14): a configuration key by its name, a value that
//! is a WebSocket URL under whatever key, or a network profile.

use ocpp::{ErrorCode, Fact, Meaning, Side};

use super::case::{Case, Charge, Court};
use super::place::place;
use super::texts::Said;
use crate::Control;
use crate::backend_url::{Pointed, points};
use crate::rules::KeysFor;

/// Objections to one message at most.
const OBJECTIONS_MAX: usize = 8;

pub(super) fn examine(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    debug_assert_eq!(said.from, Side::Csms, "only a CSMS orders");
    match court.action {
        "ChangeConfiguration" | "SetVariables" => of_configuration(court, said, case),
        "SetNetworkProfile" => {
            let facts = said.facts.iter();
            let urls = facts.filter(|fact| fact.field.name == "ocppCsmsUrl");
            for fact in urls.take(OBJECTIONS_MAX) {
                judge(court, said, fact, case);
            }
        }
        _ => {}
    }
}

fn of_configuration(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    let of = |meaning| {
        let facts = said.facts.iter();
        facts.filter(move |fact| fact.field.meaning == meaning)
    };
    let by_value = of(Meaning::ConfigValue).filter(|value| is_websocket(said.facts.text(value)));
    for value in by_value.take(OBJECTIONS_MAX) {
        judge(court, said, value, case);
    }
    let keys = court.policy.rules.keys();
    let by_name =
        of(Meaning::ConfigKey).filter(|key| keys.is_for(said.facts.text(key), KeysFor::Backend));
    for key in by_name.take(OBJECTIONS_MAX) {
        // In 1.6 key and value stand in one object; in 2.x the key's was opened inside the value's.
        let values = of(Meaning::ConfigValue).filter(|value| value.object <= key.object);
        let value = values.max_by_key(|value| value.object);
        if let Some(value) = value.filter(|value| !is_websocket(said.facts.text(value))) {
            judge(court, said, value, case);
        }
    }
}

fn is_websocket(value: &str) -> bool {
    let value = ocpp::unescape(value);
    let value = value.trim_start();
    ["ws://", "wss://"].iter().any(|scheme| {
        let start = value.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

fn judge(court: &Court<'_>, said: &Said<'_>, value: &Fact, case: &mut Case) {
    let text = ocpp::unescape(said.facts.text(value));
    let (kind, what) = match points(&text, &court.policy.backends) {
        Pointed::Home => return,
        Pointed::HomeWithUserinfo => ("userinfo", "user information in the address of a CSMS"),
        Pointed::Away => ("not-allowed", "the address of a CSMS that is not allowed"),
        Pointed::AwayWithUserinfo => (
            "not-allowed-with-userinfo",
            "the address of a CSMS that is not allowed, with user information",
        ),
        Pointed::Nowhere => (
            "no-url",
            "a CSMS's address that cannot be read without doubt",
        ),
    };
    let path = place(said.frame, value.start as usize);
    if case.has(Control::BackendUrl, kind, &path) {
        return;
    }
    let charge = Charge {
        what: format!("{what}: {path}"),
        path,
        ..Charge::of(kind, ErrorCode::SecurityError, what)
    };
    case.object(court, Control::BackendUrl, charge);
}
