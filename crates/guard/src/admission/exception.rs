//! Who comes in although it cannot show enough: by an exception with a last day, and by whatever else
//! about it can be held against it (threats A01, A09, A24).
//!
//! An exception stands in for a credential, or for the TLS around one; it never makes a station known:
//! only who is registered is asked for at all.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::model;
use crate::{ConnectionKind, Network, StationRecord, Tenant, TlsFingerprint, UnixMillis};

/// What is missing of a station's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExceptionKind {
    /// TLS and credential: clear text, and nothing to show (profile 0).
    Plain,
    /// TLS: a Basic password in clear text (profile 1).
    PlainBasic,
    /// The credential.
    TlsOpen,
}

/// One exception, as the operator wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    /// What need not be there.
    pub kind: ExceptionKind,
    /// Whose stations it is for.
    pub tenant: Tenant,
    /// Which of them.
    pub stations: Stations,
    /// From then on it lets nobody in; sessions that run are left alone.
    pub until: UnixMillis,
    /// Where the station must come from; empty: from anywhere.
    pub networks: Vec<Network>,
    /// What must stand in the path before the identity.
    pub path_secret: Option<PathSecret>,
    /// How its TLS must look; empty: in any way.
    pub tls_fingerprints: Vec<TlsFingerprint>,
    /// What its BootNotification must say before anything else of it is passed on.
    pub boot: Option<BootDemand>,
    /// Why it is there, for reports.
    pub reason: String,
}

/// Which stations an exception is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stations {
    /// Those of this list.
    Named(StationList),
    /// Those that are registered as this model; case does not matter, a `*` at the end stands for
    /// anything.
    Model {
        /// Who made it; `None`: whoever did.
        maker: Option<String>,
        /// Which model it is; `None`: any of that maker.
        model: Option<String>,
    },
}

/// Identities, to the letter; a `*` at the end stands for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StationList {
    exact: BTreeSet<Box<str>>,
    starts: Vec<Box<str>>,
}

impl<S: AsRef<str>> FromIterator<S> for StationList {
    fn from_iter<I: IntoIterator<Item = S>>(patterns: I) -> StationList {
        let mut list = StationList::default();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            match pattern.strip_suffix('*') {
                Some(start) => list.starts.push(start.into()),
                None => drop(list.exact.insert(pattern.into())),
            }
        }
        list
    }
}

impl Stations {
    /// Whether a station is one of these, and of that tenant.
    pub fn hold(&self, tenant: &str, station: &StationRecord) -> bool {
        *station.tenant.0 == *tenant
            && match self {
                Stations::Named(list) => list.holds(station.id.as_str()),
                Stations::Model { maker, model } => {
                    wanted(maker.as_deref(), station.maker.as_deref())
                        && wanted(model.as_deref(), station.model.as_deref())
                }
            }
    }
}

impl StationList {
    fn holds(&self, identity: &str) -> bool {
        self.exact.contains(identity)
            || self
                .starts
                .iter()
                .any(|start| identity.starts_with(&**start))
    }
}

/// As the operator wrote it.
impl fmt::Display for StationList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts = self.starts.iter().map(|start| format!("{start}*"));
        let exact = self.exact.iter().map(|identity| identity.to_string());
        let all: Vec<String> = exact.chain(starts).collect();
        out.write_str(&all.join(", "))
    }
}

/// A secret segment of a path, kept as its SHA-256: it is long enough that nobody finds it from that.
#[derive(Clone, Copy)]
pub struct PathSecret([u8; 32]);

impl PathSecret {
    /// Characters of one at least: 96 bits, where a machine drew them.
    pub const CHARS_MIN: usize = 16;
    /// And at most.
    pub const CHARS_MAX: usize = 128;

    /// Of a segment as it stands in the path.
    pub fn of(segment: &str) -> PathSecret {
        PathSecret(Sha256::digest(segment.as_bytes()).into())
    }
}

/// In constant time.
impl PartialEq for PathSecret {
    fn eq(&self, other: &PathSecret) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for PathSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PathSecret")
    }
}

/// What a station's BootNotification must say of it; what is `None` may be anything. Case does not
/// matter, a `*` at the end stands for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootDemand {
    /// Its maker.
    pub maker: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
}

