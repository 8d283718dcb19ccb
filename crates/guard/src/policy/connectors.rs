//! The `connectors` control: numbers of connectors that the station has (C07). How many it has is
//! known where it has said so itself, in 1.6 as `NumberOfConnectors`; unknown is never out of range.

use ocpp::{Call, ErrorCode, Meaning, Version};

use super::call::known;
use super::case::{Case, Charge, Court};
use crate::Control;
use crate::memory::number;

pub(super) fn examine(court: &Court<'_>, call: &Call<'_>, case: &mut Case) {
    let begins = known(call.action).is_some_and(|facts| facts.name == "StartTransaction");
    let connectors = court.state.memory().connectors();
    if connectors.is_none() && !begins {
        return;
    }
    if court.state.version() != Version::V16 {
        return;
    }
    let Some(connector) = call.facts.first(Meaning::Connector).and_then(number) else {
        return;
    };
    let objection = if begins && connector == 0 {
        Some(("zero", "a transaction on connector 0, which is the station"))
    } else if connector < 0 {
        Some(("negative", "a connector with a negative number"))
    } else if connectors.is_some_and(|many| connector > i64::from(many)) {
        Some(("beyond", "a connector beyond those that the station has"))
    } else {
        None
    };
    if let Some((kind, what)) = objection {
        let mut charge = Charge::of(kind, ErrorCode::PropertyConstraintViolation, what);
        charge.path = "connectorId".to_owned();
        case.object(court, Control::Connectors, charge);
    }
}
