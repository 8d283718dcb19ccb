//! `portcullis tolerance …`: from what the running gate has seen to what a fleet may do.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::admin::Ticket;
use crate::admin::client::{ask, understood, unexpected};
use crate::cli::ToleranceCommand;
use crate::config::Config;
use crate::findings::{Proposal, Report, as_toml, proposals};
use crate::output::{Format, Output};

pub(crate) fn run(
    command: &ToleranceCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let ticket = Ticket::read(&Config::load(config)?.store.value)?;
    match command {
        ToleranceCommand::Propose {
            all,
            toml,
            min_stations,
        } => {
            let report: Report = asked(&ticket, "GET", "/findings")?;
            propose(report, *all, *toml, *min_stations, output)
        }
        ToleranceCommand::Forget => {
            let kinds: usize = asked(&ticket, "POST", "/findings/forget")?;
            #[derive(Serialize)]
            struct Forgotten {
                kinds: usize,
            }
            output.result(&Forgotten { kinds }, || {
                format!("{kinds} kinds of findings are forgotten; counting begins anew.")
            })
        }
    }
}

#[derive(Serialize)]
struct Proposed {
    findings: Vec<Proposal>,
    /// Findings of kinds that the gate had no room for.
    beyond: u64,
}

fn propose(
    report: Report,
    all: bool,
    toml: bool,
    min_stations: usize,
    output: &mut Output,
) -> Result<(), Failure> {
    let beyond = report.beyond;
    let findings = proposals(report, all, min_stations);
    if beyond > 0 {
        output.note(&format!(
            "{beyond} findings more were of kinds that there was no room for; `portcullis tolerance forget` makes room."
        ));
    }
    if toml && output.format() == Format::Text {
        let text = as_toml(&findings);
        return output.result(&(), || match text.is_empty() {
            true => "# there is nothing to propose".to_owned(),
            false => text,
        });
    }
    let proposed = Proposed { findings, beyond };
    output.result(&proposed, || table(&proposed.findings))
}

fn asked<T: DeserializeOwned>(ticket: &Ticket, method: &str, path: &str) -> Result<T, Failure> {
    let answer = ask(ticket, method, path, "")?;
    understood(&answer, || unexpected(answer.status))
}

fn table(findings: &[Proposal]) -> String {
    if findings.is_empty() {
        return "No control has objected to anything.".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "PROPOSED", "MODEL", "CONTROL", "ACTION", "KIND", "PATH", "COUNT", "STATIONS", "FIRST",
        "LAST",
    ]);
    for Proposal {
        kind, seen, but, ..
    } in findings
    {
        let more = if seen.more_stations { "+" } else { "" };
        table.add_row([
            but.map_or("yes".to_owned(), |but| format!("no: {but}")),
            match (&kind.model, &kind.station) {
                (Some((maker, model)), _) => shown(&format!("{maker} / {model}")),
                (None, Some((_, identity))) => format!("station {identity}"),
                (None, None) => String::new(),
            },
            kind.control.clone(),
            kind.action.clone(),
            kind.kind.clone(),
            kind.path.clone(),
            seen.count.to_string(),
            format!("{}{more}", seen.stations.len()),
            time(seen.first),
            time(seen.last),
        ]);
    }
    table.trim_fmt()
}

/// A station chose that name: it moves no cursor.
fn shown(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_control() { '�' } else { letter })
        .collect()
}

fn time(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis);
    time.map_or_else(
        |_| millis.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
