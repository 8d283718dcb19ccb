//! Who in the fleet has a weak or shared password.

use std::collections::BTreeMap;

use guard::{Credential, PasswordFingerprint, PasswordRules, StationRecord, Weakness};
use serde::Serialize;

use crate::health::Finding;

/// Stations with one and the same password.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) stations: Vec<Named>,
}

/// A station's name.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) identity: String,
    pub(crate) tenant: String,
}

/// A station whose password an attacker would try early.
#[derive(Debug, Serialize)]
pub(crate) struct Weak {
    #[serde(flatten)]
    pub(crate) station: Named,
    /// `short`, `default`, `derived`, `pattern`, `shared`.
    pub(crate) why: Vec<&'static str>,
    #[serde(skip)]
    pub(crate) words: String,
    /// It was registered with `--allow-weak`.
    pub(crate) accepted: bool,
}

/// The fleet's passwords.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    /// Stations that have one.
    pub(crate) passwords: usize,
    /// Those whose password nobody has said since this is asked: it is looked at when they come next.
    pub(crate) unknown: usize,
    pub(crate) shared: Vec<Group>,
    pub(crate) weak: Vec<Weak>,
}

impl Audit {
    pub(crate) fn of<'s>(
        stations: impl IntoIterator<Item = &'s StationRecord>,
        rules: &PasswordRules,
    ) -> Audit {
        let with_password =
            |station: &&StationRecord| matches!(station.credential, Credential::Password(_));
        let stations: Vec<&StationRecord> = stations.into_iter().filter(with_password).collect();
        let mut by_password: BTreeMap<PasswordFingerprint, Vec<Named>> = BTreeMap::new();
        for station in &stations {
            if let Some(traits) = &station.password {
                by_password
                    .entry(traits.fingerprint)
                    .or_default()
                    .push(Named::of(station));
            }
        }
        by_password.retain(|_, group| group.len() > 1);
        let weak = stations.iter().filter_map(|station| {
            let traits = station.password.as_ref()?;
            let alone = rules.weaknesses(traits);
            let is_shared = by_password.contains_key(&traits.fingerprint);
            let all = if is_shared {
                alone.with(Weakness::Shared)
            } else {
                alone
            };
            (!all.is_empty()).then(|| Weak {
                station: Named::of(station),
                why: all.iter().map(label).collect(),
                words: all.to_string(),
                accepted: traits.accepted,
            })
        });
        let weak = weak.collect();
        let mut shared: Vec<Group> = by_password
            .into_values()
            .map(|stations| Group { stations })
            .collect();
        // The fingerprints' order would change with the key and say something about it.
        shared
            .sort_by(|a, b| (b.stations.len(), &a.stations).cmp(&(a.stations.len(), &b.stations)));
        Audit {
            passwords: stations.len(),
            unknown: stations.iter().filter(|one| one.password.is_none()).count(),
            shared,
            weak,
        }
    }

    /// How it stands, for `doctor` and `/readyz`.
    pub(crate) fn finding(&self) -> Finding {
        let open = self.weak.iter().filter(|weak| !weak.accepted).count();
        let accepted = self.weak.len() - open;
        let mut what = match open {
            0 => format!(
                "none of {} is weak or shared",
                self.passwords - self.unknown
            ),
            some => format!(
                "{some} of {} are weak or shared",
                self.passwords - self.unknown
            ),
        };
        if accepted > 0 {
            what.push_str(&format!(", {accepted} more were registered as such"));
        }
        if self.unknown > 0 {
            what.push_str(&format!(", {} are not known yet", self.unknown));
        }
        match open {
            0 => Finding::ok("passwords", what),
            _ => Finding::warn("passwords", what, "See which: `portcullis station audit`."),
        }
    }
}

impl Named {
    fn of(station: &StationRecord) -> Named {
        Named {
            identity: station.id.to_string(),
            tenant: station.tenant.0.to_string(),
        }
    }
}

/// The label of a weakness, for machines and metrics.
pub(crate) fn label(weakness: Weakness) -> &'static str {
    match weakness {
        Weakness::Short => "short",
        Weakness::Default => "default",
        Weakness::Derived => "derived",
        Weakness::Pattern => "pattern",
        Weakness::Shared => "shared",
    }
}
