//! A fleet's day as records: what stations and their CSMS say, as the gate writes it down.
//!
//! Everything that is random in the field is random here: message ids, meter readings, which station
//! speaks, whose card is shown. The same seed gives the same day.

use std::fmt::Write;

use guard::UnixMillis;
use journal::{Entry, Handle, Weight};

/// 2026-11-22, 00:00 UTC.
pub const MIDNIGHT: i64 = 1_795_305_600_000;
const DAY_MILLIS: u64 = 86_400_000;
/// A wall box here, a charging park there.
pub const STATIONS: u64 = 5_000;

/// A handle of 20 letters stands for a card's UID of 14 digits.
const LONGER_HANDLE: usize = 6;
/// Of a sealed text: its prefix, its day, nonce and tag, and base64.
const LONGER_TEXT: usize = 55;

/// Says one record after the other.
pub struct Fleet {
    random: u64,
    /// How many records the day has.
    records: u64,
    said: u64,
    subjects: Vec<Handle>,
    names: Vec<String>,
    json: String,
    handle: [Handle; 1],
    open: Option<Call>,
}

/// A call whose answer is the next record.
struct Call {
    station: usize,
    action: &'static str,
    id: u64,
    is_uuid: bool,
}

impl Fleet {
    /// A day of so many records, in which these subjects charge.
    pub fn new(records: u64, subjects: Vec<Handle>) -> Fleet {
        Fleet {
            random: 0x9e37_79b9_7f4a_7c15,
            records,
            said: 0,
            handle: [subjects[0]],
            subjects,
            names: (0..STATIONS).map(name).collect(),
            json: String::new(),
            open: None,
        }
    }

    fn chance(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }

