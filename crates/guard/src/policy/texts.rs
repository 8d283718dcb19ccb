//! What a message says in words and numbers: one look by each control that reads them.

use ocpp::{Answer, Call, Facts, SchemaFault, Side};

use super::case::{Case, Court};
use super::{backend, injection, patches, timestamps};
use crate::Moment;

/// A message as these controls see it.
pub(super) struct Said<'m> {
    pub(super) from: Side,
    pub(super) frame: &'m [u8],
    pub(super) facts: Facts<'m>,
    pub(super) faults: &'m [SchemaFault],
    /// When it came, and when its turn came.
    pub(super) arrived: Moment,
    pub(super) now: Moment,
}

/// A CALL or a SEND.
pub(super) fn of_call(
    court: &Court<'_>,
    call: &Call<'_>,
    arrived: Moment,
    now: Moment,
    case: &mut Case,
) {
    let said = Said {
        from: call.from,
        frame: call.frame.bytes(),
        facts: call.facts,
        faults: call.faults,
        arrived,
        now,
    };
    injection::examine(court, &said, case);
    match call.from {
        Side::Station => timestamps::of_station(court, &said, case),
        Side::Csms => {
            patches::examine(court, &said, case);
            backend::examine(court, &said, case);
        }
    }
}

/// An answer.
pub(super) fn of_answer(court: &Court<'_>, answer: &Answer<'_>, now: Moment, case: &mut Case) {
    let said = Said {
        from: answer.from,
        frame: answer.frame.bytes(),
        facts: answer.facts,
        faults: answer.faults,
        arrived: now,
        now,
    };
    injection::examine(court, &said, case);
    if answer.from == Side::Csms {
        patches::examine(court, &said, case);
        timestamps::of_csms(court, &said, case);
    }
}
