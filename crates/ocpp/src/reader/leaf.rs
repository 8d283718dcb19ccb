//! Strings and numbers against their schema: length, enumeration, date-time, range.

use super::number::{self, Number};
use super::scan::{Scan, Span};
use crate::catalogue::{Choice, Field, Kind};
use crate::unescape::unescaped;
use crate::{SchemaFaultKind, timestamp};

impl Scan<'_> {
    #[inline]
    pub(super) fn check_length(
        &mut self,
        span: Span,
        max: u32,
        field: &'static Field,
        depth: usize,
    ) {
        // There are never more characters than bytes.
        if span.end - span.start > max as usize && self.characters(span) > max as usize {
            self.fault(SchemaFaultKind::TooLong, field.meaning, depth);
        }
    }

    /// Code points, escapes undone.
    pub(super) fn characters(&self, span: Span) -> usize {
        if span.escaped {
            unescaped(self.inside(span.start, span.end)).count()
        } else {
            self.inside(span.start, span.end).chars().count()
        }
    }

    #[inline(always)]
    pub(super) fn check_choice(
        &mut self,
        span: Span,
        choice: &Choice,
        field: &'static Field,
        depth: usize,
    ) {
        let known = if span.escaped {
            self.undo(span);
            choice.names.find_text(self.plain)
        } else {
            choice.names.find(self.bytes, span.start, span.end)
        };
        if known.is_none() {
            self.fault(SchemaFaultKind::NotInEnumeration, field.meaning, depth);
        }
    }

    #[inline]
    pub(super) fn check_time(&mut self, span: Span, field: &'static Field, depth: usize) {
        let text = if span.escaped {
            self.undo(span);
            self.plain.as_bytes()
        } else {
            self.bytes.get(span.start..span.end).unwrap_or_default()
        };
        if timestamp::parse(text).is_none() {
            self.fault(SchemaFaultKind::BadTimestamp, field.meaning, depth);
        }
    }

    #[inline]
    pub(super) fn check_number(
        &mut self,
        kind: &Kind,
        start: usize,
        number: Number,
        field: &'static Field,
        depth: usize,
    ) {
        let fault = match (kind, number.integer) {
            (Kind::Integer { min, max, .. }, Some(value)) => {
                (value < *min || value > *max).then_some(SchemaFaultKind::OutOfRange)
            }
            (Kind::Number { min, max, .. }, Some(value)) => {
                (*min > value as f64 || *max < value as f64).then_some(SchemaFaultKind::OutOfRange)
            }
            (kind, None) => self.check_fraction(kind, start, number.end),
            _ => None,
        };
        if let Some(fault) = fault {
            self.fault(fault, field.meaning, depth);
        }
    }

    /// A number written with a fraction or an exponent.
    fn check_fraction(&self, kind: &Kind, start: usize, end: usize) -> Option<SchemaFaultKind> {
        let literal = self.bytes.get(start..end).unwrap_or_default();
        let out_of_range = match *kind {
            Kind::Integer { lenient, .. } if !lenient || number::decimals(literal) > 0 => {
                return Some(SchemaFaultKind::WrongType);
            }
            Kind::Integer { min, max, .. } => {
                let value = number::float(self.bytes, start, end);
                (min != i64::MIN && value < min as f64) || (max != i64::MAX && value > max as f64)
            }
            Kind::Number { min, max, decimals } => {
                let unbounded = min == f64::NEG_INFINITY && max == f64::INFINITY;
                let coarse = decimals != u8::MAX && number::decimals(literal) > decimals.into();
                coarse
                    || (!unbounded && {
                        let value = number::float(self.bytes, start, end);
                        number::compare(literal, value, min).is_lt()
                            || number::compare(literal, value, max).is_gt()
                    })
            }
            _ => false,
        };
        out_of_range.then_some(SchemaFaultKind::OutOfRange)
    }

    /// Undoes a string's escapes, into the room for it.
    pub(super) fn undo(&mut self, span: Span) {
        self.plain.clear();
        self.plain
            .extend(unescaped(self.inside(span.start, span.end)));
    }
}
