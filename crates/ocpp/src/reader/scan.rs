//! The walk over the bytes: tokens, and values that no schema describes. Hard faults are found here,
//! wherever in the message they stand.
//!
//! Positions go in and out as values, so that they stay in registers.

use super::keys::UnknownKey;
use super::number::{self, Number};
use super::stops::Stops;
use super::trail::Trail;
use crate::{Fact, HardFault, Limits, SchemaFault};

/// A string token: its inside, without the quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// It holds escapes.
    pub(super) escaped: bool,
}

/// The walk has ended in a hard fault, which [`Scan::stopped_by`] names, at this position.
///
/// No larger than a position, so that what a step of the walk gives fits in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped(pub(super) usize);

/// What a step of the walk gives: most often the position after what it read.
pub(super) type Walk<T = usize> = Result<T, Stopped>;

/// One message while it is read. Everything that grows is borrowed from the reader.
pub(super) struct Scan<'r> {
    pub(super) text: &'r str,
    pub(super) bytes: &'r [u8],
    pub(super) stops: &'r Stops,
    /// Items of a list that its schema leaves unbounded.
    pub(super) list_items_max: u32,
    /// Why the walk ended, when it ended in a hard fault.
    pub(super) stopped_by: HardFault,
    pub(super) facts: &'r mut Vec<Fact>,
    pub(super) facts_dropped: u32,
    pub(super) faults: &'r mut Vec<SchemaFault>,
    /// The unknown keys of the objects that are open, outermost first.
    pub(super) keys: &'r mut Vec<UnknownKey>,
    /// Room to undo the escapes of one string.
    pub(super) plain: &'r mut String,
    /// Where we are, for the path of a schema fault.
    pub(super) trail: Trail,
    /// Objects opened so far, and the one we are in.
    pub(super) objects: u32,
    pub(super) object: u32,
}

