//! The PROXY protocol (HAProxy's, versions 1 and 2): a load balancer says, before TLS begins, whose
//! connection this is. Without it all stations would come from one address, and a limit for one
//! would be a limit for all.
//!
//! It is believed only from addresses that the operator names, and from those it is demanded: were
//! it optional, whoever comes by way of the balancer could do without and be taken for it. From
//! everybody else such a header is what TLS makes of it: garbage.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The 12 bytes that version 2 begins with. Version 1's shortest line is longer.
const SIGNATURE_2: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of version 1's line, its end included.
const LINE_BYTES_MAX: usize = 107;
/// Bytes of version 2 behind its fixed part: addresses, and what balancers add about TLS.
const REST_BYTES_MAX: usize = 2048;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// Whose connection it is.
    From(SocketAddr),
    /// The balancer's own, such as a health check.
    Own,
}

/// Reads the header and not one byte more: what follows belongs to TLS.
pub(crate) async fn read(socket: &mut TcpStream) -> Result<Carried, &'static str> {
    const GONE: &str = "gone before it was whole";
    let mut start = [0; 12];
    socket.read_exact(&mut start).await.map_err(|_| GONE)?;
    if start == SIGNATURE_2 {
        let mut fixed = [0; 4];
        socket.read_exact(&mut fixed).await.map_err(|_| GONE)?;
        let [version_command, family, high, low] = fixed;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > REST_BYTES_MAX {
            return Err("longer than any balancer writes it");
        }
        let mut rest = vec![0; length];
        socket.read_exact(&mut rest).await.map_err(|_| GONE)?;
        return version_2(version_command, family, &rest);
    }
    if !start.starts_with(b"PROXY ") {
        return Err("missing");
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\n") {
        let mut ahead = [0; LINE_BYTES_MAX];
        let room = LINE_BYTES_MAX - line.len();
        if room == 0 {
            return Err("a line without an end");
        }
        let seen = socket.peek(&mut ahead[..room]).await.map_err(|_| GONE)?;
        let ahead = &ahead[..seen];
        let end = ahead.iter().position(|byte| *byte == b'\n');
        let take = end.map_or(seen, |end| end + 1);
        if take == 0 {
            return Err(GONE);
        }
        let from = line.len();
        line.resize(from + take, 0);
        socket
            .read_exact(&mut line[from..])
            .await
            .map_err(|_| GONE)?;
    }
    version_1(&line)
}

/// A line such as `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`, its end included.
fn version_1(line: &[u8]) -> Result<Carried, &'static str> {
    const FORM: &str = "a line that is not of its form";
    let line = line.strip_suffix(b"\r\n").ok_or(FORM)?;
    let line = std::str::from_utf8(line).map_err(|_| FORM)?;
    let mut words = line.split(' ');
    if words.next() != Some("PROXY") {
        return Err(FORM);
    }
    let kind = words.next().ok_or(FORM)?;
    if kind == "UNKNOWN" {
        // What follows it is to be ignored.
        return Ok(Carried::Own);
    }
    let mut word = || words.next().ok_or(FORM);
    let (source, destination) = (word()?, word()?);
    let (source_port, destination_port) = (port(word()?), port(word()?));
    let source: IpAddr = source.parse().map_err(|_| FORM)?;
    let destination: IpAddr = destination.parse().map_err(|_| FORM)?;
    let fits = match kind {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    match (source_port, destination_port, words.next()) {
        (Some(port), Some(_), None) if fits => Ok(Carried::From(SocketAddr::new(source, port))),
        _ => Err(FORM),
    }
}

/// A port as the protocol writes it: digits, no sign, no leading zero.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// What follows the signature of version 2.
fn version_2(version_command: u8, family: u8, rest: &[u8]) -> Result<Carried, &'static str> {
    let local = match version_command {
        0x20 => true,
        0x21 => false,
        _ => return Err("a version or command that is not known"),
    };
    if local {
        return Ok(Carried::Own);
    }
    // Source, destination, their ports; what balancers add behind them is not read.
    let source = match family {
        0x11 => rest.first_chunk().map(|block: &[u8; 12]| {
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *block;
            let address = Ipv4Addr::new(a, b, c, d);
            SocketAddr::new(address.into(), u16::from_be_bytes([high, low]))
        }),
        0x21 => rest.first_chunk().map(|block: &[u8; 36]| {
            let mut address = [0; 16];
            address.copy_from_slice(&block[..16]);
            let port = u16::from_be_bytes([block[32], block[33]]);
            SocketAddr::new(Ipv6Addr::from(address).into(), port)
        }),
        // A balancer for TCP has nothing else to carry.
        _ => return Err("not of TCP"),
    };
    source
        .map(Carried::From)
        .ok_or("shorter than its addresses")
}

#[cfg(test)]
mod tests;
