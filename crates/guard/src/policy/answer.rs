//! A CALLRESULT, CALLERROR or CALLRESULTERROR: does it belong to a CALL, and does it keep that
//! CALL's schema?

use ocpp::{Answer, AnswerOutcome, ErrorCode, Message, Side, Version};

use super::billing::answers_billing;
use super::case::{Case, Charge, Court};
use super::{Policy, texts};
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
        let case = self.examine_answer(&answer, belongs, state, now);
        // Also where the answer does not pass: it is the station's word on what it does.
        let change = if belongs { state.takes(&answer) } else { None };
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
            return Judgement {
                change,
                ..refuse(answer, case, to, state)
            };
        }
        if answer.outcome == AnswerOutcome::Result {
            state.answered(&answer, now);
            state.clock.answered(answer.action, now);
        }
        let verdict = Verdict::Forward(Cleared::new(answer.frame));
        Judgement {
            change,
            ..judgement(answer, case, verdict, latency, state)
        }
    }

    fn examine_answer(
        &self,
        answer: &Answer<'_>,
        belongs: bool,
        state: &StationState,
        now: Moment,
    ) -> Case {
        let mut case = Case::default();
        let is_billing = || answers_billing(answer);
        let court = Court {
            policy: self,
            state,
            action: known(answer.action),
            is_billing: &is_billing,
            boot: None,
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
        texts::of_answer(&court, answer, now, &mut case);
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

/// Refuses an answer: the asker, if there is one, gets our error in its place. An answer is never
/// answered, but OCPP 2.1 has a word to whoever gave a result that could not be used.
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
    let in_place = to.map(|to| InPlace {
        to,
        version: state.version(),
        id: answer.id,
        code: ground.code,
        description: &ground.description,
        was_result: answer.outcome == AnswerOutcome::Result,
    });
    let verdict = Verdict::Refuse(Refusal {
        control: Some(ground.control),
        fault: None,
        code: in_place
            .as_ref()
            .map_or(ground.code, |_| ErrorCode::InternalError),
        owed: in_place.as_ref().map(InPlace::error),
        rejects: in_place.as_ref().and_then(InPlace::rejection),
    });
    judgement(answer, case, verdict, None, state)
}

/// What is said in place of an answer that does not pass.
pub(super) struct InPlace<'a> {
    /// Whoever asked.
    pub(super) to: Side,
    pub(super) version: Version,
    pub(super) id: &'a str,
    /// What was wrong with the answer.
    pub(super) code: ErrorCode,
    pub(super) description: &'a str,
    /// It was a CALLRESULT.
    pub(super) was_result: bool,
}

impl InPlace<'_> {
    /// To whoever asked. Its own message was sound: a code that blames its form would mislead it.
    pub(super) fn error(&self) -> Owed {
        Owed {
            to: self.to,
            is_answer: true,
            code: ErrorCode::InternalError,
            version: self.version,
            id: self.id.to_owned(),
            description: self.description.to_owned(),
        }
    }

    /// To whoever answered; only 2.1 knows CALLRESULTERROR.
    pub(super) fn rejection(&self) -> Option<Owed> {
        let may = self.version == Version::V21 && self.was_result;
        may.then(|| Owed {
            to: self.to.other(),
            is_answer: false,
            code: self.code,
            ..self.error()
        })
    }
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
        to_keep: false,
        change: None,
        findings: case.findings,
        faults,
        kind,
        action,
        bytes,
        latency,
    }
}
