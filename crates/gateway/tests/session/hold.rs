//! A gate that waits for the disk: nothing is passed on before its record is durable. The scene keeps
//! the record itself, and says how far it is.

use std::time::Duration;

use gateway::{Batch, Ordinal};
use guard::{Event, MessageKind};
use tokio_tungstenite::tungstenite::Error;

use crate::scene::{End, PATIENCE, Scene, Setting};
use crate::trouble::heartbeat;

/// Messages wait for so long.
fn waiting(patience: Duration) -> Setting {
    let mut setting = Setting {
        waits: Some(patience),
        ..Setting::default()
    };
    // Patience is never more than half of it.
    setting.settings.session.close_deadline = PATIENCE * 4;
    setting.settings.limits.takeover_deadline = PATIENCE * 8;
    setting
}

impl Scene {
    /// What is told until so many messages of sessions are; nothing of it is durable yet.
    async fn told(&self, messages: usize) -> Ordinal {
        let is_message = |batch: &Batch| {
            let messages = batch
                .iter()
                .filter(|(event, _)| matches!(event, Event::Message(_)));
            messages.count()
        };
        let (mut count, mut through) = (0, Ordinal::default());
        while count < messages {
            let batch = tokio::time::timeout(PATIENCE, self.events.batch()).await;
            let batch = batch.expect("the message is told in time");
            count += is_message(&batch);
            through = batch.through();
        }
        through
    }

    fn is_durable(&self, through: Ordinal) {
        self.events.made_durable(through, Duration::ZERO);
    }

    /// Sessions that wait.
    async fn expect_waiting(&self, count: usize) {
        let durable = self.events.durable().expect("messages wait");
        let looking = async {
            while durable.waiting() != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, looking).await;
        in_time.expect("so many sessions wait");
    }
}

/// Nothing has come while the gate went round for somebody else.
async fn hears_nothing(end: &mut End) {
    let heard = tokio::time::timeout(Duration::from_millis(100), end.hear()).await;
    assert!(heard.is_err(), "{heard:?} came before its record");
}

fn answer(id: usize) -> String {
    format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#)
}

