//! Whether a guest has spoken, found out without reading: the bytes stay in the kernel.

use std::io;
use std::task::{Context, Poll, Waker};

use tokio::io::{Interest, ReadBuf};
use tokio::net::TcpStream;

/// A TLS record's header: type, version, length.
const HEADER_BYTES: usize = 5;
/// The longest record that is waited for: longer ones are none.
const RECORD_BYTES_MAX: usize = (16 << 10) + 2048 + HEADER_BYTES;
/// What a handshake record begins with.
const HANDSHAKE: u8 = 22;

/// Waits until a handshake could do something: by TLS when the first record is there whole, else when
/// anything is. The end of the stream counts as words, too; whoever reads will notice.
pub(crate) async fn first_words(stream: &TcpStream, tls: bool) -> io::Result<()> {
    let mut seen = vec![0; if tls { FIRST_LOOK } else { 1 }];
    loop {
        stream.readable().await?;
        let look = stream.try_io(Interest::READABLE, || {
            let count = peek(stream, &mut seen)?;
            let wanted = match tls {
                true => wanted(seen.get(..count).unwrap_or_default()),
                false => 1,
            };
            match count == 0 || count >= wanted {
                true => Ok(None),
                // The rest will not fit: look again with more room.
                false if count == seen.len() => Ok(Some(wanted)),
                // What has come is not enough: only more of it wakes us again.
                false => Err(io::ErrorKind::WouldBlock.into()),
            }
        });
        match look {
            Ok(None) => return Ok(()),
            Ok(Some(wanted)) => seen.resize(wanted, 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Most ClientHellos fit in so many bytes.
const FIRST_LOOK: usize = 1024;

/// Bytes that must be there before a handshake can do something with them.
fn wanted(seen: &[u8]) -> usize {
    let Some(&[kind, _, _, high, low]) = seen.first_chunk::<HEADER_BYTES>() else {
        // Somebody else's protocol needs no whole record to be refused.
        return match seen.first() {
            Some(&HANDSHAKE) | None => HEADER_BYTES,
            Some(_) => 1,
        };
    };
    let length = HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
    match kind == HANDSHAKE && length <= RECORD_BYTES_MAX {
        true => length,
        false => HEADER_BYTES,
    }
}

fn peek(stream: &TcpStream, seen: &mut [u8]) -> io::Result<usize> {
    // Nobody is to be woken by this look: `readable` wakes.
    let mut context = Context::from_waker(Waker::noop());
    let mut buffer = ReadBuf::new(seen);
    match stream.poll_peek(&mut context, &mut buffer) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_waited_for_and_garbage_is_not() {
        let hello = [22, 3, 1, 0x02, 0x00];
        assert_eq!(wanted(&[]), 5);
        assert_eq!(wanted(&[22, 3]), 5);
        assert_eq!(wanted(&hello), 5 + 512);
        assert_eq!(wanted(b"GET / HTTP/1.1"), 5);
        assert_eq!(wanted(b"G"), 1);
        assert_eq!(wanted(&[22, 3, 1, 0xff, 0xff]), 5, "no record is so long");
    }
}
