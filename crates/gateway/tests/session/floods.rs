//! A18, A19, A20: somebody floods the door, or a session. Honest stations, behind the same address
//! too, are let in and go on talking.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::{
    Book, Closing, Credential, Event, PasswordForm, RefusedHandshake, StationRecord, Tenant,
    Verifier, VerifierKey,
};
use ocpp::{Side, StationId, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::attempts::connect_from;
use crate::authority::Authority;
use crate::scene::{PASSWORD, PATIENCE, Scene, Setting};
use crate::trouble::heartbeat;

const ATTACKER: [u8; 4] = [127, 0, 0, 66];
const HONEST: [u8; 4] = [127, 0, 0, 1];

/// So many connections from there that say no more than `words`.
async fn crowd(scene: &Scene, from: [u8; 4], size: usize, words: &[u8]) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for _ in 0..size {
        let mut stream = connect_from(scene, from).await;
        // The gate may have closed it again by now.
        let _ = stream.write_all(words).await;
        crowd.push(stream);
    }
    crowd
}

/// How many of them the gate has closed.
async fn closed(crowd: &mut [TcpStream]) -> usize {
    let mut closed = 0;
    for stream in crowd {
        let read = timeout(Duration::from_millis(1), stream.read(&mut [0; 64])).await;
        closed += usize::from(matches!(read, Ok(Ok(0) | Err(_))));
    }
    closed
}

/// How often a limit was reached, as far as it has been told.
async fn times_told(scene: &Scene, limit: &'static str, least: u32) {
    let mut times = 0;
    let wanted = RefusedHandshake::Limit(limit);
    let at_least = |event: &Event| {
        times += match event {
            Event::Refused { why, .. } if *why == wanted => 1,
            Event::TurnedAway {
                why, times: more, ..
            } if *why == wanted => *more,
            _ => 0,
        };
        (times >= least).then_some(())
    };
    scene.event(at_least).await;
}

/// A ClientHello, as an honest station sends it; then nothing more.
fn client_hello(authority: &Authority) -> Vec<u8> {
    let connector = authority.station("ECDSA", None);
    let name = "localhost".try_into().unwrap();
    let mut tls =
        tokio_rustls::rustls::ClientConnection::new(connector.config().clone(), name).unwrap();
    let mut bytes = Vec::new();
    tls.write_tls(&mut bytes).unwrap();
    bytes
}

async fn tls_station_comes_in(scene: &Scene, authority: &Authority) {
    let connector = authority.station("ECDSA", None);
    let knock = scene.knock_tls("CP1", &connector, Some(("CP1", PASSWORD)));
    let (station, mut csms) = tokio::join!(knock, scene.csms.accept());
    let (mut station, _) = station.expect("the station is let in");
    station.say(&heartbeat(1)).await;
    assert_eq!(csms.hear().await, heartbeat(1));
}

#[tokio::test]
async fn a18_half_open_connections_crowd_out_one_another() {
    let authority = Authority::new();
    let mut setting = Setting::default();
    setting.settings.listeners[0].tls = Some(authority.listener());
    setting.settings.limits.waiting_max = 100;
    let scene = Scene::with(setting).await;
    // One that has said nothing yet when the flood comes.
    let early = connect_from(&scene, HONEST).await;
    let mut flood = crowd(&scene, ATTACKER, 400, b"").await;
    times_told(&scene, "waiting_max", 300).await;
    assert!(closed(&mut flood).await >= 300);
    let connector = authority.station("ECDSA", None);
    let name = "localhost".try_into().unwrap();
    connector
        .connect(name, early)
        .await
        .expect("it has kept its place");
    tls_station_comes_in(&scene, &authority).await;
    assert!(scene.gate.counters().snapshot().over_limit >= 300);
}

#[tokio::test]
async fn a18_a_flood_of_slow_handshakes_gives_way_to_a_station_behind_the_same_address() {
    let authority = Authority::new();
    let mut setting = Setting::default();
    setting.settings.listeners[0].tls = Some(authority.listener());
    setting.settings.limits.handshakes_max = 8;
    setting.settings.limits.handshakes_per_source_max = 4;
    setting.settings.limits.handshake_grace = Duration::from_millis(300);
    let deadline = setting.settings.limits.tls_deadline;
    let scene = Scene::with(setting).await;
    let hello = client_hello(&authority);
    let begun = Instant::now();
    let _flood = crowd(&scene, HONEST, 8, &hello).await;
    tls_station_comes_in(&scene, &authority).await;
    assert!(begun.elapsed() < deadline / 2, "{:?}", begun.elapsed());
    times_told(&scene, "handshake_grace", 4).await;
}

