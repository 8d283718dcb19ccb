//! The proxies under test: configured as an operator would, one worker each, on private ports.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::pki::Pki;
use crate::process;

mod haproxy;
mod nginx;
mod portcullis;

const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(10);

/// Who relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours: every message validated and judged.
    Portcullis,
    /// Ours, and everything that happens is recorded.
    Recording,
    /// A TLS proxy that looks at nothing.
    Nginx,
    /// Likewise.
    HaProxy,
    /// Another build of ours, to see what a change is worth.
    Before,
}

impl Kind {
    /// Those of the tables, ours first.
    pub const ALL: [Kind; 4] = [
        Kind::Portcullis,
        Kind::Recording,
        Kind::Nginx,
        Kind::HaProxy,
    ];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Portcullis => "Portcullis",
            Kind::Recording => "recording",
            Kind::Nginx => "nginx",
            Kind::HaProxy => "HAProxy",
            Kind::Before => "before",
        }
    }
}

/// What every proxy of a run shares.
#[derive(Clone)]
pub struct Ground {
    /// For configuration and logs.
    pub dir: PathBuf,
    /// The certificates.
    pub pki: Pki,
    /// The CSMS, ws.
    pub csms_plain: SocketAddr,
    /// The CSMS, wss.
    pub csms_tls: SocketAddr,
    /// Our program.
    pub portcullis: PathBuf,
    /// Another build of it, for [`Kind::Before`].
    pub before: PathBuf,
    /// How many stations are registered.
    pub stations: usize,
}

/// How a proxy reaches the CSMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// `ws://`
    Plain,
    /// `wss://`, verified against our CA.
    Tls,
}

/// A running proxy; dropping it ends it.
pub struct Proxy {
    /// Who it is.
    pub kind: Kind,
    /// Where it listens.
    pub address: SocketAddr,
    /// The process that does the work.
    pub worker: u32,
    child: Child,
    command: Command,
    dir: PathBuf,
    program: PathBuf,
    /// The process that has taken the child's place, which is not ours to wait for.
    successor: Option<Pid>,
}

impl Proxy {
    /// Starts it and waits until it listens.
    pub fn start(kind: Kind, out: Out, ground: &Ground) -> io::Result<Proxy> {
        let address = free_address()?;
        let dir = ground
            .dir
            .join(format!("{}-{}", kind.name().to_lowercase(), address.port()));
        fs::create_dir_all(&dir)?;
        let mut command = match kind {
            Kind::Portcullis => {
                portcullis::command(&ground.portcullis, address, out, ground, &dir)?
            }
            Kind::Recording => {
                portcullis::recording(&ground.portcullis, address, out, ground, &dir)?
            }
            Kind::Before => portcullis::command(&ground.before, address, out, ground, &dir)?,
            Kind::Nginx => nginx::command(address, out, ground, &dir)?,
            Kind::HaProxy => haproxy::command(address, out, ground, &dir)?,
        };
        let log = fs::File::create(dir.join("log"))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        await_listener(address, &mut child, &dir)?;
        let worker = match kind {
            Kind::Nginx => process::child_of(child.id())?
                .ok_or_else(|| io::Error::other("nginx has no worker"))?,
            _ => child.id(),
        };
        Ok(Proxy {
            kind,
            address,
            worker,
            child,
            command,
            dir,
            program: match kind {
                Kind::Before => ground.before.clone(),
                _ => ground.portcullis.clone(),
            },
            successor: None,
        })
    }

    /// Kills it without a warning, starts it anew, and waits until it listens.
    pub fn kill_and_restart(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = self.command.spawn()?;
        self.worker = self.child.id();
        await_listener(self.address, &mut self.child, &self.dir)
    }

    /// Has another process take the place of ours; it accepts when this returns, and the old one sends its
    /// stations away.
    pub fn upgrade(&mut self) -> io::Result<()> {
        let successor = portcullis::upgrade(&self.program, &self.dir)?;
        self.worker = successor;
        self.successor = i32::try_from(successor).ok().map(Pid::from_raw);
        Ok(())
    }

    /// Where ours listens without TLS.
    pub fn plain_address(&self) -> io::Result<SocketAddr> {
        let text = fs::read_to_string(self.dir.join(portcullis::PLAIN))?;
        text.parse().map_err(io::Error::other)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(successor) = self.successor {
            end(successor);
        }
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        let until = Instant::now() + STOP_MAX;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends a process that is not our child.
fn end(process: Pid) {
    let _ = kill(process, Signal::SIGTERM);
    let until = Instant::now() + STOP_MAX;
    while Instant::now() < until {
        if !process::is_alive(process) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = kill(process, Signal::SIGKILL);
}

/// A loopback address that is free now.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Runs a program on one core, away from the load, where the machine has two.
fn on_core(core: usize, program: &Path) -> Command {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

/// The core of the proxy under test; load and CSMS share the other.
pub const PROXY_CORE: usize = 0;
/// The core of load and CSMS.
pub const LOAD_CORE: usize = 1;

fn proxy_command(program: &Path) -> Command {
    on_core(PROXY_CORE, program)
}

fn await_listener(address: SocketAddr, child: &mut Child, dir: &Path) -> io::Result<()> {
    let until = Instant::now() + START_MAX;
    while TcpStream::connect(address).is_err() {
        if Instant::now() > until || !matches!(child.try_wait(), Ok(None)) {
            let _ = child.kill();
            let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
            return Err(io::Error::other(format!(
                "no listener on {address}; its log says:\n{log}"
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
