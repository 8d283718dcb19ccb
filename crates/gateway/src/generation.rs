//! The settings in force. They are replaced as a whole: whoever comes from then on meets the new ones,
//! and a session keeps those that it began under.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use guard::admission::CertificateRules;
use guard::{Network, SessionFacts};

use crate::StartError;
use crate::certificate::Trust;
use crate::gate::Gate;
use crate::settings::{ListenerSettings, Settings, TlsSettings};
use crate::tls::{self, Resumption};
use crate::welcome::{Door, DoorTls};
use crate::worker::Rooms;

/// The gate as newcomers meet it.
pub(crate) struct Generation {
    pub(crate) gate: Arc<Gate>,
    /// One for each listener, in the order in which they were bound.
    porches: Vec<Porch>,
}

/// One listener: how it is set, and what that made of it.
#[derive(Clone)]
struct Porch {
    settings: ListenerSettings,
    tls: Option<DoorTls>,
    proxies: Arc<[Network]>,
}

/// New settings, made ready and not yet in force.
pub struct Renewal {
    pub(crate) generation: Generation,
    /// The listeners whose stations must prove themselves anew: a certificate that was good under the
    /// old settings need not be under these.
    mistrusted: Vec<Arc<ArcSwap<CertificateRules>>>,
    /// What those listeners trust from now on.
    trusts: Vec<Trust>,
    /// The rules of certificates as the new settings have them, for those that are asked now.
    rules: Vec<(Arc<ArcSwap<CertificateRules>>, Arc<CertificateRules>)>,
}

impl Generation {
    /// The first one.
    pub(crate) fn first(gate: Gate) -> Result<Generation, StartError> {
        let listeners = gate.settings.listeners.iter();
        let sessions_max = gate.settings.limits.tls12_sessions_max;
        let porches = listeners
            .map(|settings| Porch::new(settings, sessions_max, None, Trust::default()))
            .collect::<Result<_, _>>()?;
        Ok(Generation {
            gate: Arc::new(gate),
            porches,
        })
    }

    /// The door of a listener, for one connection.
    pub(crate) fn door(&self, listener: usize, rooms: &Rooms) -> Option<Door> {
        let porch = self.porches.get(listener)?;
        Some(Door {
            gate: Arc::clone(&self.gate),
            tls: porch.tls.clone(),
            proxies: Arc::clone(&porch.proxies),
            sessions: Arc::clone(&rooms.sessions),
            lobby: Arc::clone(&rooms.lobby),
        })
    }

    /// Makes the next one. Listeners stay as many as they are, where they are, and with TLS or without
    /// as they are: what is set for another one is left out, and one that is no longer set stays.
    pub(crate) fn renewed(&self, mut settings: Settings) -> Result<Renewal, StartError> {
        let sessions_max = self.gate.settings.limits.tls12_sessions_max;
        let mut renewal = Changes::default();
        let mut porches = Vec::with_capacity(self.porches.len());
        for porch in &self.porches {
            let mut wanted = settings.listeners.iter_mut();
            let wanted = wanted.find(|wanted| {
                let both = [&porch.settings, &**wanted];
                let [is, wanted] = both.map(|one| (one.address, one.tls.is_some()));
                is == wanted
            });
            porches.push(match wanted {
                Some(wanted) => porch.renewed(wanted, sessions_max, &mut renewal)?,
                None => porch.clone(),
            });
        }
        settings.listeners = porches.iter().map(|porch| porch.settings.clone()).collect();
        Ok(Renewal {
            generation: Generation {
                gate: Arc::new(self.gate.renewed(settings)?),
                porches,
            },
            mistrusted: renewal.mistrusted,
            trusts: renewal.trusts,
            rules: renewal.rules,
        })
    }
}

#[derive(Default)]
struct Changes {
    mistrusted: Vec<Arc<ArcSwap<CertificateRules>>>,
    trusts: Vec<Trust>,
    rules: Vec<(Arc<ArcSwap<CertificateRules>>, Arc<CertificateRules>)>,
}

