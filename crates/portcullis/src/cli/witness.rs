//! `portcullis witness …`: what there is to say on the host of a witness.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do on the host of a witness.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make a witness of one log: its key, and a memory that has seen nothing.
    #[command(after_help = "\
On a host of its own: whoever can change the gate's disk must not be able to change this one. Its key
and its memory stay together in the directory; a copy of it that is put back is a witness that has
forgotten.

Example:
  portcullis witness begin /var/lib/witness --name witness.example/hall --log \"$(cat log.pub)\"")]
    Begin {
        /// A directory that is not there yet.
        directory: PathBuf,
        /// What the witness is called in its signatures: without spaces and '+'.
        #[arg(long)]
        name: String,
        /// The log's public key, as `portcullis journal public-key` shows it.
        #[arg(long, value_name = "KEY")]
        log: String,
    },
    /// Sign a checkpoint that continues the last one, and write it to standard output.
    Sign {
        /// The witness's directory.
        directory: PathBuf,
        /// What `portcullis journal ask-witness` wrote; standard input without it.
        file: Option<PathBuf>,
    },
    /// Show the last checkpoint that was signed: what the log is to be checked against.
    Show {
        /// The witness's directory.
        directory: PathBuf,
    },
    /// Show the witness's public key.
    PublicKey {
        /// The witness's directory.
        directory: PathBuf,
    },
}