#[tokio::test]
async fn a18_records_that_never_end_take_no_place() {
    let authority = Authority::new();
    let mut setting = Setting::default();
    setting.settings.listeners[0].tls = Some(authority.listener());
    setting.settings.limits.handshakes_max = 1;
    setting.settings.limits.handshake_grace = Duration::from_secs(60);
    let scene = Scene::with(setting).await;
    let hello = client_hello(&authority);
    let _flood = crowd(&scene, ATTACKER, 50, &hello[..hello.len() - 1]).await;
    tls_station_comes_in(&scene, &authority).await;
}

#[tokio::test]
async fn a18_dribbled_heads_give_way_to_a_station_behind_the_same_address() {
    let mut setting = Setting::default();
    setting.settings.limits.handshakes_max = 4;
    setting.settings.limits.handshakes_per_source_max = 4;
    setting.settings.limits.handshake_grace = Duration::from_millis(200);
    let scene = Scene::with(setting).await;
    let mut flood = crowd(
        &scene,
        HONEST,
        12,
        b"GET /ocpp/CP1 HTTP/1.1\r\nHost: gate\r\n",
    )
    .await;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let dribble = async {
        loop {
            pace.tick().await;
            for stream in &mut flood {
                let _ = stream.write_all(b"X").await;
            }
        }
    };
    let honest = async {
        let (mut station, mut csms) = scene.session("CP2").await;
        station.say(&heartbeat(1)).await;
        assert_eq!(csms.hear().await, heartbeat(1));
        times_told(&scene, "handshake_grace", 8).await;
    };
    tokio::select! {
        () = dribble => {}
        () = honest => {}
    }
}

#[tokio::test]
async fn a18_a_source_is_held_to_its_connections_and_an_exempt_one_is_not() {
    for exempt in [false, true] {
        let mut setting = Setting::default();
        setting.settings.limits.connections_per_source_max = 1;
        if exempt {
            setting.settings.exempt_sources = vec!["127.0.0.0/8".parse().unwrap()];
        }
        let scene = Scene::with(setting).await;
        let (_station, _csms) = scene.session("CP1").await;
        if exempt {
            scene.session("CP2").await;
            continue;
        }
        assert!(scene.knock("CP2").await.is_err());
        times_told(&scene, "connections_per_source_max", 1).await;
        // Another source has its own.
        let stream = connect_from(&scene, [127, 0, 0, 2]).await;
        let basic = Some(("CP2", PASSWORD));
        let knock = scene.upgrade(Box::new(stream), "CP2", "ocpp1.6", basic);
        let (station, _csms) = tokio::join!(knock, scene.csms.accept());
        station.unwrap();
    }
}

#[tokio::test]
async fn a19_a_flood_of_pings_costs_its_sender_the_connection() {
    let mut setting = Setting::default();
    setting.settings.limits.control_frames_max = 100;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let (mut attacker, mut behind) = scene.session("CP2").await;
    // All of them in one piece: the budget holds within a turn as well.
    for _ in 0..101 {
        let ping = Message::Ping(vec![0; 125].into());
        let _ = futures_util::SinkExt::feed(&mut attacker.socket, ping).await;
    }
    let _ = futures_util::SinkExt::flush(&mut attacker.socket).await;
    assert_eq!(attacker.closed().await, Some(1008));
    assert_eq!(behind.closed().await, Some(1001));
    let how = scene
        .event(|event| match event {
            Event::Disconnected { how, .. } => Some(how.clone()),
            _ => None,
        })
        .await;
    assert!(
        matches!(how, Closing::Protocol(Side::Station, _)),
        "{how:?}"
    );
    station.say(&heartbeat(1)).await;
    assert_eq!(csms.hear().await, heartbeat(1));
}

/// A book with so many stations more, on the scene's route.
fn many(scene: &Scene, stations: usize) -> Book {
    let key = VerifierKey::new([7; 32]);
    let record = |number: usize| {
        let verifier = Verifier::fast(PASSWORD, PasswordForm::Octets, &key, [1; 16]).unwrap();
        let id = StationId::parse(&format!("ST{number}"), Version::V16).unwrap();
        let tenant = Tenant(Arc::from("cpo"));
        StationRecord::new(id, tenant, Credential::Password(verifier))
    };
    let book = scene.book.load();
    let (route, _) = book.route("/ocpp/ST0").expect("the scene's route");
    Book::new([route.clone()], (0..stations).map(record)).unwrap()
}