impl Porch {
    fn new(
        settings: &ListenerSettings,
        sessions_max: usize,
        resumption: Option<Resumption>,
        trust: Trust,
    ) -> Result<Porch, StartError> {
        let tls = settings.tls.as_ref().map(|tls| {
            Ok(DoorTls {
                config: tls::server_config(tls, sessions_max, resumption)?,
                certificate_rules: Arc::clone(&tls.certificate_rules),
                trust,
            })
        });
        let tls = tls.transpose().map_err(|error| StartError::Tls {
            address: settings.address,
            error,
        })?;
        Ok(Porch {
            tls,
            proxies: settings.proxy_protocol_from.as_slice().into(),
            settings: settings.clone(),
        })
    }

    fn renewed(
        &self,
        wanted: &mut ListenerSettings,
        sessions_max: usize,
        changes: &mut Changes,
    ) -> Result<Porch, StartError> {
        let address = self.settings.address;
        let both = (&self.settings.tls, wanted.tls.as_mut(), &self.tls);
        let (Some(old), Some(new), Some(door)) = both else {
            return Porch::new(wanted, sessions_max, None, Trust::default());
        };
        let narrowed = is_narrowed(address, old, new)?;
        let rules = new.certificate_rules.load_full();
        // Running sessions ask the rules that they came under, so these stay the same thing.
        new.certificate_rules = Arc::clone(&old.certificate_rules);
        let mut trust = door.trust.clone();
        if narrowed || old.certificate_rules.load().organization != rules.organization {
            changes.mistrusted.push(Arc::clone(&old.certificate_rules));
            trust = trust.renewed();
            changes.trusts.push(trust.clone());
        }
        changes
            .rules
            .push((Arc::clone(&old.certificate_rules), rules));
        // A session that is resumed shows a certificate that nobody verifies again: where the client
        // CA no longer vouches for all that it did, no session of before is resumed.
        let resumption = (!narrowed).then(|| Resumption::of(&door.config));
        Porch::new(wanted, sessions_max, resumption, trust)
    }
}

/// Whether certificates that led to the old roots may not lead to the new ones.
fn is_narrowed(
    address: SocketAddr,
    old: &TlsSettings,
    new: &TlsSettings,
) -> Result<bool, StartError> {
    let roots = |settings: &TlsSettings| -> Result<BTreeSet<Vec<u8>>, StartError> {
        let pem = settings.client_ca.as_deref().unwrap_or_default();
        tls::certificates(pem).map_err(|error| StartError::Tls { address, error })
    };
    Ok(!roots(old)?.is_subset(&roots(new)?))
}

impl Renewal {
    /// Whether a session that came with a certificate under those rules must prove itself anew.
    pub(crate) fn mistrusts(&self, rules: &Arc<ArcSwap<CertificateRules>>) -> bool {
        let mut mistrusted = self.mistrusted.iter();
        mistrusted.any(|other| Arc::ptr_eq(other, rules))
    }

    /// The sessions that came with a certificate which proves nothing by itself any more: the client
    /// CA of their listener has lost a root, or the organisation asked for is another one.
    pub fn mistrusted(&self) -> Vec<Arc<SessionFacts>> {
        let gate = &self.generation.gate;
        gate.live.sessions_where(|place| {
            let shown = place.shown();
            shown.is_some_and(|shown| self.mistrusts(shown.rules()))
        })
    }

    /// Changes what is shared with the settings of before, so that it holds for running sessions too.
    pub(crate) fn bring_into_force(&self) {
        for (rules, new) in &self.rules {
            rules.store(Arc::clone(new));
        }
        for trust in &self.trusts {
            trust.bring_into_force();
        }
        let gate = &self.generation.gate;
        gate.attempts().renew(gate.settings.attempts.clone());
    }
}
