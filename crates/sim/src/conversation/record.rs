//! What was said, by whom, in which order.

use std::time::Instant;

use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

/// Who said something, from where we stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// This end.
    Us,
    /// The other end.
    Them,
}

/// One WebSocket message's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

impl Payload {
    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Payload::Text(text) => Some(text.as_str()),
            Payload::Binary(_) => None,
        }
    }
}

/// One message of the record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was said.
    pub at: Instant,
    /// By whom.
    pub from: Speaker,
    /// What.
    pub payload: Payload,
    taken: bool,
}

/// The record of one conversation, up to a limit.
#[derive(Default)]
pub(super) struct Record {
    entries: Vec<Entry>,
    entries_max: usize,
    heard: u64,
}

impl Record {
    pub(super) fn new(entries_max: usize) -> Record {
        Record {
            entries: Vec::new(),
            entries_max,
            heard: 0,
        }
    }

    pub(super) fn note(&mut self, from: Speaker, payload: &Payload) {
        self.heard += u64::from(from == Speaker::Them);
        if self.entries.len() < self.entries_max {
            self.entries.push(Entry {
                at: Instant::now(),
                from,
                payload: payload.clone(),
                taken: false,
            });
        }
    }

    /// Messages heard, recorded or not.
    pub(super) fn heard(&self) -> u64 {
        self.heard
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn texts(&self, from: Speaker) -> Vec<String> {
        let said = self.entries.iter().filter(|entry| entry.from == from);
        said.filter_map(|entry| entry.payload.text().map(str::to_owned))
            .collect()
    }

    /// Takes the first message heard that nobody has taken and that matches.
    pub(super) fn take<T>(
        &mut self,
        matching: &mut impl FnMut(&Payload) -> Option<T>,
    ) -> Option<T> {
        self.entries
            .iter_mut()
            .filter(|entry| entry.from == Speaker::Them && !entry.taken)
            .find_map(|entry| {
                let found = matching(&entry.payload)?;
                entry.taken = true;
                Some(found)
            })
    }

    /// The last few messages, for whoever has to find out why a scene failed.
    pub(super) fn last_words(&self) -> String {
        let last = self.entries.len().saturating_sub(6);
        let words: Vec<String> = self.entries[last..]
            .iter()
            .map(|entry| format!("{:?} {:.200?}", entry.from, entry.payload))
            .collect();
        if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(", ")
        }
    }
}
