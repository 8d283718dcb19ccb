//! Facts as they are met: where the value of each field that means something stands.

use super::scan::{Scan, Span};
use crate::catalogue::{Field, Kind};
use crate::{Fact, Limits, Meaning};

/// Whatever stands where the schema names nothing. Nobody knows what it is, so it is handled like a
/// vendor's own data.
static UNNAMED: Field = Field {
    name: "?",
    kind: Kind::Any,
    meaning: Meaning::VendorData,
};

/// The description of a CALLERROR.
pub(super) static ERROR_DESCRIPTION: Field = Field {
    name: "errorDescription",
    kind: Kind::Any,
    meaning: Meaning::FreeText,
};

/// The details of a CALLERROR.
pub(super) static ERROR_DETAILS: Field = Field {
    name: "errorDetails",
    kind: Kind::Any,
    meaning: Meaning::VendorData,
};

impl Scan<'_> {
    /// Keeps the fact of a value that nothing was known of while it was walked over, from its first
    /// byte to one past its last.
    #[cold]
    pub(super) fn walked_fact(&mut self, field: &'static Field, start: usize, end: usize) {
        let is_text = self.byte(start) == b'"';
        let (start, end) = match is_text {
            true => (start + 1, end - 1),
            false => (start, end),
        };
        let escaped = is_text && self.inside(start, end).contains('\\');
        self.push_fact(
            field,
            Span {
                start,
                end,
                escaped,
            },
        );
    }

    /// The same for a value that no schema names.
    #[cold]
    pub(super) fn unnamed_fact(&mut self, start: usize, end: usize) {
        self.walked_fact(&UNNAMED, start, end);
    }

    /// Keeps a string's fact; gives the position after its closing quote.
    #[inline]
    pub(super) fn string_fact(&mut self, field: &'static Field, span: Span) -> usize {
        if field.meaning != Meaning::Plain {
            self.push_fact(field, span);
        }
        span.end + 1
    }

    #[inline]
    pub(super) fn fact(&mut self, field: &'static Field, start: usize, end: usize) -> usize {
        if field.meaning != Meaning::Plain {
            self.push_fact(
                field,
                Span {
                    start,
                    end,
                    escaped: false,
                },
            );
        }
        end
    }

    /// Keeps the fact of a value that holds others, before theirs.
    pub(super) fn open_fact(&mut self, field: &'static Field, start: usize) -> Option<usize> {
        let place = self.facts.len();
        self.fact(field, start, start);
        (self.facts.len() > place).then_some(place)
    }

    pub(super) fn close_fact(&mut self, place: Option<usize>, end: usize) {
        if let Some(fact) = place.and_then(|place| self.facts.get_mut(place)) {
            fact.end = end as u32;
        }
    }

    #[inline]
    fn push_fact(&mut self, field: &'static Field, span: Span) {
        if self.facts.len() >= Limits::FACTS_MAX {
            self.facts_dropped = self.facts_dropped.saturating_add(1);
            return;
        }
        // A message is at most 1 MiB long, so the positions fit.
        self.facts.push(Fact {
            field,
            start: span.start as u32,
            end: span.end as u32,
            object: self.object,
            escaped: span.escaped,
        });
    }
}