/// What a handshake shows beside a credential.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// From where it comes.
    pub peer: IpAddr,
    /// What stood in the path before the identity.
    pub path_secret: Option<PathSecret>,
    /// How its TLS looks.
    pub tls: Option<TlsFingerprint>,
}

/// Why no exception lets a station in; where several are for it, of that which it came nearest to.
///
/// The order is that of the checks. Who has not the path's secret learns nothing by what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExceptionFault {
    /// None is for it and for how it came.
    NotThere,
    /// The path does not hold the secret, or holds one that nobody asked for.
    PathSecret,
    /// It comes from elsewhere.
    Network,
    /// Its TLS looks different: so, if there is TLS.
    TlsFingerprint(Option<TlsFingerprint>),
    /// Its last day is over.
    Expired,
}

impl fmt::Display for ExceptionFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ExceptionFault::NotThere => "there is none for it",
            ExceptionFault::PathSecret => "the path does not hold its secret",
            ExceptionFault::Network => "it is for other networks",
            ExceptionFault::TlsFingerprint(Some(seen)) => {
                return write!(out, "it is for other TLS fingerprints than {seen}");
            }
            ExceptionFault::TlsFingerprint(None) => "it is for a TLS fingerprint",
            ExceptionFault::Expired => "its last day is over",
        })
    }
}

impl ExceptionKind {
    /// What a station that it lets in counts as.
    pub fn connection(self) -> ConnectionKind {
        match self {
            ExceptionKind::Plain => ConnectionKind::Plain,
            ExceptionKind::PlainBasic => ConnectionKind::PlainBasic,
            ExceptionKind::TlsOpen => ConnectionKind::TlsOpen,
        }
    }
}

impl Exception {
    /// Whether it is for that station, in whatever way it comes.
    pub fn is_for(&self, station: &StationRecord) -> bool {
        self.stations.hold(&self.tenant.0, station)
    }

    /// The first thing about a station that does not fit.
    fn fault(&self, shown: &Circumstances, now: UnixMillis) -> Option<ExceptionFault> {
        let elsewhere = !self.networks.is_empty()
            && !self
                .networks
                .iter()
                .any(|network| network.contains(shown.peer));
        let looks_different = !self.tls_fingerprints.is_empty()
            && !shown
                .tls
                .is_some_and(|tls| self.tls_fingerprints.contains(&tls));
        let checks = [
            (
                self.path_secret != shown.path_secret,
                ExceptionFault::PathSecret,
            ),
            (elsewhere, ExceptionFault::Network),
            (looks_different, ExceptionFault::TlsFingerprint(shown.tls)),
            (now >= self.until, ExceptionFault::Expired),
        ];
        checks
            .into_iter()
            .find_map(|(so, fault)| so.then_some(fault))
    }
}

/// What is demanded must have been said.
pub(crate) fn wanted(pattern: Option<&str>, said: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| said.is_some_and(|said| model::matches(pattern, said)))
}

/// Every exception there is, in the operator's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exceptions {
    all: Vec<Arc<Exception>>,
}

impl Exceptions {
    /// These.
    pub fn new(all: impl IntoIterator<Item = Exception>) -> Exceptions {
        Exceptions {
            all: all.into_iter().map(Arc::new).collect(),
        }
    }

    /// Each of them.
    pub fn all(&self) -> &[Arc<Exception>] {
        &self.all
    }

    /// Whether a path may hold a secret at all.
    pub fn ask_for_secrets(&self) -> bool {
        self.all.iter().any(|one| one.path_secret.is_some())
    }

    /// Whether anybody comes in this way.
    pub(super) fn know(&self, kind: ExceptionKind) -> bool {
        self.all.iter().any(|one| one.kind == kind)
    }

    /// The exception that lets a station in, or what it came nearest to.
    pub(super) fn find(
        &self,
        kind: ExceptionKind,
        station: &StationRecord,
        shown: &Circumstances,
        now: UnixMillis,
    ) -> Result<Arc<Exception>, ExceptionFault> {
        let mut nearest = ExceptionFault::NotThere;
        let of_kind = self.all.iter().filter(|one| one.kind == kind);
        for exception in of_kind.filter(|one| one.is_for(station)) {
            match exception.fault(shown, now) {
                None => return Ok(Arc::clone(exception)),
                Some(fault) => nearest = nearest.max(fault),
            }
        }
        Err(nearest)
    }
}
