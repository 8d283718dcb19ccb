//! What two sides say to each other: every message read, judged, carried out and told.

use std::sync::Arc;
use std::time::Duration;

use guard::{
    Control, Event, Heard, Judgement, MessageEvent, MessageKind, Mode, Moment, Outcome, Policy,
    Secret, SessionFacts, StationState, Verdict,
};
use ocpp::{Frame, HardFault, Limits, Message, MessageType, Payload, Reader, Side};

use super::outbox::Outbox;
use super::release::Release;
use super::waiting::Waiting;
use crate::change;
use crate::counters::{add, count};
use crate::events::Ordinal;
use crate::gate::Gate;
use crate::kept::KeptMessage;
use crate::ws::WsError;

/// A text message must be UTF-8, or the connection fails: RFC 6455, 8.1 leaves no choice.
const END_NOT_UTF8: End = End::Protocol(WsError::TextNotUtf8);

/// One session's conversation, without its sockets.
pub(super) struct Conversation {
    pub(super) gate: Arc<Gate>,
    pub(super) session: Arc<SessionFacts>,
    pub(super) state: StationState,
    pub(super) from_station: Waiting,
    from_csms: Waiting,
    station_spoke: Duration,
    pub(super) release: Option<Box<Release>>,
}

/// Why a session must end; by whom, is known where it was asked to hear or to call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By policy.
    Policy(guard::Reason),
    /// RFC 6455 was broken.
    Protocol(WsError),
}

impl Conversation {
    pub(super) fn new(
        gate: Arc<Gate>,
        session: Arc<SessionFacts>,
        state: StationState,
        now: Moment,
    ) -> Conversation {
        Conversation {
            gate,
            session,
            state,
            from_station: Waiting::default(),
            from_csms: Waiting::default(),
            station_spoke: now.elapsed,
            release: None,
        }
    }

    /// A message came in: it waits for its turn, or is judged at once and carried out. Whoever calls
    /// this then calls [`Conversation::call_next`] for the other side, whose wait it may have ended.
    pub(super) fn hear(
        &mut self,
        from: Side,
        frame: Frame<'_>,
        desk: &mut Desk<'_>,
    ) -> Result<(), End> {
        let counters = &self.gate.counters;
        match from {
            Side::Station => {
                self.station_spoke = desk.now.elapsed;
                count(&counters.from_stations);
                add(&counters.bytes_from_stations, frame.bytes().len());
            }
            Side::Csms => {
                count(&counters.from_csms);
                add(&counters.bytes_from_csms, frame.bytes().len());
            }
        }
        // Whoever already waits goes first, also when the time of the CALL in flight has just run out.
        self.call_next(from, desk)?;
        if self.must_wait(from, frame, desk) {
            if self.repeats_waiting(from, frame, desk) {
                self.join(from, frame, desk);
                return Ok(());
            }
            count(&self.gate.counters.queued);
            self.waiting(from).push(frame.bytes(), desk.now);
            return Ok(());
        }
        self.judge(from, frame, desk.now, desk)
    }

    /// CALLs wait while another one of their direction is in flight, and SENDs behind waiting CALLs.
    /// Answers never wait: a CSMS that asks back before it answers would wait for itself.
    fn must_wait(&mut self, from: Side, frame: Frame<'_>, desk: &mut Desk<'_>) -> bool {
        let queued = !self.waiting(from).is_empty();
        if !queued && !self.state.call_in_flight(from, desk.now) {
            return false;
        }
        match ocpp::peek(frame.bytes()) {
            Some(MessageType::Call) => {
                let message = read(frame, from, &self.state, desk.policy, desk.reader);
                desk.policy.must_wait(&message, &self.state, desk.now)
            }
            // What waits, waits as a text; a binary frame is refused at once.
            Some(MessageType::Send) => queued && frame.payload() == Payload::Text,
            _ => false,
        }
    }

    /// Whether a CALL repeats one that still waits: the one answer will serve both, as it does for a
    /// repetition of the CALL in flight.
    fn repeats_waiting(&mut self, from: Side, frame: Frame<'_>, desk: &Desk<'_>) -> bool {
        desk.policy.mode(Control::Correlation, &self.state) == Mode::Enforce
            && ocpp::peek(frame.bytes()) == Some(MessageType::Call)
            && self.waiting(from).holds(frame.bytes())
    }