impl<'r> Scan<'r> {
    /// The byte there; zero, which no token starts with, behind the end.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or_default()
    }

    /// The bytes that start there, where there are as many.
    #[inline]
    pub(super) fn bytes_at<const N: usize>(&self, at: usize) -> Option<&'r [u8; N]> {
        self.bytes.get(at..)?.first_chunk()
    }

    /// The next byte that is not white space (RFC 8259, 2).
    #[inline]
    pub(super) fn space(&self, at: usize) -> usize {
        if self.byte(at) > b' ' {
            return at;
        }
        self.more_space(at)
    }

    fn more_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\t' | b'\n' | b'\r') {
            at += 1;
        }
        at
    }

    /// Ends the walk.
    #[cold]
    pub(super) fn stop(&mut self, fault: HardFault, at: usize) -> Stopped {
        self.stopped_by = fault;
        Stopped(at)
    }

    /// Reads the string whose opening quote stands before `start`.
    #[inline]
    pub(super) fn string(&mut self, start: usize) -> Walk<Span> {
        let end = self.stops.next(start);
        if self.byte(end) == b'"' {
            return Ok(Span {
                start,
                end,
                escaped: false,
            });
        }
        self.escaped_string(start, end)
    }

    fn escaped_string(&mut self, start: usize, mut at: usize) -> Walk<Span> {
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(at)?,
                Some(0) => return Err(self.stop(HardFault::NulCharacter, at)),
                _ => return Err(self.stop(HardFault::NotJson, at)),
            }
            at = self.stops.next(at);
        }
        Ok(Span {
            start,
            end: at,
            escaped: true,
        })
    }

    /// Checks the escape that starts at `at`; gives the position after it.
    fn escape(&mut self, at: usize) -> Walk {
        match self.byte(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => return Ok(at + 2),
            b'u' => {}
            _ => return Err(self.stop(HardFault::NotJson, at)),
        }
        let Some(unit) = self.four_digits(at + 2) else {
            return Err(self.stop(HardFault::NotJson, at));
        };
        match unit {
            0 => Err(self.stop(HardFault::NulCharacter, at)),
            0xd800..0xdc00 => {
                let low = if self.byte(at + 6) == b'\\' && self.byte(at + 7) == b'u' {
                    self.four_digits(at + 8)
                } else {
                    None
                };
                match low {
                    Some(0xdc00..0xe000) => Ok(at + 12),
                    _ => Err(self.stop(HardFault::LoneSurrogate, at)),
                }
            }
            0xdc00..0xe000 => Err(self.stop(HardFault::LoneSurrogate, at)),
            _ => Ok(at + 6),
        }
    }

    fn four_digits(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |value, digit| {
            Some(value << 4 | char::from(*digit).to_digit(16)?)
        })
    }

    /// Reads the number that starts there.
    #[inline]
    pub(super) fn number(&mut self, start: usize) -> Walk<Number> {
        match number::read(self.bytes, start) {
            Ok(number) => Ok(number),
            Err(fault) => Err(self.stop(fault, start)),
        }
    }

    /// Reads `true`, `false` or `null`.
    #[inline]
    pub(super) fn literal(&mut self, at: usize, literal: &[u8]) -> Walk {
        let end = at + literal.len();
        if self.bytes.get(at..end) == Some(literal) {
            return Ok(end);
        }
        Err(self.stop(HardFault::NotJson, at))
    }

    /// Refuses to open one more array or object inside `depth` others.
    #[inline]
    pub(super) fn deeper(&mut self, at: usize, depth: usize) -> Walk {
        if depth >= Limits::DEPTH_MAX {
            return Err(self.stop(HardFault::TooDeep, at));
        }
        Ok(depth + 1)
    }

    /// Walks over a value that no schema describes; gives the position after it.
    pub(super) fn any(&mut self, at: usize, depth: usize) -> Walk {
        match self.byte(at) {
            b'"' => Ok(self.string(at + 1)?.end + 1),
            b'{' => self.any_object(at, depth),
            b'[' => self.any_list(at, depth),
            b'-' | b'0'..=b'9' => Ok(self.number(at)?.end),
            b't' => self.literal(at, b"true"),
            b'f' => self.literal(at, b"false"),
            b'n' => self.literal(at, b"null"),
            _ => Err(self.stop(HardFault::NotJson, at)),
        }
    }

    /// Every key of such an object counts as unknown.
    fn any_object(&mut self, at: usize, depth: usize) -> Walk {
        let depth = self.deeper(at, depth)?;
        let base = self.keys.len();
        self.objects += 1;
        let mut next = self.space(at + 1);
        if self.byte(next) == b'}' {
            return Ok(next + 1);
        }
        loop {
            if self.byte(next) != b'"' {
                return Err(self.stop(HardFault::NotJson, next));
            }
            let key = self.string(next + 1)?;
            self.unknown_key(key, base)?;
            let value = self.colon(key.end + 1)?;
            let end = self.any(value, depth)?;
            next = self.space(end);
            match self.byte(next) {
                b',' => next = self.space(next + 1),
                b'}' => break,
                _ => return Err(self.stop(HardFault::NotJson, next)),
            }
        }
        self.keys.truncate(base);
        Ok(next + 1)
    }

    fn any_list(&mut self, at: usize, depth: usize) -> Walk {
        let depth = self.deeper(at, depth)?;
        let mut next = self.space(at + 1);
        if self.byte(next) == b']' {
            return Ok(next + 1);
        }
        loop {
            let end = self.any(next, depth)?;
            next = self.space(end);
            match self.byte(next) {
                b',' => next = self.space(next + 1),
                b']' => return Ok(next + 1),
                _ => return Err(self.stop(HardFault::NotJson, next)),
            }
        }
    }

    /// The colon after a key; gives the position of the value.
    #[inline]
    pub(super) fn colon(&mut self, at: usize) -> Walk {
        let at = self.space(at);
        if self.byte(at) != b':' {
            return Err(self.stop(HardFault::NotJson, at));
        }
        Ok(self.space(at + 1))
    }

    /// The text between two positions that stand at the borders of characters.
    pub(super) fn inside(&self, start: usize, end: usize) -> &'r str {
        self.text.get(start..end).unwrap_or_default()
    }
}
