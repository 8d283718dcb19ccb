//! What a station says: the payloads of its calls, in its version and with its habits.

use jiff::{SignedDuration, Timestamp};
use ocpp::Version;
use serde_json::{Value, json};

use super::{Charger, Quirk};

/// A station's way of putting things.
pub(super) struct Words<'c> {
    charger: &'c Charger,
    v16: bool,
    /// How far its clock is behind.
    behind: SignedDuration,
}

/// What a meter shows at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) energy_wh: i64,
    pub(super) power_w: i64,
    pub(super) soc_percent: i64,
}

/// The state of one EVSE as StatusNotification tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plug {
    Free,
    Waiting,
    Charging,
    Done,
}

impl<'c> Words<'c> {
    pub(super) fn new(charger: &'c Charger) -> Words<'c> {
        let behind = if charger.has(Quirk::WakesIn1970) {
            Timestamp::now().duration_since(Timestamp::UNIX_EPOCH)
        } else {
            SignedDuration::ZERO
        };
        Words {
            charger,
            v16: charger.version == Version::V16,
            behind,
        }
    }

    /// Whether it speaks 1.6.
    pub(super) fn is_16(&self) -> bool {
        self.v16
    }

    /// The first Boot answer has set the clock.
    pub(super) fn set_clock(&mut self) {
        self.behind = SignedDuration::ZERO;
    }

    fn now(&self) -> String {
        let now = Timestamp::now().saturating_sub(self.behind);
        let text = now.map_or_else(
            |_| "1970-01-01T00:00:00Z".to_owned(),
            |at| format!("{at:.3}"),
        );
        if self.charger.has(Quirk::OffsetTimestamps) {
            return text.replace('Z', "+00:00");
        }
        text
    }

    pub(super) fn boot(&self) -> Value {
        let charger = self.charger;
        if self.v16 {
            return json!({
                "chargePointVendor": charger.vendor,
                "chargePointModel": charger.model,
                "chargePointSerialNumber": charger.serial,
                "firmwareVersion": "3.4.1",
                "iccid": "89490200001000000017",
                "meterType": "Eastron SDM630",
            });
        }
        json!({
            "reason": "PowerUp",
            "chargingStation": {
                "vendorName": charger.vendor,
                "model": charger.model,
                "serialNumber": charger.serial,
                "firmwareVersion": "2.9.0",
                "modem": { "iccid": "89490200001000000017" },
            },
        })
    }

    pub(super) fn status(&self, evse: u32, plug: Plug) -> Value {
        if self.v16 {
            let status = match plug {
                Plug::Free => "Available",
                Plug::Waiting => "Preparing",
                Plug::Charging => "Charging",
                Plug::Done => "Finishing",
            };
            return json!({
                "connectorId": evse,
                "errorCode": "NoError",
                "status": status,
                "timestamp": self.now(),
            });
        }
        let status = if plug == Plug::Free {
            "Available"
        } else {
            "Occupied"
        };
        json!({
            "timestamp": self.now(),
            "connectorStatus": status,
            "evseId": evse,
            "connectorId": 1,
        })
    }

    pub(super) fn authorize(&self, token: &str) -> Value {
        if self.v16 {
            return json!({ "idTag": token });
        }
        json!({ "idToken": id_token(token) })
    }

    /// 1.6: StartTransaction.
    pub(super) fn start(&self, evse: u32, token: &str, reading: Reading) -> Value {
        json!({
            "connectorId": evse,
            "idTag": token,
            "meterStart": reading.energy_wh,
            "timestamp": self.now(),
        })
    }

    /// 1.6: MeterValues within a transaction.
    pub(super) fn meter_values(&self, evse: u32, transaction: i64, reading: Reading) -> Value {
        json!({
            "connectorId": evse,
            "transactionId": transaction,
            "meterValue": [{
                "timestamp": self.now(),
                "sampledValue": self.samples_16(reading),
            }],
        })
    }

    /// 1.6: StopTransaction.
    pub(super) fn stop(&self, transaction: i64, token: &str, reading: Reading) -> Value {
        let lost = self.charger.has(Quirk::LostTransaction);
        json!({
            "transactionId": if lost { -1 } else { transaction },
            "idTag": token,
            "meterStop": reading.energy_wh,
            "timestamp": self.now(),
            "reason": "EVDisconnected",
        })
    }

    /// 2.x: TransactionEvent; `number` is its place in the transaction, 0 the first.
    pub(super) fn event(
        &self,
        evse: u32,
        transaction: &str,
        number: u32,
        last: bool,
        token: &str,
        reading: Reading,
    ) -> Value {
        let (kind, reason, state) = match (number, last) {
            (_, true) => ("Ended", "EVDeparted", "Idle"),
            (0, _) => ("Started", "Authorized", "EVConnected"),
            _ => ("Updated", "MeterValuePeriodic", "Charging"),
        };
        let mut event = json!({
            "eventType": kind,
            "timestamp": self.now(),
            "triggerReason": reason,
            "seqNo": number,
            "transactionInfo": { "transactionId": transaction, "chargingState": state },
            "evse": { "id": evse, "connectorId": 1 },
            "meterValue": [{
                "timestamp": self.now(),
                "sampledValue": self.samples_2x(reading),
            }],
        });
        if number == 0 {
            event["idToken"] = id_token(token);
        }
        if last {
            event["transactionInfo"]["stoppedReason"] = json!("EVDisconnected");
        }
        event
    }

    /// 2.1: one NotifyPeriodicEventStream, a SEND that nobody answers.
    pub(super) fn stream(&self, reading: Reading) -> Value {
        json!({
            "id": 1,
            "pending": 0,
            "basetime": self.now(),
            "data": [{ "t": 0.5, "v": reading.power_w.to_string() }],
        })
    }

    /// A security event of the kind that comes after every start.
    pub(super) fn security_event(&self) -> Value {
        json!({ "type": "StartupOfTheDevice", "timestamp": self.now() })
    }

    fn samples_16(&self, reading: Reading) -> Value {
        let sample = |measurand: &str, unit: &str, value: i64| {
            let value = if self.charger.has(Quirk::NumberForString) {
                json!(value)
            } else {
                json!(value.to_string())
            };
            json!({
                "value": value,
                "context": "Sample.Periodic",
                "measurand": measurand,
                "unit": unit,
            })
        };
        json!([
            sample("Energy.Active.Import.Register", "Wh", reading.energy_wh),
            sample("Power.Active.Import", "W", reading.power_w),
            sample("SoC", "Percent", reading.soc_percent),
        ])
    }

    fn samples_2x(&self, reading: Reading) -> Value {
        if self.charger.has(Quirk::EmptySamples) {
            return json!([]);
        }
        let sample = |measurand: &str, unit: &str, value: i64| {
            json!({
                "value": value,
                "measurand": measurand,
                "unitOfMeasure": { "unit": unit },
            })
        };
        json!([
            sample("Energy.Active.Import.Register", "Wh", reading.energy_wh),
            sample("Power.Active.Import", "W", reading.power_w),
            sample("SoC", "Percent", reading.soc_percent),
        ])
    }
}

fn id_token(token: &str) -> Value {
    json!({ "idToken": token, "type": "ISO14443" })
}
