//! The load: a fleet of stations on one thread, each with at most one call in flight.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};

use crate::link::{self, Link, write_frame};
use crate::workload::{Calls, Workload, write_id};

/// A proxy that answers nothing for so long has failed the measurement.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A fleet that is not back by then does not come back.
const STORM_MAX: Duration = Duration::from_secs(180);
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Where the fleet connects.
#[derive(Clone)]
pub struct Target {
    /// The listener.
    pub address: SocketAddr,
    /// With TLS, or straight to the CSMS.
    pub tls: Option<Arc<ClientConfig>>,
    /// Stations ask for compression, and send what they say as compressed messages.
    pub deflate: bool,
}

/// What a measurement counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls answered.
    pub calls: u64,
    /// From send to answer, in nanoseconds, unsorted.
    pub latencies: Vec<u32>,
}

/// What opening and closing connections counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Churn {
    /// Connections whose Boot was answered.
    pub opened: u64,
    /// Of these, with a resumed TLS session.
    pub resumed: u64,
}

/// Stations connected to one target.
pub struct Fleet {
    poll: Poll,
    events: Events,
    target: Target,
    stations: Vec<Station>,
    calls: Calls,
    answered: Vec<(usize, Duration)>,
    gone: Vec<usize>,
    scratch: Vec<u8>,
    text: String,
    out: Vec<u8>,
}

struct Station {
    link: Link,
    phase: Phase,
    waiting_for: u64,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Dialing,
    Waiting,
    Idle,
    Closing,
    Gone,
}

/// A station's name, as registered.
pub fn identity(index: usize) -> String {
    format!("BENCH{index:05}")
}

/// Its AuthorizationKey: 40 hexadecimal digits, whose 20 octets are the password on the wire.
pub fn authorization_key(index: usize) -> String {
    octets(index)
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

fn octets(index: usize) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, identity(index).as_bytes());
    digest.as_ref()[..20].to_vec()
}

impl Fleet {
    /// Nobody is connected yet.
    pub fn new(target: Target) -> io::Result<Fleet> {
        Ok(Fleet {
            poll: Poll::new()?,
            events: Events::with_capacity(512),
            target,
            stations: Vec::new(),
            calls: Calls::new(),
            answered: Vec::new(),
            gone: Vec::new(),
            scratch: vec![0; 64 * 1024],
            text: String::new(),
            out: Vec::new(),
        })
    }

    /// Connects more stations, a few at once; each has its Boot answered, and then one Heartbeat.
    pub fn open(&mut self, count: usize, at_once: usize) -> io::Result<()> {
        let (first, last) = (self.stations.len(), self.stations.len() + count);
        let mut settled = first;
        let mut greeted = vec![false; count];
        while settled < last {
            while self.stations.len() < last && self.stations.len() - settled < at_once {
                let station = self.dial(self.stations.len(), self.stations.len())?;
                self.stations.push(station);
            }
            self.step(SILENCE_MAX)?;
            for (index, _) in std::mem::take(&mut self.answered) {
                if std::mem::replace(&mut greeted[index - first], true) {
                    settled += 1;
                } else {
                    self.call(index, Workload::Heartbeat)?;
                }
            }
        }
        Ok(())
    }

    /// As many calls as the road carries: every station calls again as soon as it is answered.
    pub fn saturate(&mut self, workload: Workload, time: Duration) -> io::Result<Tally> {
        let until = Instant::now() + time;
        let mut in_flight = self.stations.len();
        for index in 0..in_flight {
            self.call(index, workload)?;
        }
        let mut tally = Tally::default();
        while in_flight > 0 {
            self.step(SILENCE_MAX)?;
            let over = Instant::now() >= until;
            for (index, latency) in std::mem::take(&mut self.answered) {
                tally.add(latency);
                if over {
                    in_flight -= 1;
                } else {
                    self.call(index, workload)?;
                }
            }
        }
        Ok(tally)
    }

    /// This many calls in a second, from all stations in turn.
    pub fn pace(
        &mut self,
        workload: Workload,
        per_second: u32,
        time: Duration,
    ) -> io::Result<Tally> {
        let (start, gap) = (Instant::now(), Duration::from_secs(1) / per_second);
        let planned = (time.as_secs_f64() * f64::from(per_second)) as u64;
        let (mut sent, mut turn) = (0, 0);
        let mut tally = Tally::default();
        while tally.calls < planned {
            let due = (start.elapsed().as_nanos() / gap.as_nanos()) as u64 + 1;
            while sent < due.min(planned) {
                let Some(index) = self.next_idle(&mut turn) else {
                    break;
                };
                self.call(index, workload)?;
                sent += 1;
            }
            let wait = if sent < planned {
                Duration::from_millis(1)
            } else {
                SILENCE_MAX
            };
            self.step(wait)?;
            for (_, latency) in self.answered.drain(..) {
                tally.add(latency);
            }
        }
        Ok(tally)
    }

