//! The attacks. Each goes on until its time is over, and counts what it did.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::link::{self, Link, write_frame};
use crate::stations::upgrade;

/// Slow handshakes kept open, half of them without a word.
const SLOW: usize = 2000;
/// Request heads kept dribbling.
const DRIBBLING: usize = 600;
/// Guesses in a second.
const GUESSES: u32 = 10_000;
/// How often slow peers are looked after.
const TICK: Duration = Duration::from_millis(50);
/// How often a session's flood is fed.
const FEED: Duration = Duration::from_millis(2);
/// A field of this length brought a CSMS down.
const FIELD_BYTES: u64 = 442_000_000;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// ClientHello, or nothing at all, and then silence.
    SlowHandshakes,
    /// TLS, and then a request of one letter at a time.
    HeaderDribble,
    /// A session that sends nothing but pings.
    Pings,
    /// A session whose message never ends, in empty fragments.
    Fragments,
    /// A session that announces a field of 442 MB.
    Field,
    /// A session that answers what nobody asked, as fast as it can.
    Answers,
    /// Passwords, tried out.
    Guesses,
}

/// Where to, and with whose credentials.
pub struct Scene {
    /// The listener for stations.
    pub tls: SocketAddr,
    /// One without TLS, so that a guess costs the guesser little.
    pub plain: SocketAddr,
    /// Whom to trust.
    pub config: Arc<ClientConfig>,
    /// Stations whose passwords are known.
    pub stolen: Range<usize>,
    /// When it is over.
    pub until: Instant,
}

impl Attack {
    /// All of them.
    pub const ALL: [Attack; 7] = [
        Attack::SlowHandshakes,
        Attack::HeaderDribble,
        Attack::Pings,
        Attack::Fragments,
        Attack::Field,
        Attack::Answers,
        Attack::Guesses,
    ];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Attack::SlowHandshakes => "slow handshakes",
            Attack::HeaderDribble => "header dribble",
            Attack::Pings => "pings",
            Attack::Fragments => "fragments",
            Attack::Field => "a field of 442 MB",
            Attack::Answers => "answers unasked",
            Attack::Guesses => "guesses",
        }
    }

    /// Goes on until its time is over; how often it was done.
    pub fn run(self, scene: &Scene) -> io::Result<u64> {
        match self {
            Attack::SlowHandshakes => slow_handshakes(scene),
            Attack::HeaderDribble => header_dribble(scene),
            Attack::Pings => {
                let mut ping = Vec::new();
                write_frame(&mut ping, link::PING, &[0x20; 125], Some([0; 4]));
                sessions(scene, &ping.repeat(2000))
            }
            Attack::Fragments => {
                let empty = [0x00, 0x80, 0, 0, 0, 0];
                sessions(
                    scene,
                    &[&[0x01, 0x81, 0, 0, 0, 0, b'['], &empty.repeat(5000)[..]].concat(),
                )
            }
            Attack::Field => {
                let mut frame = vec![0x81, 0xff];
                frame.extend_from_slice(&FIELD_BYTES.to_be_bytes());
                frame.extend_from_slice(&[0; 4]);
                frame.extend_from_slice(&[b'a'; 64 << 10]);
                sessions(scene, &frame)
            }
            Attack::Answers => {
                let mut answer = Vec::new();
                write_frame(
                    &mut answer,
                    link::TEXT,
                    b"[3,\"nobody asked\",{}]",
                    Some([0; 4]),
                );
                sessions(scene, &answer.repeat(500))
            }
            Attack::Guesses => guesses(scene),
        }
    }
}

impl Scene {
    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    fn dial(&self) -> io::Result<Link> {
        let socket = mio::net::TcpStream::connect(self.tls)?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let tls = ClientConnection::new(Arc::clone(&self.config), name);
        Ok(Link::new(
            socket,
            Some(tls.map_err(io::Error::other)?.into()),
        ))
    }

