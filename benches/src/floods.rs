//! What honest stations notice of a flood, and what it costs the gate: each attack runs in a process
//! of its own, from the address that the honest stations share, on the load's core.

mod attack;

use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

pub use attack::Attack;

use crate::process::{Memory, cpu_time};
use crate::proxies::{Ground, Kind, Out, Proxy};
use crate::scene::Run;
use crate::stations::{Fleet, Target};
use crate::workload::Workload;

/// Honest stations in conversation.
const HONEST: usize = 200;
/// Their calls each second, together.
const PACE: u32 = 400;
/// Sessions that an attacker has stolen the credentials for.
pub const STOLEN: usize = 8;
/// Until an attack is under way, and until what it left behind is gone.
const UNDER_WAY: Duration = Duration::from_millis(500);
const OVER: Duration = Duration::from_secs(6);

/// What a fleet comes back from.
const AFTER_KILL: &str = "kill -9";
const AFTER_UPGRADE: &str = "upgrade";

/// One attack, and what it did.
#[derive(Clone, Debug, Serialize)]
pub struct Flood {
    /// Its name; "none" is the same conversation without any.
    pub attack: &'static str,
    /// How often it was done in a second: connections, sessions, guesses.
    pub per_second: f64,
    /// Median of the honest stations' latency.
    pub p50_micros: f64,
    /// 99th percentile of it.
    pub p99_micros: f64,
    /// Cores that the gate kept busy.
    pub cores: f64,
    /// By how much the gate's memory grew at its peak, in MB.
    pub grown_mb: f64,
}

/// A fleet that comes back.
#[derive(Clone, Debug, Serialize)]
pub struct Storm {
    /// What happened to the gate.
    pub after: &'static str,
    /// How many.
    pub stations: usize,
    /// Seconds from that moment until half of them had their Boot answered.
    pub half_seconds: f64,
    /// The same for 95 of 100.
    pub most_seconds: f64,
    /// The same for the last.
    pub last_seconds: f64,
    /// Of which the gate, or the process in its place, needed so many to accept again.
    pub start_seconds: f64,
    /// Attempts of stations in all.
    pub attempts: u64,
}

