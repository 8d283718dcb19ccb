//! What passes: the same bytes in the same order, or a refusal that the asker hears of.

use std::time::Duration;

use guard::{Event, Outcome};
use ocpp::HardFault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::scene::{Scene, Setting};

fn heartbeat(id: usize) -> String {
    format!(r#"[2,"{id}","Heartbeat",{{}}]"#)
}

fn beat(id: usize) -> String {
    format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#)
}

#[tokio::test]
async fn bytes_in_are_bytes_out() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let odd = "[ 2 ,\t\"\\u0031\",\"DataTransfer\" , {\"vendorId\":\"caf\u{e9} \\u2603\",\n \"data\":\"x\\/y\"} ]";
    station.say(odd).await;
    assert_eq!(csms.hear().await, odd);
    let answer = "[3, \"1\" ,{\"status\":\"Accepted\" }]";
    csms.say(answer).await;
    assert_eq!(station.hear().await, answer);
    let big = format!(
        r#"[2,"2","DataTransfer",{{"vendorId":"v","data":"{}"}}]"#,
        "x".repeat(60_000)
    );
    csms.say(&big).await;
    assert_eq!(station.hear().await, big);
}

#[tokio::test]
async fn a_row_of_calls_arrives_one_by_one_and_in_order() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    // More than may wait: the rest stays in the socket until there is room.
    for id in 0..100 {
        station.say(&heartbeat(id)).await;
    }
    for id in 0..100 {
        assert_eq!(csms.hear().await, heartbeat(id));
        csms.say(&beat(id)).await;
        assert_eq!(station.hear().await, beat(id));
    }
    assert!(scene.gate.counters().snapshot().queued > 0);
}

#[tokio::test]
async fn a_csms_may_ask_back_before_it_answers() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(&heartbeat(1)).await;
    station.say(&heartbeat(2)).await;
    assert_eq!(csms.hear().await, heartbeat(1));
    let asked = r#"[2,"back","GetConfiguration",{}]"#;
    csms.say(asked).await;
    assert_eq!(station.hear().await, asked);
    let answer = r#"[3,"back",{}]"#;
    station.say(answer).await;
    assert_eq!(
        csms.hear().await,
        answer,
        "it does not wait behind the second Heartbeat"
    );
    csms.say(&beat(1)).await;
    assert_eq!(csms.hear().await, heartbeat(2));
}

#[tokio::test]
async fn a_call_that_waited_too_long_is_refused_and_the_next_goes_on() {
    let mut setting = Setting::default();
    setting.policy.call_timeout = Duration::from_millis(200);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    for id in [1, 2, 3] {
        station.say(&heartbeat(id)).await;
    }
    assert_eq!(csms.hear().await, heartbeat(1));
    // The CSMS never answers: the second one's turn comes when the first one's time is over.
    let refused = station.hear().await;
    assert!(refused.starts_with("[4,\""), "{refused}");
    station.say(&heartbeat(9)).await;
    loop {
        if csms.hear().await == heartbeat(9) {
            break;
        }
    }
}

#[tokio::test]
async fn a_retry_of_an_open_call_joins_it() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(&heartbeat(1)).await;
    assert_eq!(csms.hear().await, heartbeat(1));
    station.say(&heartbeat(1)).await;
    station.say(&heartbeat(2)).await;
    scene
        .event(|event| match event {
            Event::Message(message) if message.outcome == Outcome::Joined => Some(()),
            _ => None,
        })
        .await;
    csms.say(&beat(1)).await;
    assert_eq!(station.hear().await, beat(1));
    assert_eq!(
        csms.hear().await,
        heartbeat(2),
        "the first one did not come twice"
    );
    csms.say(&beat(2)).await;
    station.hear().await;
    // Once it is over, the same CALL is a new one.
    station.say(&heartbeat(1)).await;
    assert_eq!(csms.hear().await, heartbeat(1));
}

#[tokio::test]
async fn nothing_is_lost_behind_the_101() {
    let scene = Scene::new().await;
    // By hand: a frame right behind the request, before any 101.
    let address = scene.gate.addresses()[0];
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let call = heartbeat(1);
    let mut bytes = format!(
        "GET /ocpp/CP1 HTTP/1.1\r\nHost: gate\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {}\r\n\r\n",
        base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            "CP1:correct horse battery"
        )
    )
    .into_bytes();
    gateway::ws::append_text(&mut bytes, call.as_bytes(), Some([1, 2, 3, 4]));
    stream.write_all(&bytes).await.unwrap();
    let mut csms = scene.csms.accept().await;
    assert_eq!(csms.hear().await, call);
    csms.say(&beat(1)).await;
    let mut seen = Vec::new();
    while !seen.ends_with(beat(1).as_bytes()) {
        assert!(stream.read_buf(&mut seen).await.unwrap() > 0);
    }
    assert!(seen.starts_with(b"HTTP/1.1 101"));
}

