//! One station's session: read from either side, judge, write to the other, until one of them leaves.
//!
//! A session is one hand-written future over two sockets. It holds no buffer while it is idle: what
//! it reads, decodes and writes in one turn lies on its thread's desk. That, and boxing the TLS
//! streams, is what decides memory per station.

mod conversation;
mod hold;
mod hop;
mod outbox;
mod policies;
mod probe;
mod release;
mod waiting;

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use guard::{Closing, Control, Event, Mode, Moment, SessionFacts, StationState};
use ocpp::{Frame, Limits, Reader, Side};
use tokio::task::coop;
use tokio::time::{Instant, Sleep};

use self::conversation::{Conversation, Desk, End};
use self::hold::Held;
use self::hop::{Hop, Silence};
use self::outbox::Outbox;
use self::policies::Policies;
use self::probe::Probe;
pub(crate) use self::release::Release;
pub use self::release::Released;
use crate::counters::{add, count};
use crate::gate::Gate;
use crate::live::Seat;
use crate::wire::Wire;
use crate::ws::{DeflateTerms, Incoming, Inflater, Input, WsError, WsLimits};

/// Bytes read from a socket at a time: two TLS records.
const READ_BYTES: usize = 32 << 10;

/// A session looks at its timers no more often than this.
const WATCH_EVERY_MIN: Duration = Duration::from_millis(5);

/// Frames of one side that are heard before other sessions have their turn: a flood must not keep them
/// waiting.
const HEARD_MAX: usize = 32;

/// Turns a session may take before others get theirs.
const TURNS_MAX: usize = 8;

/// What a thread needs to work off one turn of any of its sessions.
struct Workbench {
    intake: Intake,
    reader: Reader,
    outbox: Outbox,
    policies: Policies,
}

thread_local! {
    static WORKBENCH: RefCell<Workbench> = RefCell::new(Workbench {
        intake: Intake {
            bytes: vec![0; READ_BYTES].into_boxed_slice(),
            inflater: Inflater::default(),
        },
        reader: Reader::new(),
        outbox: Outbox::new(),
        policies: Policies::default(),
    });
}

impl Workbench {
    /// Counts what came and went compressed in this turn.
    fn count_compressed(&mut self, gate: &Gate) {
        let (came, left) = (self.intake.inflater.take_tally(), self.outbox.take_tally());
        if came.messages + left.messages > 0 {
            let counters = &gate.counters;
            add(&counters.inflated, came.messages);
            add(&counters.deflated, left.messages);
            add(&counters.bytes_saved, came.bytes_saved + left.bytes_saved);
        }
    }
}

/// What was read, and what it takes to read it.
struct Intake {
    bytes: Box<[u8]>,
    inflater: Inflater,
}

/// What asking a side came to.
enum Receipt {
    /// It said something, and may have more.
    Something,
    /// It has nothing, and wakes us when it has.
    Nothing,
    /// We do not want to hear it now.
    NotAsked,
}

/// A byte stream whose WebSocket handshake is done, and what came behind it.
pub(crate) struct Opened {
    pub(crate) wire: Wire,
    pub(crate) unread: Vec<u8>,
    /// What was agreed on about compression.
    pub(crate) deflate: Option<DeflateTerms>,
}

/// One session. Fields are dropped in order: sockets first, then the farewell is told, and only then
/// is the station's seat free.
pub(crate) struct Relay {
    station: Hop,
    csms: Hop,
    timer: Pin<Box<Sleep>>,
    /// It wakes this session, as it stands.
    timer_is_set: bool,
    conversation: Conversation,
    ending: Option<Duration>,
    /// Goodbye is said when the conversation is quiet, or by then.
    departing: Option<Duration>,
    /// Somebody with this station's credential is at the door.
    probe: Option<Box<Probe>>,
    /// What waits for its record.
    held: Option<Box<Held>>,
    farewell: Farewell,
    seat: Seat,
}

/// Tells how the session ended, even when it ends by a panic of ours.
struct Farewell {
    gate: Arc<Gate>,
    session: Arc<SessionFacts>,
    how: Closing,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        count(&self.gate.counters.ended);
        let how = if std::thread::panicking() {
            Closing::Panic
        } else {
            self.how.clone()
        };
        if how == Closing::Panic {
            count(&self.gate.counters.panicked);
        }
        let at = self.gate.clock.now();
        self.gate.events.tell(Event::Disconnected {
            at,
            session: Arc::clone(&self.session),
            how,
        });
    }
}

