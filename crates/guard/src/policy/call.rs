//! A CALL or a SEND: is it this side's to send, does it keep its schema, is its id its own, and did
//! it wait too long?

use ocpp::{Action, Call, ErrorCode, Recall, Side};

use super::billing::is_billing;
use super::case::{Case, Charge, Court};
use super::{Policy, boot_identity, connectors, registration, texts, transactions};
use crate::describe::UNKNOWN_ACTION;
use crate::verdict::Owed;
use crate::{
    Cleared, Control, Judgement, MessageKind, Mode, Moment, Refusal, StationState, Verdict,
};

impl Policy {
    pub(super) fn judge_call<'m>(
        &self,
        call: Call<'m>,
        arrived: Moment,
        state: &mut StationState,
        now: Moment,
    ) -> Judgement<'m> {
        let key = state.exchange.key(call.id, call.frame.bytes());
        let recall = state.exchange.recall(call.from, key, now.elapsed);
        let excess = self.excess(&call, state, now);
        let mut case = self.examine_call(&call, arrived, recall, state, now);
        if let Some(class) = excess {
            self.object_rate(&call, class, &mut case, state, now);
        }
        if let Some(ground) = &case.ground {
            state.is_imposter |= ground.control == Control::BootSerial;
            return refuse(MessageKind::Call, &call, case, state);
        }
        let joins =
            recall == Recall::InFlight && self.mode(Control::Correlation, state) == Mode::Enforce;
        if joins {
            return judgement(MessageKind::Call, &call, case, Verdict::Join, state);
        }
        let action = known(call.action);
        let (since, time_out) = (now.elapsed, self.call_timeout);
        let exchange = &mut state.exchange;
        exchange.open(call.from, key, recall, action, since, time_out);
        let mut change = None;
        match (call.from, action) {
            (Side::Csms, Some(action)) => {
                state.asked(action, &call.facts, now);
                change = state.gives(call.id, action, &call.facts);
            }
            (Side::Station, Some(action)) => state.told(action, &call),
            (_, None) => {}
        }
        Judgement {
            change,
            ..forward(MessageKind::Call, &call, case, state)
        }
    }

    /// A SEND wants no answer, so no id of it can lead an answer astray: it is neither correlated nor
    /// made to wait.
    pub(super) fn judge_send<'m>(
        &self,
        send: Call<'m>,
        arrived: Moment,
        state: &mut StationState,
        now: Moment,
    ) -> Judgement<'m> {
        let excess = self.excess(&send, state, now);
        let mut case = Case::default();
        let is_billing = || is_billing(&send);
        let court = self.court(&send, state, &is_billing);
        examine(&court, &send, &mut case);
        texts::of_call(&court, &send, arrived, now, &mut case);
        registration::examine(&court, &send, arrived, now, &mut case);
        if let Some(class) = excess {
            self.object_rate(&send, class, &mut case, state, now);
        }
        if case.ground.is_some() {
            return refuse(MessageKind::Send, &send, case, state);
        }
        forward(MessageKind::Send, &send, case, state)
    }

    /// Whether a CALL repeats one that is still in flight and would be joined to it.
    pub(super) fn joins(&self, call: &Call<'_>, state: &StationState, now: Moment) -> bool {
        if self.mode(Control::Correlation, state) != Mode::Enforce {
            return false;
        }
        let key = state.exchange.key(call.id, call.frame.bytes());
        state.exchange.recall(call.from, key, now.elapsed) == Recall::InFlight
    }

    fn examine_call(
        &self,
        call: &Call<'_>,
        arrived: Moment,
        recall: Recall,
        state: &StationState,
        now: Moment,
    ) -> Case {
        let mut case = Case::default();
        let is_billing = || is_billing(call);
        let court = self.court(call, state, &is_billing);
        examine(&court, call, &mut case);
        texts::of_call(&court, call, arrived, now, &mut case);
        boot_identity::examine(&court, call, &mut case);
        registration::examine(&court, call, arrived, now, &mut case);
        transactions::examine(&court, call, &mut case);
        connectors::examine(&court, call, &mut case);
        if recall == Recall::OtherBody {
            let what = "a message id that was used for another CALL";
            let charge = Charge::of("id-used-before", ErrorCode::ProtocolError, what);
            case.object(&court, Control::Correlation, charge);
        }
        if now.since(arrived) > self.call_timeout {
            let what = "waited longer than the call time-out behind another CALL";
            let charge = Charge::of("waited-too-long", ErrorCode::InternalError, what);
            case.object(&court, Control::Pipelining, charge);
        }
        case
    }

    pub(super) fn court<'c>(
        &'c self,
        call: &'c Call<'c>,
        state: &'c StationState,
        is_billing: &'c dyn Fn() -> bool,
    ) -> Court<'c> {
        let action = known(call.action).map_or(UNKNOWN_ACTION, |facts| facts.name);
        let boots = action == "BootNotification" && call.from == Side::Station;
        Court {
            policy: self,
            state,
            action,
            is_billing,
            boot: boots.then_some(&call.facts),
        }
    }
}

