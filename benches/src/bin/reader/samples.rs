//! What is read: four messages of the sizes that stations send, written without white space.

/// One message.
pub struct Sample {
    /// Its name in the tables.
    pub name: &'static str,
    /// `1.6` or `2.0.1`.
    pub version: &'static str,
    /// The action in its envelope.
    pub action: &'static str,
    /// The whole message.
    pub text: String,
}

/// The four.
pub fn samples() -> Vec<Sample> {
    let sample = |name, version, action, payload: String| Sample {
        name,
        version,
        action,
        text: format!("[2,\"5f3c0000-9d1e-4b7a-8c26-000000000001\",\"{action}\",{payload}]"),
    };
    vec![
        sample(
            "BootNotification 1.6",
            "1.6",
            "BootNotification",
            BOOT.to_owned(),
        ),
        sample(
            "StatusNotification 1.6",
            "1.6",
            "StatusNotification",
            STATUS.to_owned(),
        ),
        sample("MeterValues 1.6", "1.6", "MeterValues", meter_values()),
        sample(
            "TransactionEvent 2.0.1",
            "2.0.1",
            "TransactionEvent",
            transaction_event(),
        ),
    ]
}

const BOOT: &str = r#"{"chargePointVendor":"Example Power","chargePointModel":"EP-22-AC","chargePointSerialNumber":"EP22-000017","chargeBoxSerialNumber":"BX-000017","firmwareVersion":"4.2.1-r7","iccid":"8949020000000000017","imsi":"262011234567890","meterType":"EM-340 DIN","meterSerialNumber":"EM340-99017"}"#;

const STATUS: &str = r#"{"connectorId":1,"errorCode":"NoError","status":"Charging","info":"plug","timestamp":"2026-03-01T10:00:00.000Z","vendorId":"example"}"#;

/// Value, measurand, phase and unit.
const READINGS: [(&str, &str, Option<&str>, &str); 9] = [
    ("1523412", "Energy.Active.Import.Register", None, "Wh"),
    ("7213.4", "Power.Active.Import", None, "W"),
    ("10.4", "Current.Import", Some("L1"), "A"),
    ("10.5", "Current.Import", Some("L2"), "A"),
    ("10.4", "Current.Import", Some("L3"), "A"),
    ("229.8", "Voltage", Some("L1-N"), "V"),
    ("230.4", "Voltage", Some("L2-N"), "V"),
    ("230.1", "Voltage", Some("L3-N"), "V"),
    ("64", "SoC", None, "Percent"),
];

fn phase_field(phase: Option<&str>) -> String {
    phase.map_or(String::new(), |phase| format!("\"phase\":\"{phase}\","))
}

fn meter_values() -> String {
    let values = READINGS.map(|(value, measurand, phase, unit)| {
        let phase = phase_field(phase);
        format!(
            "{{\"value\":\"{value}\",\"context\":\"Sample.Periodic\",\"format\":\"Raw\",\
             \"measurand\":\"{measurand}\",{phase}\"location\":\"Outlet\",\"unit\":\"{unit}\"}}"
        )
    });
    format!(
        "{{\"connectorId\":1,\"transactionId\":48213377,\"meterValue\":[{{\
         \"timestamp\":\"2026-03-01T10:00:00.000Z\",\"sampledValue\":[{}]}}]}}",
        values.join(",")
    )
}

fn transaction_event() -> String {
    let values = READINGS.map(|(value, measurand, phase, unit)| {
        let phase = phase_field(phase);
        format!(
            "{{\"value\":{value},\"context\":\"Sample.Periodic\",\"measurand\":\"{measurand}\",\
             {phase}\"location\":\"Outlet\",\"unitOfMeasure\":{{\"unit\":\"{unit}\",\"multiplier\":0}}}}"
        )
    });
    format!(
        "{{\"eventType\":\"Updated\",\"timestamp\":\"2026-03-01T10:00:00.000Z\",\
         \"triggerReason\":\"MeterValuePeriodic\",\"seqNo\":17,\"offline\":false,\
         \"numberOfPhasesUsed\":3,\"cableMaxCurrent\":32,\"transactionInfo\":{{\
         \"transactionId\":\"7c2e11d0-5b0e-4f3e-9f6a-0c1d2e3f4a5b\",\"chargingState\":\"Charging\",\
         \"timeSpentCharging\":1800,\"remoteStartId\":42}},\"idToken\":{{\"idToken\":\"04E91C5A123F80\",\
         \"type\":\"ISO14443\"}},\"evse\":{{\"id\":1,\"connectorId\":1}},\"meterValue\":[{{\
         \"timestamp\":\"2026-03-01T10:00:00.000Z\",\"sampledValue\":[{}]}}]}}",
        values.join(",")
    )
}