impl Relay {
    pub(crate) fn new(
        gate: &Arc<Gate>,
        session: Arc<SessionFacts>,
        station: Opened,
        csms: Opened,
        seat: Seat,
        seed: u64,
    ) -> Relay {
        let now = gate.clock.now();
        let state = StationState::of(Arc::clone(&session), seed);
        let state = gate.memories.begin(state, &session, &gate.book.load());
        seat.sit(Arc::clone(&session));
        let session_settings = &gate.settings.session;
        let first_look = session_settings.ping_after.min(session_settings.idle_after);
        let first_look = gate.clock.instant(now.elapsed + first_look);
        Relay {
            station: Hop::new(station, Side::Station, now.elapsed),
            csms: Hop::new(csms, Side::Csms, now.elapsed),
            timer: Box::pin(tokio::time::sleep_until(first_look)),
            timer_is_set: false,
            conversation: Conversation::new(Arc::clone(gate), Arc::clone(&session), state, now),
            ending: None,
            departing: None,
            probe: None,
            held: None,
            farewell: Farewell {
                gate: Arc::clone(gate),
                session,
                how: Closing::Panic,
            },
            seat,
        }
    }

    /// Works off all that can be done now; ready when the session is over.
    fn turn(&mut self, context: &mut Context<'_>, bench: &mut Workbench) -> Poll<()> {
        let gate = &self.conversation.gate;
        let Workbench {
            intake,
            reader,
            outbox,
            policies,
        } = bench;
        let mut desk = Desk {
            policy: policies.of(gate),
            reader,
            outbox,
            now: gate.clock.now(),
        };
        let durable = gate.events.durable().cloned();
        if self.seat.watch(context.waker()) {
            // The timer, too, has to know whom to wake.
            self.timer_is_set = false;
        }
        if self.seat.has_orders() {
            self.obey(&mut desk);
        }
        // A side that had nothing wakes us when it has; in this turn it need not be asked again.
        let mut silent = [false; 2];
        let mut crowded = false;
        for turn in 1.. {
            let mut moved = false;
            for (side, silent) in [Side::Station, Side::Csms].into_iter().zip(&mut silent) {
                if !*silent {
                    match self.receive(side, context, intake, &mut desk) {
                        Receipt::Something => {
                            moved = true;
                            // It has said more at once than is heard in one go: others come first.
                            crowded |= !self.hop(side).unread.is_empty();
                        }
                        Receipt::Nothing => *silent = true,
                        Receipt::NotAsked => {}
                    }
                }
            }
            moved |= self.look_around(context, &mut desk);
            if let Some(durable) = &durable {
                moved |= self.hold_back(durable, context, &mut desk);
            }
            moved |= self
                .station
                .write(context, &mut desk.outbox.to_station, desk.now.elapsed);
            moved |= self
                .csms
                .write(context, &mut desk.outbox.to_csms, desk.now.elapsed);
            moved |= self.notice_loss(&mut desk);
            if silent[0] {
                self.look_for_life();
            }
            if silent == [true; 2] {
                moved |= self.depart_if_quiet(&mut desk);
            }
            if self.is_over(desk.now) {
                self.station.shut_down(context);
                self.csms.shut_down(context);
                return Poll::Ready(());
            }
            if !moved {
                break;
            }
            if turn == TURNS_MAX || crowded {
                context.waker().wake_by_ref();
                break;
            }
        }
        Poll::Pending
    }

    /// Does what somebody outside this session has ordered.
    fn obey(&mut self, desk: &mut Desk<'_>) {
        if self.seat.told_to_end() {
            self.end(Closing::Operator, [Some(1001); 2], desk);
        }
        if self.seat.told_to_depart() && self.departing.is_none() {
            let gate = &self.conversation.gate;
            let deadline = desk.now.elapsed + gate.settings.session.close_deadline;
            let look_at = gate.clock.instant(deadline);
            if look_at < self.timer.deadline() {
                self.set_timer(look_at);
            }
            self.departing = Some(deadline);
        }
        self.take_question(desk);
        if let Some(release) = self.seat.release()
            && self.ending.is_none()
        {
            self.conversation.take_release(release, desk);
        }
    }

