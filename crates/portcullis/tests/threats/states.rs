//! What is remembered of a station, and what follows: its registration, its transactions, its
//! connectors, and what it is. Money hangs on some of it, so a scope means it.

use serde_json::{Value, json};
use sim::{Conversation, Csms, CsmsBuilder, Envelope};

use crate::street::{CERTIFIED, From, Street};

async fn street(control: &str, mode: &str) -> Street {
    street_before(Csms::builder(), control, mode).await
}

async fn street_before(csms: CsmsBuilder, control: &str, mode: &str) -> Street {
    let scope =
        format!("[[scope]]\nstations = [\"CP-*\"]\ncontrols = {{ {control} = \"{mode}\" }}\n");
    Street::before(csms, &scope).await
}

/// A CSMS that rejects the stations of one maker.
fn picky() -> CsmsBuilder {
    Csms::builder().on("BootNotification", |asked| {
        let status = match asked.call.payload["chargePointVendor"] == "Unknown AG" {
            true => "Rejected",
            false => "Accepted",
        };
        sim::Reply::Result(json!({
            "status": status, "currentTime": "2026-11-22T12:00:00Z", "interval": 1,
        }))
    })
}

async fn boots(station: &Conversation, maker: &str) -> Value {
    let boot = json!({ "chargePointVendor": maker, "chargePointModel": "M" });
    let answer = station.call("BootNotification", boot).await.unwrap();
    answer["status"].clone()
}

const EARLY: &str = r#"[2,"b10","Authorize",{"idTag":"T"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b10_a_rejected_station_goes_on_at_enforce() {
    let street = street_before(picky(), "registration", "enforce").await;
    let (station, csms) = street.talk(&street.thief()).await;
    for _ in 0..2 {
        assert_eq!(boots(&station, "Unknown AG").await, "Rejected");
    }
    station.send_text(EARLY).unwrap();
    let answer = station.expect_answer("b10").await.unwrap();
    assert!(
        matches!(&answer, Envelope::Error { code, .. } if code == "SecurityError"),
        "{answer:?}"
    );
    // Nor does a lost connection make it forget.
    station.close(Some(1000)).unwrap();
    csms.over().await;
    let (station, csms) = street.talk(&street.thief()).await;
    assert!(station.call("Heartbeat", json!({})).await.is_err());
    assert!(csms.call("ClearCache", json!({})).await.is_err());
    assert_eq!(boots(&station, "Known AG").await, "Accepted");
    station.call("Heartbeat", json!({})).await.unwrap();
    assert!(!csms.received().iter().any(|text| text == EARLY));
    street.counted_findings("registration", "enforce", 3);
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_a_rejected_station_goes_on_at_observe() {
    let street = street_before(picky(), "registration", "observe").await;
    let (station, csms) = street.talk(&street.thief()).await;
    for _ in 0..2 {
        assert_eq!(boots(&station, "Unknown AG").await, "Rejected");
    }
    station.send_text(EARLY).unwrap();
    station.expect_answer("b10").await.unwrap();
    assert!(csms.received().iter().any(|text| text == EARLY));
    street.counted_findings("registration", "observe", 1);
    street.honest_notices_nothing().await;
}

fn start(connector: u32, at: &str) -> Value {
    json!({ "connectorId": connector, "idTag": "T", "meterStart": 0, "timestamp": at })
}

