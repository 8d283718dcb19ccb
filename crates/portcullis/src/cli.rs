//! The command line: what there is to say to the program, with examples.

mod adopt;
mod ca;
mod journal;
mod mode;
mod refused;
mod station;
mod tolerance;
mod witness;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::adopt::{AdoptCommand, OpenAdoption};
pub(crate) use self::ca::{CaCommand, CaIssue, CaPlace};
pub(crate) use self::journal::{
    ExportArgs, ExportForm, HoldArgs, JournalCommand, RecordFilter, RevealArgs, SearchArgs,
    SubjectArgs, TailArgs,
};
pub(crate) use self::mode::{ModeCommand, ModeScope};
pub(crate) use self::refused::RefusedCommand;
pub(crate) use self::station::{
    AddStation, CredentialChoice, ImportStations, OneStation, ReplaceStation, SetPassword,
    StationCommand,
};
pub(crate) use self::tolerance::ToleranceCommand;
pub(crate) use self::witness::WitnessCommand;
use crate::output::Format;

const EXAMPLES: &str = "\
Getting started:
  portcullis init                            a commented portcullis.toml and a key file
  portcullis ca init                         a certificate authority, for a CPO without one
  portcullis ca issue server gate.example    an ECDSA and an RSA certificate for the gate
  portcullis check                           is the configuration right?
  portcullis station add CP-0001 --generate  registers a station; its password is shown once
  portcullis doctor                          is everything there that the gate needs?
  portcullis serve                           opens the gate

Exit codes:
  0  done
  1  tried and failed: a file, the store, the network
  2  the command line, the configuration or an input file is wrong
  3  what was asked for is not there
  4  it is there already, or at odds with what is
  5  doctor found something that keeps the gate from working";

/// The gate between charging stations and their management system (OCPP 1.6, 2.0.1 and 2.1).
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, after_help = EXAMPLES, propagate_version = false)]
pub(crate) struct Cli {
    /// For people or for machines.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// The configuration.
    #[arg(
        long,
        short,
        global = true,
        env = "PORTCULLIS_CONFIG",
        value_name = "FILE",
        default_value = "portcullis.toml"
    )]
    pub(crate) config: PathBuf,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented configuration and a key file to start from.
    Init {
        /// For our systemd unit: the store and the key under /var/lib/portcullis; the key is made at the
        /// first start.
        #[arg(long)]
        service: bool,
    },
    /// Tell everything that is wrong with the configuration and the files it names.
    Check,
    /// Look at all that the gate needs: files, certificates, the CSMS, ports, disk and clock.
    #[command(after_help = "\
Examples:
  portcullis doctor
  portcullis doctor --side-door wss://csms.vendor.example/ocpp   and is the CSMS reachable around us?

A side door is looked at by one request for a WebSocket, with an identity that nobody has and no
credential. From the gate's own address it may be open by right: run this on another machine, too.
It needs no configuration there.")]
    Doctor {
        /// A URL of the CSMS that stations must not reach any more; may be given several times.
        #[arg(long = "side-door", value_name = "URL")]
        side_doors: Vec<String>,
    },
    /// Open the gate, until SIGTERM or Ctrl-C. Stations are then sent away over `drain_seconds`; a
    /// second signal ends at once.
    Serve,
    /// Have the running gate read its configuration, the files it names and the register anew.
    #[command(after_help = "\
All of it comes into force, or nothing. The gate does the same by itself when a file changes, and on
SIGHUP. Exit code 2: the configuration is wrong, and nothing has changed. Exit code 4: more than one
session and more than 1 % of all would end, so somebody has to say that this is meant.

Examples:
  portcullis check && portcullis reload
  portcullis reload --force            half the fleet has been taken out, and that was meant")]
    Reload(ReloadGate),
    /// Have a new process take the running gate's place, without refusing anybody in between.
    #[command(after_help = "\
Put the new program in the old one's place first (the package does). The running gate starts it, gives
it the listening sockets with everybody who waits in their queues, and accepts nobody itself from the
moment in which the new process is ready. Then it sends its sessions away over `drain_seconds`, and
ends with 0. Until the new process accepts, everything can be taken back: if it does not start, the
running gate goes on, and this command says why. SIGUSR2 does the same.