    fn join(&mut self, from: Side, frame: Frame<'_>, desk: &mut Desk<'_>) {
        count(&self.gate.counters.joined);
        let message = read(frame, from, &self.state, desk.policy, desk.reader);
        let (kind, action) = guard::describe(&message);
        let heard = Heard {
            text: frame.bytes(),
            facts: message.facts(),
        };
        let event = Event::Message(MessageEvent {
            at: desk.now,
            session: Arc::clone(&self.session),
            from,
            kind,
            action,
            bytes: u32::try_from(frame.bytes().len()).unwrap_or(u32::MAX),
            outcome: Outcome::Joined,
            findings: Vec::new(),
            latency: None,
            model: None,
        });
        self.gate.events.tell_heard(event, heard);
    }

    /// Judges waiting CALLs until one is in flight again.
    pub(super) fn call_next(&mut self, from: Side, desk: &mut Desk<'_>) -> Result<(), End> {
        while !self.waiting(from).is_empty() && !self.state.call_in_flight(from, desk.now) {
            let Some((call, arrived)) = self.waiting(from).pop() else {
                break;
            };
            self.judge(from, Frame::text(&call), arrived, desk)?;
        }
        if from == Side::Station {
            self.release_next(desk);
        }
        Ok(())
    }

    /// The side that asked is leaving: what it said before must not be lost with it.
    pub(super) fn call_all(&mut self, from: Side, desk: &mut Desk<'_>) -> Result<(), End> {
        while let Some((call, _)) = self.waiting(from).pop() {
            self.judge(from, Frame::text(&call), desk.now, desk)?;
        }
        Ok(())
    }

    fn judge(
        &mut self,
        from: Side,
        frame: Frame<'_>,
        arrived: Moment,
        desk: &mut Desk<'_>,
    ) -> Result<(), End> {
        if self.release.is_some() && self.takes_for_release(from, frame, desk) {
            return Ok(());
        }
        let message = read(frame, from, &self.state, desk.policy, desk.reader);
        if let Some(id) = self.state.asks_whose(&message) {
            let csms = self.state.csms();
            let anothers = self.gate.memories.is_anothers(&self.session, csms, id);
            self.state.is_of_another(anothers.then_some(id));
        }
        let heard = Heard {
            text: frame.bytes(),
            facts: message.facts(),
        };
        let mut judgement = desk
            .policy
            .judge(message, arrived, &mut self.state, desk.now);
        if let Some(change) = judgement.change.take() {
            // Before a byte of it leaves: the station may come back with the new one at once.
            change::take_part(&self.gate, &self.session, *change, desk.now);
        }
        if judgement.to_keep {
            self.keep(frame, &judgement, desk.now);
        }
        let done = carry_out(&judgement.verdict, from.other(), desk.outbox, &self.gate);
        desk.outbox
            .told(self.tell(from, judgement, heard, desk.now));
        self.put_back_memory();
        done
    }

    /// What was just learnt of the station outlives its session.
    pub(super) fn put_back_memory(&mut self) {
        if let Some(news) = self.state.take_news() {
            let memories = &self.gate.memories;
            memories.put_back(&self.session, &self.state, news);
        }
    }

    /// A refused message that money hangs on is not lost: whoever runs the gate may look at it.
    fn keep(&self, frame: Frame<'_>, judgement: &Judgement<'_>, now: Moment) {
        let (control, fault) = match judgement.outcome() {
            Outcome::Refused(control, fault) => (control, fault),
            _ => (None, None),
        };
        let found = judgement
            .findings
            .first()
            .map(|finding| finding.what.clone());
        let why = found.or_else(|| fault.map(|fault| fault.to_string()));
        self.gate.kept.put(KeptMessage {
            at: now,
            session: Arc::clone(&self.session),
            action: judgement.action,
            control,
            fault,
            why: why.unwrap_or_default(),
            text: Secret::new(frame.bytes().to_vec()),
        });
    }

    fn tell(&self, from: Side, judgement: Judgement<'_>, heard: Heard<'_>, now: Moment) -> Ordinal {
        let outcome = judgement.outcome();
        if !judgement.findings.is_empty() && outcome == Outcome::Forwarded {
            count(&self.gate.counters.observed);
        }
        let is_readable = judgement.kind != MessageKind::Unreadable;
        let event = Event::Message(MessageEvent {
            at: now,
            session: Arc::clone(&self.session),
            from,
            kind: judgement.kind,
            action: judgement.action,
            bytes: judgement.bytes,
            outcome,
            findings: judgement.findings,
            latency: judgement.latency,
            model: judgement.model,
        });
        // Nobody knows what is what in a message that could not be read: its words stay out.
        match is_readable {
            true => self.gate.events.tell_heard(event, heard),
            false => self.gate.events.tell(event),
        }
    }

