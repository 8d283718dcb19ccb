//! The `transactions` control: a transaction is spoken of by the station that has it (C04), and a
//! connector has one at a time (C08).
//!
//! In 1.6 the CSMS gives out the ids, so a station that names one that was given to another speaks of
//! what is not its own. In 2.x each station makes its own, and none is foreign. What nobody remembers
//! is nobody else's.

use ocpp::{Call, ErrorCode, Meaning, Side, Version};

use super::call::known;
use super::case::{Case, Charge, Court};
use crate::Control;
use crate::memory::{OpenTransaction, number};
use crate::state::{place_of, start_mark};

pub(super) fn examine(court: &Court<'_>, call: &Call<'_>, case: &mut Case) {
    if call.from != Side::Station {
        return;
    }
    let objection = match known(call.action).map_or("", |facts| facts.name) {
        "StopTransaction" | "MeterValues" if is_foreign(court, call) => Some((
            "foreign",
            "it speaks of a transaction that another station has",
        )),
        "StartTransaction" | "TransactionEvent" if is_second(court, call) => Some((
            "second-on-connector",
            "it begins a transaction where one is open",
        )),
        _ => None,
    };
    if let Some((kind, what)) = objection {
        let charge = Charge::of(kind, ErrorCode::SecurityError, what);
        case.object(court, Control::Transactions, charge);
    }
}

/// Whoever knows all stations' transactions has been asked before.
fn is_foreign(court: &Court<'_>, call: &Call<'_>) -> bool {
    let Some(foreign) = court.state.foreign else {
        return false;
    };
    let id = call.facts.first(Meaning::TransactionId).and_then(number);
    id == Some(foreign.get()) && court.state.version() == Version::V16
}

/// Only where the station is sure to know of the open one, and says something new: after an outage it
/// sends once more what may not have arrived.
fn is_second(court: &Court<'_>, call: &Call<'_>) -> bool {
    let transactions = court.state.memory().transactions();
    if transactions.open().is_empty() {
        return false;
    }
    let meaning = match court.state.version() {
        Version::V16 => Meaning::Connector,
        Version::V201 | Version::V21 => Meaning::Evse,
    };
    let place = place_of(&call.facts, meaning).filter(|place| *place > 0);
    let Some(open) = place.and_then(|place| transactions.at(place)) else {
        return false;
    };
    open.sure && is_another(court, call, open)
}

fn is_another(court: &Court<'_>, call: &Call<'_>, open: &OpenTransaction) -> bool {
    if court.state.version() == Version::V16 {
        return open.start != start_mark(&call.facts);
    }
    let mut kinds = call.facts.iter();
    let kind = kinds.find(|fact| fact.field.name == "eventType");
    let begins = kind.is_some_and(|fact| call.facts.text(fact) == "Started");
    let id = call.facts.first(Meaning::TransactionId);
    begins && id.is_some_and(|id| !open.id.is(id))
}