A container ends with its first process, so in one this is refused: start a new container instead.")]
    Upgrade,
    /// The way back: reduce everything to TLS, authentication and relay, in one command.
    #[command(subcommand)]
    Mode(ModeCommand),
    /// Register stations, list and remove them. A running gate sees the change within seconds.
    #[command(subcommand)]
    Station(StationCommand),
    /// Show the route table.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Show what is looked for in messages: injection patterns, virtual patches, configuration keys.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Show who is let in by exception, and until when.
    #[command(subcommand)]
    Exception(ExceptionCommand),
    /// Show who is connected to the running gate, and end a session.
    #[command(subcommand)]
    Session(SessionCommand),
    /// The record of what happened: make its keys, read it, prove it, erase from it.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Watch another host's record from here: sign its checkpoints for as long as it only grows.
    #[command(subcommand)]
    Witness(WitnessCommand),
    /// Learn stations whose passwords only the CSMS knows.
    #[command(subcommand)]
    Adopt(AdoptCommand),
    /// Copy the store and the configuration, as they are at one moment, into a new directory. The gate
    /// may run meanwhile.
    #[command(after_help = "\
Examples:
  portcullis backup /var/backups/portcullis/2026-11-22

The key file is not part of a backup: whoever has both can read what is sealed. Copy it once, to
another place; without it the store cannot be opened again. Nor are certificates and other files that
the configuration names.")]
    Backup {
        /// A directory that is not there yet.
        into: PathBuf,
    },
    /// Put the store of a backup in place. The gate must not run.
    #[command(after_help = "\
Examples:
  portcullis restore /var/backups/portcullis/2026-11-22
  portcullis restore --force /var/backups/portcullis/2026-11-22   a store is there: put it aside

The backup is compared with its list first, and opened with the key file that the configuration
names. The configuration in it is left where it is.")]
    Restore {
        /// What `portcullis backup` has made.
        from: PathBuf,
        /// Put a store that is there aside, with the ending .replaced.
        #[arg(long)]
        force: bool,
    },
    /// Look at transaction messages that were refused, and release or drop them.
    #[command(subcommand)]
    Refused(RefusedCommand),
    /// From what the running gate has observed to what a model may do.
    #[command(subcommand)]
    Tolerance(ToleranceCommand),
    /// A certificate authority for a CPO that has none.
    #[command(subcommand)]
    Ca(CaCommand),
    /// The gate at work, with a fleet, a CSMS and attackers that are not real.
    Demo(crate::demo::DemoArgs),
}

/// How to reload.
#[derive(Debug, Args)]
pub(crate) struct ReloadGate {
    /// Also when more sessions end than may without being asked.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What to do with routes.
#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// List the route table that the gate was last started with.
    List,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List the rules in use: the built-in ones, those of [rules] directory, and [[patch]].
    #[command(after_help = "\
Examples:
  portcullis rules list                 what is looked for, and which control says so
  portcullis rules list --format json   with patterns, examples and sources
  portcullis check                      tries every rule on its examples")]
    List,
}

/// What to do with exceptions. They are written into the configuration: [[exception]].
#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionCommand {
    /// List the exceptions: for whom, until when, what is asked of them instead, and how many
    /// registered stations come in by each.
    #[command(after_help = "\
Examples:
  portcullis exception list                 the register of what is still to be replaced
  portcullis exception list --stations      each station by its name
  portcullis exception list --format json   for a report")]
    List {
        /// Name the stations in place of their number.
        #[arg(long)]
        stations: bool,
    },
}

/// What to do with live sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List the stations that are connected now.
    List {
        /// Only those of this tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// End a station's session, so that its next connection finds the place free.
    #[command(after_help = "\
Example:
  portcullis session end CP-0001      somebody else holds the place of CP-0001
  portcullis station disable CP-0001  and nobody takes it until it is enabled again")]
    End(OneStation),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
