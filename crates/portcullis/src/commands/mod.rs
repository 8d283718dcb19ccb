//! One file for each thing that the program does.

mod adopt;
mod backup;
mod ca;
mod check;
mod doctor;
mod exception;
mod init;
mod journal;
mod mode;
mod refused;
mod reload;
mod route;
mod rules;
mod session;
mod station;
mod tolerance;
mod upgrade;
mod witness;

pub(crate) use journal::make_keys;

use crate::Failure;
use crate::cli::{Cli, Command};
use crate::output::Output;

/// Does what the command line asks for.
pub(crate) fn run(cli: &Cli, output: &mut Output) -> Result<(), Failure> {
    match &cli.command {
        Command::Init { service } => init::run(&cli.config, *service, output),
        Command::Check => check::run(&cli.config, output),
        Command::Doctor { side_doors } => doctor::run(&cli.config, side_doors, output),
        Command::Serve => crate::serve::run(&cli.config, output),
        Command::Mode(command) => mode::run(command, &cli.config, output),
        Command::Upgrade => upgrade::run(&cli.config, output),
        Command::Reload(how) => reload::run(how, &cli.config, output),
        Command::Station(command) => station::run(command, &cli.config, output),
        Command::Route(command) => route::run(command, &cli.config, output),
        Command::Rules(command) => rules::run(command, &cli.config, output),
        Command::Exception(command) => exception::run(command, &cli.config, output),
        Command::Session(command) => session::run(command, &cli.config, output),
        Command::Journal(command) => journal::run(command, &cli.config, output),
        Command::Witness(command) => witness::run(command, output),
        Command::Adopt(command) => adopt::run(command, &cli.config, output),
        Command::Backup { into } => backup::backup(&cli.config, into, output),
        Command::Restore { from, force } => backup::restore(&cli.config, from, *force, output),
        Command::Refused(command) => refused::run(command, &cli.config, output),
        Command::Tolerance(command) => tolerance::run(command, &cli.config, output),
        Command::Ca(command) => ca::run(command, output),
        Command::Demo(demo) => crate::demo::run(demo),
    }
}
