//! The figures as a page: `docs/benchmarks.md` is written from here and never by hand.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use crate::scene::{Figures, Plan, Rounds};

mod bars;
mod floods;
mod record;

/// A run and where it was made.
#[derive(Serialize)]
pub struct Report<'a> {
    /// When, in UTC.
    pub date: String,
    /// Processor, cores, kernel.
    pub machine: String,
    /// What else the machine did when the run ended.
    pub load: String,
    /// Of every program that took part.
    pub versions: Vec<String>,
    /// How much was measured.
    pub plan: &'a Plan,
    /// What came out.
    pub figures: &'a Figures,
    /// What `--bin reader --json` said, where it was run.
    pub reader: Option<Value>,
    /// What `--bin record --json` said, where it was run.
    pub record: Option<Value>,
}

/// The middle value; 0 without any.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// `median (min–max)`
pub fn spread(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    let middle = median(values);
    match () {
        () if values.is_empty() => "–".to_owned(),
        () if middle < 10.0 => format!("{middle:.2} ({low:.2}–{high:.2})"),
        () if middle < 100.0 => format!("{middle:.1} ({low:.1}–{high:.1})"),
        () => format!("{middle:.0} ({low:.0}–{high:.0})"),
    }
}

impl Report<'_> {
    /// The page.
    pub fn markdown(&self) -> String {
        let mut page = String::new();
        self.head(&mut page);
        page.push_str(&bars::table(self));
        self.calls(&mut page);
        self.connections(&mut page);
        self.idle(&mut page);
        self.growth(&mut page);
        floods::section(&mut page, self.figures);
        if let Some(reader) = &self.reader {
            write_reader(&mut page, reader);
        }
        if let Some(record) = &self.record {
            record::section(&mut page, record);
        }
        page
    }

    fn head(&self, page: &mut String) {
        let Plan {
            rounds,
            round_seconds,
            calling_stations,
            ..
        } = self.plan;
        let _ = write!(
            page,
            "# Benchmarks\n\nWritten by `make bench`; never edited by hand.\n\n- Date: {}\n- Machine: {}; load average at the end {}\n",
            self.date, self.machine, self.load
        );
        for version in &self.versions {
            let _ = writeln!(page, "- {version}");
        }
        let _ = write!(
            page,
            "
Method: one run. Portcullis (one worker; Basic authentication; every message read, validated against its schema,
judged for schema, direction, correlation, pipelining and rate at enforce; log at `warn`), nginx (one worker) and HAProxy (one thread), which look at
nothing and log nothing, stand in front of the same light CSMS, with the same ECDSA P-256 certificate, TLS 1.3 and X25519 only. They take
turns in rounds of one run ({rounds} of {round_seconds} s, after one that is not counted). CPU is the kernel's count for the
proxy's process, all threads; the proxy runs on one core, load and CSMS on the other. Figures are medians with the
least and the greatest round; ratios are taken round by round. {calling_stations} stations speak OCPP 1.6, each with one
call in flight; the mix is, of ten calls, four Heartbeats, two StatusNotifications (197 bytes) and four MeterValues (1.3 kB).

"
        );
    }

    fn calls(&self, page: &mut String) {
        let _ = write!(
            page,
            "## CPU per relayed call and its answer, µs\n\nAs many calls as the road carries, so that events come in \
             bunches; and the mix at a steady {} calls per second, where almost every message wakes the proxy anew.\n\n",
            self.plan.paced_per_second
        );
        rounds_table(page, &self.figures.calls);
        latency_table(page, &self.figures.calls);
    }

    fn connections(&self, page: &mut String) {
        let Plan {
            new_connections,
            connecting_at_once,
            ..
        } = self.plan;
        let _ = write!(
            page,
            "## CPU per new connection, µs\n\nTCP, TLS, upgrade, authentication (Portcullis only), Boot answered, closed in \
             order; {new_connections} in a round, {connecting_at_once} at once.\n\n"
        );
        rounds_table(page, &self.figures.connections);
    }

    fn idle(&self, page: &mut String) {
        page.push_str(
            "## Memory per idle relayed connection, kB\n\nGrowth of the process after Boot and one call each, divided by the \
             connections; the kernel's socket memory is not in it.\n\n\
             | proxy | out to the CSMS | connections | resident (VmRSS) | private pages |\n|---|---|---|---|---|\n",
        );
        for row in &self.figures.idle {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {:.1} | {:.1} |",
                row.proxy, row.out, row.connections, row.resident_kb, row.private_kb
            );
        }
        page.push('\n');
    }

    fn growth(&self, page: &mut String) {
        let _ = write!(
            page,
            "## Growth\n\nThe mix at {} calls per second from the whole fleet, whatever its size; fleets of all sizes are connected at once and take turns. `direct` is without proxy and \
             without TLS; what a proxy adds is beside its latency.\n\n\
             | stations | proxy | CPU µs per call | kB per station | p50 µs (added) | p99 µs (added) |\n|---|---|---|---|---|---|\n",
            self.plan.paced_per_second
        );
        for row in &self.figures.growth {
            let direct = self
                .figures
                .growth
                .iter()
                .find(|other| other.proxy == "direct" && other.stations == row.stations);
            let (p50, p99) = direct.map_or((0.0, 0.0), |direct| {
                (direct.latency.p50_micros, direct.latency.p99_micros)
            });
            let _ = match row.proxy {
                "direct" => writeln!(
                    page,
                    "| {} | direct | | | {:.0} | {:.0} |",
                    row.stations, row.latency.p50_micros, row.latency.p99_micros
                ),
                proxy => writeln!(
                    page,
                    "| {} | {proxy} | {} | {:.1} | {:.0} ({:+.0}) | {:.0} ({:+.0}) |",
                    row.stations,
                    spread(&row.micros),
                    row.resident_kb,
                    row.latency.p50_micros,
                    row.latency.p50_micros - p50,
                    row.latency.p99_micros,
                    row.latency.p99_micros - p99
                ),
            };
        }
        page.push('\n');
    }
}

