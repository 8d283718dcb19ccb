//! A02 and A03: who comes with a station's credential while that station has a session. The thief of
//! these scenes holds the right password.

use std::time::Duration;

use guard::{Closing, Event, Mode, RefusedHandshake};
use tokio_tungstenite::tungstenite::Error;

use crate::scene::{End, Scene, Setting};
use crate::trouble::{flood, heartbeat, six_calls};

/// Nobody waits long for a station that is gone.
fn hasty() -> Setting {
    let mut setting = patient();
    setting.settings.limits.probe_deadline = Duration::from_millis(400);
    setting.settings.session.close_deadline = Duration::from_millis(400);
    setting
}

/// A station that is there has all the time a busy machine may need.
fn patient() -> Setting {
    let mut setting = Setting::default();
    setting.settings.limits.probe_deadline = Duration::from_secs(60);
    setting.settings.limits.takeover_deadline = Duration::from_secs(60);
    setting.settings.limits.probe_pause = Duration::ZERO;
    setting
}

/// Refused with 503.
fn is_refused(outcome: &Result<End, Error>) -> bool {
    matches!(outcome, Err(Error::Http(response)) if response.status().as_u16() == 503)
}

/// What was told of the next one that was refused: from where it came, and the live session.
async fn told(scene: &Scene) -> (std::net::SocketAddr, RefusedHandshake) {
    scene
        .event(|event| match event {
            Event::Refused { peer, why, .. } => Some((*peer, why.clone())),
            _ => None,
        })
        .await
}

/// A thief knocks while the station answers its pings: polled for whatever comes, it hears nothing.
async fn knock_beside(scene: &Scene, station: &mut End) -> Result<End, Error> {
    tokio::select! {
        outcome = scene.knock("CP1") => outcome,
        heard = station.hear() => panic!("the station noticed: {heard}"),
    }
}

/// Both ends still talk to each other.
async fn talks(station: &mut End, csms: &mut End, id: usize) {
    station.say(&heartbeat(id)).await;
    assert_eq!(csms.hear().await, heartbeat(id));
    let answer = format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#);
    csms.say(&answer).await;
    assert_eq!(station.hear().await, answer);
}

#[tokio::test]
async fn a02_a_living_session_is_never_taken_and_its_station_notices_nothing() {
    let scene = Scene::with(patient()).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    // The station has its 101 a moment before the session is listed.
    let holder = scene
        .event(|event| match event {
            Event::Connected { session, .. } => Some(session.peer),
            _ => None,
        })
        .await;
    // More often than a station may send pongs within one ping interval.
    for round in 0..3 {
        assert!(is_refused(&knock_beside(&scene, &mut station).await));
        let (newcomer, why) = told(&scene).await;
        assert_eq!(why, RefusedHandshake::SessionAlive { holder });
        assert_ne!(newcomer, holder, "both addresses are told");
        talks(&mut station, &mut csms, round).await;
    }
    assert!(
        scene.csms.nobody_came(),
        "the CSMS saw no second connection"
    );
}

#[tokio::test]
async fn a02_a_thief_who_knocks_without_end_gets_no_session_closed() {
    let mut setting = patient();
    setting.settings.limits.control_frames_max = 5;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    for _ in 0..12 {
        assert!(is_refused(&knock_beside(&scene, &mut station).await));
    }
    talks(&mut station, &mut csms, 1).await;
}

#[tokio::test]
async fn a02_who_has_just_answered_is_not_asked_again() {
    let mut setting = patient();
    setting.settings.limits.probe_pause = Duration::from_secs(3600);
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    assert!(is_refused(&knock_beside(&scene, &mut station).await));
    // Nobody polls the station now, so it would not answer.
    assert!(is_refused(&scene.knock("CP1").await));
    talks(&mut station, &mut csms, 1).await;
}

#[tokio::test]
async fn a02_a_half_open_socket_is_taken_over() {
    let scene = Scene::with(hasty()).await;
    // The old socket is held and never polled: it is open, and nobody is behind it.
    let (_old, mut old_csms) = scene.session("CP1").await;
    let (newcomer, (told, mut csms)) = tokio::join!(scene.knock("CP1"), async {
        // The CSMS hears the old one's goodbye before it sees the new one's request.
        let told = old_csms.closed().await;
        (told, scene.csms.accept().await)
    });
    assert_eq!(told, Some(1001));
    let mut newcomer = newcomer.expect("the station's new socket is let in");
    talks(&mut newcomer, &mut csms, 1).await;
    let now_here = scene.gate.sessions();
    assert_eq!(now_here.len(), 1);
    let ended = scene.event(|event| match event {
        Event::Disconnected { how, .. } => Some(how.clone()),
        _ => None,
    });
    assert_eq!(ended.await, Closing::Displaced(now_here[0].peer));
}

#[tokio::test]
async fn a03_an_upstream_that_does_not_answer_the_goodbye_is_gone_before_the_next_one_is_dialled() {
    let scene = Scene::with(hasty()).await;
    let (_old, old_csms) = scene.session("CP1").await;
    let (newcomer, mut csms) = tokio::join!(scene.knock("CP1"), scene.csms.accept());
    assert_eq!(scene.gate.counters().snapshot().ended, 1);
    // Kept by a CSMS that does not read: the gate's end of it is closed all the same.
    drop(old_csms);
    talks(&mut newcomer.unwrap(), &mut csms, 1).await;
}

