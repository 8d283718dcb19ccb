//! Who is registered and which way each goes: an immutable snapshot of the store.

use std::sync::Arc;

use ocpp::StationId;

use crate::{Credential, PasswordFingerprint, Route, RouteId, StationRecord, Tenant};

/// The registry at one moment, to be shared in an `Arc`.
#[derive(Debug, Default)]
pub struct Book {
    routes: Vec<Line>,
    /// Sorted by tenant and identity: no table beside the records, which may be 50,000.
    stations: Vec<Arc<StationRecord>>,
    /// Their places, sorted by tenant and folded identity.
    folded: Vec<u32>,
    /// How many in a thousand of the registered passwords are hashed slowly.
    slow_per_mille: u16,
    /// Passwords of more than one station, sorted.
    shared: Vec<PasswordFingerprint>,
}

/// A route and its pattern without the identity.
#[derive(Debug)]
struct Line {
    /// `/ocpp/`
    prefix: String,
    route: Route,
}

/// Why a registry makes no book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The pattern is none.
    #[error(
        "route {}: the path `{path}` is no pattern: it must look like `/ocpp/{{identity}}`, with literal segments of letters, digits and `-._~`",
        route.0
    )]
    Pattern {
        /// Which route.
        route: RouteId,
        /// Its path.
        path: String,
    },
    /// Two routes have the same path.
    #[error("routes {} and {} have the same path", first.0, second.0)]
    SamePath {
        /// One of them.
        first: RouteId,
        /// The other.
        second: RouteId,
    },
    /// Two routes have the same name.
    #[error("two routes are named {}", .0.0)]
    SameRoute(RouteId),
    /// Two stations of one tenant have the same identity, or two that differ only in case.
    #[error("tenant {}: the stations `{first}` and `{second}` differ only in case, or not at all", tenant.0)]
    SameStation {
        /// Whose.
        tenant: Tenant,
        /// One of them.
        first: StationId,
        /// The other.
        second: StationId,
    },
}

impl Book {
    /// Makes a snapshot of the registry, or says what is wrong with it.
    pub fn new<S: Into<Arc<StationRecord>>>(
        routes: impl IntoIterator<Item = Route>,
        stations: impl IntoIterator<Item = S>,
    ) -> Result<Book, BookError> {
        let mut stations: Vec<Arc<StationRecord>> = stations.into_iter().map(Into::into).collect();
        stations.sort_unstable_by(|a, b| (&a.tenant, &a.id).cmp(&(&b.tenant, &b.id)));
        stations.shrink_to_fit();
        Ok(Book {
            folded: folded(&stations)?,
            routes: lines(routes)?,
            slow_per_mille: slow_per_mille(&stations),
            shared: shared(&stations),
            stations,
        })
    }

    /// The station of that tenant with that identity, to the letter.
    pub fn find(&self, tenant: &Tenant, id: &StationId) -> Option<&Arc<StationRecord>> {
        let place = self
            .stations
            .binary_search_by(|record| (&record.tenant, &record.id).cmp(&(tenant, id)))
            .ok()?;
        self.stations.get(place)
    }

    /// The station of that tenant whose identity differs from that one in case at most.
    pub fn find_in_any_case(&self, tenant: &Tenant, id: &StationId) -> Option<&Arc<StationRecord>> {
        let folded = id.folded();
        let record = |place: &u32| self.stations.get(*place as usize);
        let compare = |place: &u32| {
            let record = record(place);
            let key = record.map(|record| (&record.tenant, record.id.folded()));
            key.as_ref()
                .map(|(tenant, folded)| (*tenant, folded.as_str()))
                .cmp(&Some((tenant, folded.as_str())))
        };
        let place = self.folded.binary_search_by(compare).ok()?;
        self.folded.get(place).and_then(record)
    }

