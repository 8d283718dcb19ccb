//! `portcullis journal retention`: what has been kept long enough, and forgetting it now.

use journal::segments::forget_days;
use journal::vault::Plan;
use journal::{Day, Vault};
use serde::Serialize;

use super::records::read_failure;
use super::subjects::now;
use super::{open, vault, vault_failure};
use crate::Failure;
use crate::config::JournalConfig;
use crate::output::Output;

/// The upkeep goes on until nothing is due; each go does a bounded part of it.
const GOES_MAX: usize = 100_000;

#[derive(Default, Serialize)]
struct View {
    carried_out: bool,
    identifiers_before: Option<String>,
    identifiers: usize,
    texts: Vec<String>,
    records: Vec<String>,
    subject_keys: Vec<String>,
    waits_for_clock: bool,
}

pub(super) fn run(
    config: &JournalConfig,
    carry_out: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut vault = vault(&open(config)?)?;
    let plan = vault.plan(&config.retention, now());
    let mut view = View::of(&plan.map_err(|error| vault_failure(&error))?);
    if carry_out {
        view.carry_out(&mut vault, config)?;
    }
    // Which of today's keys was taken up is worth keeping, even where nothing was due.
    vault.settle().map_err(|error| vault_failure(&error))?;
    output.result(&view, || view.in_words())
}

impl View {
    fn of(plan: &Plan) -> View {
        View {
            identifiers_before: plan.identifiers_before.map(|day| day.to_string()),
            texts: named(&plan.texts),
            records: named(&plan.records),
            ..View::default()
        }
    }

    /// Forgets all of it.
    fn carry_out(&mut self, vault: &mut Vault, config: &JournalConfig) -> Result<(), Failure> {
        self.carried_out = true;
        for _ in 0..GOES_MAX {
            let tended = vault.tend(&config.retention, &config.directory.value, now());
            let tended = tended.map_err(|error| vault_failure(&error))?;
            self.identifiers += tended.identifiers;
            self.waits_for_clock |= tended.waits_for_clock;
            self.subject_keys.extend(named(&tended.keks));
            if !tended.records.is_empty() {
                // Nobody else will: the gate gives back the disk of those days that it has ended itself.
                forget_days(&config.directory.value, &tended.records)
                    .map_err(|error| read_failure(&error))?;
            }
            if !tended.more {
                break;
            }
        }
        Ok(())
    }

    fn in_words(&self) -> String {
        let mut words = format!(
            "identifiers  last seen before {}\ntexts        of {}\nrecords      of {}",
            self.identifiers_before.as_deref().unwrap_or("never"),
            listed(&self.texts),
            listed(&self.records),
        );
        words += &match self.carried_out {
            true if self.waits_for_clock => "\nNothing was forgotten: the clock shows a day more than three days from the last one. \
                 Should it be right, all this is forgotten tomorrow."
                .to_owned(),
            true => format!(
                "\nForgotten: {} identifiers, and all of these; old keys of subjects destroyed: {}.",
                self.identifiers,
                listed(&self.subject_keys)
            ),
            false => "\nThe gate forgets these by itself; `--now` does it without waiting.".to_owned(),
        };
        words
    }
}

fn named(days: &[Day]) -> Vec<String> {
    days.iter().map(Day::to_string).collect()
}

fn listed(days: &[String]) -> String {
    match days {
        [] => "none".to_owned(),
        days => days.join(", "),
    }
}
