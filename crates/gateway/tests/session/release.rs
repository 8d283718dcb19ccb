//! Refused messages that money hangs on: kept, and released when an operator says so.

use std::time::Duration;

use gateway::Released;
use guard::{Mode, Secret, Tenant};
use ocpp::{StationId, Version};
use tokio::sync::oneshot;

use crate::scene::{PATIENCE, Scene, Setting};

const STOP: &str = r#"[2,"stop-1","StopTransaction",{"meterStop":"7","timestamp":"2026-01-01T00:00:00Z","transactionId":5}]"#;
const HEARTBEAT: &str = r#"[2,"hb","Heartbeat",{}]"#;
const TIME: &str = r#"[3,"hb",{"currentTime":"2026-01-01T00:00:00Z"}]"#;

/// A gate that refuses what breaks the schema, also of a transaction.
async fn scene(call_timeout: Duration) -> Scene {
    let mut setting = Setting::default();
    setting.policy.call_timeout = call_timeout;
    let scope = guard::Scope {
        who: guard::Who::Stations {
            tenant: Tenant("cpo".into()),
            identities: vec!["CP*".to_owned()],
        },
        modes: vec![(guard::Control::Schema, Mode::Enforce)],
    };
    setting.policy.scopes = guard::Scopes::new(vec![scope], Vec::new(), guard::Relaxed::default());
    Scene::with(setting).await
}

/// Releases a message in the station's session, which begins a moment after its station has the 101.
async fn release(scene: &Scene, text: &str) -> oneshot::Receiver<Released> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(told) = try_release(scene, text) {
            return told;
        }
        assert!(tokio::time::Instant::now() < deadline, "there is a session");
        tokio::task::yield_now().await;
    }
}

fn try_release(scene: &Scene, text: &str) -> Option<oneshot::Receiver<Released>> {
    let station = StationId::parse("CP1", Version::V16).unwrap();
    let text = Secret::new(text.as_bytes().to_vec());
    scene.gate.release(&Tenant("cpo".into()), &station, text)
}

async fn outcome(told: oneshot::Receiver<Released>) -> Option<Released> {
    let told = tokio::time::timeout(PATIENCE, told).await;
    told.expect("the outcome is told").ok()
}

#[tokio::test]
async fn a_refused_stop_is_kept_and_passes_when_it_is_released() {
    let scene = scene(Duration::from_secs(60)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(STOP).await;
    assert!(station.hear().await.starts_with(r#"[4,"stop-1","#));
    let kept = scene.kept.take(9);
    let [message] = kept.as_slice() else {
        panic!("{} messages kept", kept.len());
    };
    assert_eq!(message.text.expose(), STOP.as_bytes());
    assert_eq!(
        (message.action, message.control),
        ("StopTransaction", Some(guard::Control::Schema))
    );
    assert!(!message.why.is_empty() && !message.why.contains("stop-1"));

    let told = release(&scene, STOP).await;
    assert_eq!(csms.hear().await, STOP, "byte for byte");
    // The station is served meanwhile, and hears nothing of the other's answer.
    csms.say(r#"[3,"stop-1",{}]"#).await;
    assert_eq!(outcome(told).await, Some(Released::Accepted));
    station.say(HEARTBEAT).await;
    assert_eq!(csms.hear().await, HEARTBEAT);
    csms.say(TIME).await;
    assert_eq!(station.hear().await, TIME);
}

#[tokio::test]
async fn a_release_waits_for_its_turn_and_hears_an_error() {
    let scene = scene(Duration::from_secs(60)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(HEARTBEAT).await;
    assert_eq!(csms.hear().await, HEARTBEAT);
    let told = release(&scene, STOP).await;
    csms.say(TIME).await;
    assert_eq!(
        csms.hear().await,
        STOP,
        "after the answer to what was in flight"
    );
    csms.say(r#"[4,"stop-1","FormationViolation","no",{}]"#)
        .await;
    assert_eq!(
        outcome(told).await,
        Some(Released::Error(Some("FormatViolation")))
    );
    assert_eq!(station.hear().await, TIME);
}

#[tokio::test]
async fn what_cannot_be_sent_is_said() {
    let scene = scene(Duration::from_millis(300)).await;
    assert!(try_release(&scene, STOP).is_none(), "nobody is connected");
    let (station, mut csms) = scene.session("CP1").await;
    let twice = r#"[2,"x","StopTransaction",{"meterStop":1,"meterStop":2}]"#;
    let told = release(&scene, twice).await;
    assert!(matches!(outcome(told).await, Some(Released::NotSent(_))));

    let told = release(&scene, STOP).await;
    assert_eq!(csms.hear().await, STOP);
    assert_eq!(outcome(told).await, Some(Released::Unanswered));

    let told = release(&scene, STOP).await;
    assert!(
        matches!(outcome(told).await, Some(Released::NotSent(why)) if why.contains("id")),
        "its id has been used in this session"
    );

    let other = STOP.replace("stop-1", "stop-2");
    let told = release(&scene, &other).await;
    assert_eq!(csms.hear().await, other);
    drop((station, csms));
    assert_eq!(outcome(told).await, None, "the session has ended");
}

#[tokio::test]
async fn a_station_that_asks_again_under_the_id_of_a_release_gets_the_answer() {
    let scene = scene(Duration::from_secs(60)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    station.say(STOP).await;
    assert!(station.hear().await.starts_with(r#"[4,"stop-1","#));
    let told = release(&scene, STOP).await;
    assert_eq!(csms.hear().await, STOP);
    station.say(STOP).await;
    let mut refused = 0;
    let second_refusal = |event: &guard::Event| {
        if let guard::Event::Message(message) = event {
            refused += usize::from(matches!(message.outcome, guard::Outcome::Refused(..)));
        }
        (refused == 2).then_some(())
    };
    scene.event(second_refusal).await;
    csms.say(r#"[3,"stop-1",{}]"#).await;
    assert_eq!(outcome(told).await, Some(Released::Accepted));
    assert_eq!(station.hear().await, r#"[3,"stop-1",{}]"#);
}

#[tokio::test]
async fn an_answer_to_a_release_that_cannot_be_read_is_not_the_stations() {
    let scene = scene(Duration::from_secs(60)).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    let told = release(&scene, STOP).await;
    assert_eq!(csms.hear().await, STOP);
    csms.say(r#"[3,"stop-1",{"idTagInfo":{"status":"a","status":"b"}}]"#)
        .await;
    assert_eq!(outcome(told).await, Some(Released::Unanswered));
    station.say(HEARTBEAT).await;
    assert_eq!(csms.hear().await, HEARTBEAT);
    csms.say(TIME).await;
    assert_eq!(station.hear().await, TIME, "and nothing before it");
}