    /// The route of a request's path (without its query), and the identity's segment as it came,
    /// still percent-encoded. One trailing slash is tolerated.
    ///
    /// Literal segments match to the letter and only the last one varies, so at most one route
    /// fits: there is no order of precedence to get wrong.
    pub fn route<'p>(&self, path: &'p str) -> Option<(&Route, &'p str)> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (prefix, segment) = path.split_at(path.rfind('/')? + 1);
        if segment.is_empty() {
            return None;
        }
        let line = self.routes.iter().find(|line| line.prefix == prefix)?;
        Some((&line.route, segment))
    }

    /// The same where a secret segment stands before the identity: `/ocpp/<secret>/CP1`.
    pub fn route_behind_secret<'p>(&self, path: &'p str) -> Option<(&Route, &'p str, &'p str)> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (front, segment) = path.rsplit_once('/')?;
        let (prefix, secret) = front.split_at(front.rfind('/')? + 1);
        if segment.is_empty() || secret.is_empty() {
            return None;
        }
        let line = self.routes.iter().find(|line| line.prefix == prefix)?;
        Some((&line.route, secret, segment))
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|line| &line.route)
    }

    /// Every station, by tenant and identity.
    pub fn stations(&self) -> &[Arc<StationRecord>] {
        &self.stations
    }

    /// Whether two stations or more have that password (A07).
    pub fn is_shared(&self, password: &PasswordFingerprint) -> bool {
        self.shared.binary_search(password).is_ok()
    }

    pub(crate) fn slow_per_mille(&self) -> u16 {
        self.slow_per_mille
    }
}

/// The places of sorted stations by their folded identities, of which each must be one station's.
fn folded(stations: &[Arc<StationRecord>]) -> Result<Vec<u32>, BookError> {
    let places = stations.iter().zip(0_u32..);
    let mut keys: Vec<_> = places
        .map(|(record, place)| (&record.tenant, record.id.folded(), place))
        .collect();
    keys.sort_unstable();
    for (first, second) in keys.iter().zip(keys.iter().skip(1)) {
        if (first.0, &first.1) == (second.0, &second.1) {
            let id = |place: u32| stations.get(place as usize).map(|record| record.id.clone());
            if let (Some(one), Some(other)) = (id(first.2), id(second.2)) {
                return Err(BookError::SameStation {
                    tenant: first.0.clone(),
                    first: one,
                    second: other,
                });
            }
        }
    }
    Ok(keys.into_iter().map(|(_, _, place)| place).collect())
}

fn lines(routes: impl IntoIterator<Item = Route>) -> Result<Vec<Line>, BookError> {
    let mut lines: Vec<Line> = Vec::new();
    for route in routes {
        let Some(prefix) = prefix(&route.path) else {
            return Err(BookError::Pattern {
                route: route.id,
                path: route.path,
            });
        };
        if let Some(first) = lines.iter().find(|line| line.prefix == prefix) {
            return Err(BookError::SamePath {
                first: first.route.id.clone(),
                second: route.id,
            });
        }
        if lines.iter().any(|line| line.route.id == route.id) {
            return Err(BookError::SameRoute(route.id));
        }
        lines.push(Line {
            prefix: prefix.to_owned(),
            route,
        });
    }
    Ok(lines)
}

/// A pattern without its identity: literal segments that look the same however a client encodes them.
fn prefix(path: &str) -> Option<&str> {
    let prefix = path.strip_suffix("{identity}")?;
    let inner = prefix.strip_prefix('/')?;
    let literal = |segment: &str| {
        !segment.is_empty()
            && !matches!(segment, "." | "..")
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match inner.strip_suffix('/') {
        Some(segments) => segments.split('/').all(literal).then_some(prefix),
        None => inner.is_empty().then_some(prefix),
    }
}

fn shared(stations: &[Arc<StationRecord>]) -> Vec<PasswordFingerprint> {
    let known = stations.iter().filter_map(|record| record.password);
    let mut all: Vec<PasswordFingerprint> = known.map(|traits| traits.fingerprint).collect();
    all.sort_unstable();
    let mut shared: Vec<_> = all
        .chunk_by(|a, b| a == b)
        .filter(|group| group.len() > 1)
        .filter_map(|group| group.first().copied())
        .collect();
    shared.shrink_to_fit();
    shared
}

fn slow_per_mille(stations: &[Arc<StationRecord>]) -> u16 {
    let (mut passwords, mut slow) = (0_usize, 0_usize);
    for record in stations {
        if let Credential::Password(verifier) = &record.credential {
            passwords += 1;
            slow += usize::from(verifier.is_slow());
        }
    }
    // Rounded up: were no stranger ever slow, the few who are would be known as registered (A04).
    let share = (slow * 1000).div_ceil(passwords.max(1));
    u16::try_from(share).unwrap_or(1000)
}

#[cfg(test)]
mod tests;