    /// Says goodbye, if it was asked for, when nobody waits for an answer: all that had arrived has
    /// been passed on by now.
    fn depart_if_quiet(&mut self, desk: &mut Desk<'_>) -> bool {
        let departs = self.departing.is_some() && self.ending.is_none();
        if !departs || !self.conversation.is_quiet(desk.now) {
            return false;
        }
        self.end(Closing::Operator, [Some(1001); 2], desk);
        true
    }

    /// Takes one helping from that side.
    fn receive(
        &mut self,
        from: Side,
        context: &mut Context<'_>,
        intake: &mut Intake,
        desk: &mut Desk<'_>,
    ) -> Receipt {
        let Intake { bytes, inflater } = intake;
        if !self.may_read(from, desk) {
            return match from {
                Side::Station => self.listen(context, bytes, desk),
                Side::Csms => Receipt::NotAsked,
            };
        }
        let hop = self.hop(from);
        if !hop.unread.is_empty() {
            let mut unread = std::mem::take(&mut hop.unread);
            self.digest(from, &mut unread, inflater, desk);
            return Receipt::Something;
        }
        let Poll::Ready(count) = hop.read(context, bytes, desk.now.elapsed) else {
            return Receipt::Nothing;
        };
        if count == 0 {
            hop.lost = true;
            self.leave(from, Closing::Lost(from), Some(1001), desk);
        } else {
            let bytes = bytes.get_mut(..count).unwrap_or_default();
            self.digest(from, bytes, inflater, desk);
        }
        Receipt::Something
    }

    /// A socket that died while we wrote to it is not read any more, so nobody else would notice.
    fn notice_loss(&mut self, desk: &mut Desk<'_>) -> bool {
        let sides = [Side::Station, Side::Csms];
        let lost = sides.into_iter().find(|side| self.hop(*side).lost);
        let Some(side) = lost.filter(|_| self.ending.is_none()) else {
            return false;
        };
        self.leave(side, Closing::Lost(side), Some(1001), desk);
        true
    }

    /// Not while what we have for either side is not taken or waits for its record, nor while too many
    /// CALLs wait.
    fn may_read(&mut self, from: Side, desk: &Desk<'_>) -> bool {
        let other_congested = self.hop(from.other()).is_congested() || self.held.is_some();
        let full = self.is_full(from, desk.now);
        let hop = self.hop(from);
        let own_congested = hop.is_congested();
        if (other_congested && !own_congested) || full {
            // Its silence is our doing. A hop that takes nothing itself is not excused: it may be dead.
            hop.excuse(desk.now.elapsed);
        }
        let congested = own_congested || other_congested;
        if congested || full {
            hop.excuse_message(desk.now.elapsed);
        }
        !(hop.lost || hop.close_received || congested || full)
    }

    /// Too many CALLs of that side wait, or it has said too much. Once goodbye has been said they wait
    /// for nothing, and its answer to the goodbye must be read.
    fn is_full(&self, side: Side, now: Moment) -> bool {
        self.ending.is_none() && self.conversation.is_full(side, now)
    }

