//! `portcullis station audit`: whose passwords are weak or shared. It never shows one.

use std::path::Path;

use store::Store;

use crate::Failure;
use crate::output::Output;
use crate::passwords::audit::{Audit, Named, Weak};
use crate::passwords::rules;
use crate::register::Register;

/// Names of a group that are told in text; JSON has all of them.
const NAMES_SHOWN_MAX: usize = 12;

pub(super) fn run(config: &Path, output: &mut Output) -> Result<(), Failure> {
    let register = Register::open(config)?;
    let stations = register.store.stations(None)?;
    let audit = Audit::of(&stations, &rules(&register.key));
    output.result(&audit, || text(&audit))
}

fn text(audit: &Audit) -> String {
    let mut text = String::new();
    for group in &audit.shared {
        let count = group.stations.len();
        text.push_str(&format!(
            "{count} stations share one password: {}\n",
            names(&group.stations)
        ));
    }
    let alone: Vec<&Weak> = audit
        .weak
        .iter()
        .filter(|weak| weak.why != ["shared"])
        .collect();
    if !alone.is_empty() {
        text.push_str("Weak passwords:\n");
    }
    for Weak {
        station,
        words,
        accepted,
        ..
    } in alone
    {
        let accepted = if *accepted {
            " (registered with --allow-weak)"
        } else {
            ""
        };
        let tenant = &station.tenant;
        text.push_str(&format!(
            "  {} ({tenant}): {words}{accepted}\n",
            station.identity
        ));
    }
    if audit.unknown > 0 {
        text.push_str(&format!(
            "{} passwords have not been looked at: they were registered before that was asked, and will be when their stations next connect.\n",
            audit.unknown
        ));
    }
    match audit.weak.is_empty() {
        true => text.push_str(&format!("No weak password is known among {}.", audit.passwords)),
        false => text.push_str("New ones: `portcullis station set-password IDENTITY --generate`, then enter them at the stations."),
    }
    text
}

fn names(stations: &[Named]) -> String {
    let shown = stations.iter().take(NAMES_SHOWN_MAX);
    let shown: Vec<&str> = shown.map(|station| station.identity.as_str()).collect();
    let more = stations.len() - shown.len();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