    fn client_hello(&self) -> io::Result<Vec<u8>> {
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let tls = ClientConnection::new(Arc::clone(&self.config), name);
        let mut hello = Vec::new();
        tls.map_err(io::Error::other)?.write_tls(&mut hello)?;
        Ok(hello)
    }
}

/// Counts the connections that were opened.
fn slow_handshakes(scene: &Scene) -> io::Result<u64> {
    let hello = scene.client_hello()?;
    let mut opened = 0;
    let mut peers: Vec<TcpStream> = Vec::new();
    while !scene.is_over() {
        peers.retain_mut(is_open);
        while peers.len() < SLOW && !scene.is_over() {
            let mut peer = TcpStream::connect(scene.tls)?;
            if opened % 2 == 0 {
                // Where the gate has closed it already, the next look finds that.
                let _ = peer.write_all(&hello);
            }
            peer.set_nonblocking(true)?;
            peers.push(peer);
            opened += 1;
        }
        std::thread::sleep(TICK);
    }
    Ok(opened)
}

fn is_open(peer: &mut TcpStream) -> bool {
    match peer.read(&mut [0; 8192]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

/// Counts the connections that were opened.
fn header_dribble(scene: &Scene) -> io::Result<u64> {
    let mut opened = 0;
    let mut scratch = vec![0; 64 << 10];
    let mut peers: Vec<Link> = Vec::new();
    while !scene.is_over() {
        peers.retain_mut(|peer| {
            let alive = peer.flush().and_then(|()| peer.fill(&mut scratch));
            let dribbled = peer.send(b"x");
            alive.unwrap_or(false) && dribbled.is_ok()
        });
        // A handshake costs the attacker as much as the gate: a few at a time.
        for _ in peers.len()..DRIBBLING.min(peers.len() + 20) {
            let mut peer = scene.dial()?;
            peer.send(b"GET /ocpp/BENCH00001 HTTP/1.1\r\nHost: ")?;
            peers.push(peer);
            opened += 1;
        }
        std::thread::sleep(TICK);
    }
    Ok(opened)
}

/// Sessions under stolen credentials, each of which says the same again and again until it is cut off,
/// and then comes back. Counts how often `words` were sent.
fn sessions(scene: &Scene, words: &[u8]) -> io::Result<u64> {
    let mut sent = 0;
    let mut scratch = vec![0; 64 << 10];
    let mut peers: Vec<(usize, Option<(Link, bool)>)> =
        scene.stolen.clone().map(|name| (name, None)).collect();
    while !scene.is_over() {
        for (name, peer) in &mut peers {
            let Some((link, is_in)) = peer else {
                let mut link = scene.dial()?;
                link.send(upgrade(*name, false).as_bytes())?;
                *peer = Some((link, false));
                continue;
            };
            let alive = link.flush().and_then(|()| link.fill(&mut scratch));
            let welcome = link.head().is_none_or(|head| {
                *is_in = head.starts_with("HTTP/1.1 101");
                *is_in
            });
            while link.frame().is_some() {}
            let mut alive = welcome && alive.unwrap_or(false);
            if alive && *is_in && !link.is_congested() {
                alive = link.send(words).is_ok();
                sent += 1;
            }
            if !alive {
                *peer = None;
            }
        }
        std::thread::sleep(FEED);
    }
    Ok(sent)
}

/// Counts the guesses. Nobody waits for the answers: over the limit they are held back.
fn guesses(scene: &Scene) -> io::Result<u64> {
    let (start, mut made) = (Instant::now(), 0_u64);
    while !scene.is_over() {
        let due = (start.elapsed().as_secs_f64() * f64::from(GUESSES)) as u64;
        while made < due && !scene.is_over() {
            let request = format!(
                "GET /ocpp/BENCH{:05} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\
                 Authorization: Basic QkVOQ0g6d3Jvbmc=\r\n\r\n",
                made % 1000
            );
            let mut peer = TcpStream::connect(scene.plain)?;
            let _ = peer.write_all(request.as_bytes());
            made += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(made)
}