    /// Decodes bytes of one side and acts on what they say.
    fn digest(
        &mut self,
        from: Side,
        bytes: &mut [u8],
        inflater: &mut Inflater,
        desk: &mut Desk<'_>,
    ) {
        let caps = self.conversation.limits(desk.policy);
        let allowance = |opening: &[u8]| caps.bytes_max_for(opening) as usize;
        let limits = WsLimits {
            fragments_max: WsLimits::FRAGMENTS_MAX,
            // A cap that is only observed must not close the connection: the reader will tell of it.
            ordinary_bytes_max: match self.conversation.mode(Control::Schema, desk.policy) {
                Mode::Enforce => caps.message_bytes_max as usize,
                Mode::Observe | Mode::Off => Limits::MESSAGE_BYTES_MAX as usize,
            },
            message_bytes_max: Limits::MESSAGE_BYTES_MAX as usize,
            allowance: &allowance,
        };
        let settings = &self.conversation.gate.settings;
        let controls_max = settings.limits.control_frames_max;
        let (window, now) = (settings.session.ping_after, desk.now.elapsed);
        let ending = self.ending.is_some();
        let inflater = self.hop(from).deflate.map(|_| inflater);
        let mut input = Input::new(bytes).inflated_by(inflater);
        let mut ended = false;
        for heard in 0.. {
            if heard == HEARD_MAX || self.is_full(from, desk.now) {
                self.note_open_message(from, ended, desk.now);
                self.hop(from).unread = input.into_rest().to_vec();
                return;
            }
            let hop = match from {
                Side::Station => &mut self.station,
                Side::Csms => &mut self.csms,
            };
            let heard = match hop.decoder.next(&mut input, &limits) {
                Err(error) => Err(End::Protocol(error)),
                Ok(None) => break,
                Ok(Some(Incoming::Close(code))) => {
                    hop.close_received = true;
                    self.leave(from, Closing::Said(from, code), code, desk);
                    return;
                }
                // Goodbye has been said: what still comes in is for nobody.
                Ok(Some(_)) if ending => Ok(()),
                Ok(Some(Incoming::Text(text))) => {
                    ended = true;
                    self.conversation.hear(from, Frame::text(text), desk)
                }
                Ok(Some(Incoming::Binary(bytes))) => {
                    ended = true;
                    self.conversation.hear(from, Frame::binary(bytes), desk)
                }
                Ok(Some(Incoming::Ping(body))) => {
                    desk.outbox.pong(from, body);
                    hop.count_control(controls_max, window, now)
                }
                Ok(Some(Incoming::Pong(_))) => hop.count_control(controls_max, window, now),
            };
            if let Err(end) = heard {
                self.break_off(from, &end, desk);
                return;
            }
            if ending {
                continue;
            }
            // An answer ends the wait of the side that asked; a rule broken then is broken by that side.
            if let Err(end) = self.conversation.call_next(from.other(), desk) {
                self.break_off(from.other(), &end, desk);
                return;
            }
        }
        self.note_open_message(from, ended, desk.now);
    }

    /// A message that has begun must end in time; only while one is open does the timer know of it.
    fn note_open_message(&mut self, from: Side, another_ended: bool, now: Moment) {
        if !self.hop(from).note_open_message(another_ended, now.elapsed) {
            return;
        }
        let gate = &self.conversation.gate;
        let due = now.elapsed + gate.settings.session.message_deadline;
        let look_at = gate.clock.instant(due);
        if self.ending.is_none() && look_at < self.timer.deadline() {
            self.set_timer(look_at);
        }
    }

    /// What the passing of time asks for. True when something was done, so that a side whose row of
    /// waiting CALLs has got shorter is read again.
    fn look_around(&mut self, context: &mut Context<'_>, desk: &mut Desk<'_>) -> bool {
        let clock = self.conversation.gate.clock;
        if let Some(turn) = self
            .conversation
            .next_turn(desk.now)
            .map(|turn| clock.instant(turn))
            && turn < self.timer.deadline()
        {
            self.set_timer(turn);
        }
        // A timer that is set wakes us by itself, and asking it each time costs 3 % of a call.
        if self.timer_is_set && clock.instant(desk.now.elapsed) < self.timer.deadline() {
            return false;
        }
        let mut looked = false;
        while self.timer.as_mut().poll(context).is_ready() {
            let next = self.keep_watch(desk);
            let next = self.ending.unwrap_or(next);
            let next = next.max(desk.now.elapsed + WATCH_EVERY_MIN);
            self.set_timer(clock.instant(next));
            looked = true;
        }
        // A task that has used up its budget is put off by its timer like by anybody else.
        self.timer_is_set = coop::has_budget_remaining();
        looked
    }

    /// When to look around next; the timer has to be asked once more before it wakes us then.
    fn set_timer(&mut self, look_at: Instant) {
        self.timer.as_mut().reset(look_at);
        self.timer_is_set = false;
    }

