//! The admin listener of this process, from the moment it answers to the one in which another does.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::Failure;
use crate::admin::{self, Shown, Ticket};

/// The listener, and what it shows once it is served.
pub(super) struct AdminDoor {
    pub(super) configured: SocketAddr,
    /// `None` once it is closed.
    pub(super) listener: Option<TcpListener>,
    pub(super) ticket: Arc<Ticket>,
    pub(super) shown: Arc<Shown>,
    pub(super) serving: Option<JoinHandle<io::Result<()>>>,
}

impl AdminDoor {
    /// Answers from now on.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        self.ticket.write_down()?;
        let listener = tokio::net::TcpListener::from_std(self.handle()?)?;
        let shown = Arc::clone(&self.shown);
        self.serving = Some(tokio::spawn(admin::serve(listener, shown)));
        Ok(())
    }

    /// A second handle on the listening socket.
    pub(super) fn handle(&self) -> io::Result<TcpListener> {
        let listener = self.listener.as_ref();
        listener.map_or(
            Err(io::ErrorKind::NotConnected.into()),
            TcpListener::try_clone,
        )
    }

    /// Answers no more; the ticket and the socket are another process's.
    pub(super) fn leave(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }

    /// Answers no more, and listens no more.
    pub(super) fn close(&mut self) {
        if self.serving.is_some() {
            self.ticket.withdraw();
        }
        self.leave();
        self.listener = None;
    }
}
