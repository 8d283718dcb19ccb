//! What a message says in words and numbers: points in time, texts for another program, lengths that a
//! model does not survive, and the address of another CSMS.

use serde_json::json;
use sim::{Csms, CsmsBuilder, Envelope, Reply};

use crate::street::{From, Street, THIEF};

/// It rained in the year 2099.
const AHEAD: &str = r#"[2,"b03","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2099-01-01T00:00:00Z"}]"#;
const NO_TIME: &str = r#"[2,"b03","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"222222017-02-01T20:53:32Z"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b03_a_time_is_far_ahead_at_enforce() {
    let street = Street::with_control("timestamps", "enforce").await;
    street.is_held("timestamps", From::Station, AHEAD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b03_a_time_is_far_ahead_at_observe() {
    let street = Street::with_control("timestamps", "observe").await;
    street.passes("timestamps", From::Station, AHEAD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b03_a_time_is_none_at_enforce() {
    let street = Street::with_control("timestamps", "enforce").await;
    street.is_held("timestamps", From::Station, NO_TIME).await;
}

/// A transaction is money: only a scope refuses it.
#[tokio::test(flavor = "multi_thread")]
async fn b03_a_transaction_of_another_age_at_enforce() {
    let more = format!(
        "[controls]\ntimestamps = \"enforce\"\n\
         [[scope]]\nstations = [\"{THIEF}\"]\ncontrols = {{ timestamps = \"enforce\" }}\n"
    );
    let street = Street::with(&more).await;
    let start = r#"[2,"b03","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":0,"timestamp":"0000-01-01T00:00:00Z"}]"#;
    street.is_held("timestamps", From::Station, start).await;
}

/// A CSMS that answers the thief's BootNotification as if it were another day.
fn other_day() -> CsmsBuilder {
    Csms::builder().on("BootNotification", |asked| {
        let time = match asked.station == THIEF {
            true => "2031-01-01T00:00:00Z".to_owned(),
            false => jiff::Timestamp::now().to_string(),
        };
        Reply::Result(json!({ "status": "Accepted", "currentTime": time, "interval": 300 }))
    })
}

const BOOT: &str =
    r#"[2,"b16","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b16_the_csms_sets_a_wrong_clock_at_enforce() {
    let street = Street::before(other_day(), "[controls]\ntimestamps = \"enforce\"\n").await;
    let (station, _csms) = street.talk(&street.thief()).await;
    station.send_text(BOOT).unwrap();
    let told = station.expect_answer("b16").await.unwrap();
    assert!(matches!(told, Envelope::Error { .. }), "{told:?}");
    street.counted_findings("timestamps", "enforce", 1);
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b16_the_csms_sets_a_wrong_clock_at_observe() {
    let street = Street::before(other_day(), "[controls]\ntimestamps = \"observe\"\n").await;
    let (station, _csms) = street.talk(&street.thief()).await;
    station.send_text(BOOT).unwrap();
    let told = station.expect_answer("b16").await.unwrap();
    assert!(matches!(told, Envelope::Result { .. }), "{told:?}");
    assert!(station.received().concat().contains("2031-01-01"));
    street.counted_findings("timestamps", "observe", 1);
    street.honest_notices_nothing().await;
}

/// Once plainly, once with the dollar hidden behind an escape.
const COMMAND: &str = r#"[2,"b06","GetDiagnostics",{"location":"ftp://h.example/$(reboot)"}]"#;
const HIDDEN_COMMAND: &str =
    r#"[2,"b06","ChangeConfiguration",{"key":"Apn","value":"x\u0024(reboot)"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn b06_a_command_for_a_station_s_shell_at_enforce() {
    let street = Street::with_control("injection", "enforce").await;
    street.is_held("injection", From::Csms, COMMAND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b06_a_command_for_a_station_s_shell_at_observe() {
    let street = Street::with_control("injection", "observe").await;
    street.passes("injection", From::Csms, COMMAND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b06_a_command_hides_behind_an_escape_at_enforce() {
    let street = Street::with_control("injection", "enforce").await;
    street
        .is_held("injection", From::Csms, HIDDEN_COMMAND)
        .await;
}

/// What a station reports is never refused for its words.
#[tokio::test(flavor = "multi_thread")]
async fn b06_markup_for_the_csms_s_pages_at_observe() {
    let street = Street::with_control("injection-up", "observe").await;
    let status = r#"[2,"b06","StatusNotification",{"connectorId":1,"errorCode":"OtherError","status":"Faulted","info":"\u003cscript>alert(1)</script>"}]"#;
    street.passes("injection-up", From::Station, status).await;
}

/// A patch of the operator's own for the thief's model.
const PATCH: &str = r#"
[[patch]]
id = "frail"
maker = "Frail AG"
models = ["F-1*"]
mended_in = "2.0"
actions = ["ChangeConfiguration"]
chars_max = 64
examples = ['1.6 [2,"1","ChangeConfiguration",{"key":"k","value":"{65}"}]']
counter_examples = ['1.6 [2,"1","ChangeConfiguration",{"key":"k","value":"{64}"}]']
"#;

/// What the CSMS sends the thief, which has said that it is a frail one with that firmware.
async fn frail(mode: &str, firmware: &str) -> (Street, sim::Conversation, sim::Conversation) {
    let street = Street::with(&format!("[controls]\npatches = \"{mode}\"\n{PATCH}")).await;
    let (station, csms) = street.talk(&street.thief()).await;
    let boot = json!({
        "chargePointVendor": "Frail AG",
        "chargePointModel": "F-1 plus",
        "firmwareVersion": firmware,
    });
    station.call("BootNotification", boot).await.unwrap();
    (street, station, csms)
}

fn long_value() -> String {
    let value = "A".repeat(100);
    json!([2, "b05", "ChangeConfiguration", { "key": "k", "value": value }]).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_a_model_does_not_survive_a_long_text_at_enforce() {
    let (street, station, csms) = frail("enforce", "1.9.9").await;
    street
        .is_held_between("patches", From::Csms, &long_value(), &station, &csms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_a_model_does_not_survive_a_long_text_at_observe() {
    let (street, station, csms) = frail("observe", "1.9.9").await;
    street
        .passes_between("patches", From::Csms, &long_value(), &station, &csms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b05_a_mended_model_gets_its_long_text_at_enforce() {
    let (street, station, csms) = frail("enforce", "2.0").await;
    csms.send_text(long_value()).unwrap();
    csms.expect_answer("b05").await.unwrap();
    assert!(station.received().contains(&long_value()));
    street.honest_notices_nothing().await;
}

const ELSEWHERE: &str = r#"[2,"a14","ChangeConfiguration",{"key":"CentralSystemURL","value":"wss://gate.example@evil.example/ocpp"}]"#;

/// With one CSMS that stations may be pointed to.
async fn pointed(mode: &str) -> Street {
    Street::with(&format!(
        "[controls]\nbackend-url = \"{mode}\"\n[backend_urls]\nallow = [\"wss://gate.example\"]\n"
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_station_is_pointed_to_another_csms_at_enforce() {
    let street = pointed("enforce").await;
    street.is_held("backend-url", From::Csms, ELSEWHERE).await;
    assert!(
        !street.gate.log().contains("evil.example"),
        "it is not shown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_station_is_pointed_to_another_csms_at_observe() {
    let street = pointed("observe").await;
    street.passes("backend-url", From::Csms, ELSEWHERE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_a_station_is_pointed_to_its_own_csms_at_enforce() {
    let street = pointed("enforce").await;
    let (station, csms) = street.talk(&street.thief()).await;
    let home = ELSEWHERE.replace("gate.example@evil.example", "gate.example");
    csms.send_text(home.clone()).unwrap();
    csms.expect_answer("a14").await.unwrap();
    assert!(station.received().contains(&home));
    street.honest_notices_nothing().await;
}
