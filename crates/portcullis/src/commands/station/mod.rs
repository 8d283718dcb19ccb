//! `portcullis station …`: the register, by hand and by file.

mod add;
mod audit;
mod draft;
mod import;
mod memory_view;
mod replace;
mod rows;
mod secret;
mod set_password;
mod view;

use std::path::Path;
use std::sync::Arc;

use guard::{Tenant, UnixMillis};
use ocpp::{StationId, Version};
use serde::Serialize;
use store::{MemoryStore, Store};

use crate::cli::{OneStation, StationCommand};
use crate::output::Output;
use crate::register::Register;
use crate::{Exit, Failure};
use memory_view::MemoryView;
use view::StationView;

pub(crate) fn run(
    command: &StationCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        StationCommand::Add(arguments) => add::run(arguments, config, output),
        StationCommand::Import(arguments) => import::run(arguments, config, output),
        StationCommand::SetPassword(arguments) => set_password::run(arguments, config, output),
        StationCommand::Replace(arguments) => replace::run(arguments, config, output),
        StationCommand::Audit => audit::run(config, output),
        StationCommand::List { tenant } => list(tenant.as_deref(), config, output),
        StationCommand::Show(station) => show(station, config, output),
        StationCommand::Remove(station) => remove(station, config, output),
        StationCommand::Enable(station) => enable(station, true, config, output),
        StationCommand::Disable(station) => enable(station, false, config, output),
    }
}

fn list(tenant: Option<&str>, config: &Path, output: &mut Output) -> Result<(), Failure> {
    let register = Register::open(config)?;
    let tenant = tenant.map(|name| Tenant(Arc::from(name)));
    let stations = register.store.stations(tenant.as_ref())?;
    let views: Vec<StationView> = stations.iter().map(StationView::of).collect();
    output.result(&views, || view::table(&views))
}

fn show(station: &OneStation, config: &Path, output: &mut Output) -> Result<(), Failure> {
    let (tenant, id) = named(station)?;
    let register = Register::open(config)?;
    let view = StationView::of(&register.store.station(&tenant, &id)?);
    let memory = register.store.memory(&tenant, &id)?.unwrap_or_default();
    let key = register.key.pseudonym_key();
    let now = UnixMillis(crate::unix_seconds().saturating_mul(1000));
    let remembered = MemoryView::of(&memory, &key, now);
    let shown = ShownStation {
        station: &view,
        remembered: &remembered,
    };
    output.result(&shown, || {
        format!("{}\n{}", view.lines(), remembered.lines())
    })
}

/// What is registered, and what is remembered.
#[derive(Serialize)]
struct ShownStation<'v> {
    #[serde(flatten)]
    station: &'v StationView,
    remembered: &'v MemoryView,
}

fn remove(station: &OneStation, config: &Path, output: &mut Output) -> Result<(), Failure> {
    let (tenant, id) = named(station)?;
    let mut register = Register::open(config)?;
    let view = StationView::of(&register.store.station(&tenant, &id)?);
    register.store.remove(&tenant, &id)?;
    output.result(&view, || {
        format!("Station {id} of tenant {} is forgotten.", tenant.0)
    })
}

fn enable(
    station: &OneStation,
    enabled: bool,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let (tenant, id) = named(station)?;
    let mut register = Register::open(config)?;
    register.store.enable(&tenant, &id, enabled)?;
    let view = StationView::of(&register.store.station(&tenant, &id)?);
    output.result(&view, || match enabled {
        true => format!("Station {id} may connect."),
        false => format!("Station {id} is kept out."),
    })
}

fn named(station: &OneStation) -> Result<(Tenant, StationId), Failure> {
    let id = StationId::parse(&station.identity, Version::V16).map_err(|error| {
        Failure::new(
            Exit::Input,
            format!("\"{}\": {error}", station.identity),
            IDENTITY,
        )
    })?;
    Ok((Tenant(Arc::from(station.tenant.as_str())), id))
}

/// What an identity may be, for remedies.
const IDENTITY: &str = "OCPP 2.x: up to 48 letters, digits and *-_=+|@. signs; OCPP 1.6: printable characters but / \\ and %.";
