//! One live session a station: nobody takes a living one, and a dead one is gone before the next.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use sim::attack::Saw;
use sim::{Admission, Ended};

use crate::scene::gate::eventually_in;
use crate::street::{STOLEN, Street, THIEF, turned_away};

/// As long as a station whose socket is half open may have to wait.
const TAKEOVER_MAX: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn a02_a_live_session_is_displaced_at_enforce() {
    let street = Street::with("").await;
    // The thief is the one who comes second: it holds the right password, and the station is there.
    let saw = street.attack("second-connection").await;
    assert_eq!(saw, Saw::TurnedAway(503));
    assert_eq!(street.csms.sessions(THIEF).len(), 1);
    street.counted_refusals("session-alive", 1);
    street.gate.expect_line("refused: somebody else came");
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_a_shadow_session_stays_beside_the_next_one_at_enforce() {
    let street = Street::with("").await;
    let (station, old) = street.talk(&street.thief()).await;
    // Whether the old one was over when the CSMS was asked for the next.
    let over = Arc::new(Mutex::new(None));
    let (seen, watched) = (Arc::clone(&over), old.clone());
    street.csms.admit(move |handshake| {
        if handshake.identity() == THIEF {
            *seen.lock().unwrap() = Some(watched.ended().is_some());
        }
        Admission::Accept
    });
    // Its mobile link went away, and nobody has said goodbye; then the station comes anew.
    station.freeze().unwrap();
    let begun = Instant::now();
    // As stations do it tries again: it may be a moment before its old socket is quite still.
    let again = street.thief();
    let station = eventually_in(async || again.connect().await.ok(), "a takeover").await;
    assert!(begun.elapsed() < TAKEOVER_MAX, "{:?}", begun.elapsed());
    assert_eq!(*over.lock().unwrap(), Some(true), "two sessions at once");
    assert!(matches!(old.over().await, Ended::Closed(Some(1001), _)));
    station.call("Heartbeat", json!({})).await.unwrap();
    // And this one lives: it is not taken by the same credential.
    let again = street.stranger_from(THIEF, 1).password(STOLEN);
    assert_eq!(turned_away(&again).await, 503);
    station.call("Heartbeat", json!({})).await.unwrap();
    street.honest_notices_nothing().await;
}
