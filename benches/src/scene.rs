//! The measurements, one after another; within each, the proxies take turns round by round, so that
//! whatever else the machine does falls on all of them alike.

mod growth;

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Serialize;

use crate::floods::{Flood, Storm};
use crate::process::{Memory, cpu_time};
use crate::proxies::{Ground, Kind, LOAD_CORE, Out, Proxy};
use crate::stations::{Fleet, Tally, Target};
use crate::workload::Workload;

/// How much is measured.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Rounds of each measurement.
    pub rounds: usize,
    /// Seconds of load in a round.
    pub round_seconds: f64,
    /// Stations connected, and calling, while CPU per call is measured.
    pub calling_stations: usize,
    /// Idle connections whose memory is measured.
    pub idle_connections: usize,
    /// New connections in a round.
    pub new_connections: usize,
    /// New connections at once.
    pub connecting_at_once: usize,
    /// Sizes of the fleet for growth.
    pub fleet_sizes: Vec<usize>,
    /// Calls per second of the whole fleet for growth.
    pub paced_per_second: u32,
}

impl Plan {
    /// For the figures in the docs: less than 20 minutes.
    pub fn full() -> Plan {
        Plan {
            rounds: 7,
            round_seconds: 2.0,
            calling_stations: 100,
            idle_connections: 5000,
            new_connections: 1500,
            connecting_at_once: 8,
            fleet_sizes: vec![100, 1000, 9000],
            paced_per_second: 2000,
        }
    }

    /// For a developer: less than two minutes.
    pub fn quick() -> Plan {
        Plan {
            rounds: 3,
            round_seconds: 1.0,
            idle_connections: 1000,
            new_connections: 500,
            fleet_sizes: vec![100, 1000],
            ..Plan::full()
        }
    }

    /// The most stations that any part needs registered.
    pub fn stations_max(&self) -> usize {
        let fleet = self.fleet_sizes.iter().copied().max().unwrap_or(0);
        fleet
            .max(self.idle_connections + WARM)
            .max(self.calling_stations + 1000 + self.connecting_at_once)
    }
}

/// The name of the mix at a steady pace in the tables.
pub const PACED: &str = "mix, paced";
/// Stations that have agreed on compression with the gate, and used it.
pub const DEFLATE: &str = "plain, deflate";
/// Connections opened before memory is first read: what a process needs once is not growth.
const WARM: usize = 50;
/// Until buffers are handed back and the figure stands still.
const SETTLE: Duration = Duration::from_secs(2);
/// Opened at once while a fleet is built up.
const OPENING_AT_ONCE: usize = 16;

/// Microseconds of CPU, one value for each round.
#[derive(Clone, Debug, Serialize)]
pub struct Rounds {
    /// Whose.
    pub proxy: &'static str,
    /// What was measured.
    pub subject: String,
    /// Per round.
    pub micros: Vec<f64>,
    /// From each call sent to its answer, of all rounds; empty where nobody waits for one.
    pub latency: Latency,
}

/// How long calls waited for their answers.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Latency {
    /// Calls a second.
    pub per_second: f64,
    /// Median, in microseconds.
    pub p50_micros: f64,
    /// 99th percentile, in microseconds.
    pub p99_micros: f64,
}

impl Latency {
    /// Of calls that took so long, in so many seconds.
    fn of(mut nanos: Vec<u32>, seconds: f64) -> Latency {
        nanos.sort_unstable();
        let at = |share: f64| {
            let index = (nanos.len() as f64 * share) as usize;
            nanos
                .get(index)
                .map_or(0.0, |&nanos| f64::from(nanos) / 1e3)
        };
        Latency {
            per_second: nanos.len() as f64 / seconds,
            p50_micros: at(0.5),
            p99_micros: at(0.99),
        }
    }
}

/// Memory of idle connections.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// Whose.
    pub proxy: &'static str,
    /// `plain` or `TLS`, and whether stations have agreed on compression.
    pub out: &'static str,
    /// How many.
    pub connections: usize,
    /// Growth of the resident set for each.
    pub resident_kb: f64,
    /// Growth of private pages for each.
    pub private_kb: f64,
}

/// One fleet size with one proxy.
#[derive(Clone, Debug, Serialize)]
pub struct Growth {
    /// Whose; `direct` is without any proxy and without TLS.
    pub proxy: &'static str,
    /// Stations connected.
    pub stations: usize,
    /// CPU per call in each round; the rounds of all sizes took turns.
    pub micros: Vec<f64>,
    /// Growth of the resident set for each station.
    pub resident_kb: f64,
    /// From each call sent to its answer, of all rounds.
    pub latency: Latency,
}

