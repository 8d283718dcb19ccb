//! Row 2 of the road, at its busiest: both ends talk at once, and what one says the other hears, byte
//! for byte and in order. Answers may pass calls that wait for their turn (decision 0002), so the
//! order is that of the calls among themselves and of the answers among themselves.

use serde_json::json;
use sim::Conversation;

use crate::scene::Scene;

/// More than the gate keeps waiting for one direction, so that it has to stop reading.
const FLOOD: usize = 200;

#[tokio::test]
async fn a_flood_of_calls_arrives_whole_while_the_csms_asks_on() {
    let scene = Scene::new().await;
    let (station, csms) = scene.session(&scene.station("CP1")).await;
    for at in 0..FLOOD {
        station.send_text(call(at, "s")).unwrap();
    }
    for at in 0..20 {
        csms.call(
            "DataTransfer",
            json!({ "vendorId": "v", "data": at.to_string() }),
        )
        .await
        .unwrap();
    }
    station
        .expect_answer(&format!("s{}", FLOOD - 1))
        .await
        .unwrap();
    same(&station, &csms);
}

#[tokio::test]
async fn both_ends_may_talk_at_once() {
    let scene = Scene::new().await;
    let (station, csms) = scene.session(&scene.station("CP1")).await;
    for at in 0..30 {
        station.send_text(call(at, "s")).unwrap();
        csms.send_text(call(at, "c")).unwrap();
    }
    station.expect_answer("s29").await.unwrap();
    csms.expect_answer("c29").await.unwrap();
    same(&station, &csms);
}

#[tokio::test]
async fn large_messages_wait_without_being_lost() {
    let scene = Scene::new().await;
    let (station, csms) = scene.session(&scene.station("CP1")).await;
    let large = "ü".repeat(100_000);
    for at in 0..5 {
        let text = json!([2, format!("s{at}"), "DataTransfer", { "vendorId": "v", "data": large }]);
        station.send_text(text.to_string()).unwrap();
    }
    station.expect_answer("s4").await.unwrap();
    same(&station, &csms);
}

#[tokio::test]
async fn last_words_before_a_goodbye_arrive() {
    let scene = Scene::new().await;
    for number in 0..20 {
        let (station, csms) = scene.session(&scene.station("CP1")).await;
        for at in 0..number {
            station.send_text(call(at, "s")).unwrap();
        }
        station.close(Some(1000)).unwrap();
        csms.expect_close().await.unwrap();
        assert_eq!(
            csms.received(),
            station.sent(),
            "{number} messages before the goodbye"
        );
        station.expect_close().await.unwrap();
    }
}

/// A call that no other equals, with a spelling that a parser would not give back.
fn call(at: usize, from: &str) -> String {
    format!(
        "[2 ,\"{from}{at}\", \"DataTransfer\",{{\"vendorId\":\"v\\u00e9\" ,\"data\":\"{at}\"}}]\n"
    )
}

fn same(station: &Conversation, csms: &Conversation) {
    assert_eq!(by_kind(csms.received()), by_kind(station.sent()));
    assert_eq!(by_kind(station.received()), by_kind(csms.sent()));
}

/// Calls first, then answers, each in their order: the sort is stable.
fn by_kind(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_by_key(|text| text.chars().nth(1));
    texts
}
