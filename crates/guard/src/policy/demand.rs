//! A station that came in by an exception with a Boot demand: until it has said what the exception
//! demands, nothing of it goes on (A01). This is identity, so no control switches it.

use ocpp::{Action, Call, ErrorCode, Facts, Meaning, Message, Side};

use super::billing::is_billing;
use crate::admission::{BootDemand, wanted};
use crate::describe::describe;
use crate::verdict::Owed;
use crate::{Judgement, Reason, Refusal, StationState, Verdict};

/// How a session stands to what its exception demands of its BootNotification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is demanded.
    #[default]
    Free,
    /// It is, and has not been said.
    Owed,
    /// It has been said; whoever says otherwise later is somebody else.
    Met,
}

/// Judges a message by the demand alone; `None`: it is judged like any other. Whoever has not booted
/// may be asked to (`TriggerMessage`), and answer that; the CSMS is kept from telling it anything else,
/// such as a new password.
pub(super) fn judge<'m>(message: &Message<'m>, state: &mut StationState) -> Option<Judgement<'m>> {
    if state.demand == Standing::Free {
        return None;
    }
    let (Message::Call(call) | Message::Send(call)) = message else {
        return None;
    };
    match call.from {
        Side::Station if is(call, "BootNotification") => {
            let session = state.session.as_ref()?;
            let demand = session.exception.as_ref()?.boot.as_ref()?;
            if !keeps(demand, &call.facts) {
                let verdict = Verdict::Disconnect(Reason::BootDemand);
                return Some(judgement(message, call, verdict));
            }
            state.demand = Standing::Met;
            None
        }
        _ if state.demand == Standing::Met => None,
        Side::Csms if asks_for_boot(call) => None,
        Side::Station | Side::Csms => {
            let verdict = Verdict::Refuse(refusal(message, call, state));
            Some(judgement(message, call, verdict))
        }
    }
}

fn is(call: &Call<'_>, name: &str) -> bool {
    matches!(call.action, Action::Known(known) if known.name == name)
}

fn asks_for_boot(call: &Call<'_>) -> bool {
    let asks = is(call, "TriggerMessage") || is(call, "ExtendedTriggerMessage");
    asks && call.facts.first(Meaning::Kind) == Some("BootNotification")
}

/// Whether a BootNotification says what is demanded. Of a station's serial numbers (1.6 has two) one
/// must fit; its meter's is none.
fn keeps(demand: &BootDemand, facts: &Facts<'_>) -> bool {
    let said = |meaning| facts.first(meaning).map(ocpp::unescape);
    let (maker, model) = (said(Meaning::Maker), said(Meaning::Model));
    let mut serials = facts.iter().filter(|fact| {
        fact.field.meaning == Meaning::Serial && fact.field.name != "meterSerialNumber"
    });
    let serial = demand.serial.is_none()
        || serials.any(|fact| {
            let text = ocpp::unescape(facts.text(fact));
            wanted(demand.serial.as_deref(), Some(&text))
        });
    wanted(demand.maker.as_deref(), maker.as_deref())
        && wanted(demand.model.as_deref(), model.as_deref())
        && serial
}

fn refusal(message: &Message<'_>, call: &Call<'_>, state: &StationState) -> Refusal {
    let code = ErrorCode::SecurityError;
    let owes = matches!(message, Message::Call(_)) && !state.exchange.is_open(call.from, call.id);
    let description = match call.from {
        Side::Station => "a BootNotification is awaited first",
        Side::Csms => "the station has not sent the BootNotification that is awaited of it",
    };
    Refusal {
        control: None,
        fault: None,
        code,
        owed: owes.then(|| Owed {
            to: call.from,
            is_answer: true,
            code,
            version: state.version(),
            id: call.id.to_owned(),
            description: description.to_owned(),
        }),
        rejects: None,
    }
}

fn judgement<'m>(message: &Message<'m>, call: &Call<'m>, verdict: Verdict<'m>) -> Judgement<'m> {
    let (kind, action) = describe(message);
    Judgement {
        change: None,
        verdict,
        findings: Vec::new(),
        faults: Vec::new(),
        kind,
        action,
        bytes: u32::try_from(call.frame.bytes().len()).unwrap_or(u32::MAX),
        latency: None,
        model: None,
        to_keep: call.from == Side::Station && is_billing(call),
    }
}
