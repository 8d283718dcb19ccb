//! The same pace of calls over ever more stations: whether a larger fleet costs more a call.

use std::io;
use std::time::Duration;

use super::{Growth, Latency, OPENING_AT_ONCE, Run, Seat, WARM, grow};
use crate::proxies::{Kind, Out, Proxy};
use crate::stations::{Fleet, Tally, Target};
use crate::workload::Workload;

impl Run<'_> {
    /// Fleets of all sizes are connected at once, each through a proxy of its own, and take turns:
    /// what the machine does beside falls on all of them alike.
    pub fn growth(&mut self) -> io::Result<()> {
        for &stations in &self.plan.fleet_sizes {
            self.direct(stations)?;
        }
        for kind in self.relaying() {
            self.fleets(kind)?;
        }
        Ok(())
    }

    fn fleets(&mut self, kind: Kind) -> io::Result<()> {
        let mut seats = Vec::new();
        for &stations in &self.plan.fleet_sizes {
            let proxy = Proxy::start(kind, Out::Plain, self.ground)?;
            let mut fleet = self.fleet(&proxy, false)?;
            let (resident_kb, _) = grow(&proxy, &mut fleet, stations - WARM)?;
            let row = Growth {
                proxy: kind.name(),
                stations,
                micros: Vec::new(),
                resident_kb,
                latency: Latency::default(),
            };
            seats.push((Seat { proxy, fleet }, row, Vec::new()));
        }
        for round in 0..=self.plan.rounds {
            for (seat, row, latencies) in &mut seats {
                let (micros, tally) = seat.spend(|fleet| self.paced(fleet))?;
                // The first round warms caches and branch predictors and is not counted.
                if round > 0 {
                    row.micros.push(micros);
                    latencies.extend(tally.latencies);
                }
            }
        }
        for (_, row, latencies) in seats {
            self.note_growth(row, latencies);
        }
        Ok(())
    }

    fn direct(&mut self, stations: usize) -> io::Result<()> {
        let mut fleet = Fleet::new(Target {
            address: self.ground.csms_plain,
            tls: None,
            deflate: false,
        })?;
        fleet.open(stations, OPENING_AT_ONCE)?;
        let tally = self.paced(&mut fleet)?;
        let row = Growth {
            proxy: "direct",
            stations,
            micros: Vec::new(),
            resident_kb: 0.0,
            latency: Latency::default(),
        };
        self.note_growth(row, tally.latencies);
        Ok(())
    }

    fn paced(&self, fleet: &mut Fleet) -> io::Result<Tally> {
        let time = Duration::from_secs_f64(self.plan.round_seconds);
        fleet.pace(Workload::Mix, self.plan.paced_per_second, time)
    }

    fn note_growth(&mut self, mut row: Growth, latencies: Vec<u32>) {
        let rounds = row.micros.len().max(1) as f64;
        row.latency = Latency::of(latencies, self.plan.round_seconds * rounds);
        eprintln!(
            "{:10} {:5} stations: {:5.1} µs a call, {:5.1} kB each, p50 {:.0} µs, p99 {:.0} µs",
            row.proxy,
            row.stations,
            crate::report::median(&row.micros),
            row.resident_kb,
            row.latency.p50_micros,
            row.latency.p99_micros
        );
        self.figures.growth.push(row);
    }
}