/// Ours through nginx's, round by round.
fn ratios(rows: &[Rounds], subject: &str, other: &str) -> Vec<f64> {
    ratios_of(rows, subject, "Portcullis", other)
}

/// The gate with its record, as its rows are named.
const RECORDING: &str = "recording";

fn ratios_of(rows: &[Rounds], subject: &str, one: &str, other: &str) -> Vec<f64> {
    let of = |proxy: &str| {
        rows.iter()
            .find(|row| row.subject == subject && row.proxy == proxy)
    };
    match (of(one), of(other)) {
        (Some(ours), Some(theirs)) => ours
            .micros
            .iter()
            .zip(&theirs.micros)
            .map(|(ours, theirs)| ours / theirs)
            .collect(),
        _ => Vec::new(),
    }
}

fn ratio(rows: &[Rounds], subject: &str) -> Option<(f64, String)> {
    ratio_of(rows, subject, "Portcullis")
}

fn ratio_of(rows: &[Rounds], subject: &str, one: &str) -> Option<(f64, String)> {
    let ratios = ratios_of(rows, subject, one, "nginx");
    (!ratios.is_empty()).then(|| (median(&ratios), format!("{} ×", spread(&ratios))))
}

fn rounds_table(page: &mut String, rows: &[Rounds]) {
    page.push_str(
        "| | Portcullis | nginx | HAProxy | of nginx | of HAProxy | recording | of nginx |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut subjects: Vec<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    subjects.dedup();
    for subject in subjects {
        let of = |proxy: &str| {
            let row = rows
                .iter()
                .find(|row| row.subject == subject && row.proxy == proxy);
            row.map_or("–".to_owned(), |row| spread(&row.micros))
        };
        let _ = writeln!(
            page,
            "| {subject} | {} | {} | {} | {} | {} | {} | {} |",
            of("Portcullis"),
            of("nginx"),
            of("HAProxy"),
            spread(&ratios(rows, subject, "nginx")),
            spread(&ratios(rows, subject, "HAProxy")),
            of(RECORDING),
            spread(&ratios_of(rows, subject, RECORDING, "nginx"))
        );
    }
    page.push('\n');
}

/// What a call waits for its answer meanwhile.
fn latency_table(page: &mut String, rows: &[Rounds]) {
    page.push_str(
        "Meanwhile, calls a second, and from a call sent to its answer; the stations' and the CSMS's own time, \
         on a core that is full, is in it:\n\n\
         | | proxy | calls a second | p50 µs | p99 µs |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        let latency = &row.latency;
        let _ = writeln!(
            page,
            "| {} | {} | {:.0} | {:.0} | {:.0} |",
            row.subject, row.proxy, latency.per_second, latency.p50_micros, latency.p99_micros
        );
    }
    page.push('\n');
}

/// The reader's own report: a note and rows of named cells, as it gives them.
fn write_reader(page: &mut String, reader: &Value) {
    page.push_str("## The reader\n\n");
    if let Some(markdown) = reader.get("markdown").and_then(Value::as_str) {
        page.push_str(markdown);
        page.push('\n');
        return;
    }
    let Some(rows) = reader.as_array().or_else(|| reader.get("rows")?.as_array()) else {
        return;
    };
    let Some(columns) = rows.first().and_then(Value::as_object) else {
        return;
    };
    let names: Vec<&String> = columns.keys().collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    page.push_str(&line(names.iter().map(|name| (*name).clone()).collect()));
    page.push_str(&line(names.iter().map(|_| "---".to_owned()).collect()));
    for row in rows {
        page.push_str(&line(
            names
                .iter()
                .map(|name| cell(row.get(name.as_str())))
                .collect(),
        ));
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number
            .as_f64()
            .map_or(number.to_string(), |number| format!("{number:.3}")),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_row_lies_between_two() {
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
        assert_eq!(spread(&[1.0, 3.0, 2.0]), "2.00 (1.00–3.00)");
        assert_eq!(spread(&[]), "–");
    }
}
