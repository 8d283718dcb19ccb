//! What a new register means for the stations that are connected: who may not go on, and whether that
//! many may be sent away by a change that nobody has confirmed.

use crate::{Book, ConnectionKind, Route, SessionFacts};

/// This many sessions may always end: to take one station out is an order, not an accident.
pub const ENDED_ALWAYS: usize = 1;
/// Beyond that, of a hundred sessions so many.
pub const ENDED_PERCENT_MAX: usize = 1;

/// Whether a change that ends `ended` of `live` sessions must be confirmed.
pub fn must_be_confirmed(ended: usize, live: usize) -> bool {
    ended > ENDED_ALWAYS && ended.saturating_mul(100) > live.saturating_mul(ENDED_PERCENT_MAX)
}

/// Why a session cannot go on as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Objection {
    /// Its station is registered no more.
    Removed,
    /// Its station is kept out.
    Disabled,
    /// What its station has to show is no longer what it has shown.
    Credential,
    /// The operator has put another station in its place.
    Replaced,
    /// Its station may no longer speak this version.
    Version,
    /// Its route is gone, or is another tenant's.
    RouteGone,
    /// Its route leads to another CSMS, or shows it another credential.
    RouteMoved,
}

impl Objection {
    /// The station itself is as welcome as before, and only its way is another one: it may finish what
    /// it has begun, and need not leave in the same moment as all the others.
    pub fn is_of_the_way(self) -> bool {
        matches!(self, Objection::RouteGone | Objection::RouteMoved)
    }
}

impl Book {
    /// What this book has against a session that was let in under an older one.
    pub fn objection(&self, older: &Book, session: &SessionFacts) -> Option<Objection> {
        let (tenant, id) = (&session.tenant, &session.station);
        let Some(record) = self.find(tenant, id) else {
            return Some(Objection::Removed);
        };
        if !record.enabled {
            return Some(Objection::Disabled);
        }
        let before = older.find(tenant, id);
        if before.is_some_and(|before| before.credential != record.credential) {
            return Some(Objection::Credential);
        }
        if before.is_some_and(|before| before.replaced != record.replaced) {
            return Some(Objection::Replaced);
        }
        if !record.protocols.allowed.contains(&session.version) {
            return Some(Objection::Version);
        }
        let by_certificate = session.kind == ConnectionKind::TlsCertificate;
        match (older.route_of(session), self.route_of(session)) {
            (_, None) => Some(Objection::RouteGone),
            (Some(old), Some(new)) if by_certificate && old.organization != new.organization => {
                Some(Objection::Credential)
            }
            (Some(old), Some(new))
                if (&old.upstream, &old.credential) != (&new.upstream, &new.credential) =>
            {
                Some(Objection::RouteMoved)
            }
            _ => None,
        }
    }

    fn route_of(&self, session: &SessionFacts) -> Option<&Route> {
        let mut routes = self.routes();
        routes.find(|route| route.id == session.route && route.tenant == session.tenant)
    }
}

#[cfg(test)]
mod tests;
