//! A station's transactions: those that are open, and those that ended of late, since a station may
//! send its last words twice.

use std::hash::{DefaultHasher, Hash, Hasher};

use ocpp::Version;

/// A transaction's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TransactionId {
    /// OCPP 1.6: the CSMS gives it out.
    Number(i64),
    /// OCPP 2.x: the station makes it.
    Text(Box<str>),
}

/// Characters kept of an id; 2.x allows 36.
const ID_CHARS_MAX: usize = 36;

impl TransactionId {
    /// As it stands in a message, unescaped. `None`: it is none.
    pub(crate) fn read(version: Version, text: &str) -> Option<TransactionId> {
        if version == Version::V16 {
            return number(text).map(TransactionId::Number);
        }
        let text: String = text.chars().take(ID_CHARS_MAX).collect();
        (!text.is_empty()).then(|| TransactionId::Text(text.into()))
    }

    /// Whether this text names it; nothing is allocated for the answer.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            TransactionId::Number(id) => number(text) == Some(*id),
            TransactionId::Text(id) => text.chars().take(ID_CHARS_MAX).eq(id.chars()),
        }
    }
}

/// 1.6 writes whole numbers; a CSMS may well read `7.0` and `"7"` as 7, too.
pub(crate) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    let number = text.parse::<f64>().ok()?;
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

/// A transaction that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTransaction {
    /// Its id.
    pub id: TransactionId,
    /// The connector (1.6) or EVSE (2.x); 0 where none was named.
    pub place: u16,
    /// Which CSMS gave the id out ([`csms_mark`]); ids of two of them are not compared.
    pub csms: u64,
    /// Of its StartTransaction: one that says the same is a repetition.
    pub start: u64,
    /// The station has spoken of it in this session, so it knows of it.
    pub(crate) sure: bool,
}

/// A transaction that ended of late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedTransaction {
    /// Its id.
    pub id: TransactionId,
    /// Which CSMS gave the id out.
    pub csms: u64,
}

/// A station's transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transactions {
    pub(crate) open: Vec<OpenTransaction>,
    pub(crate) ended: Vec<EndedTransaction>,
}

impl Transactions {
    /// Open transactions remembered of one station; beyond it the oldest is forgotten.
    pub const OPEN_MAX: usize = 16;
    /// Ended ones remembered.
    pub const ENDED_MAX: usize = 16;

    /// Those that are open, oldest first.
    pub fn open(&self) -> &[OpenTransaction] {
        &self.open
    }

    /// Those that ended of late, oldest first.
    pub fn ended(&self) -> &[EndedTransaction] {
        &self.ended
    }

    /// Ids that a CSMS gave out, with its mark, which were open before and are not any more.
    pub fn over_since<'a>(
        &'a self,
        before: &'a Transactions,
    ) -> impl Iterator<Item = (u64, i64)> + 'a {
        let is_open = |one: &OpenTransaction| {
            let mut open = self.open.iter();
            open.any(|open| open.csms == one.csms && open.id == one.id)
        };
        let over = before.open.iter().filter(move |one| !is_open(one));
        over.filter_map(|over| match over.id {
            TransactionId::Number(id) => Some((over.csms, id)),
            TransactionId::Text(_) => None,
        })
    }

    /// Whether an id was this station's not long ago.
    pub(crate) fn holds(&self, csms: u64, id: &str) -> bool {
        let open = self.open.iter().map(|one| (one.csms, &one.id));
        let ended = self.ended.iter().map(|one| (one.csms, &one.id));
        open.chain(ended)
            .any(|(of, known)| of == csms && known.is(id))
    }

    /// The transaction that is open there.
    pub(crate) fn at(&self, place: u16) -> Option<&OpenTransaction> {
        self.open.iter().find(|open| open.place == place)
    }

    /// One begins. Whatever was open in its place is over, whether or not anybody said so.
    pub(crate) fn begin(&mut self, begun: OpenTransaction) {
        let there = |open: &OpenTransaction| {
            (open.place == begun.place && begun.place != 0)
                || (open.id == begun.id && open.csms == begun.csms)
        };
        while let Some(index) = self.open.iter().position(there) {
            let over = self.open.remove(index);
            if over.id != begun.id {
                self.remember_ended(over);
            }
        }
        if self.open.len() >= Self::OPEN_MAX {
            self.open.remove(0);
        }
        self.open.push(begun);
    }

    /// One ends; all of that id, where a CSMS gave it out more than once.
    pub(crate) fn end(&mut self, csms: u64, id: &str) -> bool {
        let mut ended = false;
        let names = |open: &OpenTransaction| open.csms == csms && open.id.is(id);
        while let Some(index) = self.open.iter().position(names) {
            let over = self.open.remove(index);
            self.remember_ended(over);
            ended = true;
        }
        ended
    }

    /// The station speaks of one; whether that is news.
    pub(crate) fn is_news(&self, csms: u64, id: &str) -> bool {
        let mut open = self.open.iter();
        open.any(|open| !open.sure && open.csms == csms && open.id.is(id))
    }

    pub(crate) fn confirm(&mut self, csms: u64, id: &str) {
        for open in &mut self.open {
            open.sure |= open.csms == csms && open.id.is(id);
        }
    }

    /// Whether the station knows of what is open is no longer sure.
    pub(crate) fn doubt(&mut self) {
        for open in &mut self.open {
            open.sure = false;
        }
    }

    fn remember_ended(&mut self, over: OpenTransaction) {
        if self.ended.len() >= Self::ENDED_MAX {
            self.ended.remove(0);
        }
        self.ended.push(EndedTransaction {
            id: over.id,
            csms: over.csms,
        });
    }
}

/// A short mark of a text, the same in every process of every version: it is stored.
pub(crate) fn mark(parts: &[&str]) -> u64 {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(first)
}

/// The mark of a message id, within one session.
pub(crate) fn message_mark(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
