//! `portcullis adopt …`: stations whose passwords only the CSMS knows are learnt as they come.

use std::path::Path;
use std::sync::Arc;

use guard::{StationRecord, Tenant};
use ocpp::{StationId, Version};
use serde::Serialize;
use store::Store;

use crate::admin::client::{ask, understood, unexpected};
use crate::admin::{NotOpened, Ticket, Wanted, WindowView};
use crate::cli::{AdoptCommand, OpenAdoption};
use crate::output::Output;
use crate::register::Register;
use crate::{Exit, Failure};

#[derive(Serialize)]
struct Review {
    window: Option<WindowView>,
    adopted: Vec<Adopted>,
}

#[derive(Serialize)]
struct Adopted {
    identity: String,
    tenant: String,
}

pub(crate) fn run(
    command: &AdoptCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        AdoptCommand::Open(arguments) => open(arguments, config, output),
        AdoptCommand::Close => close(config, output),
        AdoptCommand::List => list(config, output),
        AdoptCommand::Accept {
            identity,
            all,
            tenant,
        } => accept(identity.as_deref().filter(|_| !all), tenant, config, output),
        AdoptCommand::Reject(station) => reject(&station.identity, &station.tenant, config, output),
    }
}

fn open(arguments: &OpenAdoption, config: &Path, output: &mut Output) -> Result<(), Failure> {
    for network in &arguments.from {
        let known: Result<guard::Network, _> = network.parse();
        known.map_err(|_| {
            let what = format!("\"{network}\" is no network");
            Failure::new(
                Exit::Input,
                what,
                "Write it like 10.20.0.0/16 or 2001:db8::/32.",
            )
        })?;
    }
    let wanted = Wanted {
        tenant: arguments.tenant.clone(),
        minutes: arguments.minutes,
        networks: arguments.from.clone(),
        count: arguments.count,
        csms_accepts_all: arguments.csms_accepts_all,
    };
    let body = serde_json::to_string(&wanted).unwrap_or_default();
    let ticket = Ticket::of_gate(config)?;
    let answer = ask(&ticket, "POST", "/adoption/open", &body)?;
    let view: WindowView = understood(&answer, || match answer.status {
        409 => match serde_json::from_str::<NotOpened>(&answer.body) {
            Ok(why) => Failure::new(Exit::Conflict, why.what, why.remedy),
            Err(_) => unexpected(409),
        },
        status => unexpected(status),
    })?;
    output.result(&view, || {
        format!(
            "Until {} or {} stations: whoever comes from there with a password that the CSMS takes is registered. `portcullis adopt list` shows them.",
            view.until, view.left
        )
    })
}

fn close(config: &Path, output: &mut Output) -> Result<(), Failure> {
    let ticket = Ticket::of_gate(config)?;
    let answer = ask(&ticket, "POST", "/adoption/close", "")?;
    let (): () = understood(&answer, || match answer.status {
        404 => Failure::new(Exit::NotFound, "no adoption window is open", ""),
        status => unexpected(status),
    })?;
    output.result(&(), || "The window is closed.".to_owned())
}

fn list(config: &Path, output: &mut Output) -> Result<(), Failure> {
    let register = Register::open(config)?;
    // The gate need not run for the list; only it knows of a window.
    let window = Ticket::of_gate(config).and_then(|ticket| ask(&ticket, "GET", "/adoption", ""));
    let window = window
        .ok()
        .and_then(|answer| serde_json::from_str(&answer.body).ok().flatten());
    let adopted = waiting(&register, None)?;
    let adopted = adopted.iter().map(|record| Adopted {
        identity: record.id.to_string(),
        tenant: record.tenant.0.to_string(),
    });
    let review = Review {
        window,
        adopted: adopted.collect(),
    };
    output.result(&review, || text(&review))
}

fn text(review: &Review) -> String {
    let mut text = match &review.window {
        Some(window) if window.open => {
            format!(
                "A window is open until {}, for {} more stations.\n",
                window.until, window.left
            )
        }
        _ => "No window is open.\n".to_owned(),
    };
    for Adopted { identity, tenant } in &review.adopted {
        text.push_str(&format!("{identity}  {tenant}\n"));
    }
    text.push_str(match review.adopted.is_empty() {
        true => "No adopted station waits to be looked at.",
        false => {
            "Those that are yours: `portcullis adopt accept`; others: `portcullis adopt reject`."
        }
    });
    text
}

fn accept(
    identity: Option<&str>,
    tenant: &str,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut register = Register::open(config)?;
    let mut accepted = Vec::new();
    for record in waiting(&register, Some(tenant))? {
        if identity.is_none_or(|identity| record.id.as_str() == identity) {
            register.store.accept(&record.tenant, &record.id)?;
            accepted.push(record.id.to_string());
        }
    }
    if let (Some(identity), true) = (identity, accepted.is_empty()) {
        return Err(not_waiting(identity));
    }
    output.result(&accepted, || {
        format!("{} adopted stations stay.", accepted.len())
    })
}

fn reject(identity: &str, tenant: &str, config: &Path, output: &mut Output) -> Result<(), Failure> {
    let mut register = Register::open(config)?;
    let id = StationId::parse(identity, Version::V16)
        .map_err(|error| Failure::new(Exit::Input, format!("\"{identity}\": {error}"), ""))?;
    let tenant = Tenant(Arc::from(tenant));
    let record = register.store.station(&tenant, &id)?;
    if !record.adopted {
        return Err(not_waiting(identity));
    }
    register.store.remove(&tenant, &id)?;
    output.result(&identity, || {
        format!("{identity} is forgotten; a running gate ends its session within seconds, and does not adopt it again in the same window.")
    })
}

fn waiting(register: &Register, tenant: Option<&str>) -> Result<Vec<StationRecord>, Failure> {
    let tenant = tenant.map(|name| Tenant(Arc::from(name)));
    let mut stations = register.store.stations(tenant.as_ref())?;
    stations.retain(|record| record.adopted);
    Ok(stations)
}

fn not_waiting(identity: &str) -> Failure {
    let what = format!("{identity} is no adopted station that waits to be looked at");
    Failure::new(Exit::NotFound, what, "See `portcullis adopt list`.")
}