    /// Connects, boots and closes, a few at once. The stations connected before are left alone.
    pub fn churn(&mut self, count: usize, at_once: usize) -> io::Result<Churn> {
        let first = self.stations.len();
        let mut churn = Churn::default();
        let mut begun = at_once.min(count);
        for index in first..first + begun {
            let station = self.dial(index, index)?;
            self.stations.push(station);
        }
        while churn.opened < count as u64 {
            self.step(SILENCE_MAX)?;
            for (index, _) in std::mem::take(&mut self.answered) {
                self.hang_up(index)?;
            }
            for index in std::mem::take(&mut self.gone) {
                churn.opened += 1;
                let tls = self.stations[index].link.tls();
                let kind = tls.and_then(|tls| tls.handshake_kind());
                churn.resumed += u64::from(kind == Some(HandshakeKind::Resumed));
                if begun < count {
                    self.stations[index] = self.dial(index, first + begun % 1000)?;
                    begun += 1;
                }
            }
        }
        self.stations.truncate(first);
        Ok(churn)
    }

    /// Whoever is not connected comes at once; whoever is cut off, sent or turned away comes again, a
    /// second or two later. When each had its Boot answered on a new connection, since `from`, and how
    /// many attempts it took.
    pub fn come_back(&mut self, count: usize, from: Instant) -> io::Result<(Vec<Duration>, u64)> {
        let mut back: Vec<Option<Duration>> = vec![None; count];
        let mut again: Vec<(Instant, usize)> = Vec::new();
        let (mut missing, mut attempts) = (count, 0);
        for index in 0..count {
            match self.stations.get(index).map(|station| station.phase) {
                Some(Phase::Gone) => self.stations[index] = self.dial(index, index)?,
                Some(_) => continue,
                None => {
                    let station = self.dial(index, index)?;
                    self.stations.push(station);
                }
            }
            attempts += 1;
        }
        while missing > 0 && from.elapsed() < STORM_MAX {
            self.poll
                .poll(&mut self.events, Some(Duration::from_millis(50)))?;
            let tokens: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
            for index in tokens {
                if self.stations[index].phase != Phase::Gone && self.ready(index).is_err() {
                    self.stations[index].phase = Phase::Gone;
                    // A station that has said goodbye does not hold its socket until it comes again.
                    let socket = &self.stations[index].link.socket;
                    let _ = socket.shutdown(Shutdown::Both);
                    if back[index].take().is_some() {
                        missing += 1;
                    }
                    let wait = Duration::from_millis(1000 + (index as u64 * 7919) % 1000);
                    again.push((Instant::now() + wait, index));
                }
            }
            for (index, _) in std::mem::take(&mut self.answered) {
                if back[index].replace(from.elapsed()).is_none() {
                    missing -= 1;
                }
            }
            let now = Instant::now();
            for (_, index) in again.extract_if(.., |(at, _)| *at <= now) {
                self.stations[index] = self.dial(index, index)?;
                attempts += 1;
            }
        }
        Ok((back.into_iter().flatten().collect(), attempts))
    }

