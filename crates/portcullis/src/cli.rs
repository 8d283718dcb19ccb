//! The command line: what there is to say to the program, with examples.

mod journal;
mod witness;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::journal::{
    ExportArgs, ExportForm, HoldArgs, JournalCommand, RecordFilter, RevealArgs, SearchArgs,
    SubjectArgs, TailArgs,
};
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

/// The way back.
#[derive(Debug, Subcommand)]
pub(crate) enum ModeCommand {
    /// Enforce nothing: every control observes at most, at once, also for running sessions.
    #[command(after_help = "\
It stays so, also over restarts, until `portcullis mode enforce`, and the gate goes on saying so: in
the log, in /readyz, in /metrics and in `session list`. It works while the configuration is wrong, and
while the gate does not run: from its next start then. Who may connect is as before, and messages that
cannot be read are refused as before: two parsers could read them differently. Where even that is in
the way, let stations go around the gate: the guide's \"Way back\".

Examples:
  portcullis mode observe                      the whole fleet
  portcullis mode observe --station CP-0001    one station
  portcullis mode observe --tenant blue        all stations of a tenant")]
    Observe(ModeScope),
    /// Take it back: controls are kept as they are set. Without options, for everybody.
    Enforce(ModeScope),
    /// Whom nothing is enforced for.
    Show,
}

/// Whom it is about.
#[derive(Debug, Args)]
pub(crate) struct ModeScope {
    /// A station's identity; may be given several times.
    #[arg(long = "station", value_name = "IDENTITY")]
    pub(crate) stations: Vec<String>,
    /// Whose stations: all of them, or those named.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
}

/// How to reload.
#[derive(Debug, Args)]
pub(crate) struct ReloadGate {
    /// Also when more sessions end than may without being asked.
    #[arg(long)]
    pub(crate) force: bool,
}

/// What to do with stations.
#[derive(Debug, Subcommand)]
pub(crate) enum StationCommand {
    /// Register one station.
    #[command(after_help = "\
Examples:
  portcullis station add CP-0001 --generate
  portcullis station add CP-0002 --password-hex < authorization-key.txt
  portcullis station add CP-0003 --certificate-name --versions 2.0.1,2.1
  portcullis station add CP-0004 --generate --unnamed 1.6   a station that names no subprotocol
  portcullis station add OLD-17 --by-exception              one that can show nothing: see [[exception]]

Passwords are asked for, or read from standard input, a line each; never from the command line,
where other users and the shell's history would see them.")]
    Add(AddStation),
    /// Register many stations from a CSV or JSON file: all of them, or none.
    #[command(after_help = "\
Columns (CSV, with a header line) or keys (JSON, a list of objects); only `identity` is needed:
  identity            as the station spells it in its URL
  tenant              default: default
  password_text       a password, as text
  password_hex        32 to 40 hexadecimal digits (1.6: AuthorizationKey)
  machine_made        true: the password was drawn by a machine, so a fast check is safe
  certificate_sha256  fingerprint of the station's certificate
  certificate_name    true: any certificate of the client CA with the identity as its name
  by_exception        true: nothing; it comes in where an [[exception]] lets it in
  versions            such as `1.6 2.0.1`; default: all
  unnamed             what the station speaks when it names no subprotocol
  upstream_password   shown to the CSMS in the station's name (credential = \"per-station\")
  maker, model        as its BootNotification spells them: an [[exception]] may name a model
  enabled             false: registered, and kept out

Examples:
  portcullis station import fleet.csv
  portcullis station import fleet.json --generate > passwords.csv   for rows without a credential")]
    Import(ImportStations),
    /// Give a registered station another password. The old one lets nobody in from then on, and
    /// a running gate ends the session of a station that came with it.
    #[command(after_help = "\
Examples:
  portcullis station set-password CP-0001 --generate
  portcullis station set-password CP-0001 --password-hex < authorization-key.txt

Where the CSMS itself can change the station's password (ChangeConfiguration AuthorizationKey,
SetVariables BasicAuthPassword), let it: the gate takes part in that by itself.")]
    SetPassword(SetPassword),
    /// Say that another station stands in this one's place: what was learnt of the one before, the
    /// serial number that binds its certificate first of all, does not hold any more.
    #[command(after_help = "\
Examples:
  portcullis station replace CP-0003                          a new charger with the old certificate
  portcullis station replace CP-0003 --serial SN-778          it must say this serial number
  portcullis station replace CP-0003 --certificate new.pem    with a certificate of its own

Its session ends, the next BootNotification that the CSMS accepts binds anew, and the gate's log says
so. For another password: `portcullis station set-password`.")]
    Replace(ReplaceStation),
    /// List stations whose passwords are weak, or shared with other stations; never the passwords.
    Audit,
    /// List the registered stations.
    List {
        /// Only those of this tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Show one station.
    Show(OneStation),
    /// Forget a station.
    Remove(OneStation),
    /// Let a station connect again.
    Enable(OneStation),
    /// Keep a station out; its registration stays.
    Disable(OneStation),
}

