//! The `registration` control: who has not been accepted by its CSMS keeps silent, and is left alone
//! (B10; 1.6: 4.2; 2.x: B02, B03).
//!
//! The state changes with the CSMS's answer and not with the question, so a station that sends its
//! BootNotification and more right behind it is judged by what holds when each one's turn comes.

use ocpp::{Action, Call, ErrorCode, Side};

use super::call::known;
use super::case::{Case, Charge, Court};
use crate::{Control, Moment, Registration};

pub(super) fn examine(
    court: &Court<'_>,
    call: &Call<'_>,
    arrived: Moment,
    now: Moment,
    case: &mut Case,
) {
    // Nearly every station is accepted, and is asked nothing more.
    if !court.state.memory().registration.must_wait() {
        return;
    }
    let registration = court.state.registration(arrived, now);
    let name = known(call.action).map_or("", |facts| facts.name);
    let objection = match (registration, call.from) {
        (Registration::Unknown | Registration::Accepted, _) => None,
        (_, Side::Station) if name == "BootNotification" => None,
        (Registration::Pending, Side::Station) if is_instructed(court, call) => None,
        (Registration::Pending, Side::Station) => Some((
            "sent-while-pending",
            "sent before the CSMS has accepted the station",
        )),
        (Registration::Rejected, Side::Station) => Some((
            "sent-while-rejected",
            "sent although the CSMS has rejected the station",
        )),
        (Registration::Pending, Side::Csms) if begins_or_ends(name) => Some((
            "transaction-while-pending",
            "a transaction asked of a station that is not accepted yet",
        )),
        (Registration::Pending, Side::Csms) => None,
        (Registration::Rejected, Side::Csms) => Some((
            "asked-while-rejected",
            "asked of a station that the CSMS has rejected",
        )),
    };
    if let Some((kind, what)) = objection {
        let charge = Charge::of(kind, ErrorCode::SecurityError, what);
        case.object(court, Control::Registration, charge);
    }
}

fn is_instructed(court: &Court<'_>, call: &Call<'_>) -> bool {
    match call.action {
        Action::Known(facts) => court.state.is_instructed(facts),
        Action::Unknown(_) => false,
    }
}

/// What 1.6 (4.2) and 2.x (B02.FR.05) forbid a CSMS to ask of a station that is pending.
fn begins_or_ends(name: &str) -> bool {
    matches!(
        name,
        "RemoteStartTransaction"
            | "RemoteStopTransaction"
            | "RequestStartTransaction"
            | "RequestStopTransaction"
    )
}
