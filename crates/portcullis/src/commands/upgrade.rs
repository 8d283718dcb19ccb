//! `portcullis upgrade`: a new process of the program takes the running one's place.

use std::path::Path;

use crate::admin::Ticket;
use crate::admin::client::{ask_within, understood, unexpected};
use crate::output::Output;
use crate::serve::upgrade::{PATIENCE, Upgraded};
use crate::{Exit, Failure, Problem};

pub(crate) fn run(config: &Path, output: &mut Output) -> Result<(), Failure> {
    let ticket = Ticket::of_gate(config)?;
    let answer = ask_within(PATIENCE, &ticket, "POST", "/upgrade", "")?;
    let upgraded: Upgraded = understood(&answer, || {
        let exit = match answer.status {
            409 => Exit::Conflict,
            500 => Exit::Failed,
            status => return unexpected(status),
        };
        match serde_json::from_str::<Vec<Problem>>(&answer.body) {
            Ok(problems) => Failure { exit, problems },
            Err(_) => unexpected(answer.status),
        }
    })?;
    output.result(&upgraded, || {
        format!(
            "Process {} accepts from now on. The old one sends its {} sessions away over {} s, and ends.",
            upgraded.process, upgraded.sessions, upgraded.over_seconds
        )
    })
}