/// What to do with refused transaction messages.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Money hangs on StartTransaction, StopTransaction, TransactionEvent and MeterValues that name a
transaction. One that is refused is kept, sealed, until somebody has looked at it.

Examples:
  portcullis refused list
  portcullis refused show 17            its fields, with pseudonyms in place of identifiers
  portcullis refused release 17         to the CSMS, byte for byte, in the station's live session
  portcullis refused drop 17")]
pub(crate) enum RefusedCommand {
    /// List those that nobody has settled yet.
    List {
        /// And those that were released, dropped or forgotten.
        #[arg(long)]
        all: bool,
    },
    /// Show one.
    Show {
        /// Its number.
        number: u64,
        /// As it came, with the token and whatever else it names.
        #[arg(long)]
        reveal: bool,
    },
    /// Send one to the CSMS after all, by the running gate; the station must be connected.
    Release {
        /// Its number.
        number: u64,
    },
    /// Forget one.
    Drop {
        /// Its number.
        number: u64,
    },
}

/// Which station.
#[derive(Debug, Args)]
pub(crate) struct OneStation {
    /// Its identity, as it spells it in its URL.
    pub(crate) identity: String,
    /// Whose it is.
    #[arg(long, default_value = crate::config::TENANT)]
    pub(crate) tenant: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddStation {
    #[command(flatten)]
    pub(crate) station: OneStation,
    #[command(flatten)]
    pub(crate) credential: CredentialChoice,
    /// The password was drawn by a machine: a check that takes microseconds is safe then.
    #[arg(long)]
    pub(crate) machine_made: bool,
    /// Register a weak or shared password all the same.
    #[arg(long)]
    pub(crate) allow_weak: bool,
    /// What it may speak.
    #[arg(long, value_delimiter = ',', value_name = "1.6,2.0.1,2.1")]
    pub(crate) versions: Vec<String>,
    /// What it speaks when it names no subprotocol; without this, such a handshake is refused.
    #[arg(long, value_name = "VERSION")]
    pub(crate) unnamed: Option<String>,
    /// Also read the password to show the CSMS in its name (credential = "per-station").
    #[arg(long)]
    pub(crate) upstream_password: bool,
    /// Who made it, as its BootNotification says; an [[exception]] may be for a model.
    #[arg(long)]
    pub(crate) maker: Option<String>,
    /// Which model it is, as its BootNotification says.
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The serial number it must say in its BootNotification when it comes with a certificate;
    /// without this the first one that the CSMS accepts.
    #[arg(long)]
    pub(crate) serial: Option<String>,
    /// Register it, and keep it out for now.
    #[arg(long)]
    pub(crate) disabled: bool,
}

/// What the station has to show.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CredentialChoice {
    /// A password that we draw and show once: 40 hexadecimal digits.
    #[arg(long)]
    pub(crate) generate: bool,
    /// A password, as text.
    #[arg(long)]
    pub(crate) password_text: bool,
    /// A password of 32 to 40 hexadecimal digits (1.6: AuthorizationKey).
    #[arg(long)]
    pub(crate) password_hex: bool,
    /// The certificate in this PEM file.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// Any certificate of the client CA with the identity as its common name.
    #[arg(long)]
    pub(crate) certificate_name: bool,
    /// Nothing: it comes in only where an [[exception]] of the configuration lets it in.
    #[arg(long)]
    pub(crate) by_exception: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetPassword {
    #[command(flatten)]
    pub(crate) station: OneStation,
    #[command(flatten)]
    pub(crate) password: PasswordChoice,
    /// The password was drawn by a machine: a check that takes microseconds is safe then.
    #[arg(long)]
    pub(crate) machine_made: bool,
    /// Take a weak or shared password all the same.
    #[arg(long)]
    pub(crate) allow_weak: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplaceStation {
    #[command(flatten)]
    pub(crate) station: OneStation,
    /// The serial number that the new one must say; without this the first one that the CSMS accepts.
    #[arg(long)]
    pub(crate) serial: Option<String>,
    /// The new one's certificate, in this PEM file; without this it shows what the old one showed.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
}

/// Where the new password comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PasswordChoice {
    /// One that we draw and show once: 40 hexadecimal digits.
    #[arg(long)]
    pub(crate) generate: bool,
    /// One that is asked for, as text.
    #[arg(long)]
    pub(crate) password_text: bool,
    /// One of 32 to 40 hexadecimal digits (1.6: AuthorizationKey).
    #[arg(long)]
    pub(crate) password_hex: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportStations {
    /// The file: CSV, or JSON where its name ends in .json.
    pub(crate) file: PathBuf,
    /// Draw a password for each row that has no credential, and show them once.
    #[arg(long)]
    pub(crate) generate: bool,
    /// Register weak and shared passwords all the same.
    #[arg(long)]
    pub(crate) allow_weak: bool,
    /// Whose the stations are, where a row does not say.
    #[arg(long, default_value = crate::config::TENANT)]
    pub(crate) tenant: String,
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

/// What to do about stations that nobody has registered.
#[derive(Debug, Subcommand)]
pub(crate) enum AdoptCommand {
    /// Open a window: whoever comes from these networks with a password that the CSMS takes is
    /// registered with it. It closes by itself, and when the gate is started anew.
    #[command(after_help = "\
Example:
  portcullis adopt open --minutes 60 --from 10.20.0.0/16 --count 500
  portcullis adopt list
  portcullis adopt reject CP-0815
  portcullis adopt accept --all

The gate first asks the CSMS about a station that there is not. One that lets anybody in teaches
nothing, and no window is opened.")]
    Open(OpenAdoption),
    /// Close the window now.
    Close,
    /// Show the window, and the adopted stations that nobody has looked at.
    List,
    /// Keep an adopted station, or all of them.
    Accept {
        /// Which.
        #[arg(required_unless_present = "all")]
        identity: Option<String>,
        /// All of the tenant's.
        #[arg(long, conflicts_with = "identity")]
        all: bool,
        /// Whose.
        #[arg(long, default_value = crate::config::TENANT)]
        tenant: String,
    },
    /// Forget an adopted station and end its session.
    Reject(OneStation),
}

#[derive(Debug, Args)]
pub(crate) struct OpenAdoption {
    /// How long.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub(crate) minutes: u32,
    /// From which networks; several: again.
    #[arg(long, required = true, value_name = "NETWORK")]
    pub(crate) from: Vec<String>,
    /// How many stations at most.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,
    /// Whose stations.
    #[arg(long, default_value = crate::config::TENANT)]
    pub(crate) tenant: String,
    /// Open it although the CSMS lets anybody in: then whoever comes is registered.
    #[arg(long)]
    pub(crate) csms_accepts_all: bool,
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

/// What to do with what controls have objected to.
#[derive(Debug, Subcommand)]
pub(crate) enum ToleranceCommand {
    /// Show what controls have objected to, by model, and propose [[tolerance]] sections for it.
    ///
    /// Proposed is what several stations of one model do, and what no attack looks like; all else is
    /// shown with the reason why not. The gate counts across restarts.
    #[command(after_help = "\
Examples:
  portcullis tolerance propose                      what was seen, how often, and by how many
  portcullis tolerance propose --toml >> portcullis.toml
  portcullis tolerance propose --all --toml         also what one station does, or looks like an attack
  portcullis tolerance forget                       counts anew, after the configuration has changed")]
    Propose {
        /// Write ready sections for the configuration.
        #[arg(long)]
        toml: bool,
        /// Propose everything, whatever it looks like. Read it before you use it.
        #[arg(long)]
        all: bool,
        /// How many stations of a model must do so.
        #[arg(long, value_name = "N", default_value_t = 2)]
        min_stations: usize,
    },
    /// Forget what was counted.
    Forget,
}

/// What to do with the certificate authority.
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Make a certificate authority. Its key stays in the directory: keep it where no gate runs.
    #[command(
        after_help = "Example:\n  portcullis ca init --name \"Example Charging CA\" --directory ca"
    )]
    Init {
        /// What the authority is called.
        #[arg(long, default_value = "Portcullis CA")]
        name: String,
        /// How long it lasts.
        #[arg(long, value_name = "DAYS", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
        #[command(flatten)]
        place: CaPlace,
    },
    /// Issue a certificate.
    #[command(subcommand)]
    Issue(CaIssue),
    /// Take certificates back: writes crl.pem, the lists of both roots. Without a certificate the
    /// lists are only made anew.
    #[command(
        after_help = "Examples:\n  portcullis ca revoke ca/station-CP-0001.pem\n  portcullis ca revoke 4f:03:9c:…\n  portcullis ca revoke --days 365"
    )]
    Revoke {
        /// A certificate's file, or its serial number in hexadecimal.
        certificates: Vec<String>,
        /// When the next list is due.
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        #[command(flatten)]
        place: CaPlace,
    },
}

