//! What may be asked of the running gate, and what it answers: the admin listener and the signals put
//! orders, the keeper carries them out one after the other.

mod mode;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub(crate) use self::mode::{ModeAct, ModeOrder, ModeRefused, ModeView};
use crate::Problem;

/// Orders that wait; one more is turned away.
const ORDERS_MAX: usize = 16;

/// One order.
pub(super) enum Order {
    /// Read everything anew.
    Reload {
        /// Also where more sessions would end than may without being confirmed.
        force: bool,
        /// Who waits for the outcome, if anybody.
        answer: Option<oneshot::Sender<Reload>>,
    },
    /// Observe some stations at most, or no longer.
    Mode {
        /// What, and whom.
        order: ModeOrder,
        /// Who waits for the outcome.
        answer: oneshot::Sender<Result<ModeView, ModeRefused>>,
    },
    /// Change nothing until told to go on; what waits to be confirmed is told.
    Rest {
        /// Who waits until nothing changes any more.
        answer: oneshot::Sender<Option<Ended>>,
    },
    /// Go on after a rest.
    GoOn,
    /// Look once more, and end.
    Close,
}

/// Where orders are put.
#[derive(Clone)]
pub(crate) struct Orders(SyncSender<Order>);

/// What came of a reload.
#[derive(Clone, Debug)]
pub(crate) enum Reload {
    /// All of it is in force.
    Done(Reloaded),
    /// The configuration is wrong; nothing has changed.
    Wrong(Vec<Problem>),
    /// It would end so many sessions that it must be confirmed; nothing has changed.
    Unconfirmed(Ended),
}

/// What a reload has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// By name.
    pub(crate) changed: Vec<String>,
    /// What the file says otherwise, and is only read at the next start.
    pub(crate) needs_restart: Vec<String>,
    /// Who had to leave.
    pub(crate) sessions: Ended,
}

/// How many sessions a change ends, or would end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Of so many.
    pub(crate) live: usize,
    /// All of them together.
    pub(crate) ended: usize,
    /// And why.
    pub(crate) by: BTreeMap<String, usize>,
}

impl Ended {
    /// `12 of 100 sessions (10 removed, 2 disabled)`
    pub(crate) fn in_words(&self) -> String {
        let kinds = self
            .by
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        match kinds.is_empty() {
            true => format!("{} of {} sessions", self.ended, self.live),
            false => format!("{} of {} sessions ({kinds})", self.ended, self.live),
        }
    }
}

impl Orders {
    pub(super) fn queue() -> (Orders, Receiver<Order>) {
        let (sender, receiver) = mpsc::sync_channel(ORDERS_MAX);
        (Orders(sender), receiver)
    }

    /// Puts an order; false when too many wait, or the gate is closing.
    pub(super) fn put(&self, order: Order) -> bool {
        match self.0.try_send(order) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Orders another mode and waits for how it is then; `None` when the gate is closing.
    pub(crate) async fn mode(&self, order: ModeOrder) -> Option<Result<ModeView, ModeRefused>> {
        let (answer, outcome) = oneshot::channel();
        if !self.put(Order::Mode { order, answer }) {
            return None;
        }
        outcome.await.ok()
    }

    /// Orders a reload and waits for what comes of it; `None` when the gate is closing.
    pub(crate) async fn reload(&self, force: bool) -> Option<Reload> {
        let (answer, outcome) = oneshot::channel();
        let answer = Some(answer);
        if !self.put(Order::Reload { force, answer }) {
            return None;
        }
        outcome.await.ok()
    }
}