/// What direction and schema have to say.
fn examine(court: &Court<'_>, call: &Call<'_>, case: &mut Case) {
    if let Action::Known(facts) = call.action
        && !facts.sender.allows(call.from)
    {
        let what = match call.from {
            Side::Station => "an action that only the CSMS sends",
            Side::Csms => "an action that only the station sends",
        };
        let charge = Charge::of("wrong-side", ErrorCode::NotSupported, what);
        case.object(court, Control::Direction, charge);
    }
    if !call.faults.is_empty() {
        case.object_schema(court, call.faults, "");
    }
}

pub(super) fn known(action: Action<'_>) -> Option<&'static ocpp::catalogue::ActionFacts> {
    match action {
        Action::Known(facts) => Some(facts),
        Action::Unknown(_) => None,
    }
}

fn forward<'m>(
    kind: MessageKind,
    call: &Call<'m>,
    case: Case,
    state: &StationState,
) -> Judgement<'m> {
    let verdict = Verdict::Forward(Cleared::new(call.frame));
    judgement(kind, call, case, verdict, state)
}

/// Refuses a CALL or a SEND. For a SEND nothing is owed; nor is it for a CALL under whose id another
/// one is open, since our error would be taken for the other's answer.
fn refuse<'m>(
    kind: MessageKind,
    call: &Call<'m>,
    mut case: Case,
    state: &StationState,
) -> Judgement<'m> {
    let Some(ground) = case.ground.take() else {
        return forward(kind, call, case, state);
    };
    let owes = kind == MessageKind::Call && !state.exchange.is_open(call.from, call.id);
    let verdict = Verdict::Refuse(Refusal {
        control: Some(ground.control),
        fault: None,
        code: ground.code,
        owed: owes.then(|| Owed {
            to: call.from,
            is_answer: true,
            code: ground.code,
            version: state.version(),
            id: call.id.to_owned(),
            description: ground.description,
        }),
        rejects: None,
    });
    Judgement {
        to_keep: call.from == Side::Station && is_billing(call),
        ..judgement(kind, call, case, verdict, state)
    }
}

fn judgement<'m>(
    kind: MessageKind,
    call: &Call<'m>,
    case: Case,
    verdict: Verdict<'m>,
    state: &StationState,
) -> Judgement<'m> {
    Judgement {
        verdict,
        model: state.model_for(&case.findings),
        to_keep: false,
        change: None,
        findings: case.findings,
        faults: call.faults.to_vec(),
        kind,
        action: known(call.action).map_or(UNKNOWN_ACTION, |facts| facts.name),
        bytes: u32::try_from(call.frame.bytes().len()).unwrap_or(u32::MAX),
        latency: None,
    }
}
