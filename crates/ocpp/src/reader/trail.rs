//! The way from the payload to the value being read, kept in one place so that the good path pays one
//! store a field; it becomes a path only when there is a fault to report.

use std::fmt::Write as _;

use super::scan::{Scan, Span};
use crate::catalogue::Field;
use crate::fault::without_places;
use crate::unescape::unescaped;
use crate::{Limits, Meaning, SchemaFault, SchemaFaultKind};

/// One step down.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Into a field that the schema names.
    Field(&'static Field),
    /// Into a list.
    Item(u32),
}

/// The steps, by the depth of the object or list in which they are taken. The envelope has depth 1,
/// its payload 2, and no step is taken in the envelope.
#[derive(Debug)]
pub(super) struct Trail([Step; Limits::DEPTH_MAX + 1]);

impl Trail {
    pub(super) const EMPTY: Trail = Trail([Step::Item(0); Limits::DEPTH_MAX + 1]);

    #[inline]
    pub(super) fn set(&mut self, depth: usize, step: Step) {
        if let Some(place) = self.0.get_mut(depth) {
            *place = step;
        }
    }

    /// The path of the value that stands in the object or list of that depth.
    fn path(&self, depth: usize) -> String {
        let mut path = String::new();
        for step in self.0.get(2..=depth).unwrap_or_default() {
            match step {
                Step::Field(field) => push_name(&mut path, field.name),
                // Writing to a String cannot fail.
                Step::Item(place) => drop(write!(path, "[{place}]")),
            }
        }
        path
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// Characters of an unknown key that a path shows.
const KEY_CHARS_MAX: usize = 64;

impl Scan<'_> {
    /// Notes a departure from the schema, of the value that stands in the object or list of that
    /// depth.
    #[cold]
    pub(super) fn fault(&mut self, kind: SchemaFaultKind, meaning: Meaning, depth: usize) {
        let path = self.trail.path(depth);
        let path_in_schema = path.len();
        self.note(SchemaFault {
            kind,
            path,
            path_in_schema,
            meaning,
        });
    }

    /// Notes a key that the schema neither names nor allows.
    #[cold]
    pub(super) fn unknown_field(&mut self, key: Span, depth: usize) {
        let mut path = self.trail.path(depth - 1);
        let path_in_schema = path.len();
        let name = unescaped(self.inside(key.start, key.end));
        let shown: String = name
            .take(KEY_CHARS_MAX)
            .flat_map(char::escape_debug)
            .collect();
        push_name(&mut path, &shown);
        self.note(SchemaFault {
            kind: SchemaFaultKind::UnknownField,
            path,
            path_in_schema,
            meaning: Meaning::Plain,
        });
    }

    /// The same fault in every item of a list is one kind of departure: a hundred of them must not
    /// hide another one behind them.
    fn note(&mut self, fault: SchemaFault) {
        let full = self.faults.len() >= Limits::FAULTS_MAX;
        let known = |other: &SchemaFault| {
            other.kind == fault.kind && without_places(&other.path).eq(without_places(&fault.path))
        };
        if !full && !self.faults.iter().any(known) {
            self.faults.push(fault);
        }
    }
}
