//! `portcullis journal …`: what there is to say about the record.

use clap::Subcommand;

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Make the root key and the directories of a record, as [journal] in the configuration names them.
    #[command(after_help = "\
The root opens everything that is recorded, and nothing can be read without it: keep a copy of its age
file and of what opens it, apart from each other and from the copies of the record. What is there
already is left as it is.

Example:
  portcullis journal init      with root_passphrase: a passphrase file that is not there is made, too")]
    Init,
}