/// The honest station charges; its transaction, and a word of somebody else's about it.
async fn charging(street: &Street) -> (Value, String) {
    let begun = start(1, "2026-11-22T12:00:00Z");
    let begun = street.honest.call("StartTransaction", begun).await.unwrap();
    let id = begun["transactionId"].clone();
    let stop = json!({ "transactionId": id, "meterStop": 1, "timestamp": "2026-11-22T12:01:00Z" });
    let foreign = json!([2, "c04", "StopTransaction", stop]).to_string();
    (stop, foreign)
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_another_stations_session_is_stopped_at_enforce() {
    let street = street("transactions", "enforce").await;
    let (own, foreign) = charging(&street).await;
    street
        .is_held("transactions", From::Station, &foreign)
        .await;
    street.honest.call("StopTransaction", own).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_another_stations_session_is_stopped_at_observe() {
    let street = street("transactions", "observe").await;
    let (own, foreign) = charging(&street).await;
    street.passes("transactions", From::Station, &foreign).await;
    street.honest.call("StopTransaction", own).await.unwrap();
}

/// A station that has said it has two connectors; its answer is that of `sim`.
async fn known_connectors(street: &Street) -> (Conversation, Conversation) {
    let (station, csms) = street.talk(&street.thief()).await;
    csms.call("GetConfiguration", json!({})).await.unwrap();
    (station, csms)
}

fn elsewhere() -> String {
    json!([
        2,
        "c07",
        "StartTransaction",
        start(42, "2026-11-22T12:00:00Z")
    ])
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_connector_that_is_not_there_at_enforce() {
    let street = street("connectors", "enforce").await;
    let (station, csms) = known_connectors(&street).await;
    let (control, from, message) = ("connectors", From::Station, elsewhere());
    street
        .is_held_between(control, from, &message, &station, &csms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_connector_that_is_not_there_at_observe() {
    let street = street("connectors", "observe").await;
    let (station, csms) = known_connectors(&street).await;
    let (control, from, message) = ("connectors", From::Station, elsewhere());
    street
        .passes_between(control, from, &message, &station, &csms)
        .await;
}

/// A station that charges at connector 1, and begins once more there.
async fn busy(street: &Street) -> (Conversation, Conversation, String) {
    let (station, csms) = street.talk(&street.thief()).await;
    let first = start(1, "2026-11-22T12:00:00Z");
    station.call("StartTransaction", first).await.unwrap();
    let other = station
        .call("StartTransaction", start(2, "2026-11-22T12:00:01Z"))
        .await;
    other.unwrap();
    let second = start(1, "2026-11-22T12:05:00Z");
    let second = json!([2, "c08", "StartTransaction", second]).to_string();
    (station, csms, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_second_transaction_on_a_connector_at_enforce() {
    let street = street("transactions", "enforce").await;
    let (station, csms, second) = busy(&street).await;
    let (control, from) = ("transactions", From::Station);
    street
        .is_held_between(control, from, &second, &station, &csms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_second_transaction_on_a_connector_at_observe() {
    let street = street("transactions", "observe").await;
    let (station, csms, second) = busy(&street).await;
    let (control, from) = ("transactions", From::Station);
    street
        .passes_between(control, from, &second, &station, &csms)
        .await;
}

/// A station that has said what it is, and says something else.
async fn changed(street: &Street) -> (Conversation, Conversation, String) {
    let (station, csms) = street.talk(&street.thief()).await;
    boots(&station, "Known AG").await;
    let other = json!({
        "chargePointVendor": "Known AG", "chargePointModel": "Another", "firmwareVersion": "9.9",
    });
    let other = json!([2, "e09", "BootNotification", other]).to_string();
    (station, csms, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn e09_a_station_says_it_is_another_at_enforce() {
    let street = street("boot-identity", "enforce").await;
    let (station, csms, other) = changed(&street).await;
    let (control, from) = ("boot-identity", From::Station);
    street
        .is_held_between(control, from, &other, &station, &csms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e09_a_station_says_it_is_another_at_observe() {
    let street = street("boot-identity", "observe").await;
    let (station, csms, other) = changed(&street).await;
    let (control, from) = ("boot-identity", From::Station);
    street
        .passes_between(control, from, &other, &station, &csms)
        .await;
}

async fn boots_as(station: &Conversation, serial: &str) -> bool {
    let boot = json!({
        "chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": serial,
    });
    station.call("BootNotification", boot).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_certificate_moves_to_another_station_at_enforce() {
    let street = Street::with("").await;
    let name = CERTIFIED[0];
    let certified = street.certified(name);
    let (station, _) = street.talk(&certified).await;
    assert!(boots_as(&station, "SN-1").await, "the first one binds");
    station.close(Some(1000)).unwrap();
    station.over().await;
    let (other, csms) = street.talk(&certified).await;
    assert!(!boots_as(&other, "SN-2").await);
    assert!(other.call("Heartbeat", json!({})).await.is_err());
    assert_eq!(csms.received(), [""; 0], "nothing of it arrives");
    street.counted_findings("boot-serial", "enforce", 2);
    // The operator knows of it: the station was replaced.
    street.scene.run(&["station", "replace", name]).is(0);
    other.over().await;
    let (other, _) = street.talk(&certified).await;
    assert!(boots_as(&other, "SN-2").await);
    street.honest_notices_nothing().await;
}
