//! The program: it reads what the operator wrote, keeps the register, and wires the rooms together.

mod admin;
mod cli;
mod commands;
pub mod config;
mod demo;
mod findings;
mod health;
mod nearest;
mod open_record;
mod output;
mod passwords;
mod private_file;
mod problem;
mod recorder;
mod register;
mod serve;
mod tell;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub use problem::{Exit, Failure, Problem};

use cli::Cli;
use output::Output;

/// Runs the program with these arguments, the first one being its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own: help and version leave with 0, a wrong command line with 2.
            let code = if error.use_stderr() {
                Exit::Input as u8
            } else {
                0
            };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let mut output = Output::new(cli.format);
    match commands::run(&cli, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// What the clock shows, in Unix seconds.
fn unix_seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}
