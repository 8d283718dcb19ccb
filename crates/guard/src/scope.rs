//! Whom a rule is for: the fleet, a model, or stations by name; and what a fleet of real stations
//! needs on top of one mode for all: exceptions by scope, tolerances, and the way back.
//!
//! From weak to strong: the fleet's mode, then each [`Scope`] by model, then each by station, in the
//! order in which they were written. [`Relaxed`] stands above all of them: whatever it names is
//! observed at most.

use std::hash::{DefaultHasher, Hash, Hasher};

use ocpp::StationId;

use crate::model::Model;
use crate::{Control, Controls, Mode, SessionFacts, Tenant};

/// Some of the stations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Those of a model, by what their BootNotification says; nobody has proved it.
    Model {
        /// `chargePointVendor` or `vendorName`; case does not matter, a `*` at the end stands for
        /// anything.
        maker: String,
        /// `chargePointModel` or `model`, likewise.
        model: String,
    },
    /// Those of a tenant with these identities; a `*` at the end stands for anything.
    Stations {
        /// Whose.
        tenant: Tenant,
        /// Their identities.
        identities: Vec<String>,
    },
}

impl Who {
    /// Whether a station is one of them.
    pub(crate) fn is(&self, session: Option<&SessionFacts>, said: Option<&Model>) -> bool {
        match self {
            Who::Model { maker, model } => said.is_some_and(|said| said.is(maker, model)),
            Who::Stations { tenant, identities } => session.is_some_and(|session| {
                session.tenant == *tenant
                    && identities.iter().any(|identity| {
                        let name = session.station.as_str();
                        match identity.strip_suffix('*') {
                            Some(start) => name.starts_with(start),
                            None => name == identity,
                        }
                    })
            }),
        }
    }

    const fn is_model(&self) -> bool {
        matches!(self, Who::Model { .. })
    }
}

/// Other modes for some of the stations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// For whom.
    pub who: Who,
    /// Which controls are kept how.
    pub modes: Vec<(Control, Mode)>,
}

/// "This model may send this violation": a finding that is counted and passes, though its control is
/// enforced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tolerance {
    /// Who may.
    pub who: Who,
    /// Which control is to bear it.
    pub control: Control,
    /// In which action's messages; `None`: in any.
    pub action: Option<String>,
    /// Which objection ([`crate::Finding::kind`]); `None`: any of this control.
    pub kind: Option<String>,
    /// Where in the message ([`crate::Finding::path`]); `None`: anywhere.
    pub path: Option<String>,
}

/// The way back: what is observed at most, whatever else is said. Set by an operator in trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Relaxed {
    /// Everybody.
    pub fleet: bool,
    /// All stations of these tenants.
    pub tenants: Vec<Tenant>,
    /// These stations.
    pub stations: Vec<(Tenant, StationId)>,
}

impl Relaxed {
    /// Whether anybody is relaxed.
    pub fn is_empty(&self) -> bool {
        !self.fleet && self.tenants.is_empty() && self.stations.is_empty()
    }

    /// Whether that session's station is relaxed.
    pub fn covers(&self, session: &SessionFacts) -> bool {
        let is_it = |(tenant, station): &(Tenant, StationId)| {
            *tenant == session.tenant && *station == session.station
        };
        self.fleet || self.tenants.contains(&session.tenant) || self.stations.iter().any(is_it)
    }

    fn names(&self, session: Option<&SessionFacts>) -> bool {
        self.fleet || session.is_some_and(|session| self.covers(session))
    }

    /// Relaxes these as well.
    pub fn add(&mut self, more: Relaxed) {
        self.fleet |= more.fleet;
        for tenant in more.tenants {
            if !self.tenants.contains(&tenant) {
                self.tenants.push(tenant);
            }
        }
        for station in more.stations {
            if !self.stations.contains(&station) {
                self.stations.push(station);
            }
        }
        self.tenants.sort_unstable();
        self.stations.sort_unstable();
    }

    /// Relaxes these no more. Whoever is relaxed as one of more stays so.
    pub fn remove(&mut self, less: &Relaxed) {
        self.fleet &= !less.fleet;
        self.tenants.retain(|tenant| !less.tenants.contains(tenant));
        let named = |station: &(Tenant, StationId)| less.stations.contains(station);
        self.stations.retain(|station| !named(station));
    }
}

/// Scopes, tolerances and the way back together. Sessions remember what came out for them, by
/// [`Scopes::edition`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    scopes: Vec<Scope>,
    tolerances: Vec<Tolerance>,
    relaxed: Relaxed,
    edition: u64,
}