    /// Answers pings for a while.
    pub fn rest(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.step(left.min(Duration::from_millis(20)))?;
        }
        Ok(())
    }

    fn next_idle(&self, turn: &mut usize) -> Option<usize> {
        for _ in 0..self.stations.len() {
            *turn = (*turn + 1) % self.stations.len();
            if self.stations[*turn].phase == Phase::Idle {
                return Some(*turn);
            }
        }
        None
    }

    fn dial(&self, token: usize, name: usize) -> io::Result<Station> {
        let mut socket = TcpStream::connect(self.target.address)?;
        self.poll.registry().register(
            &mut socket,
            Token(token),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        let tls = match &self.target.tls {
            Some(config) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                Some(
                    ClientConnection::new(config.clone(), name)
                        .map_err(io::Error::other)?
                        .into(),
                )
            }
            None => None,
        };
        let mut link = Link::new(socket, tls);
        link.send(upgrade(name, self.target.deflate).as_bytes())?;
        Ok(Station {
            link,
            phase: Phase::Dialing,
            waiting_for: 0,
            since: Instant::now(),
        })
    }

    fn call(&mut self, index: usize, workload: Workload) -> io::Result<()> {
        let id = self.calls.write(workload, &mut self.text);
        self.send_text(index, id)
    }

    fn send_text(&mut self, index: usize, id: u64) -> io::Result<()> {
        self.out.clear();
        if self.target.deflate {
            let message = stored(self.text.as_bytes());
            write_frame(&mut self.out, link::DEFLATED_TEXT, &message, Some(MASK));
        } else {
            write_frame(&mut self.out, link::TEXT, self.text.as_bytes(), Some(MASK));
        }
        let station = &mut self.stations[index];
        station.waiting_for = id;
        station.phase = Phase::Waiting;
        station.since = Instant::now();
        station.link.send(&self.out)
    }

    fn hang_up(&mut self, index: usize) -> io::Result<()> {
        self.out.clear();
        write_frame(
            &mut self.out,
            link::CLOSE,
            &1000u16.to_be_bytes(),
            Some(MASK),
        );
        self.stations[index].phase = Phase::Closing;
        self.stations[index].link.send(&self.out)
    }

    /// Waits for events and works them off: answers into `answered`, the closed into `gone`.
    fn step(&mut self, wait: Duration) -> io::Result<()> {
        self.poll.poll(&mut self.events, Some(wait))?;
        if self.events.is_empty() && wait >= SILENCE_MAX {
            let waiting = self
                .stations
                .iter()
                .filter(|station| station.phase != Phase::Idle)
                .count();
            return Err(io::Error::other(format!("{waiting} stations wait in vain")));
        }
        let tokens: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for index in tokens {
            self.ready(index)?;
        }
        Ok(())
    }

    fn ready(&mut self, index: usize) -> io::Result<()> {
        let Some(station) = self.stations.get_mut(index) else {
            return Ok(());
        };
        if station.phase == Phase::Gone {
            return Ok(());
        }
        if station.phase == Phase::Closing {
            // However a proxy ends a connection, once it is closing it counts as closed.
            let alive = station
                .link
                .flush()
                .and_then(|()| station.link.fill(&mut self.scratch))
                .unwrap_or(false);
            let closed = station
                .link
                .frame()
                .is_some_and(|frame| frame.opcode == link::CLOSE);
            if closed || !alive {
                station.phase = Phase::Gone;
                self.gone.push(index);
            }
            return Ok(());
        }
        station.link.flush()?;
        let alive = station.link.fill(&mut self.scratch)?;
        self.converse(index)?;
        let station = &self.stations[index];
        match alive || station.phase == Phase::Closing {
            true => Ok(()),
            false => Err(io::Error::other(format!(
                "station {index} was cut off while {:?}",
                station.phase
            ))),
        }
    }

    fn converse(&mut self, index: usize) -> io::Result<()> {
        let station = &mut self.stations[index];
        if station.phase == Phase::Dialing {
            let Some(head) = station.link.head() else {
                return Ok(());
            };
            if !head.starts_with("HTTP/1.1 101") {
                return Err(io::Error::other(format!("no upgrade: {head}")));
            }
            if self.target.deflate && !head.contains("permessage-deflate") {
                return Err(io::Error::other("compression was not agreed on"));
            }
            let id = self.calls.write_boot(&mut self.text);
            self.send_text(index, id)?;
        }
        let station = &mut self.stations[index];
        let mut pong = Vec::new();
        while let Some(frame) = station.link.frame() {
            match frame.opcode {
                link::TEXT => {
                    self.text.clear();
                    self.text.push_str("[3,\"");
                    write_id(&mut self.text, station.waiting_for);
                    if !frame.payload.starts_with(self.text.as_bytes()) {
                        let got = String::from_utf8_lossy(frame.payload).into_owned();
                        return Err(io::Error::other(format!("not the answer awaited: {got}")));
                    }
                    station.phase = Phase::Idle;
                    self.answered.push((index, station.since.elapsed()));
                }
                link::PING => write_frame(&mut pong, link::PONG, frame.payload, Some(MASK)),
                link::CLOSE => {
                    write_frame(&mut pong, link::CLOSE, frame.payload, Some(MASK));
                    station.link.send(&pong)?;
                    return Err(io::Error::other(format!(
                        "station {index} was sent a close"
                    )));
                }
                _ => {}
            }
        }
        if pong.is_empty() {
            Ok(())
        } else {
            self.stations[index].link.send(&pong)
        }
    }
}

impl Tally {
    fn add(&mut self, latency: Duration) {
        self.calls += 1;
        self.latencies
            .push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
    }
}

/// A compressed message (RFC 7692) of one block that compresses nothing (RFC 1951, 3.2.4): the peer
/// has to inflate it like any other.
fn stored(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut message = vec![0];
    message.extend_from_slice(&length.to_le_bytes());
    message.extend_from_slice(&(!length).to_le_bytes());
    message.extend_from_slice(text);
    message.push(0);
    message
}

/// The request with which a station upgrades.
pub fn upgrade(index: usize, deflate: bool) -> String {
    let extensions = match deflate {
        true => "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        false => "",
    };
    let name = identity(index);
    let mut credential = format!("{name}:").into_bytes();
    credential.extend(octets(index));
    let basic = base64::engine::general_purpose::STANDARD.encode(credential);
    format!(
        "GET /ocpp/{name} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {basic}\r\n{extensions}\r\n"
    )
}
