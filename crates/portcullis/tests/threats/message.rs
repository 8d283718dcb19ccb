//! What a message must keep: schema, direction, correlation, its turn. Each of these controls can be
//! observed before it is enforced.

use serde_json::json;
use sim::{Conversation, Csms};

use crate::scene::gate::{eventually, eventually_in};
use crate::street::{From, Street};

/// A Boot that does not say of which model.
const HALF_A_BOOT: &str = r#"[2,"b02","BootNotification",{"chargePointVendor":"V"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b02_required_fields_are_missing_at_enforce() {
    let street = Street::with_control("schema", "enforce").await;
    street.is_held("schema", From::Station, HALF_A_BOOT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b02_required_fields_are_missing_at_observe() {
    let street = Street::with_control("schema", "observe").await;
    street.passes("schema", From::Station, HALF_A_BOOT).await;
}

/// A card number that is longer than any station has room for.
fn over_long() -> String {
    let tag = "A".repeat(300);
    json!([2, "b05", "RemoteStartTransaction", { "idTag": tag }]).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_a_field_is_too_long_for_the_station_at_enforce() {
    let street = Street::with_control("schema", "enforce").await;
    street.is_held("schema", From::Csms, &over_long()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_a_field_is_too_long_for_the_station_at_observe() {
    let street = Street::with_control("schema", "observe").await;
    street.passes("schema", From::Csms, &over_long()).await;
}

const UNASKED: &str = r#"[3,"b08",{"status":"Accepted"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b08_an_answer_that_nobody_asked_for_at_enforce() {
    let street = Street::with_control("correlation", "enforce").await;
    street.is_held("correlation", From::Station, UNASKED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b08_an_answer_that_nobody_asked_for_at_observe() {
    let street = Street::with_control("correlation", "observe").await;
    street.passes("correlation", From::Station, UNASKED).await;
}

const ONCE: &str = r#"[2,"b09","DataTransfer",{"vendorId":"once"}]"#;
const AGAIN: &str = r#"[2,"b09","DataTransfer",{"vendorId":"again"}]"#;

/// A conversation in which an id has been used.
async fn used_id(street: &Street) -> (Conversation, Conversation) {
    let (station, csms) = street.talk(&street.thief()).await;
    station.send_text(ONCE).unwrap();
    station.expect_answer("b09").await.unwrap();
    (station, csms)
}

#[tokio::test(flavor = "multi_thread")]
async fn b09_a_message_id_is_used_again_at_enforce() {
    let street = Street::with_control("correlation", "enforce").await;
    let (station, csms) = used_id(&street).await;
    street
        .is_held_between("correlation", From::Station, AGAIN, &station, &csms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b09_a_message_id_is_used_again_at_observe() {
    let street = Street::with_control("correlation", "observe").await;
    let (station, csms) = used_id(&street).await;
    street
        .passes_between("correlation", From::Station, AGAIN, &station, &csms)
        .await;
}

const RESET: &str = r#"[2,"b11","Reset",{"type":"Hard"}]"#;
const BOOT: &str =
    r#"[2,"b11","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b11_a_station_orders_the_csms_about_at_enforce() {
    let street = Street::with_control("direction", "enforce").await;
    street.is_held("direction", From::Station, RESET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_a_station_orders_the_csms_about_at_observe() {
    let street = Street::with_control("direction", "observe").await;
    street.passes("direction", From::Station, RESET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_a_csms_boots_at_a_station_at_enforce() {
    let street = Street::with_control("direction", "enforce").await;
    street.is_held("direction", From::Csms, BOOT).await;
}

/// Three calls at once, of which none is answered in time. The second one waits for as long as the first
/// may take, less what it came later: whether that is too long yet, is a matter of microseconds. If it
/// is not, the second one goes on in its turn, and the third waits twice as long.
async fn piled_up(mode: &str) -> (Street, Conversation, Conversation) {
    let csms = Csms::builder().on("DataTransfer", |_| sim::Reply::Nothing);
    let more = format!("[controls]\npipelining = \"{mode}\"\ncall_timeout_seconds = 3\n");
    let street = Street::before(csms, &more).await;
    let (station, at_csms) = street.talk(&street.thief()).await;
    for id in ["first", "second", "third"] {
        let call = json!([2, id, "DataTransfer", { "vendorId": id }]).to_string();
        station.send_text(call).unwrap();
    }
    (street, station, at_csms)
}

#[tokio::test(flavor = "multi_thread")]
async fn b13_calls_pile_up_at_enforce() {
    let (street, station, at_csms) = piled_up("enforce").await;
    let refused = |id: &str| {
        let start = format!("[4,\"{id}\"");
        let told = station.received();
        told.iter().any(|text| text.starts_with(&start))
    };
    let arrived = |id: &str| at_csms.received().iter().any(|text| text.contains(id));
    let waiting = ["second", "third"];
    let decided = async || {
        let all = waiting.iter().all(|id| refused(id) || arrived(id));
        all.then_some(())
    };
    eventually_in(decided, "each call is refused or passed on").await;
    let refused: Vec<_> = waiting.into_iter().filter(|id| refused(id)).collect();
    assert!(!refused.is_empty());
    assert!(!refused.iter().any(|id| arrived(id)), "{refused:?}");
    street.counted_findings("pipelining", "enforce", refused.len());
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b13_calls_pile_up_at_observe() {
    let (street, _station, at_csms) = piled_up("observe").await;
    for _ in ["first", "second", "third"] {
        at_csms.expect_call("DataTransfer").await.unwrap();
    }
    let counted = "portcullis_findings_total{control=\"pipelining\",mode=\"observe\"}";
    let page = || street.gate.ask("/metrics").body;
    eventually(|| page().contains(counted), page);
    street.gate.expect_line("message observed");
    street.honest_notices_nothing().await;
}
