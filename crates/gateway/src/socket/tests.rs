//! Scenes over loopback: a plain socket of tokio's on the other side.

use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);
/// More than the kernel keeps of a connection whose peer does not read.
const FLOOD_BYTES: usize = 32 << 20;

async fn sockets() -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(address));
    (Socket::over(near.unwrap().0), far.unwrap())
}

/// Bytes of which no two stretches are alike.
fn pattern(size: usize) -> Vec<u8> {
    let words = (0_u32..).flat_map(|word| word.wrapping_mul(0x9E37_79B1).to_le_bytes());
    words.take(size).collect()
}

/// Whether the next read, or write, would make a system call at once.
fn is_called_ready(socket: &Socket, interest: Interest) -> bool {
    socket.0.try_io(interest, || Ok(())).is_ok()
}

/// Polls once; from then on the socket wakes this task.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

async fn read_some(socket: &mut Socket, bytes: &mut [u8]) -> usize {
    timeout(DEADLINE, socket.read(bytes))
        .await
        .expect("nothing woke the reader")
        .unwrap()
}

#[tokio::test]
async fn what_arrives_after_a_partial_read_wakes_the_reader() {
    let (mut near, mut far) = sockets().await;
    let mut bytes = [0; 64];
    for word in [&b"Boot"[..], b"Heartbeat", b"x"] {
        let mut reading = Box::pin(near.read(&mut bytes));
        assert!(poll_once(&mut reading).await.is_pending());
        far.write_all(word).await.unwrap();
        let count = timeout(DEADLINE, reading)
            .await
            .expect("nothing woke the reader")
            .unwrap();
        assert_eq!(&bytes[..count], word);
        assert!(
            !is_called_ready(&near, Interest::READABLE),
            "the next read would only hear EAGAIN"
        );
    }
}

#[tokio::test]
async fn what_found_no_room_is_read_next() {
    let (mut near, mut far) = sockets().await;
    far.write_all(b"0123456789").await.unwrap();
    let mut bytes = [0; 4];
    for part in [&b"0123"[..], b"4567", b"89"] {
        let count = read_some(&mut near, &mut bytes).await;
        assert_eq!(&bytes[..count], part);
    }
}

#[tokio::test]
async fn bytes_go_behind_those_that_a_buffer_holds() {
    let (mut near, mut far) = sockets().await;
    far.write_all(b"call").await.unwrap();
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(b"one ");
    let count = timeout(DEADLINE, near.read_buf(&mut bytes)).await.unwrap();
    assert_eq!(count.unwrap(), 4);
    assert_eq!(bytes, b"one call");
}

#[tokio::test]
async fn the_end_is_read_as_often_as_it_is_asked_for() {
    let (mut near, mut far) = sockets().await;
    far.write_all(b"last words").await.unwrap();
    far.shutdown().await.unwrap();
    let mut bytes = [0; 64];
    let count = read_some(&mut near, &mut bytes).await;
    assert_eq!(&bytes[..count], b"last words");
    for _ in 0..3 {
        assert_eq!(read_some(&mut near, &mut bytes).await, 0);
    }
    // Half of the connection is closed, the other half goes on.
    near.write_all(b"farewell").await.unwrap();
    near.flush().await.unwrap();
    near.shutdown().await.unwrap();
    let mut heard = Vec::new();
    let reading = far.read_to_end(&mut heard);
    timeout(DEADLINE, reading).await.unwrap().unwrap();
    assert_eq!(heard, b"farewell");
}

#[tokio::test]
async fn a_full_socket_waits_until_the_peer_reads() {
    let (mut near, mut far) = sockets().await;
    let sent = pattern(FLOOD_BYTES);
    let mut taken = 0;
    let mut writing = Box::pin(near.write(&sent));
    while let Poll::Ready(count) = poll_once(&mut writing).await {
        drop(writing);
        taken += count.unwrap();
        assert!(
            !is_called_ready(&near, Interest::WRITABLE),
            "the next write would only hear EAGAIN"
        );
        writing = Box::pin(near.write(&sent[taken..]));
    }
    drop(writing);
    assert!(0 < taken && taken < sent.len(), "{taken} bytes were taken");
    let rest = async {
        near.write_all(&sent[taken..]).await.unwrap();
        near.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let both = async { tokio::join!(rest, far.read_to_end(&mut heard)) };
    let ((), read) = timeout(DEADLINE, both)
        .await
        .expect("nothing woke the writer");
    read.unwrap();
    assert!(heard == sent, "bytes were lost or changed places");
}

#[tokio::test]
async fn a_peer_that_resets_is_an_error() {
    let (mut near, far) = sockets().await;
    let mut bytes = [0; 64];
    let mut reading = Box::pin(near.read(&mut bytes));
    assert!(poll_once(&mut reading).await.is_pending());
    crate::accept::reset(&far);
    drop(far);
    let read = timeout(DEADLINE, reading)
        .await
        .expect("nothing woke the reader");
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let written = timeout(DEADLINE, near.write(b"still there?")).await;
    assert_eq!(
        written.unwrap().unwrap_err().kind(),
        io::ErrorKind::BrokenPipe
    );
}
