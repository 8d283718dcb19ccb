//! `portcullis exception list`: who is let in by exception, until when, and what is asked of them
//! instead (A24).

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use guard::StationRecord;
use guard::admission::{BootDemand, Stations};
use serde::Serialize;
use store::Store;

use crate::Failure;
use crate::cli::ExceptionCommand;
use crate::config::{Config, ExceptionSettings, exception_kind};
use crate::health::exceptions::lets_in;
use crate::output::Output;
use crate::register::Register;

/// One exception, and the registered stations that come in by it.
#[derive(Serialize)]
struct ExceptionView {
    line: usize,
    kind: &'static str,
    r#for: String,
    tenant: String,
    /// Its last day, by UTC.
    until: String,
    days_left: i64,
    asks_for: Vec<String>,
    reason: String,
    stations: Vec<String>,
}

pub(crate) fn run(
    command: &ExceptionCommand,
    path: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let ExceptionCommand::List { stations } = command;
    let config = Config::load(path)?;
    let registered = Register::of(&config)?.store.stations(None)?;
    let now = crate::unix_seconds();
    let views: Vec<ExceptionView> = config
        .exceptions
        .iter()
        .map(|exception| ExceptionView::of(exception, &registered, now))
        .collect();
    output.result(&views, || table(&views, *stations))
}

impl ExceptionView {
    fn of(exception: &ExceptionSettings, registered: &[StationRecord], now: i64) -> ExceptionView {
        let whose = registered
            .iter()
            .filter(|station| lets_in(exception, station));
        ExceptionView {
            line: exception.line,
            kind: exception_kind(exception.kind),
            r#for: named(&exception.stations),
            tenant: exception.tenant.clone(),
            until: exception.until.to_string(),
            days_left: exception.days_left(now),
            asks_for: asks_for(exception),
            reason: exception.reason.clone(),
            stations: whose.map(|station| station.id.to_string()).collect(),
        }
    }

    fn days(&self) -> String {
        match self.days_left {
            0 => "over".to_owned(),
            1 => "last day".to_owned(),
            days => format!("{days} days"),
        }
    }
}

fn named(stations: &Stations) -> String {
    match stations {
        Stations::Named(list) => list.to_string(),
        Stations::Model { maker, model } => words(&[("maker", maker), ("model", model)]),
    }
}

/// What is to be seen of a station in place of what it cannot show; of secrets only that there is one.
fn asks_for(exception: &ExceptionSettings) -> Vec<String> {
    let mut checks: Vec<String> = Vec::new();
    let networks = exception
        .networks
        .iter()
        .map(|network| format!("from {network}"));
    checks.extend(networks);
    if exception.path_secret.is_some() {
        checks.push("a secret in the path".to_owned());
    }
    let fingerprints = exception.tls_fingerprints.iter();
    checks.extend(fingerprints.map(|fingerprint| format!("JA4 {fingerprint}")));
    if let Some(BootDemand {
        maker,
        model,
        serial,
    }) = &exception.boot
    {
        let said = words(&[("maker", maker), ("model", model), ("serial", serial)]);
        checks.push(format!("Boot: {said}"));
    }
    checks
}

fn words(named: &[(&str, &Option<String>)]) -> String {
    let words = named
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let words: Vec<String> = words
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    words.join(", ")
}

fn table(views: &[ExceptionView], with_stations: bool) -> String {
    if views.is_empty() {
        return "Nobody is let in by exception.".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "KIND", "FOR", "TENANT", "UNTIL", "LEFT", "STATIONS", "ASKS FOR", "REASON",
    ]);
    for view in views {
        let stations = match with_stations {
            true => view.stations.join(" "),
            false => view.stations.len().to_string(),
        };
        table.add_row([
            view.kind,
            &view.r#for,
            &view.tenant,
            &view.until,
            &view.days(),
            &stations,
            &view.asks_for.join("; "),
            &view.reason,
        ]);
    }
    table.trim_fmt()
}
