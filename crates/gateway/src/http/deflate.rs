//! permessage-deflate in heads (RFC 7692, 7.1): what a station offers, what we offer a CSMS, and what
//! was agreed on.
//!
//! Neither side takes over a context: what is inflated depends on one message alone, and nothing has
//! to be kept for a session. A station's offer that we cannot keep is passed over, as the standard has
//! it; a CSMS's answer that we cannot keep fails the connection.

use super::EXTENSIONS_MAX;
use super::head::Fields;
use crate::ws::DeflateTerms;

const FIELD: &str = "sec-websocket-extensions";
const NAME: &[u8] = b"permessage-deflate";

/// What a CSMS is offered. It may limit our window: messages are compressed in stretches of any size.
pub(super) const OFFER: &str = "permessage-deflate; server_no_context_takeover; \
                                client_no_context_takeover; client_max_window_bits";

/// A CSMS's answer that does not fit our offer.
pub(super) struct Unacceptable;

/// A station's first offer that we can keep.
pub(super) fn first_acceptable(fields: Fields<'_>) -> Option<DeflateTerms> {
    members(fields)
        .take(EXTENSIONS_MAX)
        .find_map(Parameters::read)
        .map(|parameters| parameters.terms_of_offer())
}

/// Our answer to a station.
pub(super) fn answer(terms: DeflateTerms) -> String {
    let mut answer =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
    if let Some(bits) = terms.window_bits {
        answer.push_str("; server_max_window_bits=");
        answer.push_str(&bits.to_string());
    }
    answer
}

/// What a CSMS has agreed to.
pub(super) fn agreed(
    fields: Fields<'_>,
    offered: bool,
) -> Result<Option<DeflateTerms>, Unacceptable> {
    if !fields.has(FIELD) {
        return Ok(None);
    }
    let mut members = members(fields);
    let (Some(member), None, true) = (members.next(), members.next(), offered) else {
        return Err(Unacceptable);
    };
    Parameters::read(member)
        .and_then(|parameters| parameters.terms_of_answer())
        .map(Some)
        .ok_or(Unacceptable)
}

/// The members of the field, over all its lines.
fn members(fields: Fields<'_>) -> impl Iterator<Item = &[u8]> {
    fields
        .all(FIELD)
        .flat_map(|value| split(value, b','))
        .filter(|member| !member.is_empty())
}

/// Splits, but not inside a quoted string.
fn split(bytes: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    bytes
        .split(move |byte| {
            quoted ^= *byte == b'"';
            *byte == separator && !quoted
        })
        .map(<[u8]>::trim_ascii)
}

/// The parameters of one offer or answer: each once, known, and of the form that it must have.
#[derive(Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// An offer may name it without a value.
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    /// `None` for another extension, and for one that is not written as it must be.
    fn read(member: &[u8]) -> Option<Parameters> {
        let mut parts = split(member, b';');
        if parts.next() != Some(NAME) {
            return None;
        }
        let mut parameters = Parameters::default();
        parts
            .all(|part| parameters.take(part))
            .then_some(parameters)
    }

    /// False when this makes the whole of it unacceptable.
    fn take(&mut self, part: &[u8]) -> bool {
        let (name, value) = match part.iter().position(|byte| *byte == b'=') {
            None => (part, None),
            Some(at) => {
                let (name, value) = part.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (name.trim_ascii_end(), Some(value.trim_ascii_start()))
            }
        };
        let bits = value.map(window_bits);
        match (name, bits) {
            (b"server_no_context_takeover", None) => {
                !std::mem::replace(&mut self.server_no_context_takeover, true)
            }
            (b"client_no_context_takeover", None) => {
                !std::mem::replace(&mut self.client_no_context_takeover, true)
            }
            (b"server_max_window_bits", Some(Some(bits))) => {
                self.server_max_window_bits.replace(bits).is_none()
            }
            (b"client_max_window_bits", None | Some(Some(_))) => self
                .client_max_window_bits
                .replace(bits.flatten())
                .is_none(),
            _ => false,
        }
    }

    /// Whatever window a station has itself, ours is large enough for it.
    fn terms_of_offer(&self) -> DeflateTerms {
        DeflateTerms {
            window_bits: self.server_max_window_bits,
        }
    }

    /// A CSMS that keeps its context from message to message would have us keep it, too (7.1.1.1). In
    /// an answer, `client_max_window_bits` must say how many (7.1.2.2).
    fn terms_of_answer(&self) -> Option<DeflateTerms> {
        let takes_over = !self.server_no_context_takeover;
        if takes_over || self.client_max_window_bits == Some(None) {
            return None;
        }
        Some(DeflateTerms {
            window_bits: self.client_max_window_bits.flatten(),
        })
    }
}

/// 8 to 15, without leading zeros, perhaps in quotes.
fn window_bits(value: &[u8]) -> Option<u8> {
    let quoted = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    match quoted.unwrap_or(value) {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
