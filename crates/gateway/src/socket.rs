//! One hop's socket, read and written without the C library.
//!
//! glibc's `recv` and `send` are places at which a thread may be cancelled: in a process of several
//! threads, each of these calls takes two locked instructions to say so. rustix makes the system
//! call itself. When the socket is ready is tokio's affair, as with any other.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A connected socket of a station or a CSMS.
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// The same socket, from here on read and written by us.
    pub(crate) fn over(stream: TcpStream) -> Socket {
        Socket(stream)
    }

    /// Whether there is something to read, be it the end.
    pub(crate) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(context)
    }

    /// Makes one system call that moves `room` bytes at most. How many it moved; `None` when the
    /// socket was not ready after all.
    fn attempt(
        &self,
        interest: Interest,
        room: usize,
        call: impl FnOnce() -> Result<usize, Errno>,
    ) -> io::Result<Option<usize>> {
        let mut moved = None;
        let tried = self.0.try_io(interest, || {
            let count = call()?;
            moved = Some(count);
            // Less than there was room for: the kernel has no more, and says by an event when it has.
            // Called not ready now, the socket is spared a call that would only hear EAGAIN. The end
            // of the stream, 0, comes with no further event, and stays ready.
            if 0 < count && count < room {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match tried {
            Err(error) if moved.is_none() && error.kind() != io::ErrorKind::WouldBlock => {
                Err(error)
            }
            _ => Ok(moved),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        // Costs nothing on the road, where buffers have been written before.
        let space = buffer.initialize_unfilled();
        let room = space.len();
        let count = loop {
            ready!(socket.0.poll_read_ready(context))?;
            let call = || recv(&socket.0, &mut *space, RecvFlags::empty()).map(|(count, _)| count);
            if let Some(count) = socket.attempt(Interest::READABLE, room, call)? {
                break count;
            }
        };
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        loop {
            ready!(socket.0.poll_write_ready(context))?;
            let call = || send(&socket.0, bytes, SendFlags::NOSIGNAL);
            if let Some(count) = socket.attempt(Interest::WRITABLE, bytes.len(), call)? {
                return Poll::Ready(Ok(count));
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