#[tokio::test]
async fn nothing_passes_in_either_direction_before_its_record_is_durable() {
    let scene = Scene::with(waiting(PATIENCE)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    for id in 0..5 {
        station.say(&heartbeat(id)).await;
        let told = scene.told(1).await;
        scene.expect_waiting(1).await;
        hears_nothing(&mut csms).await;
        scene.is_durable(Ordinal(told.0 - 1));
        scene.expect_waiting(1).await;
        scene.is_durable(told);
        assert_eq!(csms.hear().await, heartbeat(id));
        csms.say(&answer(id)).await;
        let told = scene.told(1).await;
        hears_nothing(&mut station).await;
        scene.is_durable(told);
        assert_eq!(station.hear().await, answer(id));
    }
    let durable = scene.events.durable().expect("messages wait");
    assert_eq!((durable.unwaited(), durable.waiting()), (0, 0));
}

#[tokio::test]
async fn a_refusal_of_ours_waits_as_well() {
    let scene = Scene::with(waiting(PATIENCE)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say("[2,\"1\",\"NoSuchAction\"").await;
    let told = scene.told(1).await;
    scene.expect_waiting(1).await;
    station.say(&heartbeat(2)).await;
    scene.is_durable(told);
    let told = scene.told(1).await;
    scene.is_durable(told);
    assert_eq!(
        csms.hear().await,
        heartbeat(2),
        "the broken one is not passed"
    );
}

#[tokio::test]
async fn a_disk_that_hangs_costs_one_wait_and_is_waited_for_again_when_it_goes() {
    let patience = Duration::from_millis(300);
    let scene = Scene::with(waiting(patience)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let began = std::time::Instant::now();
    station.say(&heartbeat(0)).await;
    assert_eq!(csms.hear().await, heartbeat(0), "the road goes on");
    assert!(began.elapsed() >= patience);
    let durable = scene.events.durable().expect("messages wait").clone();
    assert!(durable.has_gone_on());
    // Were each to wait, this would take half a minute.
    for id in 1..50 {
        csms.say(&answer(id - 1)).await;
        assert_eq!(station.hear().await, answer(id - 1));
        station.say(&heartbeat(id)).await;
        assert_eq!(csms.hear().await, heartbeat(id));
    }
    assert_eq!((durable.times(), durable.unwaited()), (1, 99));
    let told = scene.told(99).await;
    scene.is_durable(told);
    assert!(!durable.has_gone_on(), "all that was told is durable");
    csms.say(&answer(49)).await;
    let told = scene.told(1).await;
    scene.expect_waiting(1).await;
    scene.is_durable(told);
    assert_eq!(station.hear().await, answer(49));
    assert_eq!(durable.unwaited(), 99);
}

#[tokio::test]
async fn what_is_held_comes_before_the_goodbye() {
    let scene = Scene::with(waiting(PATIENCE)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(&heartbeat(7)).await;
    station.socket.close(None).await.expect("it says goodbye");
    let told = scene.told(1).await;
    scene.expect_waiting(1).await;
    hears_nothing(&mut csms).await;
    scene.is_durable(told);
    assert_eq!(csms.hear().await, heartbeat(7));
    assert!(csms.closed().await.is_some());
}

#[tokio::test]
async fn a_session_that_the_gate_ends_says_what_it_holds_first() {
    let patience = Duration::from_millis(300);
    let scene = Scene::with(waiting(patience)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(&heartbeat(7)).await;
    scene.expect_waiting(1).await;
    let ended = scene.gate.shut_down(PATIENCE);
    let heard = async {
        let first = csms.hear().await;
        let last = csms.closed().await;
        station.passed_until_closed().await;
        (first, last)
    };
    let ((first, last), _) = tokio::join!(heard, ended);
    assert_eq!((first, last), (heartbeat(7), Some(1001)));
}

#[tokio::test]
async fn calls_that_waited_keep_their_order_and_each_waits_for_its_record() {
    let scene = Scene::with(waiting(PATIENCE)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    for id in 0..4 {
        station.say(&heartbeat(id)).await;
    }
    for id in 0..4 {
        let told = scene.told(1).await;
        hears_nothing(&mut csms).await;
        scene.is_durable(told);
        assert_eq!(csms.hear().await, heartbeat(id));
        // The answer, and the next CALL whose turn it ends the wait for, are told together.
        csms.say(&answer(id)).await;
        if id == 3 {
            let told = scene.told(1).await;
            scene.is_durable(told);
        }
    }
    for id in 0..4 {
        assert_eq!(station.hear().await, answer(id));
    }
}

#[tokio::test]
async fn a02_a_station_whose_message_waits_for_the_disk_is_still_alive() {
    let mut setting = waiting(PATIENCE);
    setting.settings.limits.probe_deadline = PATIENCE;
    setting.settings.limits.probe_pause = Duration::ZERO;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(&heartbeat(1)).await;
    let told = scene.told(1).await;
    scene.expect_waiting(1).await;
    // The thief has the right password; the station answers its ping while its message waits.
    let outcome = tokio::select! {
        outcome = scene.knock("CP1") => outcome,
        heard = station.hear() => panic!("the station noticed: {heard}"),
    };
    let Err(Error::Http(response)) = outcome else {
        panic!("the thief got in");
    };
    assert_eq!(response.status().as_u16(), 503);
    scene.expect_waiting(1).await;
    scene.is_durable(told);
    assert_eq!(csms.hear().await, heartbeat(1));
}

#[tokio::test]
async fn many_sessions_share_what_becomes_durable() {
    let scene = Scene::with(waiting(PATIENCE)).await;
    let (mut first, mut first_csms) = scene.session("CP1").await;
    let (mut second, mut second_csms) = scene.session("CP2").await;
    first.say(&heartbeat(1)).await;
    second.say(&heartbeat(2)).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let batch = scene.events.batch().await;
        told.extend(batch.iter().filter_map(|(event, _)| match event {
            Event::Message(message) => Some(message.kind),
            _ => None,
        }));
    }
    assert_eq!(told, [MessageKind::Call; 2]);
    scene.expect_waiting(2).await;
    // Two greetings and two messages.
    scene.is_durable(Ordinal(4));
    assert_eq!(first_csms.hear().await, heartbeat(1));
    assert_eq!(second_csms.hear().await, heartbeat(2));
}
