//! `portcullis refused …`: transaction messages that were refused, for somebody to look at.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use guard::{PseudonymKey, Secret, UnixMillis};
use ocpp::{Exchange, Frame, Limits, Message, Reader, Side, Version};
use serde::Serialize;
use store::{RefusedRow, RefusedStore, Settlement};

use crate::admin::client::{ask, understood, unexpected};
use crate::admin::{ReleaseView, Ticket, Which};
use crate::cli::RefusedCommand;
use crate::config::Config;
use crate::output::Output;
use crate::register::Register;
use crate::{Exit, Failure};

pub(crate) fn run(
    command: &RefusedCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        RefusedCommand::List { all } => list(config, *all, output),
        RefusedCommand::Show { number, reveal } => show(config, *number, *reveal, output),
        RefusedCommand::Release { number } => release(config, *number, output),
        RefusedCommand::Drop { number } => drop_one(config, *number, output),
    }
}

/// One kept message, as it is listed.
#[derive(Serialize)]
struct View {
    number: u64,
    at: String,
    tenant: String,
    identity: String,
    version: String,
    action: String,
    refused_by: String,
    why: String,
    bytes: u64,
    /// `open`, or what was done with it.
    state: &'static str,
}

impl View {
    fn of(row: &RefusedRow) -> View {
        View {
            number: row.number,
            at: in_words(row.at),
            tenant: row.tenant.0.to_string(),
            identity: row.station.clone(),
            version: row.version.clone(),
            action: row.action.clone(),
            refused_by: row.by.clone(),
            why: row.why.clone(),
            bytes: row.bytes,
            state: row.settled.map_or("open", |(how, _)| how.name()),
        }
    }
}

fn in_words(at: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

fn list(config: &Path, all: bool, output: &mut Output) -> Result<(), Failure> {
    let rows = Register::open(config)?.store.refused(!all)?;
    let views: Vec<View> = rows.iter().map(View::of).collect();
    output.result(&views, || table(&views))
}

fn table(views: &[View]) -> String {
    if views.is_empty() {
        return "No refused transaction message waits.".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "NUMBER", "AT", "STATION", "TENANT", "ACTION", "BY", "WHY", "STATE",
    ]);
    for view in views {
        table.add_row([
            &view.number.to_string(),
            &view.at,
            &view.identity,
            &view.tenant,
            &view.action,
            &view.refused_by,
            &view.why,
            view.state,
        ]);
    }
    table.trim_fmt()
}

/// A message with what it says: as it came, or as it may be shown to anybody.
#[derive(Serialize)]
struct Opened {
    #[serde(flatten)]
    view: View,
    /// The message as it came; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Its fields, with pseudonyms in place of identifiers.
    fields: Vec<(String, String)>,
}

fn show(config: &Path, number: u64, reveal: bool, output: &mut Output) -> Result<(), Failure> {
    let register = Register::open(config)?;
    let Some((row, text)) = register.store.refused_message(number)? else {
        return Err(none(number));
    };
    let key = register.key.pseudonym_key();
    let fields = text.as_ref().map(|text| fields(&row, text, &key));
    let text = text.filter(|_| reveal);
    let opened = Opened {
        view: View::of(&row),
        text: text.map(|text| String::from_utf8_lossy(text.expose()).into_owned()),
        fields: fields.unwrap_or_default(),
    };
    output.result(&opened, || in_lines(&opened))
}

fn in_lines(opened: &Opened) -> String {
    let mut lines = table(std::slice::from_ref(&opened.view));
    match (&opened.text, opened.fields.as_slice()) {
        (Some(text), _) => lines.push_str(&format!("\n\n{text}")),
        (None, []) => lines
            .push_str("\n\nIts fields cannot be shown one by one; --reveal shows it as it came."),
        (None, fields) => {
            lines.push('\n');
            for (name, value) in fields {
                lines.push_str(&format!("\n{name}: {value}"));
            }
        }
    }
    lines
}

fn fields(row: &RefusedRow, text: &Secret, key: &PseudonymKey) -> Vec<(String, String)> {
    let Some(version) = Version::from_number(&row.version) else {
        return Vec::new();
    };
    let mut reader = Reader::new();
    let (limits, exchange) = (Limits::default(), Exchange::new(0));
    let frame = Frame::text(text.expose());
    let message = reader.read(frame, Side::Station, version, &limits, &exchange);
    let Message::Call(call) = message else {
        return Vec::new();
    };
    let named = |fact: &ocpp::Fact| {
        let shown = guard::shown(&call.facts, fact, key);
        (fact.field.name.to_owned(), shown)
    };
    call.facts.iter().map(named).collect()
}

fn release(config: &Path, number: u64, output: &mut Output) -> Result<(), Failure> {
    let ticket = Ticket::read(&Config::load(config)?.store.value)?;
    let body = serde_json::to_string(&Which { number }).unwrap_or_default();
    let answer = ask(&ticket, "POST", "/refused/release", &body)?;
    let view: ReleaseView = understood(&answer, || match answer.status {
        404 => none(number),
        status => unexpected(status),
    })?;
    if !view.released {
        let remedy = "`portcullis refused list --all` shows how each one stands.";
        return Err(Failure::new(Exit::Failed, view.what, remedy));
    }
    output.result(&view, || format!("Message {number}: {}.", view.what))
}

fn drop_one(config: &Path, number: u64, output: &mut Output) -> Result<(), Failure> {
    let mut register = Register::open(config)?;
    let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
    if !register.store.settle(number, Settlement::Dropped, now)? {
        return Err(none(number));
    }
    output.result(&Which { number }, || {
        format!("Message {number} is dropped, and its text is gone.")
    })
}

fn none(number: u64) -> Failure {
    let what = format!("there is no open refused message {number}");
    let remedy = "`portcullis refused list --all` shows them all.";
    Failure::new(Exit::NotFound, what, remedy)
}
