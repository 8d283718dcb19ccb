//! One value of a message, and what becomes of it.

use std::borrow::Cow;

use ocpp::catalogue::Kind;
use ocpp::{Fact, Facts, Meaning};

use crate::vault::Class;

/// What becomes of a value.
pub(super) enum Treatment {
    Subject(Class),
    Setting,
    Secret,
    Url,
    Certificate,
    Length(&'static str),
    Text,
}

impl Treatment {
    /// What becomes of a value of that meaning; `None` if it may stand.
    pub(super) fn of(fact: &Fact, private: bool) -> Option<Treatment> {
        Some(match fact.field.meaning {
            Meaning::Reading
            | Meaning::Measurand
            | Meaning::Unit
            | Meaning::Timestamp
            | Meaning::Connector
            | Meaning::Evse
            | Meaning::Status => return None,
            Meaning::Person
            | Meaning::Token
            | Meaning::Contract
            | Meaning::Vehicle
            | Meaning::Sim => {
                // Of objects that the schema knows, the fields inside say what they are.
                let inner = matches!(
                    fact.field.kind,
                    Kind::Object(_)
                        | Kind::List {
                            of: Kind::Object(_),
                            ..
                        }
                );
                return match inner {
                    true => None,
                    false => Class::of(fact.field.meaning).map(Treatment::Subject),
                };
            }
            // A serial number is printed on the box, and is often the station's identity.
            Meaning::Serial if private => Treatment::Subject(Class::Station),
            Meaning::Network if private => Treatment::Text,
            Meaning::ConfigValue => Treatment::Setting,
            Meaning::Secret => Treatment::Secret,
            Meaning::Url => Treatment::Url,
            Meaning::Certificate => Treatment::Certificate,
            // Signed meter data repeats the token it was measured for (OCMF, "ID").
            Meaning::Signature => Treatment::Length("signature"),
            Meaning::FreeText | Meaning::VendorData | Meaning::Location => Treatment::Text,
            _ => return None,
        })
    }
}

/// A value where it stands in the message.
pub(super) struct Value<'m> {
    /// With the quotes of a string.
    pub(super) raw: &'m [u8],
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: &'m str,
    pub(super) quoted: bool,
    pub(super) escaped: bool,
}

impl<'m> Value<'m> {
    /// The value, unless it says nothing: an empty string, list or object, `null`, `true`, `false`.
    pub(super) fn of(fact: &Fact, facts: &Facts<'m>, bytes: &'m [u8]) -> Option<Value<'m>> {
        let text = facts.text(fact);
        if matches!(text, "" | "null" | "true" | "false" | "{}" | "[]") {
            return None;
        }
        let (start, end) = (fact.start as usize, fact.end as usize);
        // Before any other value stands a colon, a comma, a bracket or white space.
        let quoted = start > 0 && bytes.get(start - 1) == Some(&b'"');
        let around = usize::from(quoted);
        Some(Value {
            raw: bytes.get(start - around..end + around)?,
            start: start - around,
            end: end + around,
            text,
            quoted,
            escaped: fact.escaped,
        })
    }

    /// What it says, escapes undone.
    pub(super) fn inside(&self) -> Cow<'m, str> {
        match self.escaped {
            true => ocpp::unescape(self.text),
            false => self.text.into(),
        }
    }

    /// A list or an object.
    pub(super) fn is_structure(&self) -> bool {
        !self.quoted && self.text.starts_with(['{', '['])
    }
}
