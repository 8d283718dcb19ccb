//! Who has to leave when something changes, and how: whoever may not be here at once, and whose way is
//! another one in the time that a drain takes.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use gateway::Gateway;
use guard::succession::{self, Objection};
use guard::{Book, SessionFacts};

use super::Keeper;
use crate::serve::learning::Renewed;
use crate::serve::orders::Ended;
use crate::serve::stop;

/// The sessions that a change ends.
#[derive(Default)]
pub(super) struct Leaving {
    at_once: HashSet<u64>,
    in_time: HashSet<u64>,
    told: Ended,
}

impl Leaving {
    /// Whom a new book, or new rules about certificates, send away.
    pub(super) fn judge(
        sessions: &[Arc<SessionFacts>],
        book: &Book,
        older: &Book,
        mistrusted: &HashSet<u64>,
        renewed: &Renewed,
    ) -> Leaving {
        let mut leaving = Leaving::default();
        leaving.told.live = sessions.len();
        for session in sessions {
            let number = session.number;
            // Who has shown the new credential already has nothing to prove (D03).
            let station = (session.tenant.clone(), session.station.clone());
            let older = if renewed.contains(&station) {
                book
            } else {
                older
            };
            let objection = book.objection(older, session);
            let kind = match objection {
                Some(objection) => word(objection),
                None if mistrusted.contains(&number) => "certificate no longer trusted",
                None => continue,
            };
            match objection {
                Some(objection) if objection.is_of_the_way() => leaving.in_time.insert(number),
                _ => leaving.at_once.insert(number),
            };
            leaving.told.ended += 1;
            *leaving.told.by.entry(kind.to_owned()).or_default() += 1;
        }
        leaving
    }

    /// Whether somebody has to say that this is meant.
    pub(super) fn must_be_confirmed(&self) -> bool {
        succession::must_be_confirmed(self.told.ended, self.told.live)
    }

    pub(super) fn told(self) -> Ended {
        self.told
    }
}

fn word(objection: Objection) -> &'static str {
    match objection {
        Objection::Removed => "removed",
        Objection::Disabled => "disabled",
        Objection::Credential => "credential changed",
        Objection::Replaced => "replaced by another station",
        Objection::Version => "version no longer allowed",
        Objection::RouteGone => "route gone",
        Objection::RouteMoved => "route leads elsewhere",
    }
}

impl Keeper {
    /// The sessions live now.
    pub(super) fn sessions(&self) -> Vec<Arc<SessionFacts>> {
        self.with_gate(Gateway::sessions).unwrap_or_default()
    }

    /// Looks who has to leave now that the new book is in force, and sends them away. Who came in
    /// between is among them.
    pub(super) fn send_away(
        &self,
        older: &Book,
        mistrusted: &HashSet<u64>,
        renewed: &Renewed,
    ) -> Ended {
        let book = self.book.load_full();
        let leaving = Leaving::judge(&self.sessions(), &book, older, mistrusted, renewed);
        let window = self.window(leaving.in_time.len());
        let in_time = leaving.in_time.clone();
        self.with_gate(|gate| {
            gate.end_sessions(&leaving.at_once);
            gate.forget_unregistered();
            if !in_time.is_empty() {
                self.world.runtime.spawn(gate.depart(in_time, window));
            }
        });
        leaving.told()
    }

    fn window(&self, sessions: usize) -> Duration {
        stop::window(self.config.drain, sessions)
    }

    pub(super) fn with_gate<T>(&self, act: impl FnOnce(&Gateway) -> T) -> Option<T> {
        let gate = self.world.gate.read();
        gate.unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(act)
    }
}