/// Where the authority lives.
#[derive(Debug, Args)]
pub(crate) struct CaPlace {
    /// The directory with ca.pem and ca.key; what is issued is written there too.
    #[arg(long, default_value = "ca")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaIssue {
    /// For the gate: gate-ecdsa.pem and gate-rsa.pem, with their keys.
    #[command(after_help = "Example:\n  portcullis ca issue server gate.example 192.0.2.7")]
    Server {
        /// Names and addresses by which stations reach the gate.
        #[arg(required = true)]
        names: Vec<String>,
        /// How long they last.
        #[arg(long, value_name = "DAYS", default_value_t = 397, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
        #[command(flatten)]
        place: CaPlace,
    },
    /// For a station (security profile 3): its identity or serial number as CN, the CPO as O.
    #[command(
        after_help = "Example:\n  portcullis ca issue station CP-0001 --cpo \"Example Charging\""
    )]
    Station {
        /// Its identity or serial number.
        identity: String,
        /// Whose station it is.
        #[arg(long)]
        cpo: String,
        /// RSA instead of ECDSA, for stations that know nothing else.
        #[arg(long)]
        rsa: bool,
        /// How long it lasts.
        #[arg(long, value_name = "DAYS", default_value_t = 1095, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
        #[command(flatten)]
        place: CaPlace,
    },
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
