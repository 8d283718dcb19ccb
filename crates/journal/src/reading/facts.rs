//! What a record says of itself, as far as it is searched and shown by.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::Handle;

/// What became of a message whose record does not say it.
pub(super) const FORWARDED: &str = "forwarded";

/// The fields of a record that reading asks for. All of them are empty where the record has none.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Facts<'a> {
    /// When it happened, in milliseconds since 1970.
    pub at: i64,
    /// What kind of event it tells of; for a message, which kind of message.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Whose station.
    #[serde(borrow)]
    pub tenant: Cow<'a, str>,
    /// Which station, as it is recorded.
    #[serde(borrow)]
    pub station: Cow<'a, str>,
    /// Which session.
    pub session: Option<u64>,
    /// Who has said it: `station` or `csms`.
    #[serde(borrow)]
    pub from: Cow<'a, str>,
    /// Its action.
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    /// What became of a message: `forwarded` where its record says nothing else.
    #[serde(borrow)]
    pub verdict: Cow<'a, str>,
    /// For an answer: how long its call had been open.
    pub latency_us: Option<u64>,
    /// For a connection: the version of OCPP.
    #[serde(borrow)]
    pub ocpp: Cow<'a, str>,
    /// In one word, how a session ended or why somebody was turned away.
    #[serde(borrow)]
    pub how: Cow<'a, str>,
    /// Why it was refused.
    #[serde(borrow)]
    pub why: Cow<'a, str>,
    /// The beginning of the message itself.
    pub message: Envelope,
}

impl<'a> Facts<'a> {
    /// What a record says; nothing, if it is not JSON as we write it.
    pub fn read(record: &'a [u8]) -> Facts<'a> {
        let mut facts: Facts<'a> = serde_json::from_slice(record).unwrap_or_default();
        if facts.verdict.is_empty() && facts.is_message() {
            facts.verdict = FORWARDED.into();
        }
        facts
    }

    /// Whether it tells of a message: no other event has such a kind.
    pub fn is_message(&self) -> bool {
        matches!(
            &*self.kind,
            "call" | "result" | "error" | "result-error" | "send" | "unreadable"
        )
    }

    /// Whether somebody was refused something, be it the rest of a session.
    pub fn is_refused(&self) -> bool {
        matches!(&*self.verdict, "refused" | "disconnected")
            || matches!(&*self.kind, "refused" | "turned-away")
            || (&*self.kind, &*self.how) == ("disconnected", "policy")
    }
}

/// The beginning of an OCPP message: its type and its id, where it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// 2 for a CALL, and so on.
    pub kind: Option<u64>,
    /// The message id.
    pub id: Option<String>,
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Envelope, D::Error> {
        deserializer.deserialize_any(EnvelopeVisitor)
    }
}

/// Takes whatever there is: what could not be read is recorded, too.
struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a message")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Envelope, A::Error> {
        let kind = parts.next_element::<serde_json::Value>()?;
        let id = parts.next_element::<serde_json::Value>()?;
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Envelope {
            kind: kind.and_then(|kind| kind.as_u64()),
            id: id.and_then(|id| id.as_str().map(str::to_owned)),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Envelope, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Envelope::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Envelope, E> {
        Ok(Envelope::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Envelope, E> {
        Ok(Envelope::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Envelope, E> {
        Ok(Envelope::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Envelope, E> {
        Ok(Envelope::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Envelope, E> {
        Ok(Envelope::default())
    }

    fn visit_unit<E>(self) -> Result<Envelope, E> {
        Ok(Envelope::default())
    }
}

/// When a record happened; the quick way, if it begins as we write it.
pub(crate) fn at_of(record: &[u8]) -> i64 {
    let quick = || -> Option<i64> {
        let rest = record.strip_prefix(br#"{"at":"#)?;
        let end = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-'))?;
        std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
    };
    quick().unwrap_or_else(|| Facts::read(record).at)
}

/// The handles that a text speaks of.
pub(crate) fn handles_in(text: &[u8]) -> impl Iterator<Item = Handle> + '_ {
    memchr::memchr_iter(Handle::FIRST, text).filter_map(|at| {
        let written = text.get(at..at + Handle::LEN)?;
        Handle::parse(std::str::from_utf8(written).ok()?)
    })
}
