//! What a well-behaved CSMS and a well-behaved station answer, action by action.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use ocpp::Version;
use serde_json::{Value, json};

use crate::conversation::{Asked, Handler, Reply};

/// Seconds between heartbeats that [`csms`] asks for.
pub const HEARTBEAT_SECONDS: u64 = 300;

/// Station actions that are answered with an empty object, in any version.
const TOLD: [&str; 26] = [
    "BatterySwap",
    "ClearedChargingLimit",
    "ClosePeriodicEventStream",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "MeterValues",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyDisplayMessages",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyPriorityCharging",
    "NotifyReport",
    "NotifySettlement",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReportDERControl",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
    "StatusNotification",
    "StopTransaction",
    "TransactionEvent",
];

/// Station actions that are answered with `{"status":"Accepted"}`.
const ASKED: [&str; 7] = [
    "DataTransfer",
    "GetCertificateStatus",
    "NotifyEVChargingNeeds",
    "NotifyEVChargingSchedule",
    "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate",
    "SignCertificate",
];

/// CSMS actions that are answered with an empty object.
const ORDERED: [&str; 3] = ["CostUpdated", "GetDiagnostics", "NotifyWebPaymentStarted"];

/// A CSMS that accepts everyone and everything, with heartbeats every [`HEARTBEAT_SECONDS`].
pub fn csms() -> Handler {
    csms_with(HEARTBEAT_SECONDS)
}

/// The same with another heartbeat interval.
pub fn csms_with(heartbeat_seconds: u64) -> Handler {
    let transactions = AtomicI64::new(1);
    Arc::new(move |asked| {
        let accepted = json!({ "status": "Accepted" });
        Reply::Result(match asked.call.action.as_str() {
            "BootNotification" => json!({
                "status": "Accepted",
                "currentTime": now(),
                "interval": heartbeat_seconds,
            }),
            "Heartbeat" => json!({ "currentTime": now() }),
            "Authorize" if is_16(asked) => json!({ "idTagInfo": accepted }),
            "Authorize" => json!({ "idTokenInfo": accepted }),
            "StartTransaction" => json!({
                "idTagInfo": accepted,
                "transactionId": transactions.fetch_add(1, Ordering::Relaxed),
            }),
            "VatNumberValidation" => json!({
                "vatNumber": asked.call.payload["vatNumber"],
                "status": "Accepted",
            }),
            "Get15118EVCertificate" => json!({ "status": "Failed", "exiResponse": "" }),
            told if TOLD.contains(&told) => json!({}),
            named if ASKED.contains(&named) => accepted,
            _ => return unknown(asked),
        })
    })
}

/// A station that does what it is told.
pub fn station() -> Handler {
    Arc::new(|asked| {
        let payload = &asked.call.payload;
        Reply::Result(match asked.call.action.as_str() {
            "GetConfiguration" => json!({
                "configurationKey": [
                    { "key": "HeartbeatInterval", "readonly": false, "value": "300" },
                    { "key": "NumberOfConnectors", "readonly": true, "value": "2" },
                ],
            }),
            "GetLocalListVersion" if is_16(asked) => {
                json!({ "listVersion": 0 })
            }
            "GetLocalListVersion" => json!({ "versionNumber": 0 }),
            "GetTransactionStatus" => json!({ "messagesInQueue": false }),
            "GetVariables" => variables(payload, "getVariableData", "getVariableResult"),
            "SetVariables" => variables(payload, "setVariableData", "setVariableResult"),
            "UnlockConnector" => json!({ "status": "Unlocked" }),
            "GetCompositeSchedule" => json!({ "status": "Rejected" }),
            "GetInstalledCertificateIds" => json!({ "status": "NotFound" }),
            "UpdateFirmware" if is_16(asked) => json!({}),
            action if ORDERED.contains(&action) => json!({}),
            action if is_csms_order(action) => json!({ "status": "Accepted" }),
            _ => return unknown(asked),
        })
    })
}

/// CSMS actions that any station may accept with a bare status.
fn is_csms_order(action: &str) -> bool {
    matches!(
        action,
        "AFRRSignal"
            | "CancelReservation"
            | "CertificateSigned"
            | "ChangeAvailability"
            | "ChangeConfiguration"
            | "ClearCache"
            | "ClearChargingProfile"
            | "ClearDisplayMessage"
            | "CustomerInformation"
            | "DataTransfer"
            | "DeleteCertificate"
            | "ExtendedTriggerMessage"
            | "GetBaseReport"
            | "GetChargingProfiles"
            | "GetDisplayMessages"
            | "GetLog"
            | "GetMonitoringReport"
            | "GetReport"
            | "InstallCertificate"
            | "PublishFirmware"
            | "RemoteStartTransaction"
            | "RemoteStopTransaction"
            | "RequestStartTransaction"
            | "RequestStopTransaction"
            | "ReserveNow"
            | "Reset"
            | "SendLocalList"
            | "SetChargingProfile"
            | "SetDisplayMessage"
            | "SetMonitoringBase"
            | "SetMonitoringLevel"
            | "SetNetworkProfile"
            | "SignedUpdateFirmware"
            | "TriggerMessage"
            | "UpdateFirmware"
            | "UsePriorityCharging"
    )
}

/// One result for each variable that was asked for or set.
fn variables(payload: &Value, asked: &str, answered: &str) -> Value {
    let items = payload[asked].as_array().cloned().unwrap_or_default();
    let results: Vec<Value> = items
        .into_iter()
        .map(|item| {
            json!({
                "attributeStatus": "Accepted",
                "component": item["component"],
                "variable": item["variable"],
            })
        })
        .collect();
    json!({ answered: results })
}

/// Who names no version speaks 1.6: the others would not have been let in without one.
fn is_16(asked: &Asked<'_>) -> bool {
    !matches!(asked.version, Some(Version::V201 | Version::V21))
}

fn unknown(asked: &Asked<'_>) -> Reply {
    Reply::Error(
        "NotImplemented".to_owned(),
        format!("no answer to {}", asked.call.action),
    )
}

/// The time as OCPP writes it.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}
