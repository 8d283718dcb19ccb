//! Requests and their answers, put together.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use guard::UnixMillis;

use super::{Order, Query, Reader, Record};
use crate::segments::JournalError;

/// Calls whose answers are waited for, at most; the oldest is given out without one.
pub const OPEN_CALLS_MAX: usize = 65_536;
/// How far from a message its partner is looked for.
const APART_MAX_MILLIS: i64 = 10 * 60 * 1000;

/// A record, and its answer where it is a call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What was said; or another event; or an answer without its call.
    pub said: Record,
    /// What was answered.
    pub answer: Option<Record>,
}

impl Exchange {
    /// How long the answer took: as the gate measured it, or by the clock of the records.
    pub fn latency(&self) -> Option<Duration> {
        let answer = self.answer.as_ref()?.facts();
        match answer.latency_us {
            Some(micros) => Some(Duration::from_micros(micros)),
            None => {
                let millis = answer.at.saturating_sub(self.said.facts().at);
                Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
            }
        }
    }
}

/// What a call and its answer have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    station: String,
    session: u64,
    /// Who has called.
    caller: String,
    id: String,
}

/// Whether a record is a call, or an answer, and to what.
enum Role {
    Call(Key),
    Answer(Key),
    Neither,
}

fn role(record: &Record) -> Role {
    let facts = record.facts();
    let (Some(kind), Some(id), Some(session)) =
        (facts.message.kind, facts.message.id, facts.session)
    else {
        return Role::Neither;
    };
    let station = facts.station.into_owned();
    let other = |from: &str| if from == "station" { "csms" } else { "station" };
    match kind {
        2 => Role::Call(Key {
            station,
            session,
            caller: facts.from.into_owned(),
            id,
        }),
        3..=5 => Role::Answer(Key {
            station,
            session,
            caller: other(&facts.from).to_owned(),
            id,
        }),
        _ => Role::Neither,
    }
}

/// Puts answers to their calls, in a stream of records that is in its order, oldest first.
pub struct Exchanges<I> {
    records: I,
    /// In their order; the first ones may still wait for an answer.
    waiting: VecDeque<Exchange>,
    /// How many have left `waiting`, so that a place in it can be told by a number.
    left: u64,
    open: HashMap<Key, u64>,
    over: bool,
}

impl<I: Iterator<Item = Result<Record, JournalError>>> Exchanges<I> {
    /// Of these records.
    pub fn new(records: I) -> Exchanges<I> {
        Exchanges {
            records,
            waiting: VecDeque::new(),
            left: 0,
            open: HashMap::new(),
            over: false,
        }
    }

    fn take_in(&mut self, record: Record) {
        let number = self.left + self.waiting.len() as u64;
        match role(&record) {
            Role::Call(key) => {
                self.open.insert(key, number);
            }
            Role::Answer(key) => {
                let call = self
                    .open
                    .remove(&key)
                    .and_then(|call| call.checked_sub(self.left));
                let call = call.and_then(|place| self.waiting.get_mut(place as usize));
                if let Some(call) = call {
                    call.answer = Some(record);
                    return;
                }
            }
            Role::Neither => {}
        }
        self.waiting.push_back(Exchange {
            said: record,
            answer: None,
        });
    }

    /// Whether the first one has all that will be known of it.
    fn is_settled(&self) -> bool {
        self.waiting.front().is_some_and(|first| {
            first.answer.is_some()
                || self.over
                || self.waiting.len() > OPEN_CALLS_MAX
                || !matches!(role(&first.said), Role::Call(_))
        })
    }

    fn give(&mut self) -> Option<Exchange> {
        let first = self.waiting.pop_front()?;
        if let Role::Call(key) = role(&first.said)
            && self.open.get(&key) == Some(&self.left)
        {
            self.open.remove(&key);
        }
        self.left += 1;
        Some(first)
    }
}

impl<I: Iterator<Item = Result<Record, JournalError>>> Iterator for Exchanges<I> {
    type Item = Result<Exchange, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_settled() && !self.over {
            match self.records.next() {
                Some(Ok(record)) => self.take_in(record),
                Some(Err(error)) => return Some(Err(error)),
                None => self.over = true,
            }
        }
        self.give().map(Ok)
    }
}

/// Finds a call's answer, or an answer's call.
pub(super) fn partner(reader: &Reader, record: Record) -> Result<Exchange, JournalError> {
    let (wanted, is_call) = match role(&record) {
        Role::Call(key) => (key, true),
        Role::Answer(key) => (key, false),
        Role::Neither => {
            return Ok(Exchange {
                said: record,
                answer: None,
            });
        }
    };
    let (at, station) = {
        let facts = record.facts();
        (facts.at, facts.station.clone().into_owned())
    };
    let query = Query {
        station: Some(station),
        from: Some(UnixMillis(at.saturating_sub(APART_MAX_MILLIS))),
        until: Some(UnixMillis(at.saturating_add(APART_MAX_MILLIS))),
        order: if is_call {
            Order::OldestFirst
        } else {
            Order::NewestFirst
        },
        ..Query::default()
    };
    for found in reader.search(query)? {
        let found = found?;
        // An id may come again later: the nearest is meant.
        match role(&found) {
            Role::Answer(key) if is_call && key == wanted && found.number > record.number => {
                return Ok(Exchange {
                    said: record,
                    answer: Some(found),
                });
            }
            Role::Call(key) if !is_call && key == wanted && found.number < record.number => {
                return Ok(Exchange {
                    said: found,
                    answer: Some(record),
                });
            }
            _ => {}
        }
    }
    Ok(Exchange {
        said: record,
        answer: None,
    })
}
