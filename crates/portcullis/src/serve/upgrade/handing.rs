//! The old process's part: starts the new one, gives it the listening sockets, and steps back when it
//! is ready. Until the new one accepts, everything can be taken back.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;
use std::time::Duration;

use gateway::Gateway;
use guard::Tenant;
use ocpp::StationId;

use super::TAKE_OVER;
use super::wire::{FromNew, FromOld, Name, hear, say, send_sockets};
use crate::admin::GateView;
use crate::{Exit, Failure, Problem};

/// Reading a large register and its certificates takes seconds.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// From there on all has been made.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);
/// How often the new process is told who has gone.
const TELL_EVERY: Duration = Duration::from_millis(20);

/// How this process was started, and how its successor will be.
#[derive(Clone)]
pub(in crate::serve) struct Started {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Started {
    /// To be asked at the start: later another file may have been put in the program's place, and it
    /// is that file which an upgrade is about.
    pub(in crate::serve) fn now() -> io::Result<Started> {
        Ok(Started {
            program: std::env::current_exe()?,
            arguments: std::env::args_os().skip(1).collect(),
        })
    }
}

/// What is handed over.
pub(in crate::serve) struct Estate {
    pub(in crate::serve) started: Started,
    pub(in crate::serve) gate: GateView,
    pub(in crate::serve) admin: TcpListener,
    pub(in crate::serve) admin_configured: SocketAddr,
    pub(in crate::serve) token: String,
}

/// The new process, accepting.
pub(in crate::serve) struct Successor {
    pub(in crate::serve) process: u32,
    line: UnixStream,
    told: HashSet<Name>,
}

/// Hands everything over; on a thread that may wait. When it fails, this process accepts as before.
pub(in crate::serve) fn hand_over(estate: &Estate) -> Result<Successor, Failure> {
    if std::process::id() == 1 {
        let what = "this process is the first of its container, which ends when it does";
        let remedy = "Start a new container beside it, or restart this one.";
        return Err(Failure::new(Exit::Conflict, what, remedy));
    }
    let (line, theirs) = UnixStream::pair()?;
    let mut child = spawn(&estate.started, theirs)?;
    let outcome = settle(estate, line);
    if outcome.is_err() {
        let _ = child.kill();
        let _ = child.wait();
        // Also where it had not been paused yet.
        with(&estate.gate, Gateway::open);
    }
    outcome
}

fn spawn(started: &Started, theirs: UnixStream) -> Result<Child, Failure> {
    let Started { program, arguments } = started;
    let spawned = Command::new(program)
        .args(arguments)
        .env(TAKE_OVER, "1")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn();
    spawned.map_err(|error| {
        let what = format!("{} cannot be started: {error}", program.display());
        Failure::new(Exit::Failed, what, "See that the program is in its place.")
    })
}

fn settle(estate: &Estate, line: UnixStream) -> Result<Successor, Failure> {
    line.set_read_timeout(Some(READY_DEADLINE))?;
    line.set_write_timeout(Some(READY_DEADLINE))?;
    give(estate, &line).map_err(|error| mute(&error))?;
    match hear(&line).map_err(|error| mute(&error))? {
        FromNew::Ready => {}
        FromNew::Failed(problems) => return Err(failed(problems)),
        FromNew::Open { .. } => return Err(mute(&io::Error::other("it opened unasked"))),
    }
    line.set_read_timeout(Some(OPEN_DEADLINE))?;
    with(&estate.gate, Gateway::pause);
    let taken = taken(&estate.gate);
    let go = FromOld::Go {
        taken: taken.iter().cloned().collect(),
    };
    say(&line, &go).map_err(|error| mute(&error))?;
    match hear(&line).map_err(|error| mute(&error))? {
        FromNew::Open { process } => Ok(Successor {
            process,
            line,
            told: taken,
        }),
        FromNew::Failed(problems) => Err(failed(problems)),
        FromNew::Ready => Err(mute(&io::Error::other("it did not open"))),
    }
}

fn give(estate: &Estate, line: &UnixStream) -> io::Result<()> {
    let gate = estate.gate.read().unwrap_or_else(PoisonError::into_inner);
    let sockets = gate.as_ref().map(Gateway::sockets).unwrap_or_default();
    let begin = FromOld::Begin {
        listeners: sockets.iter().map(|socket| socket.configured).collect(),
        admin: estate.admin_configured,
        token: estate.token.clone(),
    };
    say(line, &begin)?;
    let sockets = sockets.iter().map(|socket| socket.socket.as_fd());
    let sockets: Vec<_> = sockets.chain([estate.admin.as_fd()]).collect();
    send_sockets(line, &sockets)
}

impl Successor {
    /// Tells the new process who goes, until everybody has gone.
    pub(in crate::serve) fn tell_who_goes(mut self, gate: &GateView) {
        loop {
            let now = taken(gate);
            let gone: Vec<_> = self.told.difference(&now).cloned().collect();
            let came: Vec<_> = now.difference(&self.told).cloned().collect();
            let is_over = gate
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .is_none();
            let told = [
                (!came.is_empty()).then_some(FromOld::Came(came)),
                (!gone.is_empty()).then_some(FromOld::Gone(gone)),
            ];
            for told in told.into_iter().flatten() {
                if say(&self.line, &told).is_err() {
                    return;
                }
            }
            if is_over {
                // The end of the line says that all are gone.
                return;
            }
            self.told = now;
            std::thread::sleep(TELL_EVERY);
        }
    }
}

fn taken(gate: &GateView) -> HashSet<Name> {
    let name = |(tenant, id): (Tenant, StationId)| (tenant.0.to_string(), id.to_string());
    let taken = with(gate, Gateway::taken).unwrap_or_default();
    taken.into_iter().map(name).collect()
}

fn with<T>(gate: &GateView, act: impl FnOnce(&Gateway) -> T) -> Option<T> {
    let gate = gate.read().unwrap_or_else(PoisonError::into_inner);
    gate.as_ref().map(act)
}

fn failed(problems: Vec<Problem>) -> Failure {
    Failure {
        exit: Exit::Failed,
        problems,
    }
}

fn mute(error: &io::Error) -> Failure {
    let what = format!("the new process did not get ready: {error}");
    let remedy = "What it says is in the log; this process goes on.";
    Failure::new(Exit::Failed, what, remedy)
}
