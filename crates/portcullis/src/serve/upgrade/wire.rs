//! What two processes of the gate say to each other during an upgrade, over a socket that only they
//! hold: frames of JSON, and the listening sockets themselves.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Problem;

/// Some hundred thousand stations.
const FRAME_BYTES_MAX: u32 = 64 << 20;
/// Sockets that go in one message; the system takes 253.
const SOCKETS_AT_ONCE: usize = 64;
/// What accompanies them: the system sends no sockets without a byte.
const COMPANION: u8 = b'S';

/// A station, as both processes know it: tenant and identity.
pub(super) type Name = (String, String);

/// What the old process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromOld {
    /// Take these; the sockets follow, the admin listener's last.
    Begin {
        /// The configured address of each socket.
        listeners: Vec<SocketAddr>,
        /// The admin listener's configured address.
        admin: SocketAddr,
        /// What opens its orders, so that a ticket that somebody has just read stays good.
        token: String,
    },
    /// Nobody is accepted here any more: accept. These stations are still connected here.
    Go {
        /// Who.
        taken: Vec<Name>,
    },
    /// These have got their place here after all.
    Came(Vec<Name>),
    /// These are connected here no more.
    Gone(Vec<Name>),
}

/// What the new process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromNew {
    /// Everything is read and made, and nobody accepted yet.
    Ready,
    /// It will not be.
    Failed(Vec<Problem>),
    /// Whoever comes is accepted here.
    Open {
        /// Its process number.
        process: u32,
    },
}

pub(super) fn say(mut to: &UnixStream, what: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(what)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)
}

pub(super) fn hear<T: DeserializeOwned>(mut from: &UnixStream) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other("a frame that is too long"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

pub(super) fn send_sockets(to: &UnixStream, sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
    for some in sockets.chunks(SOCKETS_AT_ONCE) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_AT_ONCE))];
        let mut along = SendAncillaryBuffer::new(&mut space);
        if !along.push(SendAncillaryMessage::ScmRights(some)) {
            return Err(io::Error::other("there is no room for the sockets"));
        }
        let companion = [IoSlice::new(&[COMPANION])];
        rustix::net::sendmsg(to, &companion, &mut along, SendFlags::empty())?;
    }
    Ok(())
}

pub(super) fn receive_sockets(from: &UnixStream, count: usize) -> io::Result<Vec<OwnedFd>> {
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let mut companion = [0];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_AT_ONCE))];
        let mut along = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut companion)];
        let received = rustix::net::recvmsg(from, &mut into, &mut along, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for message in along.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                sockets.extend(some);
            }
        }
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_connection_that_waits_in_a_socket_s_queue_goes_along() {
        let (old, new) = UnixStream::pair().unwrap();
        let listeners: Vec<_> = (0..70)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let last = listeners[69].local_addr().unwrap();
        let mut waiting = TcpStream::connect(last).unwrap();
        waiting.write_all(b"hello").unwrap();
        say(&old, &FromOld::Gone(vec![("t".into(), "CP-1".into())])).unwrap();
        let sockets: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
        send_sockets(&old, &sockets).unwrap();
        say(&old, &FromOld::Came(Vec::new())).unwrap();

        let first: FromOld = hear(&new).unwrap();
        assert!(matches!(first, FromOld::Gone(names) if names[0].1 == "CP-1"));
        let received = receive_sockets(&new, 70).unwrap();
        drop(listeners);
        assert!(matches!(hear(&new).unwrap(), FromOld::Came(_)));
        let taken_over = TcpListener::from(received.into_iter().next_back().unwrap());
        let (mut accepted, _) = taken_over.accept().unwrap();
        let mut heard = [0; 5];
        accepted.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
    }

    #[test]
    fn an_end_in_the_middle_and_a_frame_without_end_are_errors() {
        let (old, new) = UnixStream::pair().unwrap();
        (&old).write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert!(hear::<FromOld>(&new).is_err());
        drop(old);
        assert!(hear::<FromOld>(&new).is_err());
        assert!(receive_sockets(&new, 1).is_err());
    }
}