impl Scopes {
    /// Scopes and tolerances kept; a configuration with more is refused.
    pub const SCOPES_MAX: usize = 1024;

    /// Puts them together.
    pub fn new(scopes: Vec<Scope>, tolerances: Vec<Tolerance>, relaxed: Relaxed) -> Scopes {
        let mut hasher = DefaultHasher::new();
        (&scopes, &relaxed).hash(&mut hasher);
        // Zero is what a session has that has asked nothing yet, so there is nothing to ask.
        let edition = match scopes.is_empty() && relaxed.is_empty() {
            true => 0,
            false => hasher.finish().clamp(1, u64::MAX - 1),
        };
        Scopes {
            scopes,
            tolerances,
            relaxed,
            edition,
        }
    }

    /// The same with another way back.
    pub fn relaxed_to(self, relaxed: Relaxed) -> Scopes {
        Scopes::new(self.scopes, self.tolerances, relaxed)
    }

    /// The way back.
    pub fn relaxed(&self) -> &Relaxed {
        &self.relaxed
    }

    /// The scopes, as written.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The tolerances, as written.
    pub fn tolerances(&self) -> &[Tolerance] {
        &self.tolerances
    }

    /// What comes out for one station.
    fn ruling(&self, session: Option<&SessionFacts>, said: Option<&Model>) -> Ruling {
        let mut modes: Vec<(Control, Mode)> = Vec::new();
        for by_model in [true, false] {
            let of_kind = self.scopes.iter();
            let fitting = of_kind
                .filter(|scope| scope.who.is_model() == by_model && scope.who.is(session, said));
            for (control, mode) in fitting.flat_map(|scope| &scope.modes) {
                match modes.iter_mut().find(|(known, _)| known == control) {
                    Some((_, known)) => *known = *mode,
                    None => modes.push((*control, *mode)),
                }
            }
        }
        Ruling {
            edition: self.edition,
            modes: modes.into_boxed_slice(),
            relaxed: self.relaxed.names(session),
        }
    }

    /// Whether somebody has said that this station may do that.
    pub(crate) fn tolerates(&self, objection: &Objection<'_>) -> bool {
        let says = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        self.tolerances.iter().any(|tolerance| {
            tolerance.control == objection.control
                && says(&tolerance.action, objection.action)
                && says(&tolerance.kind, objection.kind)
                && says(&tolerance.path, objection.path)
                && tolerance.who.is(objection.session, objection.said)
        })
    }
}

/// An objection, as a tolerance may name it.
pub(crate) struct Objection<'o> {
    pub(crate) control: Control,
    pub(crate) action: &'o str,
    pub(crate) kind: &'o str,
    pub(crate) path: &'o str,
    pub(crate) session: Option<&'o SessionFacts>,
    pub(crate) said: Option<&'o Model>,
}

/// What the scopes say of one session; asked anew when they change, or the station says what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ruling {
    edition: u64,
    /// No heap at all for nearly every station.
    modes: Box<[(Control, Mode)]>,
    relaxed: bool,
}

impl Ruling {
    /// Whether the scopes must be asked again.
    pub(crate) fn is_of(&self, scopes: &Scopes) -> bool {
        self.edition == scopes.edition
    }

    pub(crate) fn of(
        scopes: &Scopes,
        session: Option<&SessionFacts>,
        said: Option<&Model>,
    ) -> Ruling {
        scopes.ruling(session, said)
    }

    /// Observes at most from now on, or no longer; what it was before.
    pub(crate) fn relax(&mut self, relaxed: bool) -> bool {
        std::mem::replace(&mut self.relaxed, relaxed)
    }

    /// The station has said what it is: the scopes are to be asked again.
    pub(crate) fn forget(&mut self) {
        self.edition = u64::MAX;
    }

    /// How strictly a control is kept here. `is_billing`: the message is part of a transaction; the
    /// fleet's own switch does not promote a control for those, only a scope does, since a refused
    /// one is money lost.
    #[inline]
    pub(crate) fn mode(
        &self,
        control: Control,
        fleet: &Controls,
        is_billing: impl FnOnce() -> bool,
    ) -> Mode {
        let scoped = match self.modes.is_empty() {
            true => None,
            false => self.modes.iter().find(|(known, _)| *known == control),
        };
        let mode = match scoped {
            Some((_, mode)) => *mode,
            None => {
                let mode = fleet.mode(control);
                let usual = control.default_mode();
                if mode == Mode::Enforce && usual != Mode::Enforce && is_billing() {
                    Mode::Observe
                } else {
                    mode
                }
            }
        };
        let most = match self.relaxed {
            true => Mode::Observe,
            false => control.strictest(),
        };
        mode.min(most)
    }
}