#[tokio::test]
async fn a02_a_b_a() {
    let scene = Scene::with(hasty()).await;
    let (old, mut old_csms) = scene.session("CP1").await;
    // B comes while A's socket is half-open, and gets its place …
    let (newcomer, mut csms) = tokio::join!(scene.knock("CP1"), async {
        old_csms.closed().await;
        scene.csms.accept().await
    });
    let mut newcomer = newcomer.unwrap();
    // … A's late end does not touch it …
    drop((old, old_csms));
    talks(&mut newcomer, &mut csms, 1).await;
    // … and A does not get it back while B lives.
    assert!(is_refused(&knock_beside(&scene, &mut newcomer).await));
    talks(&mut newcomer, &mut csms, 2).await;
    assert_eq!(scene.gate.sessions().len(), 1);
}

#[tokio::test]
async fn a02_of_two_newcomers_at_once_one_is_let_in_and_the_csms_sees_one() {
    let scene = Scene::with(hasty()).await;
    let (_old, mut old_csms) = scene.session("CP1").await;
    let (one, two, mut csms) = tokio::join!(scene.knock("CP1"), scene.knock("CP1"), async {
        assert_eq!(old_csms.closed().await, Some(1001));
        scene.csms.accept().await
    });
    let (_, why) = told(&scene).await;
    assert_eq!(why, RefusedHandshake::AlreadyConnected);
    let mut newcomer = match (one, two) {
        (Ok(in_), refused) | (refused, Ok(in_)) => {
            assert!(is_refused(&refused));
            in_
        }
        _ => panic!("nobody was let in"),
    };
    talks(&mut newcomer, &mut csms, 1).await;
    assert!(scene.csms.nobody_came());
}

#[tokio::test]
async fn a02_a_station_whose_row_of_calls_is_full_counts_as_alive() {
    let mut setting = patient();
    setting.settings.limits.calls_queued_max = 2;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    six_calls(&mut station).await;
    scene.queued(2).await;
    assert!(is_refused(&knock_beside(&scene, &mut station).await));
    // And nothing of what it had sent before is lost or out of order.
    for id in 0..6 {
        assert_eq!(csms.hear().await, heartbeat(id));
        let answer = format!(r#"[3,"{id}",{{"currentTime":"2026-11-22T10:00:00Z"}}]"#);
        csms.say(&answer).await;
        assert_eq!(station.hear().await, answer);
    }
}

#[tokio::test]
async fn a02_a_full_row_left_behind_by_a_dead_station_is_no_sign_of_life() {
    let mut setting = hasty();
    setting.settings.limits.calls_queued_max = 2;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    six_calls(&mut station).await;
    scene.queued(2).await;
    // It lies in the gate's socket, unread, when the newcomer comes.
    six_calls(&mut station).await;
    let (newcomer, ()) = tokio::join!(scene.knock("CP1"), async {
        assert_eq!(csms.hear().await, heartbeat(0));
        csms.passed_until_closed().await;
        scene.csms.accept().await;
    });
    newcomer.expect("the station's new socket is let in");
}

#[tokio::test]
async fn a02_a_station_that_takes_nothing_any_more_is_taken_over() {
    let mut setting = hasty();
    setting.policy.controls.pipelining = Mode::Off;
    setting.policy.controls.correlation = Mode::Off;
    let scene = Scene::with(setting).await;
    let (_station, mut csms) = scene.session("CP1").await;
    flood(&mut csms).await;
    // The CSMS's goodbye lies behind what it cannot get rid of: it is gone by the deadline.
    let (newcomer, _csms) = tokio::join!(scene.knock("CP1"), scene.csms.accept());
    newcomer.expect("the station's new socket is let in");
}

#[tokio::test]
async fn a02_a_station_that_is_slow_to_take_a_lot_counts_as_alive() {
    let mut setting = patient();
    setting.policy.controls.pipelining = Mode::Off;
    setting.policy.controls.correlation = Mode::Off;
    let scene = Scene::with(setting).await;
    let (mut station, mut csms) = scene.session("CP1").await;
    flood(&mut csms).await;
    // It reads on at its own pace, and says nothing; its pong would come long after all that.
    let reading = async {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        loop {
            pace.tick().await;
            station.read_only().await;
        }
    };
    tokio::select! {
        outcome = scene.knock("CP1") => assert!(is_refused(&outcome)),
        () = reading => {}
    }
}

#[tokio::test]
async fn a02_at_the_defaults_the_worst_takeover_is_done_within_15_seconds() {
    let scene = Scene::new().await;
    // Nobody is behind the old socket, and its CSMS does not answer the goodbye either.
    let (_old, _old_csms) = scene.session("CP1").await;
    let begun = std::time::Instant::now();
    let (newcomer, mut csms) = tokio::join!(scene.knock("CP1"), scene.csms.accept());
    let taken = begun.elapsed();
    assert!(taken <= Duration::from_secs(15), "it took {taken:?}");
    talks(&mut newcomer.unwrap(), &mut csms, 1).await;
}