impl Run<'_> {
    /// Honest stations in conversation, while somebody floods the gate.
    pub fn floods(&mut self) -> io::Result<()> {
        let proxy = Proxy::start(Kind::Portcullis, Out::Plain, self.ground)?;
        let mut fleet = Fleet::new(Target {
            address: proxy.address,
            tls: Some(self.ground.pki.client(false)?),
            deflate: false,
        })?;
        fleet.open(HONEST, 16)?;
        let time = Duration::from_secs_f64(self.plan.round_seconds * 2.0);
        for attack in std::iter::once(None).chain(Attack::ALL.map(Some)) {
            fleet.rest(OVER)?;
            let before = Memory::of(proxy.worker)?;
            Memory::forget_peak(proxy.worker)?;
            let attacker = attack
                .map(|attack| Attacker::start(attack, &proxy, self.ground, time + UNDER_WAY * 2))
                .transpose()?;
            fleet.rest(UNDER_WAY)?;
            let (cpu, since) = (cpu_time(proxy.worker)?, Instant::now());
            let mut tally = fleet.pace(Workload::Mix, PACE, time)?;
            let busy = cpu_time(proxy.worker)?.saturating_sub(cpu);
            let took = since.elapsed();
            let peak = Memory::peak_kb(proxy.worker)?;
            let per_second = attacker.map_or(Ok(0.0), Attacker::finish)?;
            tally.latencies.sort_unstable();
            let at = |share: f64| {
                let index = (tally.latencies.len() as f64 * share) as usize;
                let nanos = tally.latencies.get(index);
                nanos.map_or(0.0, |&nanos| f64::from(nanos) / 1e3)
            };
            let flood = Flood {
                attack: attack.map_or("none", Attack::name),
                per_second,
                p50_micros: at(0.5),
                p99_micros: at(0.99),
                cores: busy.as_secs_f64() / took.as_secs_f64(),
                grown_mb: peak.saturating_sub(before.resident_kb) as f64 / 1024.0,
            };
            eprintln!(
                "{:18} {:6.0}/s: p50 {:.0} µs, p99 {:.0} µs, {:.2} cores, {:+.1} MB",
                flood.attack,
                flood.per_second,
                flood.p50_micros,
                flood.p99_micros,
                flood.cores,
                flood.grown_mb
            );
            self.figures.floods.push(flood);
        }
        Ok(())
    }

    /// The whole fleet comes back: at once, after the gate was killed, and then as it is sent away by
    /// a gate whose place another process takes.
    pub fn storm(&mut self) -> io::Result<()> {
        let stations = self.plan.fleet_sizes.iter().copied().max().unwrap_or(100);
        let mut proxy = Proxy::start(Kind::Portcullis, Out::Plain, self.ground)?;
        let target = Target {
            address: proxy.address,
            tls: Some(self.ground.pki.client(false)?),
            deflate: false,
        };
        let mut fleet = Fleet::new(target.clone())?;
        fleet.open(stations, 16)?;
        let killed = Instant::now();
        proxy.kill_and_restart()?;
        let start_seconds = killed.elapsed().as_secs_f64();
        drop(fleet);
        let mut fleet = Fleet::new(target)?;
        let (back, attempts) = fleet.come_back(stations, killed)?;
        self.note_storm(AFTER_KILL, stations, start_seconds, back, attempts);

        let asked = Instant::now();
        proxy.upgrade()?;
        let start_seconds = asked.elapsed().as_secs_f64();
        let (back, attempts) = fleet.come_back(stations, asked)?;
        self.note_storm(AFTER_UPGRADE, stations, start_seconds, back, attempts);
        Ok(())
    }

    fn note_storm(
        &mut self,
        after: &'static str,
        stations: usize,
        start_seconds: f64,
        mut back: Vec<Duration>,
        attempts: u64,
    ) {
        back.sort_unstable();
        let at = |share: f64| {
            let index = ((stations as f64 * share).ceil() as usize).saturating_sub(1);
            back.get(index).map_or(f64::INFINITY, Duration::as_secs_f64)
        };
        let storm = Storm {
            after,
            stations,
            half_seconds: at(0.5),
            most_seconds: at(0.95),
            last_seconds: at(1.0),
            start_seconds,
            attempts,
        };
        eprintln!(
            "{stations} stations after {after}: half back in {:.1} s, 95 % in {:.1} s, all in {:.1} s",
            storm.half_seconds, storm.most_seconds, storm.last_seconds
        );
        self.figures.storms.push(storm);
    }
}

/// An attack in a process of its own, which gives way to the honest stations' load.
struct Attacker {
    child: Child,
    time: Duration,
}

impl Attacker {
    fn start(
        attack: Attack,
        proxy: &Proxy,
        ground: &Ground,
        time: Duration,
    ) -> io::Result<Attacker> {
        let plain = proxy.plain_address()?;
        let mut command = Command::new("nice");
        command.args(["-n", "19"]).arg(std::env::current_exe()?);
        command.args([
            "attack",
            attack.name(),
            &proxy.address.to_string(),
            &plain.to_string(),
            &time.as_secs_f64().to_string(),
        ]);
        let child = command
            .arg(&ground.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Attacker { child, time })
    }

    /// Waits for its end; how often it did what it does, in a second.
    fn finish(mut self) -> io::Result<f64> {
        let mut said = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_string(&mut said)?;
        }
        self.child.wait()?;
        let times: f64 = said.trim().parse().map_err(io::Error::other)?;
        Ok(times / self.time.as_secs_f64())
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The attacker's process: `relay attack NAME TLS PLAIN SECONDS DIR`.
pub fn attack(arguments: &[String]) -> io::Result<()> {
    let [name, tls, plain, seconds, dir] = arguments else {
        return Err(io::Error::other(
            "usage: relay attack NAME TLS PLAIN SECONDS DIR",
        ));
    };
    let address = |text: &String| text.parse::<SocketAddr>().map_err(io::Error::other);
    let seconds: f64 = seconds.parse().map_err(io::Error::other)?;
    let attack = Attack::ALL.into_iter().find(|attack| attack.name() == name);
    let attack = attack.ok_or_else(|| io::Error::other("no such attack"))?;
    let scene = attack::Scene {
        tls: address(tls)?,
        plain: address(plain)?,
        config: crate::pki::Pki::at(Path::new(dir)).client(false)?,
        stolen: HONEST..HONEST + STOLEN,
        until: Instant::now() + Duration::from_secs_f64(seconds),
    };
    println!("{}", attack.run(&scene)?);
    Ok(())
}
