//! Values that a schema describes: each is checked while it is walked over, and its facts are kept.
//!
//! A departure from the schema is noted and the walk goes on, by the schema where it can and without
//! it where the value is of another type, so that a hard fault behind it is found all the same.

use super::scan::{Scan, Span, Stopped, Walk};
use super::trail::Step;
use crate::catalogue::{Field, Kind, Schema};
use crate::{HardFault, Meaning, SchemaFaultKind};

impl Scan<'_> {
    /// Reads the object whose brace stands at `at`, inside `depth` arrays and objects.
    pub(super) fn object(&mut self, schema: &'static Schema, at: usize, depth: usize) -> Walk {
        let depth = self.deeper(at, depth)?;
        let outer = self.object;
        // A message of at most 1 MiB opens far fewer than 2^32.
        self.objects += 1;
        self.object = self.objects;
        let base = self.keys.len();
        let mut seen = Seen::default();
        let mut next = self.first_key(at + 1)?;
        let end = loop {
            let start = match next {
                Next::Key(start) => start,
                Next::End(end) => break end,
            };
            let end = self.member(schema, &mut seen, base, start, depth)?;
            // Without white space, as nearly every message is written.
            next = match self.bytes_at(end) {
                Some(b",\"") => Next::Key(end + 2),
                _ => self.next_key(end)?,
            };
        };
        let missing = schema.required & !seen.fields;
        if missing != 0 {
            self.missing(schema, missing, depth);
        }
        self.keys.truncate(base);
        self.object = outer;
        Ok(end)
    }

    /// What follows an object's brace.
    #[inline]
    fn first_key(&mut self, at: usize) -> Walk<Next> {
        let at = self.space(at);
        match self.byte(at) {
            b'"' => Ok(Next::Key(at + 1)),
            b'}' => Ok(Next::End(at + 1)),
            _ => Err(self.stop(HardFault::NotJson, at)),
        }
    }

    /// What follows a value in an object.
    fn next_key(&mut self, at: usize) -> Walk<Next> {
        let at = self.space(at);
        match self.byte(at) {
            b',' => {
                let at = self.space(at + 1);
                match self.byte(at) {
                    b'"' => Ok(Next::Key(at + 1)),
                    _ => Err(self.stop(HardFault::NotJson, at)),
                }
            }
            b'}' => Ok(Next::End(at + 1)),
            _ => Err(self.stop(HardFault::NotJson, at)),
        }
    }

    /// Reads one key, whose inside starts at `start`, and its value.
    #[inline(always)]
    fn member(
        &mut self,
        schema: &'static Schema,
        seen: &mut Seen,
        base: usize,
        start: usize,
        depth: usize,
    ) -> Walk {
        let key = self.string(start)?;
        let place = if key.escaped {
            self.undo(key);
            schema.names.find_text(self.plain)
        } else {
            schema.names.find(self.bytes, key.start, key.end)
        };
        let field = place.and_then(|place| Some((place, schema.fields.get(place)?)));
        let Some((place, field)) = field else {
            return self.unknown_member(schema, seen, key, base, depth);
        };
        let bit = 1_u64 << (place & 63);
        if (seen.fields | seen.variants) & bit != 0 {
            let twice = seen.fields & bit != 0;
            return Err(self.repeated(twice, key.start));
        }
        seen.fields |= bit;
        let value = match self.bytes_at(key.end + 1) {
            Some([b':', first]) if *first > b' ' => key.end + 2,
            _ => self.colon(key.end + 1)?,
        };
        self.trail.set(depth, Step::Field(field));
        self.value(&field.kind, field, value, depth)
    }

    #[cold]
    fn repeated(&mut self, twice: bool, at: usize) -> Stopped {
        let fault = if twice {
            HardFault::DuplicateKey
        } else {
            HardFault::CaseVariantKey
        };
        self.stop(fault, at)
    }

    #[cold]
    fn unknown_member(
        &mut self,
        schema: &'static Schema,
        seen: &mut Seen,
        key: Span,
        base: usize,
        depth: usize,
    ) -> Walk {
        self.unknown_key(key, base)?;
        let variant = self.case_variant(key, schema);
        if variant & seen.fields != 0 {
            return Err(self.stop(HardFault::CaseVariantKey, key.start));
        }
        seen.variants |= variant;
        if !schema.open {
            self.unknown_field(key, depth);
        }
        let value = self.colon(key.end + 1)?;
        let end = self.any(value, depth)?;
        self.unnamed_fact(value, end);
        Ok(end)
    }

    #[cold]
    fn missing(&mut self, schema: &'static Schema, mut missing: u64, depth: usize) {
        while missing != 0 {
            if let Some(field) = schema.fields.get(missing.trailing_zeros() as usize) {
                self.trail.set(depth, Step::Field(field));
                self.fault(SchemaFaultKind::MissingField, field.meaning, depth);
            }
            missing &= missing - 1;
        }
    }

    /// Reads a field's value, or one item of the list that is its value. Most values are strings.
    #[inline(always)]
    fn value(
        &mut self,
        kind: &'static Kind,
        field: &'static Field,
        at: usize,
        depth: usize,
    ) -> Walk {
        if self.byte(at) != b'"' {
            return self.other_value(kind, field, at, depth);
        }
        let span = self.string(at + 1)?;
        match kind {
            Kind::Text { max } => self.check_length(span, *max, field, depth),
            Kind::Choice(choice) => self.check_choice(span, choice, field, depth),
            Kind::DateTime { max } => {
                self.check_length(span, *max, field, depth);
                self.check_time(span, field, depth);
            }
            Kind::Any => {}
            _ => {
                self.fault(SchemaFaultKind::WrongType, field.meaning, depth);
                if field.meaning == Meaning::Plain {
                    self.unnamed_fact(at, span.end + 1);
                }
            }
        }
        Ok(self.string_fact(field, span))
    }

    /// A value that is no string.
    fn other_value(
        &mut self,
        kind: &'static Kind,
        field: &'static Field,
        at: usize,
        depth: usize,
    ) -> Walk {
        match (kind, self.byte(at)) {
            (Kind::Integer { .. } | Kind::Number { .. }, b'-' | b'0'..=b'9') => {
                let number = self.number(at)?;
                self.check_number(kind, at, number, field, depth);
                Ok(self.fact(field, at, number.end))
            }
            (Kind::Object(schema), b'{') => {
                let fact = self.open_fact(field, at);
                let end = self.object(schema, at, depth)?;
                self.close_fact(fact, end);
                Ok(end)
            }
            (Kind::List { of, min, max }, b'[') => self.list(of, (*min, *max), field, at, depth),
            (Kind::Boolean, b't') => {
                let end = self.literal(at, b"true")?;
                Ok(self.fact(field, at, end))
            }
            (Kind::Boolean, b'f') => {
                let end = self.literal(at, b"false")?;
                Ok(self.fact(field, at, end))
            }
            (Kind::Any, _) => self.untyped(field, at, depth),
            _ => {
                self.fault(SchemaFaultKind::WrongType, field.meaning, depth);
                self.untyped(field, at, depth)
            }
        }
    }

    /// A value, and no string, whose type the schema leaves open, or that is of another one: still a
    /// fact, since stations send numbers for strings and mean them.
    fn untyped(&mut self, field: &'static Field, at: usize, depth: usize) -> Walk {
        let fact = self.open_fact(field, at);
        let end = self.any(at, depth)?;
        match field.meaning {
            Meaning::Plain => self.unnamed_fact(at, end),
            _ => self.close_fact(fact, end),
        }
        Ok(end)
    }

    /// Reads a list. One of objects is a fact as a whole; of other items each is one.
    fn list(
        &mut self,
        of: &'static Kind,
        (min, max): (u32, u32),
        field: &'static Field,
        at: usize,
        depth: usize,
    ) -> Walk {
        let whole = matches!(of, Kind::Object(_) | Kind::Any);
        let fact = if whole {
            self.open_fact(field, at)
        } else {
            None
        };
        let inner = self.deeper(at, depth)?;
        let mut items = 0;
        let mut next = self.space(at + 1);
        if self.byte(next) != b']' {
            loop {
                self.trail.set(inner, Step::Item(items));
                let end = match (of, self.byte(next)) {
                    (Kind::Object(schema), b'{') => self.object(schema, next, inner)?,
                    (Kind::Any, _) => self.any(next, inner)?,
                    _ => self.value(of, field, next, inner)?,
                };
                items += 1;
                next = self.space(end);
                match self.byte(next) {
                    b',' => next = self.space(next + 1),
                    b']' => break,
                    _ => return Err(self.stop(HardFault::NotJson, next)),
                }
            }
        }
        self.close_fact(fact, next + 1);
        if items < min {
            self.fault(SchemaFaultKind::TooFewItems, field.meaning, depth);
        } else if items > max {
            self.fault(SchemaFaultKind::TooManyItems, field.meaning, depth);
        } else if max == u32::MAX && items > self.list_items_max {
            self.fault(SchemaFaultKind::ListOverCap, field.meaning, depth);
        }
        Ok(next + 1)
    }
}

/// What follows in an object: a key, whose inside starts there, or the end.
enum Next {
    Key(usize),
    End(usize),
}

/// Which fields of an object have come.
#[derive(Default)]
struct Seen {
    fields: u64,
    /// Fields of which a key came that differs only in case.
    variants: u64,
}
