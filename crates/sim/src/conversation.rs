//! One OCPP-J conversation over one WebSocket, seen from either end: who said what in which order,
//! calls with their answers, and everything a scene may expect or misuse.
//!
//! A task of its own drives the socket ([`drive`]); this handle gives it orders and looks at the
//! record. When the last handle is dropped the socket dies without a goodbye.

mod call;
mod drive;
mod expect;
mod record;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ocpp::Version;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

pub use call::{Asked, CallFailed, Called, Handler, Reply};
pub(crate) use drive::{config, drive};
use record::Record;
pub use record::{Entry, Payload, Speaker};

use crate::envelope::Envelope;
use crate::patience::PATIENCE;

/// Orders that may wait for the socket; beyond it they are refused, so that a peer that stops
/// reading cannot fill our memory.
const ORDERS_MAX: usize = 4_096;

/// One end of a conversation.
#[derive(Clone)]
pub struct Conversation {
    handle: Arc<Handle>,
}

struct Handle(Arc<Shared>);

/// What the handles and the driving task share.
pub(crate) struct Shared {
    identity: String,
    version: Option<Version>,
    state: Mutex<State>,
    /// Told when there are new orders.
    orders: Notify,
    /// Told when the record or the state has changed.
    news: Notify,
    ids: AtomicU64,
    salt: u32,
}

#[derive(Default)]
struct State {
    record: Record,
    orders: VecDeque<Order>,
    pending: HashMap<String, oneshot::Sender<Result<Value, CallFailed>>>,
    ended: Option<Ended>,
}

enum Order {
    Text(Utf8Bytes),
    Binary(Bytes),
    Ping(Bytes),
    /// Straight into the stream, under the WebSocket.
    Raw(Vec<u8>),
    Close(Option<u16>),
    /// Never read or write again, but keep the socket.
    Freeze,
    /// Drop the socket without a goodbye.
    Die,
}

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A close frame came; its code, if it had one, and its words.
    Closed(Option<u16>, String),
    /// The socket died; in words.
    Lost(String),
    /// We dropped it.
    Dropped,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock means a test has failed already; its record is still worth reading.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, order: Order) -> Result<(), CallFailed> {
        let mut state = self.state();
        if state.ended.is_some() || state.orders.len() >= ORDERS_MAX {
            return Err(CallFailed::Gone);
        }
        state.orders.push_back(order);
        drop(state);
        self.orders.notify_one();
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // An ended conversation has nobody left to take the order, which is as well.
        drop(self.0.order(Order::Die));
    }
}

impl Conversation {
    /// A handle and what its driving task needs. `entries_max`: how much of it is recorded.
    pub(crate) fn new(
        identity: String,
        version: Option<Version>,
        entries_max: usize,
    ) -> (Conversation, Arc<Shared>) {
        let shared = Arc::new(Shared {
            identity,
            version,
            state: Mutex::new(State {
                record: Record::new(entries_max),
                ..State::default()
            }),
            orders: Notify::new(),
            news: Notify::new(),
            ids: AtomicU64::new(1),
            salt: fastrand::u32(..),
        });
        let handle = Arc::new(Handle(Arc::clone(&shared)));
        (Conversation { handle }, shared)
    }

    fn shared(&self) -> &Shared {
        &self.handle.0
    }

    /// The station of this conversation.
    pub fn identity(&self) -> &str {
        &self.shared().identity
    }

    /// The version that the handshake agreed on; `None` when it named no subprotocol we know.
    pub fn version(&self) -> Option<Version> {
        self.shared().version
    }

    /// A message id nobody has used yet, not even in an earlier conversation of the same station.
    pub fn fresh_id(&self) -> String {
        let shared = self.shared();
        let number = shared.ids.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{number}", shared.salt)
    }

    /// Calls and waits for the answer.
    pub async fn call(&self, action: &str, payload: Value) -> Result<Value, CallFailed> {
        self.call_within(action, payload, PATIENCE).await
    }

    /// Calls and waits that long for the answer.
    pub async fn call_within(
        &self,
        action: &str,
        payload: Value,
        patience: Duration,
    ) -> Result<Value, CallFailed> {
        let id = self.fresh_id();
        let answer = self.begin(&id, action, payload)?;
        let outcome = timeout(patience, answer).await;
        self.shared().state().pending.remove(&id);
        match outcome {
            Err(_) => Err(CallFailed::Silence),
            Ok(Err(_)) => Err(CallFailed::Gone),
            Ok(Ok(answer)) => answer,
        }
    }

    /// Sends a call with that id; its answer arrives in what is returned.
    pub fn begin(
        &self,
        id: &str,
        action: &str,
        payload: Value,
    ) -> Result<oneshot::Receiver<Result<Value, CallFailed>>, CallFailed> {
        let (answered, answer) = oneshot::channel();
        let call = Envelope::Call {
            id: id.to_owned(),
            action: action.to_owned(),
            payload,
        };
        self.shared()
            .state()
            .pending
            .insert(id.to_owned(), answered);
        self.send_text(call.write())?;
        Ok(answer)
    }

    /// Answers a call.
    pub fn answer(&self, call: &Called, payload: Value) -> Result<(), CallFailed> {
        let id = call.id.clone();
        self.send_text(Envelope::Result { id, payload }.write())
    }

    /// Answers a call with an error.
    pub fn answer_error(&self, call: &Called, code: &str) -> Result<(), CallFailed> {
        let answer = Envelope::Error {
            id: call.id.clone(),
            code: code.to_owned(),
            description: String::new(),
        };
        self.send_text(answer.write())
    }

    /// Sends a text message, whatever it says.
    pub fn send_text(&self, text: impl Into<String>) -> Result<(), CallFailed> {
        self.shared()
            .order(Order::Text(Utf8Bytes::from(text.into())))
    }

    /// Sends a binary message.
    pub fn send_binary(&self, bytes: impl Into<Vec<u8>>) -> Result<(), CallFailed> {
        self.shared()
            .order(Order::Binary(Bytes::from(bytes.into())))
    }

    /// Sends a ping.
    pub fn ping(&self) -> Result<(), CallFailed> {
        self.shared().order(Order::Ping(Bytes::from_static(b"sim")))
    }

    /// Puts bytes into the stream under the WebSocket, such as those of a [`crate::wire::RawFrame`].
    pub fn send_raw(&self, bytes: impl Into<Vec<u8>>) -> Result<(), CallFailed> {
        self.shared().order(Order::Raw(bytes.into()))
    }

    /// Says goodbye, with a close code or none.
    pub fn close(&self, code: Option<u16>) -> Result<(), CallFailed> {
        self.shared().order(Order::Close(code))
    }

    /// Drops the socket without a goodbye.
    pub fn die(&self) -> Result<(), CallFailed> {
        self.shared().order(Order::Die)
    }

    /// Neither reads nor writes from now on, but keeps the socket, as a station whose mobile link
    /// went away does.
    pub fn freeze(&self) -> Result<(), CallFailed> {
        self.shared().order(Order::Freeze)
    }

    /// How it ended; `None` while it goes on.
    pub fn ended(&self) -> Option<Ended> {
        self.shared().state().ended.clone()
    }

    /// Everything said so far, in order.
    pub fn record(&self) -> Vec<Entry> {
        self.shared().state().record.entries().to_vec()
    }

    /// The text payloads that came, in order.
    pub fn received(&self) -> Vec<String> {
        self.shared().state().record.texts(Speaker::Them)
    }

    /// The text payloads that we sent, in order.
    pub fn sent(&self) -> Vec<String> {
        self.shared().state().record.texts(Speaker::Us)
    }
}
