//! `portcullis tolerance …`: what there is to say about what controls have objected to.

use clap::Subcommand;

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
