//! One car's visit: authorised, charged, metered and gone.

use ocpp::Version;

use super::Tally;
use super::life::{Day, Over};
use super::words::{Plug, Reading};

/// Seconds of the fleet's time between meter values.
const METER_SECONDS: f64 = 30.0;

impl Day<'_, '_> {
    /// One car comes, charges and leaves.
    pub(super) async fn charge(&mut self) -> Result<(), Over> {
        let evse = self.chance.u32(1..=self.charger.evses);
        let token = format!("{:014X}", self.chance.u64(..1 << 56));
        self.status(evse, Plug::Waiting).await?;
        let authorize = self.words.authorize(&token);
        self.call("Authorize", authorize).await?;
        Tally::add(&self.ground.tally.transactions);
        let reading = Reading {
            energy_wh: self.chance.i64(10_000..9_000_000),
            power_w: self.chance.i64(3_600..22_000),
            soc_percent: self.chance.i64(5..60),
        };
        let rounds = self.chance.u32(2..10);
        if self.words.is_16() {
            self.charge_16(evse, &token, reading, rounds).await?;
        } else {
            self.charge_2x(evse, &token, reading, rounds).await?;
        }
        self.idle(10.0).await?;
        self.status(evse, Plug::Free).await
    }

    async fn charge_16(
        &mut self,
        evse: u32,
        token: &str,
        mut reading: Reading,
        rounds: u32,
    ) -> Result<(), Over> {
        let start = self.words.start(evse, token, reading);
        let started = self.call("StartTransaction", start).await?;
        let transaction = started["transactionId"].as_i64().unwrap_or(-1);
        self.status(evse, Plug::Charging).await?;
        for _ in 0..rounds {
            self.idle(METER_SECONDS).await?;
            self.flow(&mut reading);
            let values = self.words.meter_values(evse, transaction, reading);
            self.call("MeterValues", values).await?;
        }
        let stop = self.words.stop(transaction, token, reading);
        self.call("StopTransaction", stop).await?;
        self.status(evse, Plug::Done).await
    }

    async fn charge_2x(
        &mut self,
        evse: u32,
        token: &str,
        mut reading: Reading,
        rounds: u32,
    ) -> Result<(), Over> {
        let transaction = self.link.fresh_id();
        for number in 0..=rounds {
            let last = number == rounds;
            let event = self
                .words
                .event(evse, &transaction, number, last, token, reading);
            self.call("TransactionEvent", event).await?;
            if !last {
                self.idle(METER_SECONDS).await?;
                self.flow(&mut reading);
            }
            if self.charger.version == Version::V21 {
                self.send("NotifyPeriodicEventStream", self.words.stream(reading))?;
            }
        }
        Ok(())
    }

    /// What flows into the car between two readings.
    fn flow(&mut self, reading: &mut Reading) {
        reading.energy_wh += reading.power_w / 120;
        reading.power_w = (reading.power_w + self.chance.i64(-300..300)).max(1_400);
        reading.soc_percent = (reading.soc_percent + 1).min(100);
    }
}