#[tokio::test]
async fn a20_a_reconnect_storm_is_worked_off_in_turn() {
    const STATIONS: usize = 300;
    let mut setting = Setting::default();
    setting.settings.limits.handshakes_max = 16;
    setting.settings.limits.handshakes_per_source_max = 16;
    let scene = Scene::with(setting).await;
    scene.book.store(Arc::new(many(&scene, STATIONS)));
    let scene = Arc::new(scene);
    let csms = {
        let scene = Arc::clone(&scene);
        tokio::spawn(async move {
            let mut ends = Vec::new();
            for _ in 0..STATIONS {
                ends.push(scene.csms.accept().await);
            }
            ends
        })
    };
    let mut storm = JoinSet::new();
    for number in 0..STATIONS {
        let scene = Arc::clone(&scene);
        storm.spawn(async move { scene.knock(&format!("ST{number}")).await });
    }
    let stations = timeout(PATIENCE, storm.join_all()).await.expect("in time");
    assert!(stations.iter().all(Result::is_ok));
    assert_eq!(csms.await.unwrap().len(), STATIONS);
    // A 101 is counted once it has been sent.
    let counted = async {
        while scene.gate.counters().snapshot().admitted < STATIONS as u64 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, counted).await.expect("in time");
    assert_eq!(scene.gate.counters().snapshot().refused, 0);
}

#[tokio::test]
async fn a20_who_waits_too_long_is_turned_away_at_a_time_of_its_own() {
    let mut setting = Setting::default();
    setting.settings.limits.handshakes_max = 1;
    setting.settings.limits.handshake_grace = Duration::from_secs(60);
    setting.settings.limits.waiting_deadline = Duration::from_secs(1);
    let scene = Scene::with(setting).await;
    let begun = Instant::now();
    let mut storm = JoinSet::new();
    for mut stream in crowd(&scene, ATTACKER, 21, b"G").await {
        storm.spawn(async move {
            let _ = stream.read(&mut [0; 64]).await;
            begun.elapsed()
        });
    }
    let mut times = Vec::new();
    // One has the place, and keeps it.
    for _ in 0..20 {
        let next = timeout(PATIENCE, storm.join_next());
        times.push(next.await.expect("in time").unwrap().unwrap());
    }
    times.sort_unstable();
    assert!(times[0] >= Duration::from_millis(450), "{times:?}");
    // Half a second apart at most, and not all at once.
    assert!(
        times[19] - times[0] > Duration::from_millis(100),
        "{times:?}"
    );
}

#[tokio::test]
async fn b12_a_slowed_station_is_still_alive_and_its_answers_come_in_time() {
    let mut setting = Setting::default();
    setting.policy.controls.rate = guard::Mode::Enforce;
    setting.policy.rates.over = guard::rates::Over::Slow;
    setting.policy.rates.heartbeat = guard::rates::Rate {
        burst: 1,
        per_minute: 60,
    };
    // Its silence while it is not read is our doing.
    setting.settings.session.ping_after = Duration::from_millis(300);
    setting.settings.session.pong_deadline = Duration::from_millis(200);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let begun = Instant::now();
    for number in 1..=4 {
        station.say(&heartbeat(number)).await;
        assert_eq!(csms.hear().await, heartbeat(number));
        csms.say(&format!(r#"[3,"{number}",{{}}]"#)).await;
        station.hear().await;
    }
    // The second passes when it comes and slows its sender: two more seconds for two more.
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1900), "{took:?}");
    let by_rate = |event: &Event| match event {
        Event::Message(message) => {
            let mut findings = message.findings.iter();
            findings
                .find(|finding| finding.control == guard::Control::Rate)
                .cloned()
        }
        _ => None,
    };
    let finding = scene.event(by_rate).await;
    assert_eq!(
        (finding.mode, &*finding.kind),
        (guard::Mode::Enforce, "too-many")
    );
}

#[tokio::test]
async fn a19_a_session_that_floods_does_not_keep_its_neighbour_waiting() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let (attacker, _behind) = scene.session("CP2").await;
    let flood = tokio::spawn(async move {
        let mut attacker = attacker;
        // Answers that nobody asked for are refused at once, and wait for nothing.
        let answer = br#"[3,"nobody asked",{}]"#;
        let head = [0x81, 0x80 | answer.len() as u8, 0, 0, 0, 0];
        let flood = [&head[..], &answer[..]].concat().repeat(1000);
        while attacker.socket.get_mut().write_all(&flood).await.is_ok() {}
    });
    let refused = async {
        while scene.gate.counters().snapshot().messages_refused < 1000 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("in time");
    for number in 0..50 {
        station.say(&heartbeat(number)).await;
        assert_eq!(csms.hear().await, heartbeat(number));
        csms.say(&format!(r#"[3,"{number}",{{}}]"#)).await;
        station.hear().await;
    }
    flood.abort();
}
