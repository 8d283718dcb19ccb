//! Messages that wait for their records. Where the gate is told to pass nothing on before it is on
//! record, what a turn has produced stays here until the events of that turn are durable, or patience
//! is over. Meanwhile neither side is read, so that a session holds back one turn's frames at most.
//!
//! Frames keep their order within a hop, a goodbye included. Only pings and pongs overtake: they say
//! nothing, and a hop that got none for as long as the disk takes could be thought dead.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use ocpp::Side;

use super::Relay;
use super::conversation::Desk;
use super::outbox::{Filled, Outbox};
use crate::events::Durable;

/// What is held back, and for what.
pub(super) struct Held {
    durable: Arc<Durable>,
    to_station: Vec<u8>,
    to_csms: Vec<u8>,
    what: Filled,
    deadline: Duration,
    waker: Waker,
}

impl Held {
    /// Waits for the last event of what is held; false when there is nothing to wait for any more.
    fn wait(&self) -> bool {
        self.durable.wait(self.what.told, &self.waker)
    }

    /// Takes in what another turn has produced.
    fn add(&mut self, fresh: &Filled, outbox: &mut Outbox) {
        self.to_station.append(&mut outbox.to_station);
        self.to_csms.append(&mut outbox.to_csms);
        self.durable.forget(self.what.told);
        self.what.told = self.what.told.max(fresh.told);
        self.what.messages += fresh.messages;
    }

    /// Puts all back into the outbox, before what is there by now.
    fn put_back(&mut self, outbox: &mut Outbox) {
        let hops = [
            (&mut self.to_station, &mut outbox.to_station),
            (&mut self.to_csms, &mut outbox.to_csms),
        ];
        for (held, fresh) in hops {
            held.append(fresh);
            std::mem::swap(held, fresh);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.durable.forget(self.what.told);
    }
}

impl Relay {
    /// Holds back what this turn has produced if its record is not durable yet, and lets go what no
    /// longer has to wait. True when a side may be read again, or the timer must be looked at.
    pub(super) fn hold_back(
        &mut self,
        durable: &Arc<Durable>,
        context: &mut Context<'_>,
        desk: &mut Desk<'_>,
    ) -> bool {
        let fresh = desk.outbox.take_filled();
        let Some(held) = &mut self.held else {
            return self.begin_to_hold(durable, fresh, context, desk);
        };
        if fresh.messages > 0 || fresh.closes {
            held.add(&fresh, desk.outbox);
        }
        if !held.waker.will_wake(context.waker()) {
            held.waker.clone_from(context.waker());
        }
        let is_over = desk.now.elapsed >= held.deadline;
        if !durable.is_through(held.what.told) {
            if !is_over && held.wait() {
                return self.look_in_time();
            }
            if is_over {
                durable.go_on();
            }
            if !durable.is_through(held.what.told) {
                durable.count_unwaited(held.what.messages);
            }
        }
        held.put_back(desk.outbox);
        self.held = None;
        true
    }

    fn begin_to_hold(
        &mut self,
        durable: &Arc<Durable>,
        what: Filled,
        context: &Context<'_>,
        desk: &mut Desk<'_>,
    ) -> bool {
        if what.messages == 0 && !what.closes || durable.is_through(what.told) {
            return false;
        }
        if durable.has_gone_on() {
            durable.count_unwaited(what.messages);
            return false;
        }
        // Where a session ends, its goodbye stands behind what is held, and must be answered in time.
        let close_deadline = self.conversation.gate.settings.session.close_deadline;
        let patience = durable.patience().min(close_deadline / 2);
        let held = Held {
            durable: Arc::clone(durable),
            to_station: std::mem::take(&mut desk.outbox.to_station),
            to_csms: std::mem::take(&mut desk.outbox.to_csms),
            what,
            deadline: desk.now.elapsed + patience,
            waker: context.waker().clone(),
        };
        let mut held = Box::new(held);
        if !held.wait() {
            if !durable.is_through(held.what.told) {
                durable.count_unwaited(held.what.messages);
            }
            held.put_back(desk.outbox);
            return false;
        }
        self.held = Some(held);
        if self.probe.is_some() {
            // Its ping may be among what is held, and whoever stands at the door will not wait.
            self.station.expect_pong();
            desk.outbox.ping(Side::Station);
        }
        self.look_in_time()
    }

    /// Sees to it that the session looks around when patience is over; true when the timer was set.
    fn look_in_time(&mut self) -> bool {
        let Some(held) = &self.held else {
            return false;
        };
        let look_at = self.conversation.gate.clock.instant(held.deadline);
        let is_sooner = look_at < self.timer.deadline();
        if is_sooner {
            self.set_timer(look_at);
        }
        is_sooner
    }

    /// Something waits to be sent, to a side that is still there.
    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some() && !(self.station.lost && self.csms.lost)
    }
}
