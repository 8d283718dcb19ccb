//! How a gate empties itself: spread over a window, and nobody loses an answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::{Book, Closing, StationRecord};
use ocpp::{StationId, Version};

use crate::farewell::how;
use crate::scene::{PATIENCE, Scene, Setting};

/// Stations like CP1, under these names.
fn register(scene: &Scene, names: &[String]) {
    let book = scene.book.load_full();
    let mut stations = book.stations().iter();
    let first = stations.find(|station| station.id.as_str() == "CP1");
    let stations = names.iter().map(|name| StationRecord {
        id: StationId::parse(name, Version::V16).unwrap(),
        ..StationRecord::clone(first.unwrap())
    });
    let book = Book::new(book.routes().cloned(), stations).unwrap();
    scene.book.store(Arc::new(book));
}

/// A session is listed a moment after its 101.
async fn all_seated(scene: &Scene, stations: usize) {
    let seated = async {
        while scene.gate.sessions().len() < stations {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, seated).await.unwrap();
}

#[tokio::test]
async fn a_call_in_flight_gets_its_answer_before_the_goodbye() {
    let scene = Scene::new().await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(r#"[2,"1","Heartbeat",{}]"#).await;
    csms.hear().await;
    let drained = tokio::spawn(scene.gate.drain(Duration::ZERO));
    // A second one comes while the first is open: it is served as well.
    station.say(r#"[2,"2","Heartbeat",{}]"#).await;
    for id in ["1", "2"] {
        let answer = format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T12:00:00Z"}}]"#);
        csms.say(&answer).await;
        assert_eq!(station.hear().await, answer);
        if id == "1" {
            csms.hear().await;
        }
    }
    assert_eq!(station.closed().await, Some(1001));
    assert_eq!(csms.closed().await, Some(1001));
    drained.await.unwrap();
    assert_eq!(how(&scene).await, Closing::Operator);
}

#[tokio::test]
async fn an_answer_that_does_not_come_keeps_nobody_longer_than_the_close_deadline() {
    let mut setting = Setting::default();
    setting.settings.session.close_deadline = Duration::from_millis(300);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(r#"[2,"1","Heartbeat",{}]"#).await;
    csms.hear().await;
    let begin = Instant::now();
    let drained = tokio::spawn(scene.gate.drain(Duration::ZERO));
    assert_eq!(station.closed().await, Some(1001));
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert_eq!(csms.closed().await, Some(1001));
    drained.await.unwrap();
}

#[tokio::test]
async fn a_drain_is_spread_over_its_window() {
    const STATIONS: usize = 10;
    let window = Duration::from_secs(1);
    let scene = Scene::new().await;
    let names: Vec<_> = (1..=STATIONS).map(|number| format!("CP{number}")).collect();
    register(&scene, &names);
    let mut sessions = Vec::new();
    for name in &names {
        sessions.push(scene.session(name).await);
    }
    all_seated(&scene, STATIONS).await;
    let begin = Instant::now();
    let drained = tokio::spawn(scene.gate.drain(window));
    let mut ends = Vec::new();
    for (mut station, mut csms) in sessions {
        ends.push(tokio::spawn(async move {
            assert_eq!(station.closed().await, Some(1001));
            let end = begin.elapsed();
            assert_eq!(csms.closed().await, Some(1001));
            end
        }));
    }
    let mut late = 0;
    for end in ends {
        late += usize::from(end.await.unwrap() >= window / 2);
    }
    drained.await.unwrap();
    assert!((1..STATIONS).contains(&late), "{late} in the second half");
}

#[tokio::test]
async fn only_those_depart_who_are_named() {
    let scene = Scene::new().await;
    let (mut leaver, _its_csms) = scene.session("CP1").await;
    let (mut stayer, mut csms) = scene.session("CP2").await;
    all_seated(&scene, 2).await;
    let sessions = scene.gate.sessions();
    let number = |name: &str| {
        let mut sessions = sessions.iter();
        sessions
            .find(|one| one.station.as_str() == name)
            .unwrap()
            .number
    };
    let leaving = HashSet::from([number("CP1")]);
    scene.gate.depart(leaving, Duration::ZERO).await;
    assert_eq!(leaver.closed().await, Some(1001));
    stayer.say(r#"[2,"1","Heartbeat",{}]"#).await;
    csms.hear().await;
    assert_eq!(scene.gate.end_sessions(&HashSet::from([number("CP2")])), 1);
    assert_eq!(stayer.closed().await, Some(1001));
}
