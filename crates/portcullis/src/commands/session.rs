//! `portcullis session …`: who is connected to the running gate, and how to remove a holder.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};

use crate::admin::client::{ask, understood, unexpected};
use crate::admin::{SessionView, Ticket, Whose};
use crate::cli::{OneStation, SessionCommand};
use crate::output::Output;
use crate::{Exit, Failure};

pub(crate) fn run(
    command: &SessionCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let ticket = Ticket::of_gate(config)?;
    match command {
        SessionCommand::List { tenant } => list(&ticket, tenant.as_deref(), output),
        SessionCommand::End(station) => end(&ticket, station, output),
    }
}

fn list(ticket: &Ticket, tenant: Option<&str>, output: &mut Output) -> Result<(), Failure> {
    let answer = ask(ticket, "GET", "/sessions", "")?;
    let mut views: Vec<SessionView> = understood(&answer, || unexpected(answer.status))?;
    views.retain(|view| tenant.is_none_or(|tenant| view.tenant == tenant));
    output.result(&views, || table(&views))
}

fn end(ticket: &Ticket, station: &OneStation, output: &mut Output) -> Result<(), Failure> {
    let OneStation { identity, tenant } = station;
    let whose = Whose {
        identity: identity.clone(),
        tenant: tenant.clone(),
    };
    let body = serde_json::to_string(&whose).unwrap_or_default();
    let answer = ask(ticket, "POST", "/sessions/end", &body)?;
    let view: SessionView = understood(&answer, || match answer.status {
        404 => {
            let what = format!("station {identity} of tenant {tenant} has no live session");
            let remedy = "`portcullis session list` shows who is connected.";
            Failure::new(Exit::NotFound, what, remedy)
        }
        status => unexpected(status),
    })?;
    output.result(&view, || {
        format!(
            "The session of {} from {} is told to end. `portcullis station disable` keeps a station out.",
            view.identity, view.peer
        )
    })
}

fn table(views: &[SessionView]) -> String {
    if views.is_empty() {
        return "Nobody is connected.".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "STATION", "TENANT", "ROUTE", "OCPP", "BY", "FROM", "SESSION", "TLS", "MODE",
    ]);
    for view in views {
        let number = view.session.to_string();
        let by = match &view.exception_until {
            Some(day) => format!("{}, by exception until {day}", view.by),
            None => view.by.clone(),
        };
        table.add_row([
            view.identity.as_str(),
            view.tenant.as_str(),
            view.route.as_str(),
            view.version.as_str(),
            by.as_str(),
            view.peer.as_str(),
            number.as_str(),
            view.tls.as_deref().unwrap_or("none"),
            if view.observed_only { "observe" } else { "" },
        ]);
    }
    let observed = views.iter().filter(|view| view.observed_only).count();
    match observed {
        0 => table.trim_fmt(),
        _ => format!(
            "{}\n\nNothing is enforced for {observed} of them: `portcullis mode show`.",
            table.trim_fmt()
        ),
    }
}
