//! Too much of one kind in one session.

use serde_json::json;
use sim::Envelope;

use crate::street::{Street, THIEF};

/// A connector that flips without end.
async fn flip(mode: &str, over: &str) -> (Street, usize, usize) {
    let street = Street::with(&format!(
        "[controls]\nrate = \"{mode}\"\n\
         [rates]\nstatus_burst = 5\nstatus_per_minute = 60\nover = \"{over}\"\n"
    ))
    .await;
    let (station, csms) = street.talk(&street.thief()).await;
    let mut refused = 0;
    for number in 0..8 {
        let status = ["Available", "Preparing"][number % 2];
        let body = json!({ "connectorId": 1, "errorCode": "NoError", "status": status });
        let id = format!("b12-{number}");
        let call = json!([2, id, "StatusNotification", body]);
        station.send_text(call.to_string()).unwrap();
        let answer = station.expect_answer(&id).await.unwrap();
        refused += usize::from(matches!(answer, Envelope::Error { .. }));
    }
    let arrived = csms.received();
    let arrived = arrived.iter().filter(|text| text.contains("b12-")).count();
    street.honest_notices_nothing().await;
    (street, refused, arrived)
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_connector_flips_without_end_at_enforce() {
    let (street, refused, arrived) = flip("enforce", "refuse").await;
    assert_eq!((refused, arrived), (3, 5));
    street.counted_findings("rate", "enforce", 3);
    assert_eq!(street.csms.sessions(THIEF).len(), 1, "its session goes on");
    // Slowed, all of it arrives, in its own time.
    let begun = std::time::Instant::now();
    let (_street, refused, arrived) = flip("enforce", "slow").await;
    assert_eq!((refused, arrived), (0, 8));
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_connector_flips_without_end_at_observe() {
    let (street, refused, arrived) = flip("observe", "refuse").await;
    assert_eq!((refused, arrived), (0, 8));
    street.counted_findings("rate", "observe", 3);
}

/// Money is not refused for being much: a station that brings a day's transactions along keeps them.
#[tokio::test(flavor = "multi_thread")]
async fn b12_a_flood_of_billing_is_slowed_at_enforce() {
    let street = Street::with(&format!(
        "[rates]\nbilling_burst = 2\nbilling_per_minute = 120\n\
         [[scope]]\nstations = [\"{THIEF}\"]\ncontrols = {{ rate = \"enforce\" }}\n"
    ))
    .await;
    let (station, csms) = street.talk(&street.thief()).await;
    for number in 0..4 {
        let body = json!({
            "connectorId": 1, "idTag": "TAG", "meterStart": number,
            "timestamp": "2026-03-01T02:00:00Z",
        });
        let call = json!([2, format!("b12-{number}"), "StartTransaction", body]);
        station.send_text(call.to_string()).unwrap();
    }
    for number in 0..4 {
        let answer = station.expect_answer(&format!("b12-{number}")).await;
        assert!(matches!(answer.unwrap(), Envelope::Result { .. }));
    }
    let arrived = csms.received();
    assert_eq!(
        arrived.iter().filter(|text| text.contains("b12-")).count(),
        4
    );
    street.counted_findings("rate", "enforce", 2);
    street.honest_notices_nothing().await;
}
