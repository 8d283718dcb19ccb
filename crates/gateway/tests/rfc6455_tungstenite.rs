//! Our frame layer and tokio-tungstenite, talking to each other in both roles.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what must hold, and fails where it does not"
)]

use std::time::Duration;

use futures_util::future::join;
use futures_util::{SinkExt, StreamExt};
use gateway::ws::{
    Decoder, Incoming, Input, Role, WsLimits, append_close, append_ping, append_pong, append_text,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Sizes around every boundary of RFC 6455's lengths and of our own read buffer.
const SIZES: [usize; 10] = [0, 1, 125, 126, 127, 4_096, 65_535, 65_536, 65_537, 300_000];

/// Our end: it answers a text with the same text, a ping with a pong, and a close with a close.
async fn echo(mut socket: DuplexStream, role: Role, mask: Option<[u8; 4]>) -> Option<u16> {
    let limits = WsLimits::fixed(1 << 20);
    let mut decoder = Decoder::new(role);
    let mut scratch = vec![0; 4_096];
    let mut out = Vec::new();
    loop {
        let count = socket.read(&mut scratch).await.expect("a readable duplex");
        assert_ne!(count, 0, "the peer left without a close");
        let mut input = Input::new(&mut scratch[..count]);
        let mut closed = None;
        while let Some(item) = decoder.next(&mut input, &limits).expect("lawful frames") {
            match item {
                Incoming::Text(text) => append_text(&mut out, text, mask),
                Incoming::Ping(body) => append_pong(&mut out, body, mask),
                Incoming::Close(code) => {
                    append_close(&mut out, code, mask);
                    closed = Some(code);
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        socket.write_all(&out).await.expect("a writable duplex");
        out.clear();
        if let Some(code) = closed {
            return code;
        }
    }
}

/// Their end: it says every size, pings, closes, and hears what it said.
async fn converse(mut theirs: WebSocketStream<DuplexStream>) {
    for size in SIZES {
        let text: String = ('a'..='z').cycle().take(size).collect();
        send(&mut theirs, Message::text(text.clone())).await;
        assert_eq!(hear(&mut theirs).await, Message::text(text));
    }
    send(&mut theirs, Message::Ping(Bytes::from_static(b"there?"))).await;
    let pong = Message::Pong(Bytes::from_static(b"there?"));
    assert_eq!(hear(&mut theirs).await, pong);
    let goodbye = protocol::CloseFrame {
        code: protocol::frame::coding::CloseCode::Away,
        reason: "off to lunch".into(),
    };
    send(&mut theirs, Message::Close(Some(goodbye))).await;
    let Message::Close(Some(answer)) = hear(&mut theirs).await else {
        panic!("no close in answer to a close");
    };
    assert_eq!(u16::from(answer.code), 1001);
}

/// A test that waits for ever helps nobody.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("the two ends came to an end")
}

async fn send(theirs: &mut WebSocketStream<DuplexStream>, message: Message) {
    in_time(SinkExt::send(theirs, message))
        .await
        .expect("tungstenite sends");
}

async fn hear(theirs: &mut WebSocketStream<DuplexStream>) -> Message {
    in_time(StreamExt::next(theirs))
        .await
        .expect("tungstenite hears something")
        .expect("tungstenite understands us")
}

#[tokio::test]
async fn tungstenite_as_the_station_understands_us_and_we_it() {
    let (ours, theirs) = tokio::io::duplex(1_000);
    let theirs = WebSocketStream::from_raw_socket(theirs, protocol::Role::Client, None).await;
    let (code, ()) = in_time(join(echo(ours, Role::Server, None), converse(theirs))).await;
    assert_eq!(code, Some(1001));
}

#[tokio::test]
async fn tungstenite_as_the_csms_understands_us_and_we_it() {
    let (ours, theirs) = tokio::io::duplex(1_000);
    let theirs = WebSocketStream::from_raw_socket(theirs, protocol::Role::Server, None).await;
    let mask = Some([7, 0, 255, 128]);
    let (code, ()) = in_time(join(echo(ours, Role::Client, mask), converse(theirs))).await;
    assert_eq!(code, Some(1001));
}

#[tokio::test]
async fn tungstenite_answers_our_ping() {
    let (mut ours, theirs) = tokio::io::duplex(1_000);
    let mut theirs = WebSocketStream::from_raw_socket(theirs, protocol::Role::Client, None).await;
    let mut out = Vec::new();
    append_ping(&mut out, b"still there?", None);
    append_close(&mut out, Some(1000), None);
    ours.write_all(&out).await.expect("a writable duplex");
    ours.shutdown().await.expect("a duplex to half-close");
    assert!(matches!(hear(&mut theirs).await, Message::Ping(_)));
    assert!(matches!(hear(&mut theirs).await, Message::Close(_)));
    // Reading to its end lets tungstenite flush what it owes.
    assert!(
        in_time(StreamExt::next(&mut theirs))
            .await
            .is_none_or(|end| end.is_err())
    );
    drop(theirs);
    let mut said = Vec::new();
    ours.read_to_end(&mut said)
        .await
        .expect("a readable duplex");
    let mut decoder = Decoder::new(Role::Server);
    let mut input = Input::new(&mut said);
    let heard = decoder.next(&mut input, &WsLimits::fixed(100));
    assert_eq!(heard, Ok(Some(Incoming::Pong(b"still there?"))));
    let heard = decoder.next(&mut input, &WsLimits::fixed(100));
    assert_eq!(heard, Ok(Some(Incoming::Close(Some(1000)))));
}
