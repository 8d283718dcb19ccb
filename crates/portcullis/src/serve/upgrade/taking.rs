//! The new process's part: takes the listening sockets over, makes everything ready, and accepts when
//! the old one has stopped to.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;

use gateway::{Gateway, ListeningSocket};
use guard::Tenant;
use ocpp::{StationId, Version};
use tracing::info;

use super::TAKE_OVER;
use super::wire::{FromNew, FromOld, Name, hear, receive_sockets, say};
use crate::admin::GateView;
use crate::{Exit, Failure};

/// The old process, as the new one sees it.
pub(in crate::serve) struct Predecessor {
    line: UnixStream,
}

/// What it has handed over.
#[derive(Default)]
pub(in crate::serve) struct Inherited {
    pub(in crate::serve) sockets: Vec<ListeningSocket>,
    pub(in crate::serve) admin: Option<(SocketAddr, TcpListener)>,
    pub(in crate::serve) token: Option<String>,
}

impl Predecessor {
    /// The process that has started this one to come after it, if one has.
    pub(in crate::serve) fn find() -> Result<Option<(Predecessor, Inherited)>, Failure> {
        if std::env::var_os(TAKE_OVER).is_none() {
            return Ok(None);
        }
        let found = Predecessor::take_over();
        found.map(Some).map_err(|error| {
            let what = format!("nothing could be taken over on standard input: {error}");
            let remedy = format!("Unset {TAKE_OVER}: `portcullis upgrade` sets it.");
            Failure::new(Exit::Failed, what, remedy)
        })
    }

    fn take_over() -> io::Result<(Predecessor, Inherited)> {
        let line = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
        // Nobody else reads what the two say to each other.
        rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
        let FromOld::Begin {
            listeners,
            admin,
            token,
        } = hear(&line)?
        else {
            return Err(io::Error::other("it does not begin"));
        };
        let mut sockets = receive_sockets(&line, listeners.len() + 1)?;
        let admin_socket = sockets.pop().map(TcpListener::from);
        let sockets = listeners.into_iter().zip(sockets);
        let inherited = Inherited {
            sockets: sockets
                .map(|(configured, socket)| ListeningSocket {
                    configured,
                    socket: socket.into(),
                })
                .collect(),
            admin: admin_socket.map(|socket| (admin, socket)),
            token: Some(token),
        };
        Ok((Predecessor { line }, inherited))
    }

    /// Everything is ready; waits until this process may accept, and for whom it may not.
    pub(in crate::serve) fn ask_to_go(&self, gate: &GateView) -> Result<(), Failure> {
        let lost = |error: io::Error| {
            let what = format!("the process before this one is gone: {error}");
            Failure::new(Exit::Failed, what, "Start the gate again.")
        };
        say(&self.line, &FromNew::Ready).map_err(lost)?;
        match hear(&self.line).map_err(lost)? {
            FromOld::Go { taken } => {
                with(gate, |gate| gate.keep_for_others(stations(taken)));
                Ok(())
            }
            _ => Err(lost(io::Error::other("it does not say go"))),
        }
    }

    /// Whoever comes is accepted here; then follows who goes there, on a thread of its own.
    pub(in crate::serve) fn follow(&self, gate: GateView) -> Result<(), Failure> {
        let process = std::process::id();
        say(&self.line, &FromNew::Open { process })?;
        let line = self.line.try_clone()?;
        std::thread::Builder::new()
            .name("predecessor".to_owned())
            .spawn(move || {
                while let Ok(said) = hear(&line) {
                    match said {
                        FromOld::Gone(names) => with(&gate, |gate| gate.let_go(stations(names))),
                        FromOld::Came(names) => {
                            with(&gate, |gate| gate.keep_for_others(stations(names)));
                        }
                        FromOld::Begin { .. } | FromOld::Go { .. } => break,
                    }
                }
                with(&gate, Gateway::let_all_go);
                info!("the process before this one has ended");
            })?;
        Ok(())
    }

    /// It will not be.
    pub(in crate::serve) fn give_up(&self, failure: &Failure) {
        // Who is gone by now needs not be told.
        let _ = say(&self.line, &FromNew::Failed(failure.problems.clone()));
    }
}

fn with(gate: &GateView, act: impl FnOnce(&Gateway)) {
    let gate = gate
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(gate) = gate.as_ref() {
        act(gate);
    }
}

fn stations(names: Vec<Name>) -> impl Iterator<Item = (Tenant, StationId)> {
    names.into_iter().filter_map(|(tenant, identity)| {
        let id = StationId::parse(&identity, Version::V16).ok()?;
        Some((Tenant(tenant.as_str().into()), id))
    })
}
