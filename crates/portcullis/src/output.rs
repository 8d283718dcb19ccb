//! What the program says: results on standard output, failures and progress on standard error, for
//! people or for machines.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{Failure, Problem};

/// For whom the output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON value.
    Json,
}

/// The way out for everything that is said.
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Output {
        Output { format }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Tells a result: the value as JSON, or the text that says the same.
    pub(crate) fn result(
        &mut self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let said = match self.format {
            Format::Text => text(),
            Format::Json => serde_json::to_string_pretty(value).unwrap_or_default(),
        };
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{}", said.trim_end_matches('\n')).and_then(|()| out.flush()) {
            // Whoever closed the pipe has read enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Tells why the command was not done.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if failure.problems.is_empty() {
            // The result itself has said it.
            return;
        }
        #[derive(Serialize)]
        struct Told<'a> {
            exit: u8,
            kind: crate::Exit,
            problems: &'a [Problem],
        }
        let said = match self.format {
            Format::Text => failure
                .problems
                .iter()
                .map(|problem| format!("error: {problem}\n"))
                .collect(),
            Format::Json => {
                let told = Told {
                    exit: failure.exit as u8,
                    kind: failure.exit,
                    problems: &failure.problems,
                };
                format!(
                    "{}\n",
                    serde_json::to_string_pretty(&told).unwrap_or_default()
                )
            }
        };
        let _ = std::io::stderr().lock().write_all(said.as_bytes());
    }

    /// A word aside, for people only.
    pub(crate) fn note(&mut self, text: &str) {
        if self.format == Format::Text {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// A bar for work that takes a while, where somebody watches.
    pub(crate) fn progress(&self, what: &'static str, length: usize) -> ProgressBar {
        let watched = self.format == Format::Text && std::io::stderr().is_terminal();
        let target = match watched {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        ProgressBar::with_draw_target(Some(length as u64), target)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message(what)
    }
}
