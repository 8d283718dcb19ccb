//! `portcullis route list`: the route table as it stands in the store.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use guard::{Route, UpstreamCredential};
use serde::Serialize;
use store::Store;

use crate::Failure;
use crate::cli::RouteCommand;
use crate::output::Output;
use crate::register::Register;

#[derive(Serialize)]
struct RouteView {
    id: String,
    path: String,
    tenant: String,
    upstream: String,
    credential: &'static str,
}

impl RouteView {
    fn of(route: &Route) -> RouteView {
        RouteView {
            id: route.id.0.to_string(),
            path: route.path.clone(),
            tenant: route.tenant.0.to_string(),
            upstream: route.upstream.clone(),
            credential: match route.credential {
                UpstreamCredential::Forward => "forward",
                UpstreamCredential::None => "none",
                UpstreamCredential::Fixed(_) => "fixed",
                UpstreamCredential::PerStation => "per-station",
            },
        }
    }
}

pub(crate) fn run(
    command: &RouteCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let RouteCommand::List = command;
    let register = Register::open(config)?;
    let routes: Vec<RouteView> = register.store.routes()?.iter().map(RouteView::of).collect();
    output.result(&routes, || {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["ROUTE", "PATH", "TENANT", "UPSTREAM", "CREDENTIAL"]);
        for route in &routes {
            let credential = route.credential.to_owned();
            let RouteView {
                id,
                path,
                tenant,
                upstream,
                ..
            } = route;
            table.add_row([id, path, tenant, upstream, &credential]);
        }
        match routes.len() {
            0 => "The route table is empty; `portcullis serve` fills it from the configuration."
                .to_owned(),
            _ => table.trim_fmt(),
        }
    })
}
