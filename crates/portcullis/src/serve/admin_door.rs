//! The admin listener of this process, from the moment it answers to the one in which another does.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::admin::{self, Shown, Ticket};
use crate::health::{self, Finding};
use crate::{Exit, Failure};

/// How often it is tried again to write a ticket that could not be written.
const AGAIN_EVERY: Duration = Duration::from_secs(1);
const SUBJECT: &str = "admin ticket";

/// The listener, and what it shows once it is served.
pub(super) struct AdminDoor {
    pub(super) configured: SocketAddr,
    /// `None` once it is closed.
    pub(super) listener: Option<TcpListener>,
    pub(super) ticket: Arc<Ticket>,
    pub(super) shown: Arc<Shown>,
    serving: Option<JoinHandle<io::Result<()>>>,
}

/// The listener that a predecessor has handed over, where it is the one that is wanted, or a new one.
pub(super) fn listener(
    configured: SocketAddr,
    inherited: Option<(SocketAddr, TcpListener)>,
) -> Result<TcpListener, Failure> {
    match inherited {
        Some((was, listener)) if was == configured => Ok(listener),
        _ => admin::bind(configured).map_err(|error| {
            let what = format!("cannot listen on {configured}: {error}");
            let remedy = "See which program has that port, or set another [admin] address.";
            Failure::new(Exit::Failed, what, remedy)
        }),
    }
}

impl AdminDoor {
    /// Behind it nobody answers yet.
    pub(super) fn new(
        configured: SocketAddr,
        listener: TcpListener,
        ticket: Arc<Ticket>,
        shown: Shown,
    ) -> AdminDoor {
        AdminDoor {
            configured,
            listener: Some(listener),
            ticket,
            shown: Arc::new(shown),
            serving: None,
        }
    }

    /// Answers from now on.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        if let Err(failure) = self.ticket.write_down() {
            // A full disk must not keep stations out. Nobody can give orders meanwhile.
            health::tell(&self.shown.conditions, vec![unwritten(&failure)]);
            tokio::spawn(write_later(
                Arc::clone(&self.ticket),
                Arc::clone(&self.shown),
            ));
        }
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

fn unwritten(failure: &Failure) -> Finding {
    let first = failure.problems.first();
    let what = first.map(|problem| problem.what.clone());
    Finding::warn(
        SUBJECT,
        format!(
            "it cannot be written, so nobody can give this gate orders: {}",
            what.unwrap_or_default()
        ),
        "See that the disk is not full, and that the gate's user may write beside the store.",
    )
}

async fn write_later(ticket: Arc<Ticket>, shown: Arc<Shown>) {
    loop {
        tokio::time::sleep(AGAIN_EVERY).await;
        let Err(failure) = ticket.write_down() else {
            break;
        };
        health::tell(&shown.conditions, vec![unwritten(&failure)]);
    }
    // A recovery is believed when it has been seen more than once.
    let written = Finding::ok(SUBJECT, "is written");
    for _ in 0..2 {
        health::tell(&shown.conditions, vec![written.clone()]);
    }
}
