//! `portcullis refused …`: what there is to say about refused transaction messages.

use clap::Subcommand;

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
