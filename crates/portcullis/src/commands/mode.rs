//! `portcullis mode …`: the way back, by the running gate, or in its store while it does not run.

use std::path::Path;

use store::Store;

use crate::admin::Ticket;
use crate::admin::client::{ask, understood, unexpected};
use crate::cli::{ModeCommand, ModeScope};
use crate::output::Output;
use crate::register::Register;
use crate::serve::orders::{ModeAct, ModeOrder, ModeRefused, ModeView};
use crate::{Exit, Failure};

pub(crate) fn run(
    command: &ModeCommand,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let order = match command {
        ModeCommand::Show => ModeOrder::default(),
        ModeCommand::Observe(scope) => order(ModeAct::Observe, scope),
        ModeCommand::Enforce(scope) => order(ModeAct::Enforce, scope),
    };
    let view = match by_the_gate(&order, config) {
        Some(view) => view?,
        None => by_the_store(&order, config)?,
    };
    output.result(&view, || in_words(&view))
}

fn order(act: ModeAct, scope: &ModeScope) -> ModeOrder {
    ModeOrder {
        act,
        tenant: scope.tenant.clone(),
        stations: scope.stations.clone(),
    }
}

/// `None` when no gate can be asked.
fn by_the_gate(order: &ModeOrder, config: &Path) -> Option<Result<ModeView, Failure>> {
    let ticket = Ticket::of_gate(config).ok()?;
    let body = serde_json::to_string(order).unwrap_or_default();
    let answer = ask(&ticket, "POST", "/mode", &body).ok()?;
    Some(understood(&answer, || {
        match serde_json::from_str::<ModeRefused>(&answer.body) {
            Ok(refused) if answer.status == 404 => nobody(&refused),
            _ => unexpected(answer.status),
        }
    }))
}

/// A gate that runs all the same, and could only not be asked, finds it there within seconds.
fn by_the_store(order: &ModeOrder, config: &Path) -> Result<ModeView, Failure> {
    let mut store = Register::open(config)?.store;
    let whom = order.whom(|tenant, id| store.station(tenant, id).is_ok());
    let whom = whom.map_err(|refused| nobody(&refused))?;
    let mut relaxed = store.way_back()?.relaxed;
    if order.apply(whom, &mut relaxed) {
        store.set_relaxed(&relaxed)?;
    }
    let way_back = store.way_back()?;
    Ok(ModeView::of(&way_back.relaxed, way_back.since))
}

fn nobody(refused: &ModeRefused) -> Failure {
    let what = format!("no station {} is registered", refused.identity);
    let remedy = "`portcullis station list` shows them; --tenant says whose it is.";
    Failure::new(Exit::NotFound, what, remedy)
}

fn in_words(view: &ModeView) -> String {
    let mut words = match view.is_empty() {
        true => "Controls are kept as they are set.".to_owned(),
        false => format!(
            "Now {}.\nUnreadable messages are refused all the same. Back: portcullis mode enforce",
            view.in_words()
        ),
    };
    if !view.running {
        words.push_str("\nNo gate could be asked: this holds from its next start.");
    }
    if !view.stored {
        words.push_str("\nThe store cannot be written: a restart would not find this yet.");
    }
    words
}
