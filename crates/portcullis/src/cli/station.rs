//! `portcullis station …`: what there is to say about stations.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
