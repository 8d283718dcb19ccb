//! `portcullis reload`: the running gate reads everything anew, and says what came of it.

use std::path::Path;

use crate::admin::client::{ask, understood, unexpected};
use crate::admin::{HowToReload, Ticket};
use crate::cli::ReloadGate;
use crate::output::Output;
use crate::serve::orders::{Ended, Reloaded};
use crate::{Exit, Failure, Problem};

pub(crate) fn run(
    ReloadGate { force }: &ReloadGate,
    config: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let ticket = Ticket::of_gate(config)?;
    let how = HowToReload { force: *force };
    let body = serde_json::to_string(&how).unwrap_or_default();
    let answer = ask(&ticket, "POST", "/reload", &body)?;
    let reloaded: Reloaded = understood(&answer, || match answer.status {
        422 => match serde_json::from_str::<Vec<Problem>>(&answer.body) {
            Ok(problems) => Failure::from(problems),
            Err(_) => unexpected(422),
        },
        409 => match serde_json::from_str::<Ended>(&answer.body) {
            Ok(ended) => unconfirmed(&ended),
            Err(_) => unexpected(409),
        },
        status => unexpected(status),
    })?;
    output.result(&reloaded, || in_words(&reloaded))
}

fn unconfirmed(ended: &Ended) -> Failure {
    let what = format!(
        "this would end {}, and nothing has changed",
        ended.in_words()
    );
    let remedy = "Undo what was changed, or, if it is meant: portcullis reload --force";
    Failure::new(Exit::Conflict, what, remedy)
}

fn in_words(reloaded: &Reloaded) -> String {
    let changed = match reloaded.changed.is_empty() {
        true => "Nothing has changed.".to_owned(),
        false => format!("In force now: {}.", reloaded.changed.join(", ")),
    };
    let ended = match reloaded.sessions.ended {
        0 => String::new(),
        _ => format!(" This ends {}.", reloaded.sessions.in_words()),
    };
    let restart = match reloaded.needs_restart.is_empty() {
        true => String::new(),
        false => format!(
            "\nOnly read at the next start: {}. `portcullis upgrade` starts anew without closing.",
            reloaded.needs_restart.join(", ")
        ),
    };
    format!("{changed}{ended}{restart}")
}
