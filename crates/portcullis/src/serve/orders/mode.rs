//! The order to reduce everything to TLS, authentication and relay, or to take that back.

use guard::{Relaxed, Tenant};
use ocpp::{StationId, Version};
use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModeAct {
    /// Nothing, only say how it is.
    #[default]
    Show,
    /// Observe these at most.
    Observe,
    /// Keep to the controls again; without anybody named: for all.
    Enforce,
}

/// An order and whom it is about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ModeOrder {
    pub(crate) act: ModeAct,
    /// Whose stations; `None`: the whole fleet, or with stations the default tenant's.
    pub(crate) tenant: Option<String>,
    pub(crate) stations: Vec<String>,
}

/// Why an order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModeRefused {
    /// The identity that is none, or that nobody has.
    pub(crate) identity: String,
}

/// How it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModeView {
    /// The whole fleet is observed at most.
    pub(crate) fleet: bool,
    /// These tenants' stations are.
    pub(crate) tenants: Vec<String>,
    /// These stations are.
    pub(crate) stations: Vec<OneRelaxed>,
    /// When it began; `None`: nobody is.
    pub(crate) since: Option<String>,
    /// A restart will find it.
    pub(crate) stored: bool,
    /// The running gate has it in force.
    pub(crate) running: bool,
}

/// One station that is observed at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OneRelaxed {
    pub(crate) tenant: String,
    pub(crate) identity: String,
}

impl ModeOrder {
    /// Whom it is about; `is_known` says whether a station is registered.
    pub(crate) fn whom(
        &self,
        is_known: impl Fn(&Tenant, &StationId) -> bool,
    ) -> Result<Relaxed, ModeRefused> {
        let tenant = self.tenant.as_deref();
        if self.stations.is_empty() {
            return Ok(Relaxed {
                fleet: tenant.is_none(),
                tenants: tenant.map(|name| Tenant(name.into())).into_iter().collect(),
                stations: Vec::new(),
            });
        }
        let tenant = Tenant(tenant.unwrap_or(crate::config::TENANT).into());
        let mut stations = Vec::new();
        for identity in &self.stations {
            let refused = || ModeRefused {
                identity: identity.clone(),
            };
            let id = StationId::parse(identity, Version::V16).map_err(|_| refused())?;
            if !is_known(&tenant, &id) {
                return Err(refused());
            }
            stations.push((tenant.clone(), id));
        }
        Ok(Relaxed {
            stations,
            ..Relaxed::default()
        })
    }

    /// Does it to what is in force; false when nothing is to be done.
    pub(crate) fn apply(&self, whom: Relaxed, relaxed: &mut Relaxed) -> bool {
        match self.act {
            ModeAct::Show => return false,
            ModeAct::Observe => relaxed.add(whom),
            ModeAct::Enforce if whom.fleet => *relaxed = Relaxed::default(),
            ModeAct::Enforce => relaxed.remove(&whom),
        }
        true
    }
}

impl ModeView {
    pub(crate) fn of(relaxed: &Relaxed, since: Option<String>) -> ModeView {
        let stations = relaxed.stations.iter().map(|(tenant, id)| OneRelaxed {
            tenant: tenant.0.to_string(),
            identity: id.to_string(),
        });
        ModeView {
            fleet: relaxed.fleet,
            tenants: relaxed
                .tenants
                .iter()
                .map(|one| one.0.to_string())
                .collect(),
            stations: stations.collect(),
            since,
            stored: true,
            running: false,
        }
    }

    pub(crate) fn relaxed(&self) -> Relaxed {
        let stations = self.stations.iter().filter_map(|one| {
            let id = StationId::parse(&one.identity, Version::V16).ok()?;
            Some((Tenant(one.tenant.as_str().into()), id))
        });
        Relaxed {
            fleet: self.fleet,
            tenants: self
                .tenants
                .iter()
                .map(|one| Tenant(one.as_str().into()))
                .collect(),
            stations: stations.collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.relaxed().is_empty()
    }

    /// Whom nothing is enforced for, and since when.
    pub(crate) fn in_words(&self) -> String {
        if self.is_empty() {
            return "controls are kept as they are set".to_owned();
        }
        let mut whom = Vec::new();
        if self.fleet {
            whom.push("the whole fleet".to_owned());
        }
        whom.extend(self.tenants.iter().map(|tenant| format!("tenant {tenant}")));
        whom.extend(self.stations.iter().map(|one| match one.tenant.as_str() {
            crate::config::TENANT => format!("station {}", one.identity),
            tenant => format!("station {} of tenant {tenant}", one.identity),
        }));
        let since = self.since.as_deref().unwrap_or("now");
        format!(
            "observed only, nothing is enforced: {} (since {since})",
            whom.join(", ")
        )
    }
}
