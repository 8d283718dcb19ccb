//! Sockets that die or stall at the worst moment, rows that are full, and who is blamed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use gateway::Settings;
use guard::{Closing, Mode};
use ocpp::Side;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::farewell::how;
use crate::scene::{End, PASSWORD, PATIENCE, Scene, Setting};

pub fn heartbeat(id: usize) -> String {
    format!(r#"[2,"{id}","Heartbeat",{{}}]"#)
}

/// A policy under which the CSMS may send as fast as it likes.
fn unchecked() -> Setting {
    let mut setting = Setting::default();
    setting.policy.controls.pipelining = Mode::Off;
    setting.policy.controls.correlation = Mode::Off;
    setting
}

/// The CSMS sends until nobody takes any more.
pub async fn flood(csms: &mut End) {
    let data = "x".repeat(60_000);
    let call = format!(r#"[2,"f","DataTransfer",{{"vendorId":"v","data":"{data}"}}]"#);
    let pause = Duration::from_millis(500);
    while timeout(pause, csms.socket.send(Message::text(call.as_str())))
        .await
        .is_ok()
    {}
}

#[tokio::test]
async fn a_socket_that_dies_while_we_write_to_it_ends_the_session_at_once() {
    let scene = Scene::with(unchecked()).await;
    let stream = TcpStream::connect(scene.gate.addresses()[0]).await.unwrap();
    // Gone without a FIN: what the gate sees is an error, and it sees it where it writes.
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    let (station, mut csms) = tokio::join!(
        scene.upgrade(Box::new(stream), "CP1", "ocpp1.6", Some(("CP1", PASSWORD))),
        scene.csms.accept()
    );
    flood(&mut csms).await;
    drop(station.unwrap());
    // Far sooner than the first ping is due.
    assert_eq!(how(&scene).await, Closing::Lost(Side::Station));
}

#[tokio::test]
async fn a_station_that_takes_nothing_any_more_is_dead() {
    let mut setting = unchecked();
    setting.settings.session.ping_after = Duration::from_secs(2);
    setting.settings.session.pong_deadline = Duration::from_secs(2);
    setting.settings.session.close_deadline = Duration::from_millis(200);
    let scene = Scene::with(setting).await;
    let (_station, mut csms) = scene.session("CP1").await;
    flood(&mut csms).await;
    assert_eq!(how(&scene).await, Closing::Silent(Side::Station));
}

/// Rows of two, so that they are full soon.
fn short_rows() -> Setting {
    let mut setting = Setting::default();
    let Settings { limits, .. } = &mut setting.settings;
    limits.calls_queued_max = 2;
    setting
}

/// Calls 0 to 5 in one segment: one in flight, two in the row, and the rest read but not decoded.
pub async fn six_calls(station: &mut End) {
    let mut bytes = Vec::new();
    for id in 0..6 {
        gateway::ws::append_text(&mut bytes, heartbeat(id).as_bytes(), Some([1, 2, 3, 4]));
    }
    station.socket.get_mut().write_all(&bytes).await.unwrap();
}

#[tokio::test]
async fn a_row_that_time_has_cleared_is_filled_again() {
    let mut setting = short_rows();
    setting.policy.call_timeout = Duration::from_millis(100);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    six_calls(&mut station).await;
    // The CSMS answers nothing: in the end each call has been passed on or refused.
    let all = async {
        let mut told = 0;
        while told < 6 {
            tokio::select! {
                passed = csms.hear() => assert!(passed.starts_with("[2,"), "{passed}"),
                refused = station.hear() => assert!(refused.starts_with("[4,"), "{refused}"),
            }
            told += 1;
        }
    };
    timeout(PATIENCE, all).await.expect("all six in time");
}

#[tokio::test]
async fn a_full_row_does_not_hold_up_the_goodbye() {
    let mut setting = short_rows();
    setting.settings.session.close_deadline = 3 * PATIENCE;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    six_calls(&mut station).await;
    assert_eq!(csms.hear().await, heartbeat(0));
    let goodbye = CloseFrame {
        code: 1000.into(),
        reason: "".into(),
    };
    csms.send(Message::Close(Some(goodbye))).await;
    assert_eq!(station.closed().await, Some(1000));
    assert_eq!(csms.closed().await, Some(1000));
    // Its answer to the goodbye was read, so nobody waits for the deadline.
    assert_eq!(how(&scene).await, Closing::Said(Side::Csms, Some(1000)));
}

#[tokio::test]
async fn who_broke_the_rule_is_blamed_even_when_the_other_side_ended_its_wait() {
    let scene = Scene::new().await;
    let knocking = scene.knock_as("CP1", "ocpp2.1", Some(("CP1", PASSWORD)));
    let (station, mut csms) = tokio::join!(knocking, scene.csms.accept());
    let mut station = station.unwrap();
    station.say(&heartbeat(1)).await;
    station.say(&heartbeat(2)).await;
    let mut send = Vec::new();
    let broken = b"[6,\"s\",\"NotifyPeriodicEventStream\",{\"x\":\"\xff\"}]";
    gateway::ws::append_text(&mut send, broken, Some([9; 4]));
    station.socket.get_mut().write_all(&send).await.unwrap();
    for id in [1, 2] {
        assert_eq!(csms.hear().await, heartbeat(id));
        // So that what waits is known to have come before the answer.
        scene.queued(2).await;
        csms.say(&format!(
            r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#
        ))
        .await;
        station.hear().await;
    }
    let refused = station.hear().await;
    assert!(refused.starts_with(r#"[4,"-1","#), "{refused}");
    assert_eq!(station.closed().await, Some(1007));
    assert_eq!(csms.closed().await, Some(1001));
    assert!(matches!(
        how(&scene).await,
        Closing::Protocol(Side::Station, _)
    ));
}

#[tokio::test]
async fn a_station_struck_off_during_its_handshake_does_not_stay() {
    let scene = Scene::new().await;
    let striking = async {
        let stream = scene.csms.accept_raw().await;
        // It has proved itself and waits for its CSMS; now the operator strikes it off.
        scene.book.store(Arc::default());
        assert_eq!(scene.gate.end_unregistered(), 0, "it has no session yet");
        scene.csms.shake_hands(Box::new(stream)).await
    };
    let (station, mut csms) = tokio::join!(scene.knock("CP1"), striking);
    let mut station = station.unwrap();
    let (left, right) = tokio::join!(station.closed(), csms.closed());
    assert_eq!((left, right), (Some(1001), Some(1001)));
    assert_eq!(how(&scene).await, Closing::Operator);
}

#[tokio::test]
async fn a_call_that_repeats_a_waiting_one_joins_it() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    for id in [1, 2, 2, 3] {
        station.say(&heartbeat(id)).await;
    }
    scene.queued(2).await;
    for id in [1, 2, 3] {
        assert_eq!(csms.hear().await, heartbeat(id), "each of them once");
        let answer = format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#);
        csms.say(&answer).await;
        assert_eq!(station.hear().await, answer);
    }
    assert_eq!(scene.gate.counters().snapshot().joined, 1);
}

#[tokio::test]
async fn a_binary_message_does_not_become_a_text_by_waiting() {
    let scene = Scene::new().await;
    let knocking = scene.knock_as("CP1", "ocpp2.1", Some(("CP1", PASSWORD)));
    let (station, mut csms) = tokio::join!(knocking, scene.csms.accept());
    let mut station = station.unwrap();
    station.say(&heartbeat(1)).await;
    station.say(&heartbeat(2)).await;
    let send = br#"[6,"s","NotifyPeriodicEventStream",{}]"#;
    station.send(Message::binary(send.as_slice())).await;
    let refused = station.hear().await;
    assert!(refused.starts_with("[4,"), "{refused}");
    for id in [1, 2] {
        assert_eq!(csms.hear().await, heartbeat(id));
        csms.say(&format!(
            r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#
        ))
        .await;
    }
    station.say(&heartbeat(3)).await;
    assert_eq!(csms.hear().await, heartbeat(3), "nothing in between");
}

#[tokio::test]
async fn an_idle_limit_below_the_ping_interval_is_kept() {
    let mut setting = Setting::default();
    setting.settings.session.idle_after = Duration::from_millis(300);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let (left, right) = tokio::join!(station.closed(), csms.closed());
    assert_eq!((left, right), (Some(1001), Some(1001)));
    assert_eq!(how(&scene).await, Closing::Idle);
}
