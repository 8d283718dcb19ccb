//! `portcullis ca …`: what there is to say to the certificate authority.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
