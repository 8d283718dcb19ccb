//! `portcullis doctor`: all that the gate needs, looked at once, each line with its remedy.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use store::{KeyFile, SqliteStore, Store};

use crate::config::{Config, Materials};
use crate::health::{
    Finding, Level, certificates, disk, exceptions, machine, memory, revocation, side_door,
    upstream,
};
use crate::output::Output;
use crate::passwords::{self, audit::Audit};
use crate::{Exit, Failure, Problem};

#[derive(Serialize)]
struct Report {
    healthy: bool,
    findings: Vec<Finding>,
}

pub(crate) fn run(path: &Path, side_doors: &[String], output: &mut Output) -> Result<(), Failure> {
    let mut findings = match Config::load(path) {
        // On a machine that is not the gate's, there is nothing else to look at.
        _ if !side_doors.is_empty() && !path.exists() => Vec::new(),
        Ok(config) => examine(&config)?,
        Err(problems) => of_problems("configuration", &problems),
    };
    findings.extend(side_door::look(side_doors));
    let healthy = findings.iter().all(|finding| finding.level < Level::Fail);
    let report = Report { healthy, findings };
    output.result(&report, || text(&report.findings))?;
    match healthy {
        true => Ok(()),
        // Everything has been said already.
        false => Err(Failure {
            exit: Exit::Unhealthy,
            problems: Vec::new(),
        }),
    }
}

fn examine(config: &Config) -> Result<Vec<Finding>, Failure> {
    let now = crate::unix_seconds();
    let mut findings = vec![Finding::ok(
        "configuration",
        format!("{} is right", config.name),
    )];
    let (mut found, fleet) = register(config);
    findings.append(&mut found);
    findings.push(disk::look(&config.store.value, config.disk_free_min_mb));
    findings.extend(exceptions::look(&config.exceptions, now));
    match Materials::load(config) {
        Ok(materials) => {
            findings.extend(certificates::look(&materials.certificates, now));
            findings.extend(revocation::look(&materials.lists, now));
        }
        Err(problems) => findings.extend(of_problems("files", &problems)),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    findings.extend(runtime.block_on(upstream::look(&config.routes)));
    let stations = fleet.values().sum();
    findings.push(memory::look(config, stations));
    findings.push(machine::open_files(stations));
    findings.extend(machine::ports(&config.routes, &fleet));
    findings.push(machine::clock(now));
    Ok(findings)
}

/// The key file and the store, and how many stations each tenant has.
fn register(config: &Config) -> (Vec<Finding>, BTreeMap<String, u64>) {
    let mut fleet = BTreeMap::new();
    let path = &config.key_file.value;
    let subject = format!("key file {}", path.display());
    let key = match KeyFile::open(path) {
        Ok(key) => key,
        Err(error) => {
            return (
                vec![Finding::fail(subject, error.to_string(), error.remedy())],
                fleet,
            );
        }
    };
    let mut findings = vec![match KeyFile::is_open_to_others(path) {
        true => Finding::warn(
            subject,
            "can be read by other users",
            format!("chmod 600 {}", path.display()),
        ),
        false => Finding::ok(subject, format!("holds key {}", key.name())),
    }];
    let path = &config.store.value;
    let subject = format!("store {}", path.display());
    if !path.exists() {
        let remedy = "`portcullis station add` or `portcullis serve` makes it.";
        findings.push(Finding::warn(subject, "is not there yet", remedy));
        return (findings, fleet);
    }
    let stations = SqliteStore::open(path, &key).and_then(|store| store.stations(None));
    if let Ok(stations) = &stations {
        findings.push(Audit::of(stations, &passwords::rules(&key)).finding());
    }
    if let Ok(stations) = &stations {
        findings.extend(exceptions::compare(config, stations));
    }
    findings.push(match stations {
        Ok(stations) => {
            for station in &stations {
                *fleet.entry(station.tenant.0.to_string()).or_default() += 1;
            }
            match stations.len() {
                0 => Finding::warn(
                    subject,
                    "holds no station, so none can connect",
                    "Register one: `portcullis station add --help`.",
                ),
                many => Finding::ok(subject, format!("holds {many} stations")),
            }
        }
        Err(error) => Finding::fail(subject, error.to_string(), error.remedy()),
    });
    (findings, fleet)
}

fn of_problems(subject: &str, problems: &[Problem]) -> Vec<Finding> {
    let place = |problem: &Problem| match (&problem.file, problem.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", problem.what),
        (Some(file), None) => format!("{file}: {}", problem.what),
        _ => problem.what.clone(),
    };
    problems
        .iter()
        .map(|problem| Finding::fail(subject, place(problem), problem.remedy.clone()))
        .collect()
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        text.push_str(&format!("{mark}  {}: {}\n", finding.subject, finding.what));
        if !finding.remedy.is_empty() {
            text.push_str(&format!("      → {}\n", finding.remedy));
        }
    }
    text
}
