//! The bars, and whether they are met.

use std::fmt::Write;

use serde_json::Value;

use super::{RECORDING, Report, median, ratio, ratio_of, spread};
use crate::floods::Storm;
use crate::scene::{DEFLATE, Figures, Growth, PACED};
use crate::workload::Workload;

/// What "flat" may mean on a machine that does other things, too.
const FLAT: f64 = 1.15;

/// What the limits leave to strangers at one worker: the stated bound of docs/reference/limits.md at
/// the defaults.
const FLOOD_MB_MAX: f64 = 128.0;

/// One line for each bar of the issue.
pub(super) fn table(report: &Report<'_>) -> String {
    let mut table = Table(String::new());
    table.0.push_str(
        "## What was to be shown\n\n| figure | bar | measured | met |\n|---|---|---|---|\n",
    );
    let figures = report.figures;
    for subject in [Workload::Mix.name(), PACED] {
        let figure = format!("CPU per relayed call, {subject}");
        table.line(
            &figure,
            "≤ 1.0 × nginx",
            1.0,
            ratio(&figures.calls, subject),
        );
    }
    table.line(
        "the same, mix, with everything recorded",
        "≤ 1.3 × nginx",
        1.3,
        ratio_of(&figures.calls, Workload::Mix.name(), RECORDING),
    );
    for (out, figure, bar, limit) in [
        (
            "plain",
            "memory per idle connection, plain out",
            "≤ 12 kB",
            12.0,
        ),
        (DEFLATE, "the same, deflate negotiated", "≤ 16 kB", 16.0),
    ] {
        let mut idle = figures.idle.iter();
        let idle = idle.find(|row| row.proxy == "Portcullis" && row.out == out);
        let idle = idle.map(|row| (row.resident_kb, format!("{:.1} kB", row.resident_kb)));
        table.line(figure, bar, limit, idle);
    }
    for subject in ["full handshake", "resumed"] {
        let figure = format!("CPU per new connection, {subject}");
        table.line(
            &figure,
            "≤ 0.7 × nginx",
            0.7,
            ratio(&figures.connections, subject),
        );
    }
    growth(&mut table, &figures.growth);
    floods(&mut table, figures);
    if let Some(reader) = &report.reader {
        reading(&mut table, reader, "MeterValues 1.6", 1500.0);
        reading(&mut table, reader, "StatusNotification 1.6", 300.0);
    }
    if let Some(record) = &report.record {
        super::record::bars(&mut table, record);
    }
    table.0.push('\n');
    table.0
}

pub(super) struct Table(String);

impl Table {
    pub(super) fn line(
        &mut self,
        figure: &str,
        bar: &str,
        limit: f64,
        measured: Option<(f64, String)>,
    ) {
        let (measured, met) = match measured {
            Some((value, text)) if value <= limit => (text, "yes"),
            Some((_, text)) => (text, "**no**"),
            None => ("not measured".to_owned(), ""),
        };
        let _ = writeln!(self.0, "| {figure} | {bar} | {measured} | {met} |");
    }
}

/// Honest stations in every flood, the gate's memory, and a fleet that comes back.
fn floods(table: &mut Table, figures: &Figures) {
    let floods = figures.floods.iter().filter(|flood| flood.per_second > 0.0);
    let worst = floods
        .clone()
        .max_by(|one, other| one.p99_micros.total_cmp(&other.p99_micros));
    let measured = worst.map(|flood| {
        let millis = flood.p99_micros / 1e3;
        (millis, format!("{millis:.1} ms ({})", flood.attack))
    });
    let figure = "p99 of honest stations in the worst flood";
    table.line(figure, "≤ 10 ms", 10.0, measured);
    let greatest = floods.max_by(|one, other| one.grown_mb.total_cmp(&other.grown_mb));
    let measured = greatest.map(|flood| {
        let text = format!("{:.1} MB ({})", flood.grown_mb, flood.attack);
        (flood.grown_mb, text)
    });
    let bar = format!("≤ {FLOOD_MB_MAX:.0} MB (docs/reference/limits.md)");
    let figure = "memory that a flood at the door takes";
    table.line(figure, &bar, FLOOD_MB_MAX, measured);
    for storm in &figures.storms {
        let Storm {
            stations, after, ..
        } = storm;
        let figure = format!("95 % of {stations} stations back after {after}");
        let text = format!("{:.1} s", storm.most_seconds);
        table.line(&figure, "≤ 60 s", 60.0, Some((storm.most_seconds, text)));
    }
}

/// The largest fleet against the smallest.
fn growth(table: &mut Table, growth: &[Growth]) {
    let ours: Vec<&Growth> = growth
        .iter()
        .filter(|row| row.proxy == "Portcullis")
        .collect();
    let (Some(small), Some(large)) = (ours.first(), ours.last()) else {
        return;
    };
    let bar = format!("flat: ≤ {FLAT} ×");
    let sizes = format!("{} stations against {}", large.stations, small.stations);
    let mut line = |what: &str, ratios: &[f64]| {
        let text = match ratios {
            [only] => format!("{only:.2} ×"),
            _ => format!("{} ×", spread(ratios)),
        };
        let measured = Some((median(ratios), text));
        table.line(&format!("{what}, {sizes}"), &bar, FLAT, measured);
    };
    let rounds = large.micros.iter().zip(&small.micros);
    let cpu: Vec<f64> = rounds.map(|(large, small)| large / small).collect();
    line("CPU per call", &cpu);
    line(
        "memory per station",
        &[large.resident_kb / small.resident_kb],
    );
}

fn reading(table: &mut Table, reader: &Value, message: &str, limit: f64) {
    let rows = reader.get("rows").and_then(Value::as_array);
    let row = rows.and_then(|rows| rows.iter().find(|row| row["message"] == message));
    let figure = |name: &str| row.and_then(|row| row.get(name)?.as_f64());
    let (Some(ours), Some(theirs)) = (figure("Portcullis"), figure("sonic-rs + jsonschema")) else {
        return;
    };
    let limit_text = format!("≤ {:.1} µs", limit / 1e3);
    let measured = Some((ours, format!("{:.2} µs", ours / 1e3)));
    table.line(
        &format!("reading and validating, {message}"),
        &limit_text,
        limit,
        measured,
    );
    let ratio = ours / theirs;
    let measured = Some((ratio, format!("{ratio:.2} ×")));
    table.line(
        &format!("the same, {message}"),
        "≤ 0.6 × sonic-rs + jsonschema",
        0.6,
        measured,
    );
}
