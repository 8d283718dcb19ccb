//! What the stations say: valid OCPP 1.6 calls of the sizes seen in the field.

use std::fmt::Write;

/// Which calls a measurement sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Of ten calls four Heartbeats, two StatusNotifications and four MeterValues.
    Mix,
    /// 1.6 Heartbeat alone.
    Heartbeat,
    /// 1.6 StatusNotification alone, 197 bytes.
    StatusNotification,
    /// 1.6 MeterValues alone, 1.3 kB.
    MeterValues,
}

impl Workload {
    /// All, the realistic one first.
    pub const ALL: [Workload; 4] = [
        Workload::Mix,
        Workload::MeterValues,
        Workload::StatusNotification,
        Workload::Heartbeat,
    ];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Mix => "mix",
            Workload::Heartbeat => "Heartbeat",
            Workload::StatusNotification => "StatusNotification",
            Workload::MeterValues => "MeterValues",
        }
    }
}

/// The calls, with bodies made once.
pub struct Calls {
    status: String,
    meter: String,
    boot: String,
    sent: u64,
}

impl Calls {
    /// With timestamps of now, so that no control of the gate finds them stale.
    pub fn new() -> Calls {
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S.000Z")
            .to_string();
        Calls {
            status: status(&now),
            meter: meter(&now),
            boot: BOOT.to_owned(),
            sent: 0,
        }
    }

    /// Writes the next call of a workload and its message id, which no other call has.
    pub fn write(&mut self, workload: Workload, text: &mut String) -> u64 {
        self.sent += 1;
        let workload = match (workload, self.sent % 10) {
            (Workload::Mix, 0 | 3 | 5 | 8) => Workload::MeterValues,
            (Workload::Mix, 1 | 6) => Workload::StatusNotification,
            (Workload::Mix, _) => Workload::Heartbeat,
            (alone, _) => alone,
        };
        let body = match workload {
            Workload::StatusNotification => &self.status,
            Workload::MeterValues => &self.meter,
            Workload::Heartbeat | Workload::Mix => "\"Heartbeat\",{}",
        };
        write_call(text, self.sent, body);
        self.sent
    }

    /// Writes a BootNotification.
    pub fn write_boot(&mut self, text: &mut String) -> u64 {
        self.sent += 1;
        write_call(text, self.sent, &self.boot);
        self.sent
    }
}

impl Default for Calls {
    fn default() -> Calls {
        Calls::new()
    }
}

/// Stations name their calls by UUID: 36 characters.
pub fn write_id(text: &mut String, id: u64) {
    let _ = write!(
        text,
        "5f3c{:04x}-9d1e-4b7a-8c26-{:012x}",
        id >> 48,
        id & 0xffff_ffff_ffff
    );
}

fn write_call(text: &mut String, id: u64, body: &str) {
    text.clear();
    text.push_str("[2,\"");
    write_id(text, id);
    text.push_str("\",");
    text.push_str(body);
    text.push(']');
}

const BOOT: &str = concat!(
    "\"BootNotification\",{\"chargePointVendor\":\"Example Power\",\"chargePointModel\":\"EP-22-AC\",",
    "\"chargePointSerialNumber\":\"EP22-000017\",\"chargeBoxSerialNumber\":\"BX-000017\",",
    "\"firmwareVersion\":\"4.2.1-r7\",\"iccid\":\"8949020000000000017\",\"imsi\":\"262011234567890\",",
    "\"meterType\":\"EM-340 DIN\",\"meterSerialNumber\":\"EM340-99017\"}"
);

fn status(now: &str) -> String {
    format!(
        "\"StatusNotification\",{{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\",\
         \"info\":\"plug\",\"timestamp\":\"{now}\",\"vendorId\":\"example\"}}"
    )
}

fn meter(now: &str) -> String {
    let rows = [
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
    let values: Vec<String> = rows
        .iter()
        .map(|(value, measurand, phase, unit)| {
            let phase = phase.map_or(String::new(), |phase| format!("\"phase\":\"{phase}\","));
            format!(
                "{{\"value\":\"{value}\",\"context\":\"Sample.Periodic\",\"format\":\"Raw\",\
                 \"measurand\":\"{measurand}\",{phase}\"location\":\"Outlet\",\"unit\":\"{unit}\"}}"
            )
        })
        .collect();
    format!(
        "\"MeterValues\",{{\"connectorId\":1,\"transactionId\":48213377,\"meterValue\":[{{\
         \"timestamp\":\"{now}\",\"sampledValue\":[{}]}}]}}",
        values.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_sizes_the_tables_name() {
        let mut calls = Calls::new();
        let mut text = String::new();
        let mut size = |workload| {
            calls.write(workload, &mut text);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            text.len()
        };
        assert_eq!(size(Workload::StatusNotification), 197);
        assert!((1280..1350).contains(&size(Workload::MeterValues)));
        assert!(size(Workload::Heartbeat) < 80);
    }
}
