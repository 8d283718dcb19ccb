//! The table of facts: every message, field, limit and enumeration, compiled from
//! `crates/ocpp/catalogue/` at build time.

mod names;
mod tables;
mod words;

use crate::{Meaning, Side, Version};

pub(crate) use names::Names;
pub(crate) use tables::MEANINGS;

/// What the catalogue says of one action of one version.
pub fn action(version: Version, name: &str) -> Option<&'static ActionFacts> {
    let place = action_names(version).find_text(name)?;
    actions(version).get(place)
}

/// Every action of a version, by [`ActionFacts::index`].
pub fn actions(version: Version) -> &'static [ActionFacts] {
    match version {
        Version::V16 => tables::V16_ACTIONS,
        Version::V201 => tables::V201_ACTIONS,
        Version::V21 => tables::V21_ACTIONS,
    }
}

pub(crate) fn action_names(version: Version) -> &'static Names {
    match version {
        Version::V16 => &tables::V16_NAMES,
        Version::V201 => &tables::V201_NAMES,
        Version::V21 => &tables::V21_NAMES,
    }
}

/// Who may send a CALL or SEND.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Only the station.
    Station,
    /// Only the CSMS.
    Csms,
    /// Either (DataTransfer).
    Either,
}

impl Sender {
    /// Whether that side may send it.
    pub const fn allows(self, side: Side) -> bool {
        matches!(
            (self, side),
            (Sender::Either, _) | (Sender::Station, Side::Station) | (Sender::Csms, Side::Csms)
        )
    }
}

/// One action of one version.
#[derive(Debug)]
pub struct ActionFacts {
    /// The name in the envelope.
    pub name: &'static str,
    /// The version it belongs to.
    pub version: Version,
    /// Who may send it.
    pub sender: Sender,
    /// The payload of the CALL, or of the SEND.
    pub request: &'static Schema,
    /// The payload of the CALLRESULT; `None` for a SEND.
    pub answer: Option<&'static Schema>,
    /// Its place among the version's actions, for counters.
    pub index: u16,
}

/// One kind of JSON object.
#[derive(Debug)]
pub struct Schema {
    /// What the official schema calls it, or where it stands (`BootNotification.request`).
    pub name: &'static str,
    /// Its fields, at most 64.
    pub fields: &'static [Field],
    /// Bit i is set when `fields[i]` is required.
    pub required: u64,
    /// It allows fields it does not name (`customData`).
    pub open: bool,
    /// The names of `fields`, in their order.
    pub(crate) names: Names,
}

impl Schema {
    /// The field of that name; names are case-sensitive.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.get(self.names.find_text(name)?)
    }
}

/// One field of an object.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// What it means to us.
    pub meaning: Meaning,
}

/// What a value must be.
#[derive(Debug)]
pub enum Kind {
    /// A string of at most `max` code points (`u32::MAX`: unbounded).
    Text {
        /// Code points at most.
        max: u32,
    },
    /// An RFC 3339 date-time, of at most `max` code points.
    DateTime {
        /// Code points at most.
        max: u32,
    },
    /// One of a set of strings.
    Choice(&'static Choice),
    /// An integer; whether `1.0` is one depends on the schema's draft (06: yes, 04: no).
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
        /// Draft-06: a number without fraction counts, however it is written.
        lenient: bool,
    },
    /// A number.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// It must be a multiple of 10^-n, judged in decimal: 1 for 0.1; `u8::MAX`: any.
        decimals: u8,
    },
    /// `true` or `false`.
    Boolean,
    /// An object.
    Object(&'static Schema),
    /// An array.
    List {
        /// What each item must be.
        of: &'static Kind,
        /// Items at least.
        min: u32,
        /// Items at most (`u32::MAX`: the schema sets no bound; ours applies).
        max: u32,
    },
    /// Anything (DataTransfer's `data` in 2.x).
    Any,
}

/// An enumeration.
#[derive(Debug)]
pub struct Choice {
    /// What the official schema calls it.
    pub name: &'static str,
    /// Its values.
    pub values: &'static [&'static str],
    /// The same, for a quick answer.
    pub(crate) names: Names,
}

impl Choice {
    /// Whether that is one of its values; they are case-sensitive.
    pub fn allows(&self, value: &str) -> bool {
        self.names.find_text(value).is_some()
    }
}