/// Everything measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// CPU per call and answer, as many calls as the road carries.
    pub calls: Vec<Rounds>,
    /// CPU per new connection.
    pub connections: Vec<Rounds>,
    /// Memory.
    pub idle: Vec<Idle>,
    /// Growth.
    pub growth: Vec<Growth>,
    /// What honest stations notice of attacks.
    pub floods: Vec<Flood>,
    /// A fleet that comes back: after a kill, and after an upgrade.
    pub storms: Vec<Storm>,
}

/// A run in progress.
pub struct Run<'a> {
    /// How much.
    pub plan: &'a Plan,
    /// Where.
    pub ground: &'a Ground,
    /// Who takes part.
    pub kinds: &'a [Kind],
    /// What was measured so far.
    pub figures: Figures,
}

struct Seat {
    proxy: Proxy,
    fleet: Fleet,
}

impl Run<'_> {
    /// CPU per relayed call and its answer: each workload as fast as the road carries it, and the
    /// mix at a steady pace, where every message wakes the proxy anew.
    pub fn calls(&mut self) -> io::Result<()> {
        let mut seats = self.seats(false, self.plan.calling_stations)?;
        let time = Duration::from_secs_f64(self.plan.round_seconds);
        for workload in Workload::ALL {
            self.take_turns(&mut seats, workload.name(), |fleet| {
                fleet.saturate(workload, time)
            })?;
        }
        let pace = self.plan.paced_per_second;
        self.take_turns(&mut seats, PACED, |fleet| {
            fleet.pace(Workload::Mix, pace, time)
        })
    }

    fn take_turns(
        &mut self,
        seats: &mut [Seat],
        subject: &str,
        load: impl Fn(&mut Fleet) -> io::Result<Tally>,
    ) -> io::Result<()> {
        let mut rounds = self.rounds(subject);
        let mut latencies = vec![Vec::new(); seats.len()];
        for round in 0..=self.plan.rounds {
            let seats = seats.iter_mut().zip(&mut rounds).zip(&mut latencies);
            for ((seat, rounds), latencies) in seats {
                seat.fleet.rest(Duration::from_millis(20))?;
                let (micros, tally) = seat.spend(&load)?;
                // The first round warms caches and branch predictors and is not counted.
                if round > 0 {
                    rounds.micros.push(micros);
                    latencies.extend(tally.latencies);
                }
            }
        }
        let seconds = self.plan.round_seconds * self.plan.rounds as f64;
        for (rounds, latencies) in rounds.iter_mut().zip(latencies) {
            rounds.latency = Latency::of(latencies, seconds);
        }
        rounds.iter().for_each(tell);
        self.figures.calls.extend(rounds);
        Ok(())
    }

    /// CPU per new connection: TLS, upgrade, authentication, Boot answered, closed.
    pub fn connections(&mut self) -> io::Result<()> {
        for resume in [false, true] {
            let mut seats = self.seats(resume, 1)?;
            let mut rounds = self.rounds(if resume { "resumed" } else { "full handshake" });
            for round in 0..=self.plan.rounds {
                for (seat, rounds) in seats.iter_mut().zip(&mut rounds) {
                    let before = cpu_time(seat.proxy.worker)?;
                    let churn = seat
                        .fleet
                        .churn(self.plan.new_connections, self.plan.connecting_at_once)?;
                    let spent = cpu_time(seat.proxy.worker)?.saturating_sub(before);
                    if resume && churn.resumed * 10 < churn.opened * 9 {
                        eprintln!(
                            "{}: only {} of {} resumed",
                            seat.proxy.kind.name(),
                            churn.resumed,
                            churn.opened
                        );
                    }
                    if round > 0 {
                        rounds
                            .micros
                            .push(spent.as_secs_f64() * 1e6 / churn.opened as f64);
                    }
                }
            }
            rounds.iter().for_each(tell);
            self.figures.connections.extend(rounds);
        }
        Ok(())
    }

    /// Memory of idle connections, after Boot and one call each.
    pub fn idle(&mut self) -> io::Result<()> {
        for (out, name) in [
            (Out::Plain, "plain"),
            (Out::Plain, DEFLATE),
            (Out::Tls, "TLS"),
        ] {
            for kind in self.relaying() {
                // The others pass frames, and what is in them is not their concern.
                if name == DEFLATE && kind != Kind::Portcullis {
                    continue;
                }
                let proxy = Proxy::start(kind, out, self.ground)?;
                let mut fleet = Fleet::new(Target {
                    deflate: name == DEFLATE,
                    ..self.target(&proxy, false)?
                })?;
                let grown = grow(&proxy, &mut fleet, self.plan.idle_connections)?;
                let idle = Idle {
                    proxy: kind.name(),
                    out: name,
                    connections: self.plan.idle_connections,
                    resident_kb: grown.0,
                    private_kb: grown.1,
                };
                eprintln!(
                    "{:10} idle, {name} out: {:.1} kB each ({:.1} private)",
                    idle.proxy, grown.0, grown.1
                );
                self.figures.idle.push(idle);
            }
        }
        Ok(())
    }

    /// The record costs nothing for each connection: where those are counted it takes no part.
    fn relaying(&self) -> Vec<Kind> {
        let kinds = self.kinds.iter().copied();
        kinds.filter(|kind| *kind != Kind::Recording).collect()
    }

    fn rounds(&self, subject: &str) -> Vec<Rounds> {
        let empty = |kind: &Kind| Rounds {
            proxy: kind.name(),
            subject: subject.to_owned(),
            micros: Vec::new(),
            latency: Latency::default(),
        };
        self.kinds.iter().map(empty).collect()
    }

    fn seats(&self, resume: bool, stations: usize) -> io::Result<Vec<Seat>> {
        let seat = |&kind: &Kind| {
            let proxy = Proxy::start(kind, Out::Plain, self.ground)?;
            let mut fleet = self.fleet(&proxy, resume)?;
            fleet.open(stations, OPENING_AT_ONCE)?;
            Ok(Seat { proxy, fleet })
        };
        self.kinds.iter().map(seat).collect()
    }

    fn fleet(&self, proxy: &Proxy, resume: bool) -> io::Result<Fleet> {
        Fleet::new(self.target(proxy, resume)?)
    }

    fn target(&self, proxy: &Proxy, resume: bool) -> io::Result<Target> {
        Ok(Target {
            address: proxy.address,
            tls: Some(self.ground.pki.client(resume)?),
            deflate: false,
        })
    }
}

