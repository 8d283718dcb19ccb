//! What a CSMS asks of its stations on an ordinary day.

use ocpp::Version;
use serde_json::{Value, json};

/// A call for a station: the action and its payload.
pub type Order = (&'static str, Value);

/// Some ordinary call in that version.
pub fn order(version: Version, chance: &mut fastrand::Rng) -> Order {
    let limit = chance.i64(6..32);
    match version {
        Version::V16 => order_16(chance.u8(..5), limit),
        Version::V201 | Version::V21 => order_2x(chance.u8(..4), limit, chance.i64(1..1_000_000)),
    }
}

fn order_16(which: u8, limit: i64) -> Order {
    match which {
        0 => (
            "GetConfiguration",
            json!({ "key": ["HeartbeatInterval", "NumberOfConnectors"] }),
        ),
        1 => (
            "TriggerMessage",
            json!({ "requestedMessage": "StatusNotification", "connectorId": 1 }),
        ),
        2 => (
            "ChangeConfiguration",
            json!({ "key": "MeterValueSampleInterval", "value": "30" }),
        ),
        3 => ("GetLocalListVersion", json!({})),
        _ => (
            "SetChargingProfile",
            json!({
                "connectorId": 1,
                "csChargingProfiles": {
                    "chargingProfileId": 1,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxDefaultProfile",
                    "chargingProfileKind": "Relative",
                    "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": limit }],
                    },
                },
            }),
        ),
    }
}

fn order_2x(which: u8, limit: i64, request: i64) -> Order {
    match which {
        0 => (
            "GetBaseReport",
            json!({ "requestId": request, "reportBase": "SummaryInventory" }),
        ),
        1 => (
            "GetVariables",
            json!({
                "getVariableData": [{
                    "component": { "name": "OCPPCommCtrlr" },
                    "variable": { "name": "HeartbeatInterval" },
                }],
            }),
        ),
        2 => (
            "TriggerMessage",
            json!({ "requestedMessage": "StatusNotification", "evse": { "id": 1, "connectorId": 1 } }),
        ),
        _ => (
            "SetChargingProfile",
            json!({
                "evseId": 1,
                "chargingProfile": {
                    "id": 1,
                    "stackLevel": 0,
                    "chargingProfilePurpose": "TxDefaultProfile",
                    "chargingProfileKind": "Relative",
                    "chargingSchedule": [{
                        "id": 1,
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": limit }],
                    }],
                },
            }),
        ),
    }
}
