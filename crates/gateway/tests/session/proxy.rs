//! A load balancer stands before the gate: whose connection it is, it says by the PROXY protocol.

use std::time::Duration;

use guard::{Event, RefusedHandshake};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::attempts::connect_from;
use crate::door::{status, why};
use crate::scene::{End, Io, PASSWORD, Scene, Setting};

/// A gate that takes this machine's first address for a balancer.
fn behind_a_balancer() -> Setting {
    let mut setting = Setting::default();
    setting.settings.attempts.delay_max = Duration::ZERO;
    setting.settings.listeners[0].proxy_protocol_from = vec!["127.0.0.1/32".parse().unwrap()];
    setting
}

fn version_1(from: [u8; 4]) -> Vec<u8> {
    let [a, b, c, d] = from;
    format!("PROXY TCP4 {a}.{b}.{c}.{d} 198.51.100.1 56324 443\r\n").into_bytes()
}

fn version_2(from: [u8; 4]) -> Vec<u8> {
    let start = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c";
    let rest = [198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];
    [&start[..], &from, &rest].concat()
}

async fn carried(scene: &Scene, header: &[u8]) -> TcpStream {
    let mut stream = connect_from(scene, [127, 0, 0, 1]).await;
    stream.write_all(header).await.unwrap();
    stream
}

/// The answer to one connection on which a balancer said this.
async fn knock(
    scene: &Scene,
    header: &[u8],
    password: &[u8],
) -> Result<End, tokio_tungstenite::tungstenite::Error> {
    let stream: Box<dyn Io> = Box::new(carried(scene, header).await);
    scene
        .upgrade(stream, "CP1", "ocpp1.6", Some(("CP1", password)))
        .await
}

#[tokio::test]
async fn the_carried_address_is_the_peer_and_is_counted_by_itself() {
    let scene = Scene::with(behind_a_balancer()).await;
    for guess in 0..8 {
        let answer = status(knock(&scene, &version_1([192, 0, 2, 66]), b"wrong").await);
        assert_eq!(answer, if guess < 5 { 401 } else { 429 });
    }
    for header in [version_1([192, 0, 2, 77]), version_2([192, 0, 2, 77])] {
        let (station, mut csms) =
            tokio::join!(knock(&scene, &header, PASSWORD), scene.csms.accept());
        let mut station = station.unwrap();
        let request = csms.request.take().unwrap();
        assert_eq!(request.headers()["X-Forwarded-For"], "192.0.2.77");
        let peer = scene
            .event(|event| match event {
                Event::Connected { session, .. } => Some(session.peer),
                _ => None,
            })
            .await;
        assert_eq!(peer.to_string(), "192.0.2.77:56324");
        station.say(r#"[2,"1","Heartbeat",{}]"#).await;
        assert_eq!(csms.hear().await, r#"[2,"1","Heartbeat",{}]"#);
    }
}

#[tokio::test]
async fn the_header_comes_before_tls() {
    let authority = crate::authority::Authority::new();
    let mut setting = behind_a_balancer();
    setting.settings.listeners[0].tls = Some(authority.listener());
    let scene = Scene::with(setting).await;
    let connector = authority.station("ECDSA", None);
    for header in [version_1([192, 0, 2, 77]), version_2([192, 0, 2, 77])] {
        let stream = carried(&scene, &header).await;
        let stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        let knock = scene.upgrade(Box::new(stream), "CP1", "ocpp1.6", Some(("CP1", PASSWORD)));
        let (station, csms) = tokio::join!(knock, scene.csms.accept());
        station.unwrap();
        let request = csms.request.unwrap();
        assert_eq!(request.headers()["X-Forwarded-For"], "192.0.2.77");
    }
}

#[tokio::test]
async fn a_balancer_that_says_nothing_is_refused_and_nobody_else_is_believed() {
    let mut setting = behind_a_balancer();
    setting.settings.limits.proxy_deadline = Duration::from_millis(200);
    let scene = Scene::with(setting).await;
    assert!(scene.knock("CP1").await.is_err());
    assert_eq!(why(&scene).await, RefusedHandshake::ProxyHeader("missing"));

    let _silent = carried(&scene, b"PROXY TCP4 192.").await;
    let too_slow = RefusedHandshake::Deadline("proxy_deadline");
    assert_eq!(why(&scene).await, too_slow);

    // From an address that is not named, a header is the start of no request.
    let mut stream = connect_from(&scene, [127, 0, 0, 9]).await;
    stream.write_all(&version_1([192, 0, 2, 77])).await.unwrap();
    let knock = scene
        .upgrade(Box::new(stream), "CP1", "ocpp1.6", Some(("CP1", PASSWORD)))
        .await;
    assert!(knock.is_err());
    assert!(matches!(why(&scene).await, RefusedHandshake::BadRequest(_)));
    // Without one it is a station like any other.
    let stream = connect_from(&scene, [127, 0, 0, 9]).await;
    let knock = scene.upgrade(Box::new(stream), "CP1", "ocpp1.6", Some(("CP1", PASSWORD)));
    let (station, _csms) = tokio::join!(knock, scene.csms.accept());
    station.unwrap();
    assert!(scene.csms.nobody_came());
}