    /// The next record. `None`: the day is over.
    pub fn next(&mut self) -> Option<Entry<'_>> {
        if self.said == self.records {
            return None;
        }
        let at = UnixMillis(MIDNIGHT + (self.said * DAY_MILLIS / self.records).cast_signed());
        self.said += 1;
        self.json.clear();
        let (call, names_somebody) = match self.open.take() {
            Some(call) => {
                let names_somebody = self.answer(&call, at);
                (call, names_somebody)
            }
            None => self.call(at),
        };
        let (station, action) = (call.station, call.action);
        if self.is_call() {
            self.open = Some(call);
        }
        let weight = match action {
            "Heartbeat" | "MeterValues" => Weight::Telemetry,
            _ => Weight::Message,
        };
        Some(Entry {
            at,
            weight,
            json: self.json.as_bytes(),
            station: Some(&self.names[station]),
            action: Some(action),
            refused: false,
            handles: if names_somebody { &self.handle } else { &[] },
        })
    }

    fn is_call(&self) -> bool {
        self.json.contains(r#""kind":"call""#)
    }

    fn head(&mut self, at: UnixMillis, call: &Call, from: &str, kind: &str) {
        let (station, action) = (&self.names[call.station], call.action);
        let session = call.station + 17;
        let _ = write!(
            self.json,
            r#"{{"at":{},"kind":"{kind}","tenant":"cpo","station":"{station}","session":{session},"from":"{from}","action":"{action}","#,
            at.0
        );
    }

    /// Ends a record. A message in which something was replaced came with so many bytes less.
    fn end(&mut self, replaced: usize) {
        self.json.push(']');
        if replaced > 0 {
            let message = self.json.find("\"message\":").unwrap_or_default() + "\"message\":".len();
            let bytes = self.json.len() - message - replaced;
            let _ = write!(self.json, ",\"bytes\":{bytes}");
        }
        self.json.push('}');
    }

    fn id(&mut self, call: &Call) {
        let id = call.id;
        let _ = match call.is_uuid {
            true => write!(
                self.json,
                "\"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}\"",
                id >> 32,
                id >> 16 & 0xffff,
                id & 0xfff,
                id >> 20 & 0xfff,
                id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
            ),
            false => write!(self.json, "\"{}\"", id % 1_000_000),
        };
    }

    fn call(&mut self, at: UnixMillis) -> (Call, bool) {
        let station = self.chance(STATIONS) as usize;
        let action = match self.chance(100) {
            0..35 => "Heartbeat",
            35..80 => "MeterValues",
            80..92 => "StatusNotification",
            92..94 => "Authorize",
            94..96 => "StartTransaction",
            96..98 => "StopTransaction",
            _ => "DataTransfer",
        };
        let call = Call {
            station,
            action,
            id: self.chance(1 << 48),
            // Every second vendor draws a UUID, the others count.
            is_uuid: station.is_multiple_of(2),
        };
        self.head(at, &call, "station", "call");
        self.json.push_str("\"message\":[2,");
        self.id(&call);
        let _ = write!(self.json, ",\"{action}\",");
        let names_somebody = self.payload(at, action);
        self.end(match action {
            "DataTransfer" => LONGER_TEXT,
            _ if names_somebody => LONGER_HANDLE,
            _ => 0,
        });
        (call, names_somebody)
    }

    /// What a call says. Whether it names somebody.
    fn payload(&mut self, at: UnixMillis, action: &str) -> bool {
        let stamp = stamp(at);
        let (connector, transaction) = (1 + self.chance(2), self.chance(9_000_000));
        let meter = 1_000_000 + self.chance(90_000_000);
        match action {
            "Heartbeat" => self.json.push_str("{}"),
            "MeterValues" => {
                let _ = write!(
                    self.json,
                    r#"{{"connectorId":{connector},"transactionId":{transaction},"meterValue":[{{"timestamp":"{stamp}","sampledValue":["#
                );
                let (power, soc, volts) = (
                    self.chance(22_000),
                    self.chance(100),
                    2_280 + self.chance(60),
                );
                let _ = write!(
                    self.json,
                    r#"{{"value":"{meter}","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"}},{{"value":"{power}","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"}},{{"value":"{}.{}","measurand":"Voltage","phase":"L1","unit":"V"}},{{"value":"{soc}","measurand":"SoC","unit":"Percent"}}]}}]}}"#,
                    volts / 10,
                    volts % 10
                );
            }
            "StatusNotification" => {
                let status =
                    ["Available", "Preparing", "Charging", "Finishing"][self.chance(4) as usize];
                let _ = write!(
                    self.json,
                    r#"{{"connectorId":{connector},"errorCode":"NoError","status":"{status}","timestamp":"{stamp}"}}"#
                );
            }
            "DataTransfer" => {
                self.json.push_str(
                    r#"{"vendorId":"com.vendor.example","messageId":"diagnostics","data":"text:"#,
                );
                for _ in 0..18 {
                    let (low, high) = (self.chance(1 << 32), self.chance(1 << 16));
                    let _ = write!(self.json, "{:04x}", low ^ high & 0xffff);
                }
                self.json.push_str("\"}");
            }
            _ => {
                let subject = self.chance(self.subjects.len() as u64) as usize;
                self.handle = [self.subjects[subject]];
                let handle = self.handle[0];
                let _ = match action {
                    "StartTransaction" => write!(
                        self.json,
                        r#"{{"connectorId":{connector},"idTag":"{handle}","meterStart":{meter},"timestamp":"{stamp}"}}"#
                    ),
                    "StopTransaction" => write!(
                        self.json,
                        r#"{{"idTag":"{handle}","meterStop":{meter},"timestamp":"{stamp}","transactionId":{transaction},"reason":"EVDisconnected"}}"#
                    ),
                    _ => write!(self.json, r#"{{"idTag":"{handle}"}}"#),
                };
                return true;
            }
        }
        false
    }

    /// What is answered. Whether it names somebody.
    fn answer(&mut self, call: &Call, at: UnixMillis) -> bool {
        self.head(at, call, "csms", "result");
        let _ = write!(
            self.json,
            "\"latency_us\":{},\"message\":[3,",
            8_000 + call.id % 40_000
        );
        self.id(call);
        let names_somebody = match call.action {
            "Heartbeat" => {
                let _ = write!(self.json, r#",{{"currentTime":"{}"}}"#, stamp(at));
                false
            }
            "Authorize" | "StopTransaction" => {
                let parent = self.handle[0];
                let _ = write!(
                    self.json,
                    r#",{{"idTagInfo":{{"status":"Accepted","parentIdTag":"{parent}"}}}}"#
                );
                true
            }
            "StartTransaction" => {
                let _ = write!(
                    self.json,
                    r#",{{"idTagInfo":{{"status":"Accepted"}},"transactionId":{}}}"#,
                    call.id % 9_000_000
                );
                false
            }
            "DataTransfer" => {
                self.json.push_str(r#",{"status":"Accepted"}"#);
                false
            }
            _ => {
                self.json.push_str(",{}");
                false
            }
        };
        self.end(if names_somebody { LONGER_HANDLE } else { 0 });
        names_somebody
    }
}

/// A station's name.
pub fn name(number: u64) -> String {
    format!("DE*ABC*E{number:06}")
}

/// A time as stations write it; all of them are of one day.
fn stamp(at: UnixMillis) -> String {
    let seconds = (at.0 - MIDNIGHT) / 1000;
    format!(
        "2026-11-22T{:02}:{:02}:{:02}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
