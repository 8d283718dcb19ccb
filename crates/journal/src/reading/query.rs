//! What is looked for, and whether a record is it.

use guard::UnixMillis;
use memchr::memmem::Finder;

use super::facts::{FORWARDED, Facts, at_of};
use crate::Handle;
use crate::segments::{TermKind, term};

/// What is looked for. What is not said is no condition.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Of whose stations.
    pub tenant: Option<String>,
    /// Of which station, as it is recorded.
    pub station: Option<String>,
    /// Not before.
    pub from: Option<UnixMillis>,
    /// Before.
    pub until: Option<UnixMillis>,
    /// Of which action: calls and their answers.
    pub action: Option<String>,
    /// What became of it: `forwarded`, `joined`, `refused`, `disconnected`. `refused` finds whatever was
    /// refused, handshakes as well.
    pub verdict: Option<String>,
    /// Any of these; none is no condition.
    pub handles: Vec<Handle>,
    /// So many at most.
    pub limit: Option<usize>,
    /// In which order.
    pub order: Order,
}

/// The order of what is found: that of the records' numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As it happened.
    #[default]
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// A query made ready: what the index is asked, and what a record is compared with.
pub(crate) struct Filter {
    query: Query,
    /// All of these a group must have.
    pub(crate) terms: Vec<u32>,
    /// And one of these, if there are any.
    pub(crate) any: Vec<u32>,
    /// What stands in the text of a record that could be meant.
    needles: Vec<Finder<'static>>,
}

impl Filter {
    pub(crate) fn new(query: Query) -> Filter {
        let mut terms = Vec::new();
        let mut needles = Vec::new();
        for (kind, text) in [
            (TermKind::Station, &query.station),
            (TermKind::Action, &query.action),
        ] {
            if let Some(text) = text {
                terms.push(term(kind, text.as_bytes()));
                needles.push(needle(text));
            }
        }
        match query.verdict.as_deref() {
            Some("refused") => terms.push(term(TermKind::Refused, b"")),
            Some("disconnected") => {
                terms.push(term(TermKind::Refused, b""));
                needles.push(needle("disconnected"));
            }
            // A record that says nothing of it is meant.
            Some(FORWARDED) => {}
            Some(verdict) => needles.push(needle(verdict)),
            None => {}
        }
        let handles = query.handles.iter();
        let mut any: Vec<u32> = handles
            .map(|handle| term(TermKind::Handle, handle.bytes()))
            .collect();
        if !any.is_empty() {
            any.push(term(TermKind::ManyHandles, b""));
        }
        Filter {
            any,
            terms,
            needles,
            query,
        }
    }

    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// Whether anything between these times could be meant.
    pub(crate) fn meets(&self, earliest: UnixMillis, latest: UnixMillis) -> bool {
        self.query.from.is_none_or(|from| latest >= from)
            && self.query.until.is_none_or(|until| earliest < until)
    }

    /// Whether this record is meant.
    pub(crate) fn wants(&self, record: &[u8]) -> bool {
        let query = &self.query;
        if self
            .needles
            .iter()
            .any(|needle| needle.find(record).is_none())
        {
            return false;
        }
        if query.from.is_some() || query.until.is_some() {
            let at = UnixMillis(at_of(record));
            if !self.meets(at, at) {
                return false;
            }
        }
        let names_one = |handle: &Handle| memchr::memmem::find(record, &handle.text()).is_some();
        if !query.handles.is_empty() && !query.handles.iter().any(names_one) {
            return false;
        }
        self.says(record)
    }

    fn says(&self, record: &[u8]) -> bool {
        let query = &self.query;
        let named = [&query.tenant, &query.station, &query.action, &query.verdict];
        if named.iter().all(|named| named.is_none()) {
            return true;
        }
        let facts = Facts::read(record);
        let is = |wanted: &Option<String>, said: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == said)
        };
        let verdict = match query.verdict.as_deref() {
            Some("refused") => facts.is_refused(),
            _ => is(&query.verdict, &facts.verdict),
        };
        verdict
            && is(&query.tenant, &facts.tenant)
            && is(&query.station, &facts.station)
            && is(&query.action, &facts.action)
    }
}

/// A text as it stands in a record, without its quotes: names that JSON escapes are rare, and compared
/// in full where they come.
fn needle(text: &str) -> Finder<'static> {
    let plain = text
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
    Finder::new(if plain { text.as_bytes() } else { b"" }).into_owned()
}