#[tokio::test]
async fn a_hard_fault_does_not_arrive_and_the_conversation_goes_on() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(r#"[2,"bad","Heartbeat",{"a":1,"a":2}]"#).await;
    let refused = station.hear().await;
    assert!(
        refused.starts_with(r#"[4,"bad","FormationViolation""#),
        "{refused}"
    );
    let fault = scene
        .event(|event| match event {
            Event::Message(message) => match message.outcome {
                Outcome::Refused(_, fault) => Some(fault),
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(fault, Some(HardFault::DuplicateKey));
    station.say(&heartbeat(1)).await;
    assert_eq!(
        csms.hear().await,
        heartbeat(1),
        "the first thing the CSMS hears"
    );
}

#[tokio::test]
async fn a_binary_message_is_refused() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station
        .send(Message::binary(heartbeat(1).into_bytes()))
        .await;
    station.say(&heartbeat(2)).await;
    assert_eq!(csms.hear().await, heartbeat(2));
}

#[tokio::test]
async fn each_side_sends_only_what_is_its_to_send() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(r#"[2,"1","Reset",{"type":"Hard"}]"#).await;
    assert!(station.hear().await.starts_with(r#"[4,"1","#));
    csms.say(r#"[2,"2","BootNotification",{"chargePointVendor":"v","chargePointModel":"m"}]"#)
        .await;
    assert!(csms.hear().await.starts_with(r#"[4,"2","#));
    station.say(r#"[3,"never asked",{}]"#).await;
    station.say(&heartbeat(3)).await;
    assert_eq!(csms.hear().await, heartbeat(3));
}

#[tokio::test]
async fn pings_belong_to_each_hop() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.send(Message::Ping("of the station".into())).await;
    let pong = futures_util::StreamExt::next(&mut station.socket)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(pong, Message::Pong("of the station".into()));
    station.say(&heartbeat(1)).await;
    let first = futures_util::StreamExt::next(&mut csms.socket)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first, Message::text(heartbeat(1)), "the CSMS saw no ping");
}

#[tokio::test]
async fn who_does_not_take_what_is_sent_stops_the_sender_and_loses_nothing() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    // Answers are not queued by us, so a CSMS that reads nothing meets the sockets' own limits.
    let data = "x".repeat(60_000);
    let call =
        |id: usize| format!(r#"[2,"{id}","DataTransfer",{{"vendorId":"v","data":"{data}"}}]"#);
    let count = 300;
    let sending = async {
        for id in 0..count {
            station.say(&call(id)).await;
        }
        for id in 0..count {
            let answer = station.hear().await;
            assert_eq!(answer, format!(r#"[3,"{id}",{{"status":"Accepted"}}]"#));
        }
    };
    let answering = async {
        for id in 0..count {
            assert_eq!(csms.hear().await, call(id));
            csms.say(&format!(r#"[3,"{id}",{{"status":"Accepted"}}]"#))
                .await;
        }
    };
    tokio::time::timeout(crate::scene::PATIENCE, async {
        // tungstenite writes and reads on one end in turn: 18 MB fit nowhere in between.
        let first = sending;
        tokio::join!(first, answering);
    })
    .await
    .expect("all of it passes");
}

#[tokio::test]
async fn a_model_may_send_more_than_others_once_it_has_said_what_it_is() {
    let mut setting = Setting::default();
    setting.policy.controls.schema = guard::Mode::Enforce;
    setting.policy.limits.message_bytes_max = 1024;
    setting.policy.limits.action_bytes_max.clear();
    setting.policy.limits_exceptions = vec![guard::LimitsException {
        maker: "maker ag".to_owned(),
        model: "Wall*".to_owned(),
        limits: ocpp::Limits::default(),
    }];
    let scene = Scene::with(setting).await;
    let long = |id: &str| {
        let data = "x".repeat(3000);
        format!(r#"[2,"{id}","DataTransfer",{{"vendorId":"v","data":"{data}"}}]"#)
    };
    let boot = |model: &str| {
        format!(
            r#"[2,"boot","BootNotification",{{"chargePointVendor":"Maker AG","chargePointModel":"{model}"}}]"#
        )
    };
    let booted =
        r#"[3,"boot",{"status":"Accepted","currentTime":"2026-11-22T10:00:00Z","interval":300}]"#;
    for (model, passes) in [("Wall Box 22", true), ("Pole", false)] {
        let (mut station, mut csms) = scene.session("CP1").await;
        station.say(&boot(model)).await;
        csms.hear().await;
        csms.say(booted).await;
        station.hear().await;
        station.say(&long("after")).await;
        if passes {
            assert_eq!(csms.hear().await, long("after"));
        } else {
            assert_eq!(station.closed().await, Some(1009));
        }
    }
}

#[tokio::test]
async fn a_cap_that_is_only_observed_lets_pass_and_tells() {
    let mut setting = Setting::default();
    setting.policy.controls.schema = guard::Mode::Observe;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let data = "x".repeat(100_000);
    let call = format!(r#"[2,"1","StatusNotification",{{"info":"{data}"}}]"#);
    station.say(&call).await;
    assert_eq!(csms.hear().await, call);
    let found = scene
        .event(|event| match event {
            Event::Message(message) => Some(
                message
                    .findings
                    .iter()
                    .map(|finding| finding.control)
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        })
        .await;
    assert!(found.contains(&guard::Control::Schema), "{found:?}");
}
