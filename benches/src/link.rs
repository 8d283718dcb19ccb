//! One end of a connection: bytes over TCP or TLS, and WebSocket frames cut out of them.
//!
//! Much less than a WebSocket library, on purpose: load and CSMS share two cores with the proxy
//! under test, so they must cost as little as they can.

use std::io::{self, Read, Write};

use mio::net::TcpStream;
use rustls::Connection;

/// A frame's opcode for text.
pub const TEXT: u8 = 1;
/// The same, for the first frame of a compressed message (RFC 7692, 6).
pub const DEFLATED_TEXT: u8 = 0x41;
/// A frame's opcode for a close.
pub const CLOSE: u8 = 8;
/// A frame's opcode for a ping.
pub const PING: u8 = 9;
/// A frame's opcode for a pong.
pub const PONG: u8 = 10;

/// A connection with what was received and not yet read, and what is still to be sent.
pub struct Link {
    /// The socket, to be registered with a poll.
    pub socket: TcpStream,
    tls: Option<Box<Connection>>,
    received: Vec<u8>,
    read_to: usize,
    unsent: Vec<u8>,
}

/// A frame, unmasked in place.
pub struct Frame<'a> {
    /// Text, ping, pong, close.
    pub opcode: u8,
    /// The payload.
    pub payload: &'a [u8],
}

impl Link {
    /// Over TLS where a connection is given.
    pub fn new(socket: TcpStream, tls: Option<Connection>) -> Link {
        // Every call is a small write that waits for its answer: Nagle would measure itself.
        let _ = socket.set_nodelay(true);
        Link {
            socket,
            tls: tls.map(Box::new),
            received: Vec::new(),
            read_to: 0,
            unsent: Vec::new(),
        }
    }

    /// The TLS session, if any.
    pub fn tls(&self) -> Option<&Connection> {
        self.tls.as_deref()
    }

    /// Reads what the socket has. `false`: the peer is gone.
    pub fn fill(&mut self, scratch: &mut [u8]) -> io::Result<bool> {
        if self.read_to == self.received.len() {
            self.received.clear();
            self.read_to = 0;
        }
        loop {
            let count = match self.socket.read(scratch) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(error),
            };
            self.take(&scratch[..count])?;
            // The poll is edge-triggered, and a short read has drained the socket.
            if count < scratch.len() {
                return Ok(true);
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            self.received.extend_from_slice(bytes);
            return Ok(());
        };
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes)?;
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            let held = self.received.len();
            self.received
                .resize(held + state.plaintext_bytes_to_read(), 0);
            tls.reader().read_exact(&mut self.received[held..])?;
        }
        self.flush()
    }

    /// Sends bytes, or keeps what the socket does not take yet.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes)?,
            None => self.unsent.extend_from_slice(bytes),
        }
        self.flush()
    }

    /// Sends what is still unsent, as far as the socket takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        let done = match &mut self.tls {
            Some(tls) => flush_tls(tls, &mut self.socket),
            None => flush_plain(&mut self.unsent, &mut self.socket),
        };
        match done {
            // Not connected yet: the poll says when.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            done => done,
        }
    }

    /// Something that was sent is not taken yet.
    pub fn is_congested(&self) -> bool {
        match &self.tls {
            Some(tls) => tls.wants_write(),
            None => !self.unsent.is_empty(),
        }
    }

    /// An HTTP head, once it is complete.
    pub fn head(&mut self) -> Option<String> {
        let rest = &self.received[self.read_to..];
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.read_to += end;
        Some(head)
    }

    /// The next whole frame.
    pub fn frame(&mut self) -> Option<Frame<'_>> {
        let rest = &mut self.received[self.read_to..];
        let (&first, &second) = (rest.first()?, rest.get(1)?);
        let (length, mut at) = match second & 0x7f {
            126 => (
                usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?])),
                4,
            ),
            127 => return None, // no message of the workload is so long
            short => (usize::from(short), 2),
        };
        let masked = second & 0x80 != 0;
        let mask = if masked {
            [
                *rest.get(at)?,
                *rest.get(at + 1)?,
                *rest.get(at + 2)?,
                *rest.get(at + 3)?,
            ]
        } else {
            [0; 4]
        };
        at += if masked { 4 } else { 0 };
        let payload = rest.get_mut(at..at + length)?;
        if masked {
            apply(mask, payload);
        }
        let start = self.read_to + at;
        self.read_to = start + length;
        Some(Frame {
            opcode: first & 0x0f,
            payload: &self.received[start..start + length],
        })
    }
}

fn flush_tls(tls: &mut Connection, socket: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(socket)?;
    }
    Ok(())
}

fn flush_plain(unsent: &mut Vec<u8>, socket: &mut TcpStream) -> io::Result<()> {
    while !unsent.is_empty() {
        let count = socket.write(unsent)?;
        unsent.drain(..count);
    }
    Ok(())
}

fn apply(mask: [u8; 4], payload: &mut [u8]) {
    let word = u32::from_ne_bytes(mask);
    let mut words = payload.chunks_exact_mut(4);
    for four in &mut words {
        let masked = u32::from_ne_bytes([four[0], four[1], four[2], four[3]]) ^ word;
        four.copy_from_slice(&masked.to_ne_bytes());
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Appends a frame; a station masks, a CSMS does not.
pub fn write_frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) {
    out.push(0x80 | opcode);
    let bit = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        short @ 0..126 => out.push(bit | short as u8),
        length => {
            out.push(bit | 126);
            out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    out.extend_from_slice(mask.as_ref().map_or(&[][..], |mask| &mask[..]));
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(mask) = mask {
        apply(mask, &mut out[start..]);
    }
}
