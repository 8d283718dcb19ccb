//! A small CSMS: takes stations in, writes down who came and what was said, answers what a CSMS
//! answers, calls stations, and misbehaves where a scene asks for it.

mod admission;
mod builder;
mod handshake;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ocpp::Version;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub use admission::Admission;
pub use builder::CsmsBuilder;
pub use handshake::Handshake;

use crate::conversation::{Conversation, Handler, drive};
use crate::patience::{Unmet, until};
use crate::tls::Transport;

/// Decides about each handshake.
type Admit = Arc<dyn Fn(&Handshake) -> Admission + Send + Sync>;

/// A CSMS at work; dropping it stops it.
pub struct Csms {
    house: Arc<House>,
    url: String,
    address: SocketAddr,
    listening: JoinHandle<()>,
}

/// What the listener and all conversations share.
struct House {
    tls: Option<TlsAcceptor>,
    versions: Vec<Version>,
    handler: Handler,
    admit: Mutex<Admit>,
    entries_max: usize,
    /// While true, nobody's request is read.
    held: watch::Sender<bool>,
    book: Mutex<Book>,
    news: Notify,
    live: AtomicUsize,
}

#[derive(Default)]
struct Book {
    handshakes: Vec<Handshake>,
    sessions: HashMap<String, Vec<Conversation>>,
}

impl Csms {
    /// A CSMS that takes everyone in and answers as [`crate::answers::csms`] does.
    pub fn builder() -> CsmsBuilder {
        CsmsBuilder::new()
    }

    /// Where stations connect, without the identity: `ws://localhost:1234/ocpp`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The socket address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Decides about handshakes so from now on.
    pub fn admit(&self, admit: impl Fn(&Handshake) -> Admission + Send + Sync + 'static) {
        *lock(&self.house.admit) = Arc::new(admit);
    }

    /// Reads nobody's request until [`Csms::release`]; connections pile up.
    pub fn hold(&self) {
        self.house.held.send_replace(true);
    }

    /// Goes on after [`Csms::hold`].
    pub fn release(&self) {
        self.house.held.send_replace(false);
    }

    /// Every handshake so far, admitted or not, in order.
    pub fn handshakes(&self) -> Vec<Handshake> {
        lock(&self.house.book).handshakes.clone()
    }

    /// Conversations that go on now.
    pub fn live(&self) -> usize {
        self.house.live.load(Ordering::Relaxed)
    }

    /// Every conversation of that station so far, oldest first.
    pub fn sessions(&self, identity: &str) -> Vec<Conversation> {
        let book = lock(&self.house.book);
        book.sessions.get(identity).cloned().unwrap_or_default()
    }

    /// The stations that are connected now.
    pub fn connected(&self) -> Vec<Conversation> {
        let book = lock(&self.house.book);
        let newest = book.sessions.values().filter_map(|all| all.last());
        newest
            .filter(|session| session.ended().is_none())
            .cloned()
            .collect()
    }

    /// That station's live conversation; waits until there is one.
    pub async fn station(&self, identity: &str) -> Result<Conversation, Unmet> {
        until(&self.house.news, || {
            let newest = self.sessions(identity).pop()?;
            newest.ended().is_none().then_some(newest)
        })
        .await
        .ok_or_else(|| Unmet {
            expected: format!("station {identity} at the CSMS"),
            saw: format!("{:?}", self.handshakes()),
        })
    }

    /// Waits until so many handshakes have come, and gives them all.
    pub async fn expect_handshakes(&self, count: usize) -> Result<Vec<Handshake>, Unmet> {
        until(&self.house.news, || {
            let all = self.handshakes();
            (all.len() >= count).then_some(all)
        })
        .await
        .ok_or_else(|| Unmet {
            expected: format!("{count} handshakes at the CSMS"),
            saw: format!("{:?}", self.handshakes()),
        })
    }
}

impl Drop for Csms {
    fn drop(&mut self) {
        self.listening.abort();
        // The conversations' handles live in the book; without it their sockets die.
        *lock(&self.house.book) = Book::default();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, house: Arc<House>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                tokio::spawn(receive(socket, peer, Arc::clone(&house)));
            }
            // Out of file descriptors, most likely: let some go before the next.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

/// Takes one connection in; whatever goes wrong ends this one only.
async fn receive(socket: TcpStream, peer: SocketAddr, house: Arc<House>) {
    let mut held = house.held.subscribe();
    if held.wait_for(|held| !held).await.is_err() || socket.set_nodelay(true).is_err() {
        return;
    }
    let transport = match &house.tls {
        None => Transport::Plain(socket),
        Some(acceptor) => match Box::pin(acceptor.accept(socket)).await {
            Ok(stream) => Transport::Tls(Box::new(stream.into())),
            Err(_) => return,
        },
    };
    let Some((socket, arrived)) = Box::pin(handshake::answer(transport, peer, &house)).await else {
        return;
    };
    let (conversation, shared) =
        Conversation::new(arrived.identity, arrived.version, house.entries_max);
    match arrived.admission {
        Admission::AcceptThenClose(code) => drop(conversation.close(Some(code))),
        Admission::AcceptThenDrop => drop(conversation.die()),
        _ => {}
    }
    enrol(&house, conversation);
    // A task of its own, so that the handshake's room is given back.
    tokio::spawn(async move {
        drive(socket, shared, Arc::clone(&house.handler)).await;
        house.live.fetch_sub(1, Ordering::Relaxed);
        house.news.notify_waiters();
    });
}

fn enrol(house: &House, conversation: Conversation) {
    house.live.fetch_add(1, Ordering::Relaxed);
    let mut book = lock(&house.book);
    let sessions = book
        .sessions
        .entry(conversation.identity().to_owned())
        .or_default();
    if house.entries_max == 0 {
        sessions.retain(|session| session.ended().is_none());
    }
    sessions.push(conversation);
    drop(book);
    house.news.notify_waiters();
}
