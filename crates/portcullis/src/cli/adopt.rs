//! `portcullis adopt …`: what there is to say about stations that nobody has registered.

use clap::{Args, Subcommand};

use super::OneStation;

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
