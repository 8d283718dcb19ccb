//! What request and response heads have in common: lines, and fields looked up by name.

use httparse::Header;
use memchr::{memchr_iter, memmem};

use super::HEAD_BYTES_MAX;

/// Why bytes are no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadFault {
    /// Longer than [`HEAD_BYTES_MAX`].
    TooLarge,
    /// A line that does not end in CR LF, or a control character.
    Malformed,
}

/// Where the head ends, or `None` if it has not ended yet.
///
/// `httparse` takes a bare LF for the end of a line, and others do not: here it is refused, and so
/// is a bare CR and every other control character but the tab.
pub(super) fn head_end(bytes: &[u8]) -> Result<Option<usize>, HeadFault> {
    let window = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes);
    let end = memmem::find(window, b"\r\n\r\n").map(|at| at + 4);
    let lines = window.get(..end.unwrap_or(window.len())).unwrap_or(window);
    if !has_lawful_lines(lines) {
        return Err(HeadFault::Malformed);
    }
    if end.is_none() && bytes.len() >= HEAD_BYTES_MAX {
        return Err(HeadFault::TooLarge);
    }
    Ok(end)
}

fn has_lawful_lines(lines: &[u8]) -> bool {
    let bare_lf = memchr_iter(b'\n', lines)
        .any(|at| at.checked_sub(1).and_then(|before| lines.get(before)) != Some(&b'\r'));
    // The last byte that has arrived may be a CR whose LF is on its way.
    let bare_cr =
        memchr_iter(b'\r', lines).any(|at| lines.get(at + 1).is_some_and(|next| *next != b'\n'));
    let control = |byte: &u8| {
        (byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n')) || *byte == 0x7f
    };
    // A head starts with its first line, not with an empty one.
    !bare_lf && !bare_cr && !lines.iter().any(control) && lines.first() != Some(&b'\r')
}

/// The header lines of a head.
#[derive(Clone, Copy)]
pub(super) struct Fields<'h>(pub(super) &'h [Header<'h>]);

/// A field that may stand once stands twice.
pub(super) struct Twice;

impl<'h> Fields<'h> {
    /// Every value of a field, in order.
    pub(super) fn all(self, name: &'static str) -> impl Iterator<Item = &'h [u8]> {
        self.0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    }

    /// The value of a field that stands at most once.
    pub(super) fn one(self, name: &'static str) -> Result<Option<&'h [u8]>, Twice> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Twice),
            None => Ok(first),
        }
    }

    /// Whether a field is there at all.
    pub(super) fn has(self, name: &'static str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether one of a field's comma-separated members is `token`, in any case of letters.
    pub(super) fn lists(self, name: &'static str, token: &str) -> bool {
        self.members(name)
            .any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// The comma-separated members of a field, over all its lines, empty ones left out.
    pub(super) fn members(self, name: &'static str) -> impl Iterator<Item = &'h [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }
}

/// Whether bytes are a token of RFC 9110 (5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(in_token)
}
