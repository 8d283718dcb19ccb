//! Is this more than its sender may say of that kind?

use ocpp::{Call, ErrorCode};

use super::Policy;
use super::case::{Case, Charge};
use crate::rates::{Class, Over};
use crate::{Control, Mode, Moment, StationState};

impl Policy {
    /// Counts a message; its class, where its bucket is empty.
    pub(super) fn excess(
        &self,
        call: &Call<'_>,
        state: &mut StationState,
        now: Moment,
    ) -> Option<Class> {
        if self.mode(Control::Rate, state) == Mode::Off {
            return None;
        }
        let class = Class::of(call);
        let held = state.buckets.take(&self.rates, class, now.elapsed);
        (!held).then_some(class)
    }

    /// Objects to a message whose bucket is empty: it is refused, or its sender is slowed.
    pub(super) fn object_rate(
        &self,
        call: &Call<'_>,
        class: Class,
        case: &mut Case,
        state: &mut StationState,
        now: Moment,
    ) {
        let is_billing = || class == Class::Billing;
        let court = self.court(call, state, &is_billing);
        let what = format!("more {} than are borne", class.words());
        if class != Class::Billing && self.rates.over == Over::Refuse {
            let charge = Charge::of("too-many", ErrorCode::GenericError, &what);
            return case.object(&court, Control::Rate, charge);
        }
        let charge = Charge::of("too-many", ErrorCode::GenericError, &what);
        if case.note(&court, Control::Rate, charge) {
            let from = call.from;
            state.buckets.slow(&self.rates, class, from, now.elapsed);
        }
    }
}