    /// Gives waiting CALLs their turn, pings who is silent, ends what is dead; when to look again.
    fn keep_watch(&mut self, desk: &mut Desk<'_>) -> Duration {
        let now = desk.now.elapsed;
        if self.ending.is_some() {
            return now;
        }
        for from in [Side::Station, Side::Csms] {
            if let Err(end) = self.conversation.call_next(from, desk) {
                self.break_off(from, &end, desk);
                return now;
            }
        }
        let probe = self.watch_probe(desk);
        if self.ending.is_some() {
            return now;
        }
        if self.departing.is_some_and(|deadline| now >= deadline) {
            self.end(Closing::Operator, [Some(1001); 2], desk);
            return now;
        }
        let mut next = self.conversation.idle_at();
        if now >= next {
            self.end(Closing::Idle, [Some(1001); 2], desk);
            return now;
        }
        let gate = Arc::clone(&self.conversation.gate);
        for side in [Side::Station, Side::Csms] {
            if let Some(due) = self.hop(side).message_due(&gate.settings.session) {
                if now >= due {
                    self.break_off(side, &End::Protocol(WsError::MessageNotEnded), desk);
                    return now;
                }
                next = next.min(due);
            }
            match self.hop(side).silence(&gate.settings.session, now) {
                Silence::Fine(until) => next = next.min(until),
                Silence::WantsPing => {
                    desk.outbox.ping(side);
                    next = next.min(now + gate.settings.session.pong_deadline);
                }
                Silence::Dead => {
                    self.hop(side).lost = true;
                    self.leave(side, Closing::Silent(side), Some(1001), desk);
                    return now;
                }
            }
        }
        let turn = self.conversation.next_turn(desk.now);
        [turn, probe, self.departing]
            .into_iter()
            .flatten()
            .fold(next, Duration::min)
    }

    /// That side is going, or gone. What it asked before is passed on first; then the other side is
    /// told: 1001 when the socket died, and the peer's own code when it said one.
    fn leave(&mut self, who: Side, how: Closing, code: Option<u16>, desk: &mut Desk<'_>) {
        if self.ending.is_none()
            && let Err(end) = self.conversation.call_all(who, desk)
        {
            self.break_off(who, &end, desk);
        }
        self.end(how, [code; 2], desk);
    }

    /// That side broke a rule that ends the session: it hears which, the other side hears 1001.
    fn break_off(&mut self, who: Side, why: &End, desk: &mut Desk<'_>) {
        let (how, code) = match why {
            End::Policy(reason) => (Closing::Policy(*reason), 1008),
            End::Protocol(error) => (Closing::Protocol(who, error.words()), error.close_code()),
        };
        // Its frames can no longer be told apart: nothing more is read, not even its goodbye.
        self.hop(who).close_received = true;
        let codes = match who {
            Side::Station => [Some(code), Some(1001)],
            Side::Csms => [Some(1001), Some(code)],
        };
        self.end(how, codes, desk);
    }

    /// Says goodbye to both sides, once; codes for the station and for the CSMS.
    fn end(&mut self, how: Closing, codes: [Option<u16>; 2], desk: &mut Desk<'_>) {
        if self.ending.is_some() {
            return;
        }
        self.farewell.how = how;
        self.probe = None;
        let deadline = desk.now.elapsed + self.conversation.gate.settings.session.close_deadline;
        self.ending = Some(deadline);
        self.set_timer(self.conversation.gate.clock.instant(deadline));
        for (side, code) in [Side::Station, Side::Csms].into_iter().zip(codes) {
            let hop = self.hop(side);
            if !hop.lost {
                hop.close_sent = true;
                desk.outbox.close(side, code);
            }
        }
    }

    fn is_over(&self, now: Moment) -> bool {
        self.ending.is_some_and(|deadline| {
            let is_said = self.station.is_over() && self.csms.is_over() && !self.is_holding();
            now.elapsed >= deadline || is_said
        })
    }

    fn hop(&mut self, side: Side) -> &mut Hop {
        match side {
            Side::Station => &mut self.station,
            Side::Csms => &mut self.csms,
        }
    }
}

#[cfg(test)]
mod tests;

impl Future for Relay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let relay = self.get_mut();
        WORKBENCH.with_borrow_mut(|bench| {
            // A session that panicked may have left frames of its own here.
            bench
                .outbox
                .begin(relay.station.deflate, relay.csms.deflate);
            let done = relay.turn(context, bench);
            bench.count_compressed(&relay.conversation.gate);
            done
        })
    }
}
