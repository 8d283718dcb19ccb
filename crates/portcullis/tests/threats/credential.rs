//! Who somebody is: credentials, and guesses at them. Identity has no observe mode: it fails closed.

use serde_json::json;
use sim::attack::Saw;
use sim::{ConnectError, Reply, Station};

use crate::street::{
    CHOSEN, CHOSEN_PASSWORD, PASSWORD, STOLEN, Street, THIEF, VICTIM, turned_away,
};

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_station_is_impersonated_without_a_credential_at_enforce() {
    let street = Street::with("").await;
    assert_eq!(street.attack("no-credential").await, Saw::TurnedAway(401));
    street.nobody_arrived();
    street.counted_refusals("no-credential", 1);
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_identities_are_tried_out_at_enforce() {
    let street = Street::with("[canaries]\nidentities = [\"CP-000001\"]").await;
    let told = |error: ConnectError| match error {
        ConnectError::Refused { status, body, .. } => (status, body),
        other => panic!("{other}"),
    };
    let wrong = street.stranger(VICTIM).password(STOLEN);
    let unknown = street.stranger("CP-0815").password(STOLEN);
    let canary = street.stranger("CP-000001").password(STOLEN);
    let known = told(wrong.connect().await.err().unwrap());
    assert_eq!(known.0, 401);
    for station in [unknown, canary] {
        assert_eq!(told(station.connect().await.err().unwrap()), known);
    }
    street.gate.expect_line("somebody tries identities out");
    street.counted_refusals("canary", 1);
    street.nobody_arrived();
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_passwords_are_guessed_at_enforce() {
    let street = Street::with("[attempts]\ndelay_max_seconds = 1").await;
    let guesser = street.stranger_from(CHOSEN, 1);
    let mut told = Vec::new();
    for guess in 0..7 {
        told.push(turned_away(&guesser.clone().password(format!("opensesame{guess}"))).await);
    }
    assert_eq!(told, [401, 401, 401, 401, 401, 429, 429]);
    // Even a right guess is of no use there any more; the station comes in from where it is.
    assert_eq!(turned_away(&guesser.password(CHOSEN_PASSWORD)).await, 429);
    street.nobody_arrived();
    street.counted_refusals("attempts-of-pair", 3);
    let station = street.stranger(CHOSEN).password(CHOSEN_PASSWORD);
    let (station, _) = street.talk(&station).await;
    station.call("Heartbeat", json!({})).await.unwrap();
    street.honest_notices_nothing().await;
}

/// Whoever has read the password at one station tries it at the next.
async fn try_shared_password(more: &str) -> (Street, Station) {
    let street = Street::with(more).await;
    let station = street.stranger_from(VICTIM, 1).password(PASSWORD);
    (street, station)
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_a_password_is_shared_at_enforce() {
    let (street, thief) = try_shared_password("[passwords]\nweak = \"refuse\"").await;
    assert_eq!(turned_away(&thief).await, 401);
    street.nobody_arrived();
    street.counted_refusals("weak-password", 1);
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_a_password_is_shared_at_observe() {
    let (street, thief) = try_shared_password("[passwords]\nweak = \"tell\"").await;
    let _talk = street.talk(&thief).await;
    let metric = "portcullis_weak_passwords_total{why=\"shared\"} 1";
    street.gate.expect_metric(metric);
    street
        .gate
        .expect_line("a station came in with a weak password");
    street.honest_notices_nothing().await;
}

/// The password is changed, the answer is lost on the way: from now on the station shows the new one,
/// and a gate that has not listened would lock it out. A guesser gains nothing by it.
#[tokio::test(flavor = "multi_thread")]
async fn d03_a_station_is_locked_out_by_a_change_at_enforce() {
    let street = Street::with("").await;
    let new = "77c10bd3f52866ee9a4e";
    let forgetful = street.thief().answering(|_| Reply::Nothing);
    let (station, csms) = street.talk(&forgetful).await;
    let value = json!({ "key": "AuthorizationKey", "value": new });
    let id = csms.fresh_id();
    let _asked = csms.begin(&id, "ChangeConfiguration", value).unwrap();
    station.expect_call("ChangeConfiguration").await.unwrap();
    station.die().unwrap();
    let guesser = street.stranger_from(THIEF, 1).password(PASSWORD);
    assert_eq!(turned_away(&guesser).await, 401);
    let renewed = street.stranger(THIEF).password(new);
    let (station, _) = street.talk(&renewed).await;
    station.call("Heartbeat", json!({})).await.unwrap();
    let metric = "portcullis_credential_changes_total{how=\"proved\"} 1";
    street.gate.expect_metric(metric);
    assert_eq!(
        turned_away(&street.thief()).await,
        401,
        "the old one is over"
    );
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_the_user_name_is_another_station_s_at_enforce() {
    let street = Street::with("").await;
    assert_eq!(street.attack("other-user").await, Saw::TurnedAway(401));
    let own = street.stranger(VICTIM).user(THIEF).password(PASSWORD);
    assert_eq!(turned_away(&own).await, 401);
    street.nobody_arrived();
    street.counted_refusals("user-not-identity", 2);
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_clear_text_at_enforce() {
    let street = Street::with("").await;
    let saw = street.attack("not-tls").await;
    assert!(matches!(saw, Saw::NoHandshake(_)), "{saw}");
    let clear = Station::new(street.gate.tls().replace("wss", "ws"), VICTIM).password(PASSWORD);
    assert!(clear.connect().await.is_err());
    street.nobody_arrived();
    street.counted_refusals("tls", 2);
    street.honest_notices_nothing().await;
    // A plain listener is opened for nobody who does not say that its network is closed to others.
    let config = street.scene.read("portcullis.toml");
    let open = config.replace("trusted_network = true\n", "");
    street.scene.write("portcullis.toml", open);
    let check = street.scene.run(&["check"]);
    check.is(2).complains("trusted_network");
}
