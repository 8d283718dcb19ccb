//! What the registry says about a station and its way to the CSMS, as plain values.

use std::fmt;
use std::sync::Arc;

use ocpp::{StationId, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret in memory: it is wiped when dropped, and does not print.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes a secret in.
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(Arc::new(Zeroizing::new(bytes)))
    }

    /// The bytes, for the one who must use them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Takes as long for a wrong secret as for a right one of its length.
impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret({} bytes)", self.0.len())
    }
}

/// A CPO, or one of its brands: stations of two tenants may share a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(pub Arc<str>);

/// A route's name in the route table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub Arc<str>);

/// One line of the route table: which path leads to which CSMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name.
    pub id: RouteId,
    /// `/ocpp/{identity}`: literal segments, and `{identity}` as the last one.
    pub path: String,
    /// Whose stations come this way.
    pub tenant: Tenant,
    /// `ws://host:port/path` or `wss://…`; the identity is appended as the last segment.
    pub upstream: String,
    /// What we show the CSMS in place of, or as, the station's credential.
    pub credential: UpstreamCredential,
    /// The CPO, as it must stand in the certificates of stations that come this way; `None`: what the
    /// listener says.
    pub organization: Option<String>,
}

/// How we authenticate towards the CSMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamCredential {
    /// The station's own `Authorization` header, passed on.
    Forward,
    /// Nothing at all.
    None,
    /// The same Basic password for every station, with the identity as user name.
    Fixed(Secret),
    /// Each station's own upstream password ([`StationRecord::upstream_password`]).
    PerStation,
}

/// Which versions a station may speak, and which one it means when it names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// Those it may use.
    pub allowed: Vec<Version>,
    /// What a station without a subprotocol speaks; `None`: such a handshake is refused (A16).
    pub unnamed: Option<Version>,
}

impl Default for Protocols {
    fn default() -> Protocols {
        Protocols {
            allowed: Version::ALL.to_vec(),
            unnamed: None,
        }
    }
}

/// One registered station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationRecord {
    /// Its identity.
    pub id: StationId,
    /// Whose it is.
    pub tenant: Tenant,
    /// May connect at all.
    pub enabled: bool,
    /// What proves that it is this station.
    pub credential: crate::Credential,
    /// What is known of its password; `None` where it has none, or nobody has said it since we ask.
    pub password: Option<crate::PasswordTraits>,
    /// The CSMS has vouched for it in an adoption window, and nobody has looked at it since.
    pub adopted: bool,
    /// Credentials that it has been given and has not shown yet.
    pub pending: Vec<crate::PendingCredential>,
    /// Which versions it may speak.
    pub protocols: Protocols,
    /// The password we show the CSMS in its name, for [`UpstreamCredential::PerStation`].
    pub upstream_password: Option<Secret>,
    /// Who made it, as the operator registered it: by these two an exception may name a model.
    pub maker: Option<Box<str>>,
    /// Which model it is.
    pub model: Option<Box<str>>,
    /// The serial number it must say in its BootNotification, where the operator has registered one.
    pub serial: Option<Box<str>>,
    /// How often the operator has put another station in its place: what was learnt of the one
    /// before does not hold for it.
    pub replaced: u32,
}

impl StationRecord {
    /// A station that may connect with that credential, and speak every version that it names.
    pub fn new(id: StationId, tenant: Tenant, credential: crate::Credential) -> StationRecord {
        StationRecord {
            id,
            tenant,
            enabled: true,
            credential,
            password: None,
            adopted: false,
            pending: Vec::new(),
            protocols: Protocols::default(),
            upstream_password: None,
            maker: None,
            model: None,
            serial: None,
            replaced: 0,
        }
    }

    /// What stands on the station for everybody to read, so that no password is to be made from it: its
    /// identity, and its serial number where that is registered.
    pub fn names(&self) -> [&str; 2] {
        let id = self.id.as_str();
        [id, self.serial.as_deref().unwrap_or(id)]
    }
}
