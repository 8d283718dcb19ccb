//! A refused message that an operator releases: sent to the CSMS in the station's live session when
//! its turn has come, and answered to the operator alone. The station has had its error long ago.

use guard::{Secret, Verdict};
use ocpp::{AnswerOutcome, Frame, Message, Side};
use tokio::sync::oneshot;

use super::conversation::{Conversation, Desk, read};
use crate::counters::count;

/// What became of a released message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// The CSMS took it.
    Accepted,
    /// The CSMS answered with a CALLERROR; its code, where it is one of OCPP's.
    Error(Option<&'static str>),
    /// The CSMS did not answer in time; it may have taken it.
    Unanswered,
    /// It was not sent; why.
    NotSent(String),
}

/// One message on its way, and who waits for what becomes of it.
pub(crate) struct Release {
    text: Secret,
    told: Option<oneshot::Sender<Released>>,
    /// The id it was sent under; `None` while it waits for its turn.
    sent: Option<Box<str>>,
    /// The station has sent it once more meanwhile, and waits for the answer, too.
    station_waits: bool,
}

impl Release {
    /// A release, and where its outcome is told. No outcome: the session has ended.
    pub(crate) fn of(text: Secret) -> (Release, oneshot::Receiver<Released>) {
        let (told, outcome) = oneshot::channel();
        let release = Release {
            text,
            told: Some(told),
            sent: None,
            station_waits: false,
        };
        (release, outcome)
    }

    /// Tells whoever waits; who waits no longer needs no word.
    pub(super) fn tell(mut self, outcome: Released) {
        if let Some(told) = self.told.take() {
            let _ = told.send(outcome);
        }
    }

    fn answers(&self, message: &Message<'_>) -> Option<Released> {
        let id = self.sent.as_ref()?;
        let answer = match message {
            Message::Answer(answer) => answer,
            // It closes the CALL like any other, and may have been a yes.
            Message::Unreadable(unreadable) => {
                let answered = unreadable.refused.filter(|refused| !refused.wants_answer);
                let is_it = answered.is_some_and(|refused| refused.id == &**id);
                return (unreadable.from == Side::Csms && is_it).then_some(Released::Unanswered);
            }
            Message::Call(_) | Message::Send(_) => return None,
        };
        if answer.from != Side::Csms || answer.id != &**id {
            return None;
        }
        match answer.outcome {
            AnswerOutcome::Result => Some(Released::Accepted),
            AnswerOutcome::Error => {
                let code = answer.error_code.and_then(ocpp::ErrorCode::read);
                Some(Released::Error(
                    code.map(|code| code.spelled(ocpp::Version::V21)),
                ))
            }
            AnswerOutcome::ResultError => None,
        }
    }
}

impl Conversation {
    /// Takes up a release. A second one waits at the operator's side.
    pub(super) fn take_release(&mut self, release: Box<Release>, desk: &mut Desk<'_>) {
        if self.release.is_some() {
            let why = "another release of this station is under way".to_owned();
            release.tell(Released::NotSent(why));
            return;
        }
        self.release = Some(release);
        self.release_next(desk);
    }

    /// Sends the released message if its turn has come; gives up on an answer whose time is over.
    pub(super) fn release_next(&mut self, desk: &mut Desk<'_>) {
        let Some(release) = &self.release else {
            return;
        };
        let in_flight = self.state.call_in_flight(Side::Station, desk.now);
        match &release.sent {
            Some(_) if in_flight => {}
            Some(_) => self.settle(Released::Unanswered),
            None if in_flight || !self.from_station.is_empty() => {}
            None => self.send_release(desk),
        }
    }

    fn send_release(&mut self, desk: &mut Desk<'_>) {
        let Some(mut release) = self.release.take() else {
            return;
        };
        let frame = Frame::text(release.text.expose());
        let message = read(frame, Side::Station, &self.state, desk.policy, desk.reader);
        let id = match &message {
            Message::Call(call) => Some(Box::<str>::from(call.id)),
            _ => None,
        };
        match desk.policy.release(message, &mut self.state, desk.now) {
            Ok(judgement) => match &judgement.verdict {
                Verdict::Forward(cleared) => {
                    count(&self.gate.counters.forwarded);
                    desk.outbox.forward(Side::Csms, cleared);
                    release.sent = id;
                    self.release = Some(release);
                }
                _ => release.tell(Released::NotSent("it is refused again".to_owned())),
            },
            Err(why) => release.tell(Released::NotSent(why.to_string())),
        }
        self.put_back_memory();
    }

    /// Whether this is the CSMS's answer to a released message: it is judged, so that its CALL is
    /// closed, and goes no further, unless the station has asked under that id, too.
    pub(super) fn takes_for_release(
        &mut self,
        from: Side,
        frame: Frame<'_>,
        desk: &mut Desk<'_>,
    ) -> bool {
        let Some(release) = &mut self.release else {
            return false;
        };
        let message = read(frame, from, &self.state, desk.policy, desk.reader);
        if let (Some(id), Message::Call(call)) = (&release.sent, &message)
            && call.from == Side::Station
        {
            // What is joined, or refused under the id of an open CALL, gets no word of ours: the answer
            // that comes is the station's as well.
            release.station_waits |= call.id == &**id;
            return false;
        }
        let Some(outcome) = release.answers(&message) else {
            return false;
        };
        if release.station_waits {
            self.settle(outcome);
            return false;
        }
        let _ = desk
            .policy
            .judge(message, desk.now, &mut self.state, desk.now);
        self.state.was_not_heard();
        self.put_back_memory();
        self.settle(outcome);
        true
    }

    fn settle(&mut self, outcome: Released) {
        if let Some(release) = self.release.take() {
            release.tell(outcome);
        }
    }
}
