//! How a session ends, and what the other side hears of it.

use std::time::Duration;

use guard::{Closing, Event};
use ocpp::Side;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::scene::{Scene, Setting};

pub async fn how(scene: &Scene) -> Closing {
    scene
        .event(|event| match event {
            Event::Disconnected { how, .. } => Some(how.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_goodbye_is_passed_on_with_its_code() {
    for (code, by_station) in [(1000, true), (3001, true), (1012, false)] {
        let scene = Scene::new().await;
        let (mut station, mut csms) = scene.session("CP1").await;
        let frame = Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: "".into(),
        }));
        let (leaver, stayer, side) = match by_station {
            true => (&mut station, &mut csms, Side::Station),
            false => (&mut csms, &mut station, Side::Csms),
        };
        leaver.send(frame).await;
        assert_eq!(stayer.closed().await, Some(code));
        assert_eq!(
            leaver.closed().await,
            Some(code),
            "its own goodbye is answered"
        );
        assert_eq!(how(&scene).await, Closing::Said(side, Some(code)));
    }
}

#[tokio::test]
async fn what_waited_is_passed_on_before_the_goodbye() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let calls: Vec<_> = (0..5)
        .map(|id| format!(r#"[2,"{id}","Heartbeat",{{}}]"#))
        .collect();
    for call in &calls {
        station.say(call).await;
    }
    station.send(Message::Close(None)).await;
    for call in &calls {
        assert_eq!(&csms.hear().await, call);
    }
    assert_eq!(csms.closed().await, Some(1005));
}

#[tokio::test]
async fn a_socket_that_dies_is_1001_for_the_other_side() {
    let scene = Scene::new().await;
    let (station, mut csms) = scene.session("CP1").await;
    drop(station);
    assert_eq!(csms.closed().await, Some(1001));
    assert_eq!(how(&scene).await, Closing::Lost(Side::Station));

    let (mut station, csms) = scene.session("CP1").await;
    drop(csms);
    assert_eq!(station.closed().await, Some(1001));
    assert_eq!(how(&scene).await, Closing::Lost(Side::Csms));
}

fn hasty() -> Setting {
    let mut setting = Setting::default();
    setting.settings.session.ping_after = Duration::from_millis(100);
    setting.settings.session.pong_deadline = Duration::from_millis(200);
    setting.settings.session.close_deadline = Duration::from_millis(200);
    setting
}

#[tokio::test]
async fn a_station_that_answers_no_ping_is_dead() {
    let scene = Scene::with(hasty()).await;
    // The station's end is held but never polled: it answers nothing.
    let (_station, mut csms) = scene.session("CP1").await;
    assert_eq!(csms.closed().await, Some(1001));
    assert_eq!(how(&scene).await, Closing::Silent(Side::Station));
}

#[tokio::test]
async fn an_idle_station_is_let_go() {
    let mut setting = hasty();
    setting.settings.session.idle_after = Duration::from_millis(400);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    // Both answer pings, and say nothing.
    let (left, right) = tokio::join!(station.closed(), csms.closed());
    assert_eq!((left, right), (Some(1001), Some(1001)));
    assert_eq!(how(&scene).await, Closing::Idle);
}

#[tokio::test]
async fn the_longest_heartbeat_interval_keeps_a_quiet_station() {
    let mut setting = hasty();
    setting.settings.session.idle_after = Duration::from_millis(300);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station
        .say(r#"[2,"1","BootNotification",{"chargePointVendor":"v","chargePointModel":"m"}]"#)
        .await;
    csms.hear().await;
    let now = r#""currentTime":"2026-11-22T10:00:00Z""#;
    csms.say(&format!(
        r#"[3,"1",{{"status":"Accepted",{now},"interval":1}}]"#
    ))
    .await;
    let booted = std::time::Instant::now();
    station.hear().await;
    let (left, _) = tokio::join!(station.closed(), csms.closed());
    assert_eq!(left, Some(1001));
    assert!(
        booted.elapsed() >= Duration::from_millis(1900),
        "twice the interval"
    );
}

#[tokio::test]
async fn who_breaks_rfc_6455_hears_the_code_and_the_other_side_1001() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    // Unmasked, behind tungstenite's back.
    station
        .socket
        .get_mut()
        .write_all(b"\x81\x02[]")
        .await
        .unwrap();
    assert_eq!(station.closed().await, Some(1002));
    assert_eq!(csms.closed().await, Some(1001));
    assert!(matches!(
        how(&scene).await,
        Closing::Protocol(Side::Station, _)
    ));
}

#[tokio::test]
async fn a_text_that_is_no_utf8_is_1007() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let mut bytes = Vec::new();
    gateway::ws::append_text(
        &mut bytes,
        b"[2,\"1\",\"Heartbeat\",{\"a\":\"\xff\"}]",
        Some([9; 4]),
    );
    station.socket.get_mut().write_all(&bytes).await.unwrap();
    assert_eq!(station.closed().await, Some(1007));
    assert_eq!(csms.closed().await, Some(1001));
}

#[tokio::test]
async fn a_message_over_the_limit_is_1009() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let big = format!(r#"[2,"1","Heartbeat",{{"x":"{}"}}]"#, "x".repeat(2 << 20));
    // The gate hangs up in the middle of it.
    let _ = futures_util::SinkExt::send(&mut station.socket, Message::text(big)).await;
    assert_eq!(station.closed().await, Some(1009));
    assert_eq!(csms.closed().await, Some(1001));
    assert!(matches!(
        how(&scene).await,
        Closing::Protocol(Side::Station, _)
    ));
}

#[tokio::test]
async fn shutting_down_says_goodbye_to_everyone() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let leaving = scene.gate.shut_down(Duration::from_secs(5));
    let ((), left, right) = tokio::join!(leaving, station.closed(), csms.closed());
    assert_eq!((left, right), (Some(1001), Some(1001)));
}