impl Seat {
    /// The proxy's CPU microseconds for each call of a load.
    fn spend(
        &mut self,
        load: impl FnOnce(&mut Fleet) -> io::Result<Tally>,
    ) -> io::Result<(f64, Tally)> {
        let before = cpu_time(self.proxy.worker)?;
        let tally = load(&mut self.fleet)?;
        let spent = cpu_time(self.proxy.worker)?.saturating_sub(before);
        Ok((spent.as_secs_f64() * 1e6 / tally.calls as f64, tally))
    }
}

/// Opens connections and tells how much memory each of them added.
fn grow(proxy: &Proxy, fleet: &mut Fleet, connections: usize) -> io::Result<(f64, f64)> {
    fleet.open(WARM, OPENING_AT_ONCE)?;
    fleet.rest(SETTLE)?;
    let before = Memory::of(proxy.worker)?;
    fleet.open(connections, OPENING_AT_ONCE)?;
    fleet.rest(SETTLE)?;
    let after = Memory::of(proxy.worker)?;
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / connections as f64;
    Ok((
        each(before.resident_kb, after.resident_kb),
        each(before.private_kb, after.private_kb),
    ))
}

fn tell(rounds: &Rounds) {
    eprintln!(
        "{:10} {:20} {}",
        rounds.proxy,
        rounds.subject,
        crate::report::spread(&rounds.micros)
    );
}

/// The CSMS in a process of its own, since station and CSMS sockets together pass the file limit.
pub struct CsmsProcess(Child);

impl CsmsProcess {
    /// Starts it and waits until it listens.
    pub fn start(ground: &Ground, dir: &Path) -> io::Result<CsmsProcess> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "csms",
                &ground.csms_plain.to_string(),
                &ground.csms_tls.to_string(),
            ])
            .arg(dir);
        let child = command.stdin(Stdio::null()).spawn()?;
        while std::net::TcpStream::connect(ground.csms_plain).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(CsmsProcess(child))
    }
}

impl Drop for CsmsProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Moves this process and what it starts to the load's core.
pub fn take_load_core() -> io::Result<()> {
    if std::thread::available_parallelism().map_or(1, usize::from) > LOAD_CORE {
        let pid = std::process::id().to_string();
        Command::new("taskset")
            .args(["-a", "-p", "-c", &LOAD_CORE.to_string(), &pid])
            .stdout(Stdio::null())
            .status()?;
    }
    Ok(())
}
