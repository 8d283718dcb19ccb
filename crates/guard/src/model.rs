//! Which model a station says it is, and the caps that a model may have of its own.

use ocpp::{Facts, Limits, Meaning};

use crate::BootIdentity;

/// A station's own words about itself, from the BootNotification that was passed on. Nobody has
/// proved them: they may widen a cap, never open a door.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Model {
    /// `chargePointVendor`, or `vendorName`.
    pub maker: Box<str>,
    /// `chargePointModel`, or `model`.
    pub model: Box<str>,
    /// `firmwareVersion`, where it says one.
    pub firmware: Option<Box<str>>,
}

/// Characters kept of a maker's, a model's or a firmware's name; OCPP allows 20 in 1.6 and 50 in 2.x.
const NAME_CHARS_MAX: usize = 50;

impl Model {
    /// From a BootNotification's facts; `None` when it does not name both.
    pub(crate) fn of(facts: &Facts<'_>) -> Option<Model> {
        let name = |meaning| {
            let text = ocpp::unescape(facts.first(meaning)?);
            Some(text.chars().take(NAME_CHARS_MAX).collect::<String>())
        };
        Some(Model {
            maker: name(Meaning::Maker)?.into(),
            model: name(Meaning::Model)?.into(),
            firmware: name(Meaning::Firmware).map(Into::into),
        })
    }

    /// What it said when it was accepted last.
    pub(crate) fn of_memory(boot: &BootIdentity) -> Option<Model> {
        Some(Model {
            maker: boot.maker.clone()?,
            model: boot.model.clone()?,
            firmware: boot.firmware.clone(),
        })
    }

    /// Whether these patterns name it.
    pub(crate) fn is(&self, maker: &str, model: &str) -> bool {
        matches(maker, &self.maker) && matches(model, &self.model)
    }
}

/// Other caps for one model: what real stations of it need, or what its CSMS must be spared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsException {
    /// Its maker as BootNotification spells it; case does not matter, a `*` at the end stands for
    /// anything.
    pub maker: String,
    /// Its model, likewise.
    pub model: String,
    /// All its caps.
    pub limits: Limits,
}

impl LimitsException {
    pub(crate) fn is_for(&self, station: &Model) -> bool {
        station.is(&self.maker, &self.model)
    }
}

/// Asked for every message of a fleet with exceptions, so nothing here allocates.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    let (start, open) = match pattern.strip_suffix('*') {
        Some(start) => (start, true),
        None => (pattern, false),
    };
    let mut wanted = start.chars().flat_map(char::to_lowercase);
    wanted.all(|letter| letters.next() == Some(letter)) && (open || letters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case_and_by_their_start() {
        let station = Model {
            maker: "Maker AG".into(),
            model: "Wall Box 22".into(),
            firmware: None,
        };
        let exception = |maker: &str, model: &str| LimitsException {
            maker: maker.to_owned(),
            model: model.to_owned(),
            limits: Limits::default(),
        };
        for (maker, model) in [
            ("maker ag", "wall*"),
            ("*", "WALL BOX 22"),
            ("Maker AG", "*"),
        ] {
            assert!(exception(maker, model).is_for(&station), "{maker} {model}");
        }
        for (maker, model) in [
            ("Maker", "*"),
            ("*", "Box*"),
            ("", ""),
            ("Other", "Wall Box 22"),
        ] {
            assert!(!exception(maker, model).is_for(&station), "{maker} {model}");
        }
    }
}
