//! What the lab CSMS bills: transactions, who began them, and who ended them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::conversation::{Asked, Reply};

/// Transactions that are kept; older ones make room.
const TRANSACTIONS_MAX: usize = 1_000;

/// One transaction in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its number, given in order.
    pub id: i64,
    /// The station that began it.
    pub station: String,
    /// Whose account it is on.
    pub tag: String,
    /// Who ended it, once somebody has, and at which reading of the meter.
    pub ended: Option<(String, i64)>,
}

#[derive(Default)]
pub(super) struct Ledger {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    begun: i64,
    latest: VecDeque<Transaction>,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn transactions(&self) -> Vec<Transaction> {
        self.lock().latest.iter().cloned().collect()
    }

    pub(super) fn start(&self, asked: &Asked<'_>) -> Reply {
        let mut book = self.lock();
        book.begun += 1;
        let id = book.begun;
        if book.latest.len() >= TRANSACTIONS_MAX {
            book.latest.pop_front();
        }
        book.latest.push_back(Transaction {
            id,
            station: asked.station.to_owned(),
            tag: text(&asked.call.payload["idTag"]),
            ended: None,
        });
        Reply::Result(json!({ "idTagInfo": { "status": "Accepted" }, "transactionId": id }))
    }

    /// CWE-284: nobody asks whether the transaction is the station's own.
    pub(super) fn stop(&self, asked: &Asked<'_>) -> Reply {
        let payload = &asked.call.payload;
        let id = payload["transactionId"].as_i64();
        let mut book = self.lock();
        let found = book
            .latest
            .iter_mut()
            .find(|one| Some(one.id) == id && one.ended.is_none());
        if let Some(transaction) = found {
            let meter = payload["meterStop"].as_i64().unwrap_or_default();
            transaction.ended = Some((asked.station.to_owned(), meter));
        }
        Reply::Result(json!({}))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
