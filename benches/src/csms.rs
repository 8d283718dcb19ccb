//! A light CSMS: upgrades, answers every call validly by its action, over ws and wss.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rustls::ServerConfig;

use crate::link::{self, Link, write_frame};

const PLAIN: Token = Token(0);
const TLS: Token = Token(1);

/// Serves until killed.
pub fn serve(plain: SocketAddr, tls: SocketAddr, config: Arc<ServerConfig>) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listeners = [TcpListener::bind(plain)?, TcpListener::bind(tls)?];
    for (listener, token) in listeners.iter_mut().zip([PLAIN, TLS]) {
        poll.registry()
            .register(listener, token, Interest::READABLE)?;
    }
    let mut csms = Csms {
        sessions: HashMap::new(),
        next: 2,
        scratch: vec![0; 64 * 1024],
        now: now(),
    };
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                token @ (PLAIN | TLS) => csms.accept(
                    &poll,
                    &listeners[token.0],
                    (token == TLS).then_some(&config),
                )?,
                token => csms.ready(token),
            }
        }
    }
}

struct Csms {
    sessions: HashMap<usize, Session>,
    next: usize,
    scratch: Vec<u8>,
    now: String,
}

struct Session {
    link: Link,
    open: bool,
}

impl Csms {
    fn accept(
        &mut self,
        poll: &Poll,
        listener: &TcpListener,
        tls: Option<&Arc<ServerConfig>>,
    ) -> io::Result<()> {
        loop {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            self.next += 1;
            poll.registry().register(
                &mut socket,
                Token(self.next),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            let tls = match tls {
                Some(config) => Some(
                    rustls::ServerConnection::new(config.clone())
                        .map_err(io::Error::other)?
                        .into(),
                ),
                None => None,
            };
            self.sessions.insert(
                self.next,
                Session {
                    link: Link::new(socket, tls),
                    open: false,
                },
            );
        }
    }

    fn ready(&mut self, token: Token) {
        let Some(session) = self.sessions.get_mut(&token.0) else {
            return;
        };
        let alive = session
            .link
            .flush()
            .and_then(|()| session.link.fill(&mut self.scratch));
        let going_on = session.converse(&self.now).unwrap_or(false);
        if !going_on || !alive.unwrap_or(false) {
            self.sessions.remove(&token.0);
        }
    }
}

impl Session {
    /// `false` when the conversation is over.
    fn converse(&mut self, now: &str) -> io::Result<bool> {
        if !self.open {
            let Some(head) = self.link.head() else {
                return Ok(true);
            };
            self.link.send(&switching(&head))?;
            self.open = true;
        }
        let mut out = Vec::new();
        let mut going_on = true;
        while let Some(frame) = self.link.frame() {
            match frame.opcode {
                link::TEXT => answer(frame.payload, now, &mut out),
                link::PING => write_frame(&mut out, link::PONG, frame.payload, None),
                link::CLOSE => {
                    write_frame(&mut out, link::CLOSE, &1000u16.to_be_bytes(), None);
                    going_on = false;
                }
                _ => {}
            }
        }
        if !out.is_empty() {
            self.link.send(&out)?;
        }
        Ok(going_on)
    }
}

fn answer(call: &[u8], now: &str, out: &mut Vec<u8>) {
    let Ok(text) = std::str::from_utf8(call) else {
        return;
    };
    let mut quoted = text.split('"');
    let (Some("[2,"), Some(id), Some(","), Some(action)) =
        (quoted.next(), quoted.next(), quoted.next(), quoted.next())
    else {
        return;
    };
    let answer = match action {
        "BootNotification" => {
            format!(
                "[3,\"{id}\",{{\"status\":\"Accepted\",\"currentTime\":\"{now}\",\"interval\":14400}}]"
            )
        }
        "Heartbeat" => format!("[3,\"{id}\",{{\"currentTime\":\"{now}\"}}]"),
        _ => format!("[3,\"{id}\",{{}}]"),
    };
    write_frame(out, link::TEXT, answer.as_bytes(), None);
}

fn switching(head: &str) -> Vec<u8> {
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.trim())
    };
    let seed = format!(
        "{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        header("sec-websocket-key")
    );
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
        seed.as_bytes(),
    );
    let accept = base64::engine::general_purpose::STANDARD.encode(digest);
    let protocol = header("sec-websocket-protocol");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    )
    .into_bytes()
}

fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string()
}