    /// How strictly a control is kept for this session.
    pub(super) fn mode(&self, control: Control, policy: &Policy) -> Mode {
        policy.mode(control, &self.state)
    }

    /// The caps for messages of this session, in both directions.
    pub(super) fn limits<'p>(&self, policy: &'p Policy) -> &'p Limits {
        policy.limits_for(&self.state)
    }

    /// Nobody waits for an answer, and no CALL for its turn.
    pub(super) fn is_quiet(&self, now: Moment) -> bool {
        let busy = |side| self.state.call_in_flight(side, now);
        self.from_station.is_empty()
            && self.from_csms.is_empty()
            && !busy(Side::Station)
            && !busy(Side::Csms)
    }

    /// Nothing of that side may come in for now: too many of its CALLs wait, or it has said too much.
    pub(super) fn is_full(&self, from: Side, now: Moment) -> bool {
        let limits = &self.gate.settings.limits;
        let full = match from {
            Side::Station => self.from_station.is_full(limits),
            Side::Csms => self.from_csms.is_full(limits),
        };
        full || !self.state.slowed_for(from, now).is_zero()
    }

    /// When a side that is slowed may be heard again.
    fn slowed_until(&self, now: Moment) -> Option<Duration> {
        let sides = [Side::Station, Side::Csms];
        let slowed = sides.map(|side| self.state.slowed_for(side, now));
        let next = slowed.into_iter().filter(|left| !left.is_zero()).min();
        next.map(|left| now.elapsed + left)
    }

    fn waiting(&mut self, from: Side) -> &mut Waiting {
        match from {
            Side::Station => &mut self.from_station,
            Side::Csms => &mut self.from_csms,
        }
    }

    /// When the next waiting CALL's turn comes at the latest, or a slowed side is heard again.
    pub(super) fn next_turn(&self, now: Moment) -> Option<Duration> {
        let slowed = self.slowed_until(now);
        let nobody_waits = self.from_station.is_empty() && self.from_csms.is_empty();
        if nobody_waits && self.release.is_none() {
            return slowed;
        }
        let turn = self.state.next_deadline(now);
        [turn, slowed].into_iter().flatten().min()
    }

    /// When the station has been idle for too long: what the setting says, and never less than
    /// twice the longest Heartbeat interval that its CSMS gave it.
    pub(super) fn idle_at(&self) -> Duration {
        let setting = self.gate.settings.session.idle_after;
        let heartbeat = self.state.heartbeat_longest().unwrap_or_default();
        self.station_spoke + setting.max(heartbeat.saturating_mul(2))
    }
}

/// What is on the table while one turn of a session is worked off.
pub(super) struct Desk<'d> {
    pub(super) policy: &'d Policy,
    pub(super) reader: &'d mut Reader,
    pub(super) outbox: &'d mut Outbox,
    pub(super) now: Moment,
}

pub(super) fn read<'m>(
    frame: Frame<'m>,
    from: Side,
    state: &StationState,
    policy: &Policy,
    reader: &'m mut Reader,
) -> Message<'m> {
    reader.read(
        frame,
        from,
        state.version(),
        policy.limits_for(state),
        state.exchange(),
    )
}

fn carry_out(verdict: &Verdict<'_>, to: Side, outbox: &mut Outbox, gate: &Gate) -> Result<(), End> {
    match verdict {
        Verdict::Forward(cleared) => {
            count(&gate.counters.forwarded);
            outbox.forward(to, cleared);
        }
        Verdict::Join => count(&gate.counters.joined),
        Verdict::Refuse(refusal) => {
            count(&gate.counters.messages_refused);
            for own in [refusal.own(), refusal.rejection()].into_iter().flatten() {
                count(&gate.counters.own);
                outbox.own(&own);
            }
            if refusal.fault == Some(HardFault::InvalidUtf8) {
                return Err(END_NOT_UTF8);
            }
        }
        Verdict::Disconnect(reason) => {
            count(&gate.counters.messages_refused);
            return Err(End::Policy(*reason));
        }
    }
    Ok(())
}
