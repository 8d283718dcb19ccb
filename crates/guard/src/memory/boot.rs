//! What a station says it is, in its BootNotification.

use std::fmt;

use ocpp::{Facts, Meaning};

use crate::PseudonymKey;

/// A station's own words about itself; nobody has proved them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootIdentity {
    /// `chargePointVendor`, or `vendorName`.
    pub maker: Option<Box<str>>,
    /// `chargePointModel`, or `model`.
    pub model: Option<Box<str>>,
    /// `chargePointSerialNumber`, or else `chargeBoxSerialNumber`; 2.x `serialNumber`.
    pub serial: Option<Box<str>>,
    /// `firmwareVersion`.
    pub firmware: Option<Box<str>>,
    /// Its SIM's ICCID.
    pub iccid: Option<SimMark>,
    /// Its SIM's IMSI.
    pub imsi: Option<SimMark>,
}

/// A SIM's number, as what a key makes of it: the same number gives the same mark, and only the
/// key's holder can test a guess.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SimMark(pub(crate) [u8; 8]);

impl fmt::Debug for SimMark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for SimMark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sim:")?;
        for byte in &self.0[..6] {
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Characters kept of a name; OCPP allows at most 50 anywhere in a Boot.
const NAME_CHARS_MAX: usize = 50;

impl BootIdentity {
    /// From a BootNotification's facts. Without a key nothing is remembered of its SIM.
    pub(crate) fn of(facts: &Facts<'_>, key: Option<&PseudonymKey>) -> BootIdentity {
        let text = |name: &str| {
            let fact = facts.iter().find(|fact| fact.field.name == name)?;
            let text = ocpp::unescape(facts.text(fact));
            let text: String = text.trim().chars().take(NAME_CHARS_MAX).collect();
            (!text.is_empty()).then(|| text.into_boxed_str())
        };
        let first = |meaning| {
            let fact = facts.iter().find(|fact| fact.field.meaning == meaning)?;
            text(fact.field.name)
        };
        let sim = |name| Some(SimMark::of(&text(name)?, key?));
        BootIdentity {
            maker: first(Meaning::Maker),
            model: first(Meaning::Model),
            serial: SERIALS.into_iter().find_map(text),
            firmware: first(Meaning::Firmware),
            iccid: sim("iccid"),
            imsi: sim("imsi"),
        }
    }
}

/// Where a serial number stands: 2.x, 1.6, and 1.6's older name. The meter's is another thing.
const SERIALS: [&str; 3] = [
    "serialNumber",
    "chargePointSerialNumber",
    "chargeBoxSerialNumber",
];

impl SimMark {
    fn of(number: &str, key: &PseudonymKey) -> SimMark {
        // The same purpose as `redact` has, so that a mark here is the pseudonym that a log shows.
        let text = number.to_ascii_uppercase();
        let tag = key.tag("pseudonym", &[text.as_bytes()]);
        let mut mark = [0; 8];
        mark.copy_from_slice(&tag[..8]);
        SimMark(mark)
    }
}
