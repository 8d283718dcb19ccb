//! A CALLRESULT, CALLERROR or CALLRESULTERROR: does it belong to a CALL, and does it keep that
//! CALL's schema?

use ocpp::{Answer, AnswerOutcome, ErrorCode, Message, Side};

use super::Policy;
use super::billing::answers_billing;
use super::case::{Case, Charge, Court};
use crate::describe::known;
use crate::verdict::Owed;
use crate::{Cleared, Control, Judgement, Moment, Refusal, StationState, Verdict, describe};

impl Policy {
    pub(super) fn judge_answer<'m>(
        &self,
        answer: Answer<'m>,
        state: &mut StationState,
        now: Moment,
    ) -> Judgement<'m> {
        let asker = asker(&answer);
        let belongs = match answer.outcome {
            AnswerOutcome::ResultError => state.exchange.may_reject(asker, answer.id),
            AnswerOutcome::Result | AnswerOutcome::Error => {
                state.exchange.is_open(asker, answer.id)
            }
        };
        let case = self.examine_answer(&answer, belongs, state);
        let refused = case.ground.is_some();
        let mut latency = None;
        match answer.outcome {
            AnswerOutcome::ResultError => {
                state.exchange.reject(asker, answer.id);
            }
            AnswerOutcome::Result | AnswerOutcome::Error => {
                let by_result = answer.outcome == AnswerOutcome::Result && !refused;
                latency = state
                    .exchange
                    .close(asker, answer.id, by_result, now.elapsed);
            }
        }
        if refused {
            // Whoever asked still waits, and this answer will not come: we say so under its id.
            let to = latency.is_some().then_some(asker);
            return refuse(answer, case, to, state);
        }
        if answer.outcome == AnswerOutcome::Result {
            state.answered(answer.action, &answer.facts);
        }
        let verdict = Verdict::Forward(Cleared::new(answer.frame));
        judgement(answer, case, verdict, latency, state)
    }

    fn examine_answer(&self, answer: &Answer<'_>, belongs: bool, state: &StationState) -> Case {
        let mut case = Case::default();
        let is_billing = || answers_billing(answer);
        let court = Court {
            policy: self,
            state,
            action: known(answer.action),
            is_billing: &is_billing,
        };
        if !belongs {
            let (kind, what) = match answer.outcome {
                AnswerOutcome::Result | AnswerOutcome::Error => {
                    ("unasked", "an answer to no open CALL")
                }
                AnswerOutcome::ResultError => (
                    "unasked-rejection",
                    "the rejection of a result that was not given last",
                ),
            };
            let charge = Charge::of(kind, ErrorCode::ProtocolError, what);
            case.object(&court, Control::Correlation, charge);
        }
        if !answer.faults.is_empty() {
            case.object_schema(&court, answer.faults, "in the answer, ");
        }
        case
    }
}

/// Who sent the CALL that an answer speaks of.
fn asker(answer: &Answer<'_>) -> Side {
    match answer.outcome {
        AnswerOutcome::Result | AnswerOutcome::Error => answer.from.other(),
        AnswerOutcome::ResultError => answer.from,
    }
}

/// Refuses an answer. The answerer is told nothing, since an answer is never answered.
fn refuse<'m>(
    answer: Answer<'m>,
    mut case: Case,
    to: Option<Side>,
    state: &StationState,
) -> Judgement<'m> {
    let Some(ground) = case.ground.take() else {
        let verdict = Verdict::Forward(Cleared::new(answer.frame));
        return judgement(answer, case, verdict, None, state);
    };
    let verdict = Verdict::Refuse(Refusal {
        control: Some(ground.control),
        fault: None,
        // The asker's own message was sound: a code that blames its form would mislead it.
        code: match to {
            Some(_) => ErrorCode::InternalError,
            None => ground.code,
        },
        owed: to.map(|to| Owed {
            to,
            version: state.version(),
            id: answer.id.to_owned(),
            description: ground.description,
        }),
    });
    judgement(answer, case, verdict, None, state)
}

fn judgement<'m>(
    answer: Answer<'m>,
    case: Case,
    verdict: Verdict<'m>,
    latency: Option<std::time::Duration>,
    state: &StationState,
) -> Judgement<'m> {
    let bytes = u32::try_from(answer.frame.bytes().len()).unwrap_or(u32::MAX);
    let faults = answer.faults.to_vec();
    let (kind, action) = describe(&Message::Answer(answer));
    Judgement {
        verdict,
        model: state.model_for(&case.findings),
        findings: case.findings,
        faults,
        kind,
        action,
        bytes,
        latency,
    }
}
