//! The task that drives one socket: carries out orders, records, answers calls.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{Asked, CallFailed, Called, Ended, Handler, Order, Payload, Reply, Shared, Speaker};
use crate::envelope::Envelope;
use crate::tls::Transport;

/// The largest message this side reads; the gate's own limit is well below.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// How long the closing handshake may take.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<Transport>;

/// Small buffers: tungstenite's own would hold 256 kB for each idle station.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
}

/// What to do after a step.
enum Next {
    Go,
    Freeze,
    End(Ended),
}

/// Runs the conversation to its end.
pub(crate) async fn drive(mut socket: Socket, shared: Arc<Shared>, handler: Handler) {
    let ended = loop {
        let step = tokio::select! {
            heard = socket.next() => hear(heard, &shared, &handler),
            () = shared.orders.notified() => carry_out(&mut socket, &shared).await,
        };
        match step {
            Next::Go => {}
            Next::Freeze => break frozen(&shared).await,
            Next::End(ended) => break ended,
        }
    };
    if let Ended::Closed(..) = ended {
        // Reading on is what sends our half of the close handshake (RFC 6455, 5.5.1).
        drop(
            timeout(GOODBYE_MAX, async {
                while let Some(Ok(_)) = socket.next().await {}
            })
            .await,
        );
    }
    drop(socket);
    let mut state = shared.state();
    state.ended = Some(ended);
    state.orders.clear();
    state.pending.clear();
    drop(state);
    shared.news.notify_waiters();
}

/// Waits to be told to die; everything else is ignored.
async fn frozen(shared: &Shared) -> Ended {
    loop {
        shared.orders.notified().await;
        let orders = std::mem::take(&mut shared.state().orders);
        if orders.iter().any(|order| matches!(order, Order::Die)) {
            return Ended::Dropped;
        }
    }
}

fn hear(heard: Option<Result<Message, Error>>, shared: &Arc<Shared>, handler: &Handler) -> Next {
    match heard {
        None => Next::End(Ended::Lost("end of stream".to_owned())),
        Some(Err(error)) => Next::End(Ended::Lost(error.to_string())),
        Some(Ok(Message::Text(text))) => {
            note(shared, Speaker::Them, Payload::Text(text.clone()));
            respond(&text, shared, handler);
            Next::Go
        }
        Some(Ok(Message::Binary(bytes))) => {
            note(shared, Speaker::Them, Payload::Binary(bytes));
            Next::Go
        }
        Some(Ok(Message::Close(frame))) => Next::End(match frame {
            None => Ended::Closed(None, String::new()),
            Some(frame) => Ended::Closed(Some(frame.code.into()), frame.reason.to_string()),
        }),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Next::Go,
    }
}

fn note(shared: &Shared, from: Speaker, payload: Payload) {
    shared.state().record.note(from, &payload);
    shared.news.notify_waiters();
}

fn respond(text: &Utf8Bytes, shared: &Arc<Shared>, handler: &Handler) {
    match Envelope::read(text) {
        Some(Envelope::Call {
            id,
            action,
            payload,
        }) => {
            let call = Called {
                id,
                action,
                payload,
            };
            let asked = Asked {
                station: &shared.identity,
                version: shared.version,
                call: &call,
            };
            let reply = handler(&asked);
            give(shared, &call.id, reply);
        }
        Some(Envelope::Result { id, payload }) => settle(shared, &id, Ok(payload)),
        Some(
            Envelope::Error {
                id,
                code,
                description,
            }
            | Envelope::ResultError {
                id,
                code,
                description,
            },
        ) => settle(shared, &id, Err(CallFailed::Error { code, description })),
        Some(Envelope::Send { .. }) | None => {}
    }
}

fn settle(shared: &Shared, id: &str, answer: Result<serde_json::Value, CallFailed>) {
    let pending = shared.state().pending.remove(id);
    if let Some(asker) = pending {
        // Whoever asked may have stopped waiting.
        drop(asker.send(answer));
    }
}

fn give(shared: &Arc<Shared>, id: &str, reply: Reply) {
    let order = match reply {
        Reply::Nothing => return,
        Reply::Text(text) => Order::Text(Utf8Bytes::from(text)),
        Reply::Close(code) => Order::Close(Some(code)),
        Reply::Result(payload) => Order::Text(Utf8Bytes::from(
            Envelope::Result {
                id: id.to_owned(),
                payload,
            }
            .write(),
        )),
        Reply::Error(code, description) => Order::Text(Utf8Bytes::from(
            Envelope::Error {
                id: id.to_owned(),
                code,
                description,
            }
            .write(),
        )),
        Reply::All(replies) => {
            return replies
                .into_iter()
                .for_each(|reply| give(shared, id, reply));
        }
        Reply::After(wait, reply) => {
            let (shared, id) = (Arc::clone(shared), id.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                give(&shared, &id, *reply);
            });
            return;
        }
    };
    // A conversation that has ended meanwhile needs no answer.
    drop(shared.order(order));
}

/// Carries out what has been ordered. A write that blocks blocks reading too: neither end of a
/// test needs both at once, and one task with one buffer keeps ten thousand of them small.
async fn carry_out(socket: &mut Socket, shared: &Arc<Shared>) -> Next {
    loop {
        let Some(order) = shared.state().orders.pop_front() else {
            return Next::Go;
        };
        let sent = match order {
            Order::Text(text) => {
                note(shared, Speaker::Us, Payload::Text(text.clone()));
                socket.send(Message::Text(text)).await
            }
            Order::Binary(bytes) => {
                note(shared, Speaker::Us, Payload::Binary(bytes.clone()));
                socket.send(Message::Binary(bytes)).await
            }
            Order::Ping(bytes) => socket.send(Message::Ping(bytes)).await,
            Order::Raw(bytes) => write_under(socket, &bytes).await,
            Order::Close(code) => {
                let frame = code.map(|code| CloseFrame {
                    code: code.into(),
                    reason: Utf8Bytes::from_static(""),
                });
                socket.close(frame).await
            }
            Order::Freeze => return Next::Freeze,
            Order::Die => return Next::End(Ended::Dropped),
        };
        if let Err(error) = sent {
            return Next::End(last_words(socket, shared, error).await);
        }
    }
}

async fn write_under(socket: &mut Socket, bytes: &[u8]) -> Result<(), Error> {
    let stream = socket.get_mut();
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

/// A write failed; the other side may have said why before it went.
async fn last_words(socket: &mut Socket, shared: &Arc<Shared>, error: Error) -> Ended {
    let deaf: Handler = Arc::new(|_| Reply::Nothing);
    loop {
        match hear(socket.next().await, shared, &deaf) {
            Next::Go => {}
            Next::End(closed @ Ended::Closed(..)) => return closed,
            Next::End(_) | Next::Freeze => return Ended::Lost(error.to_string()),
        }
    }
}
