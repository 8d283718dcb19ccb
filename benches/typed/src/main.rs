//! rust-ocpp's typed reading of the reader benchmark's messages, in a program of its own. Prints
//! nanoseconds by message as JSON.

#[path = "../../src/bin/reader/samples.rs"]
mod samples;

use std::hint::black_box;

use nix::time::{ClockId, clock_gettime};
use rust_ocpp::v1_6::messages::boot_notification::BootNotificationRequest;
use rust_ocpp::v1_6::messages::meter_values::MeterValuesRequest;
use rust_ocpp::v1_6::messages::status_notification::StatusNotificationRequest;
use rust_ocpp::v2_0_1::messages::transaction_event::TransactionEventRequest;
use samples::Sample;
use serde::de::DeserializeOwned;

fn main() {
    let mut figures = serde_json::Map::new();
    for sample in samples::samples() {
        let nanoseconds = match (sample.version, sample.action) {
            ("1.6", "BootNotification") => measure::<BootNotificationRequest>(&sample),
            ("1.6", "StatusNotification") => measure::<StatusNotificationRequest>(&sample),
            ("1.6", "MeterValues") => measure::<MeterValuesRequest>(&sample),
            _ => measure::<TransactionEventRequest>(&sample),
        };
        figures.insert(sample.name.to_owned(), nanoseconds.into());
    }
    println!("{}", serde_json::Value::Object(figures));
}

/// The median of 41 rounds; `None` where it cannot read the message.
fn measure<T: DeserializeOwned>(sample: &Sample) -> Option<f64> {
    let read = || serde_json::from_str::<(u8, &str, &str, T)>(black_box(&sample.text)).ok();
    read()?;
    let times = 300_000 / sample.text.len();
    let mut rounds: Vec<f64> = (0..41)
        .map(|_| {
            let before = cpu_nanoseconds();
            for _ in 0..times {
                black_box(read());
            }
            (cpu_nanoseconds() - before) as f64 / times as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(20).copied()
}

fn cpu_nanoseconds() -> i64 {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}
