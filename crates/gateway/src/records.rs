//! TLS over a socket, with no buffer of its own.
//!
//! rustls' buffered connection, and so tokio-rustls, keeps 4 KiB for incoming records as long as it
//! lives: with thousands of idle stations, a third of all memory. Here records are read onto the
//! thread's bench and opened there; only what is cut waits with the connection, until its rest
//! arrives. What rustls wants said after the handshake (a ticket, a client's Finished) leaves
//! together with the first bytes that are written.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use guard::TlsFingerprint;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError};
use rustls::unbuffered::{UnbufferedStatus, WriteTraffic};
use rustls::{ClientConfig, CommonState, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::client_hello::{self, Hello};
use crate::socket::Socket;
use crate::turns;

/// Read from a socket at a time: two records of the greatest size.
const READ_BYTES: usize = 33 << 10;
/// Kept until its rest arrives: a handshake message of the greatest size, and a record.
const CUT_BYTES_MAX: usize = (64 << 10) + (17 << 10);
/// Plain text sealed at a time: one record of the greatest size.
const SEAL_BYTES_MAX: usize = 16 << 10;
/// Sealed and not yet taken by the socket; beyond this, no more is taken.
const UNSENT_BYTES_MAX: usize = 16 << 10;
/// What sealing adds at most to a record, and room for a key update before it.
const SEAL_OVERHEAD: usize = 128;

/// What the room for sealing may have grown to, to be kept for the next session's words.
const SEALED_KEPT_MAX: usize = 64 << 10;

thread_local! {
    static BENCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static SEALED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A TLS connection to a station.
pub(crate) type StationTls = Tls<UnbufferedServerConnection>;
/// A TLS connection to a CSMS.
pub(crate) type CsmsTls = Tls<UnbufferedClientConnection>;

/// One end of a TLS connection.
pub(crate) struct Tls<E> {
    socket: Socket,
    engine: E,
    /// The start of a record, or of a handshake message, whose rest has not arrived.
    cut: Vec<u8>,
    /// Opened, but not yet read.
    plain: Vec<u8>,
    /// Sealed, but not yet taken by the socket.
    unsent: Vec<u8>,
    peer_closed: bool,
}

/// Either end's rustls connection.
pub(crate) trait Engine {
    /// Which end's data rustls keeps.
    type Data;
    /// Takes what was received one state further.
    fn process<'c, 'i>(
        &'c mut self,
        received: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;
    /// What both ends have in common.
    fn common(&self) -> &CommonState;
}

impl Engine for UnbufferedServerConnection {
    type Data = ServerConnectionData;
    fn process<'c, 'i>(
        &'c mut self,
        received: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(received)
    }
    fn common(&self) -> &CommonState {
        self
    }
}

impl Engine for UnbufferedClientConnection {
    type Data = ClientConnectionData;
    fn process<'c, 'i>(
        &'c mut self,
        received: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(received)
    }
    fn common(&self) -> &CommonState {
        self
    }
}

impl StationTls {
    /// Finishes the handshake with a station; also what its TLS is known by.
    pub(crate) async fn accept(
        socket: TcpStream,
        config: Arc<ServerConfig>,
    ) -> io::Result<(Box<StationTls>, Option<TlsFingerprint>)> {
        let engine = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
        // The first flight begins with the ClientHello; what follows one that is whole is not looked at.
        let mut hello = Hello::Incomplete;
        let mut watch = |received: &[u8]| {
            if hello == Hello::Incomplete {
                hello = client_hello::read(received);
            }
        };
        let mut tls = Tls::over(socket, engine);
        tls.shake(&mut watch).await?;
        Ok((tls, hello.fingerprint()))
    }
}

impl CsmsTls {
    /// Finishes the handshake with a CSMS.
    pub(crate) async fn connect(
        socket: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Box<CsmsTls>> {
        let engine = UnbufferedClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut tls = Tls::over(socket, engine);
        tls.shake(&mut |_| {}).await?;
        Ok(tls)
    }
}

impl<E: Engine> Tls<E> {
    /// What the handshake settled.
    pub(crate) fn common(&self) -> &CommonState {
        self.engine.common()
    }

    /// Boxed from the start: by value, the future of a handshake would hold it several times over.
    fn over(socket: TcpStream, engine: E) -> Box<Tls<E>> {
        Box::new(Tls {
            socket: Socket::over(socket),
            engine,
            cut: Vec::new(),
            plain: Vec::new(),
            unsent: Vec::new(),
            peer_closed: false,
        })
    }

    /// Does the handshake. Shows `watch` what has come and was not understood before, each time more
    /// comes.
    async fn shake(&mut self, watch: &mut (dyn FnMut(&[u8]) + Send)) -> io::Result<()> {
        // A client speaks first.
        self.open_records(&mut [], &mut |_| {})?;
        while self.engine.common().is_handshaking() {
            std::future::poll_fn(|context| self.poll_peer(context)).await?;
            let turn = turns::turn().await;
            let step =
                std::future::poll_fn(|context| Poll::Ready(self.poll_step(context, watch))).await;
            turn.end().await;
            if step? == Some(0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Sends what the peer waits for, and waits until it has said something.
    fn poll_peer(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What the socket does not take now it takes later: writing wakes us, too.
        let _ = self.poll_send(context)?;
        self.socket.poll_read_ready(context)
    }

    /// One step of a handshake: opens what has come and sends the answer. How many bytes came;
    /// `None` where there were none after all.
    fn poll_step(
        &mut self,
        context: &mut Context<'_>,
        watch: &mut dyn FnMut(&[u8]),
    ) -> io::Result<Option<usize>> {
        match self.poll_receive(context, None, watch)? {
            Poll::Pending => Ok(None),
            Poll::Ready(count) => {
                // The last words of a handshake leave with the first ones after it, or when we wait for
                // the peer's: a send less for each connection.
                if self.engine.common().is_handshaking() {
                    let _ = self.poll_send(context)?;
                }
                Ok(Some(count))
            }
        }
    }

    /// Reads once from the socket and opens what is whole, into `out` as far as it goes and else
    /// into `plain`. How many bytes came; 0: the peer is gone.
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        mut out: Option<&mut ReadBuf<'_>>,
        watch: &mut dyn FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        BENCH.with_borrow_mut(|bench| {
            let kept = self.cut.len();
            if bench.len() < kept + READ_BYTES {
                bench.resize(kept + READ_BYTES, 0);
            }
            let (front, rest) = bench.split_at_mut(kept);
            let mut space = ReadBuf::new(rest);
            if Pin::new(&mut self.socket)
                .poll_read(context, &mut space)?
                .is_pending()
            {
                // Nobody waits for an answer to what we have not sent.
                let _ = self.poll_send(context)?;
                return Poll::Pending;
            }
            let count = space.filled().len();
            front.copy_from_slice(&self.cut);
            let received = bench.get_mut(..kept + count).unwrap_or_default();
            watch(received);
            let mut plain = std::mem::take(&mut self.plain);
            let used = self.open_records(received, &mut |text| {
                let room = out.as_deref().map_or(0, ReadBuf::remaining).min(text.len());
                let (now, later) = text.split_at(room);
                if let Some(out) = out.as_deref_mut() {
                    out.put_slice(now);
                }
                plain.extend_from_slice(later);
            });
            self.plain = plain;
            let left = received
                .get(*used.as_ref().unwrap_or(&0)..)
                .unwrap_or_default();
            self.cut = left.to_vec();
            if let Err(error) = used {
                // The alert that says why; a peer that does not take it goes without.
                let _ = self.poll_send(context);
                return Poll::Ready(Err(error));
            }
            if self.cut.len() > CUT_BYTES_MAX {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            Poll::Ready(Ok(count))
        })
    }

    /// Works through `received` as far as it is whole; how many bytes that were.
    fn open_records(
        &mut self,
        received: &mut [u8],
        take: &mut dyn FnMut(&[u8]),
    ) -> io::Result<usize> {
        let mut used = 0;
        loop {
            let rest = received.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.engine.process(rest);
            let mut more = true;
            let state = match state {
                Ok(state) => state,
                Err(error) => {
                    let rest = received.get_mut(used + discard..).unwrap_or_default();
                    if let Ok(ConnectionState::EncodeTlsData(alert)) =
                        self.engine.process(rest).state
                    {
                        encode(alert, &mut self.unsent)?;
                    }
                    return Err(io::Error::other(error));
                }
            };
            match state {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(io::Error::other)?;
                        discard += record.discard;
                        take(record.payload);
                    }
                    // Nothing is left to process; an answer that rustls owes goes with what we seal next.
                    more = used + discard < received.len();
                }
                ConnectionState::EncodeTlsData(data) => encode(data, &mut self.unsent)?,
                ConnectionState::TransmitTlsData(sent) => sent.done(),
                ConnectionState::PeerClosed => self.peer_closed = true,
                ConnectionState::Closed => {
                    self.peer_closed = true;
                    more = false;
                }
                // Early data is not enabled; and these two want more bytes, or none.
                _ => more = false,
            }
            used += discard;
            if !more {
                return Ok(used);
            }
        }
    }

    /// Seals `text` behind what is still unsent.
    fn seal(&mut self, text: &[u8]) -> io::Result<()> {
        if self.unsent.capacity() == 0 {
            self.unsent = SEALED.take();
        }
        self.with_traffic(|traffic, unsent| {
            let start = unsent.len();
            let mut room = text.len() + SEAL_OVERHEAD;
            loop {
                unsent.resize(start + room, 0);
                let space = unsent.get_mut(start..).unwrap_or_default();
                match traffic.encrypt(text, space) {
                    Ok(count) => {
                        unsent.truncate(start + count);
                        return Ok(());
                    }
                    Err(EncryptError::InsufficientSize(size)) if size.required_size > room => {
                        room = size.required_size;
                    }
                    Err(error) => return Err(io::Error::other(error)),
                }
            }
        })
    }

    /// Runs `act` once rustls is ready for traffic of ours.
    fn with_traffic(
        &mut self,
        act: impl Fn(&mut WriteTraffic<'_, E::Data>, &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let UnbufferedStatus { discard, state } = self.engine.process(&mut self.cut);
            let done = match state.map_err(io::Error::other)? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    Some(act(&mut traffic, &mut self.unsent))
                }
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, &mut self.unsent)?;
                    None
                }
                ConnectionState::TransmitTlsData(sent) => {
                    sent.done();
                    None
                }
                ConnectionState::PeerClosed => {
                    self.peer_closed = true;
                    None
                }
                // Nothing can be read here: what is cut is not whole.
                _ => Some(Err(io::ErrorKind::BrokenPipe.into())),
            };
            self.cut.drain(..discard.min(self.cut.len()));
            if let Some(done) = done {
                return done;
            }
        }
    }

    /// Sends what is unsent.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let mut sent = 0;
        let done = loop {
            let rest = self.unsent.get(sent..).unwrap_or_default();
            if rest.is_empty() {
                break Poll::Ready(Ok(()));
            }
            match Pin::new(&mut self.socket).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => sent += count,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        let left = self.unsent.get(sent..).unwrap_or_default();
        // What does not leave now may wait for long: it takes no more room than it needs.
        if sent > 0 || self.unsent.capacity() > 2 * left.len() {
            let left = left.to_vec();
            let mut room = std::mem::replace(&mut self.unsent, left);
            if room.capacity() <= SEALED_KEPT_MAX {
                room.clear();
                SEALED.set(room);
            }
        }
        done
    }
}

fn encode<D>(mut data: EncodeTlsData<'_, D>, unsent: &mut Vec<u8>) -> io::Result<()> {
    let start = unsent.len();
    let size = match data.encode(&mut []) {
        Err(EncodeError::InsufficientSize(size)) => size.required_size,
        Ok(_) => return Ok(()),
        Err(error) => return Err(io::Error::other(error)),
    };
    unsent.resize(start + size, 0);
    data.encode(unsent.get_mut(start..).unwrap_or_default())
        .map_err(io::Error::other)?;
    Ok(())
}

impl<E: Engine + Unpin> AsyncRead for Tls<E> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tls = self.get_mut();
        if !tls.plain.is_empty() {
            let count = tls.plain.len().min(out.remaining());
            out.put_slice(tls.plain.get(..count).unwrap_or_default());
            tls.plain.drain(..count);
            if tls.plain.is_empty() {
                tls.plain = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = out.filled().len();
        while out.remaining() > 0 && out.filled().len() == before && !tls.peer_closed {
            if ready!(tls.poll_receive(context, Some(out), &mut |_| {}))? == 0 {
                // The end without a close_notify: WebSocket frames say themselves when they end.
                tls.peer_closed = true;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<E: Engine + Unpin> AsyncWrite for Tls<E> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        text: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tls = self.get_mut();
        if tls.unsent.len() >= UNSENT_BYTES_MAX {
            ready!(tls.poll_send(context))?;
        }
        let text = text.get(..SEAL_BYTES_MAX).unwrap_or(text);
        tls.seal(text)?;
        // Taken either way: what the socket does not take now waits in `unsent`.
        let _ = tls.poll_send(context)?;
        Poll::Ready(Ok(text.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tls = self.get_mut();
        let said = tls.with_traffic(|traffic, unsent| {
            let start = unsent.len();
            unsent.resize(start + SEAL_OVERHEAD, 0);
            let space = unsent.get_mut(start..).unwrap_or_default();
            let count = traffic
                .queue_close_notify(space)
                .map_err(io::Error::other)?;
            unsent.truncate(start + count);
            Ok(())
        });
        // A connection that is broken can still be closed.
        drop(said);
        ready!(tls.poll_send(context))?;
        Pin::new(&mut tls.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
