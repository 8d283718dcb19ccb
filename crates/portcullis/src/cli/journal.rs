//! `portcullis journal …`: what there is to say about the record.

use clap::{Args, Subcommand};

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
    /// Erase somebody: afterwards nobody can say whom their pseudonyms stand for.
    #[command(after_help = "\
Records stay, and so do their proofs: what goes is the one row that ties the pseudonyms in them to the
identifier, in all its spellings and all epochs. Should the same card come again, it is somebody new.
The record keeps that somebody was erased, under a case number, and not who.

An argument can be seen by other processes and stays in the shell's history: `--subject -` reads one
line from standard input.

Examples:
  portcullis journal erase --subject 04E91C5A123F80
  portcullis journal erase --subject -                        the identifier on standard input
  portcullis journal erase --handle z3k7w1m9q2x8c4v6b5n0      whoever stands in a record")]
    Erase(SubjectArgs),

    /// Keep somebody from being erased or forgotten; without a subject: list who is held.
    #[command(after_help = "\
For a dispute or an order of a court: neither the identifier nor the records of the days from its first
to its last are erased or forgotten, until it is released.

Examples:
  portcullis journal hold
  portcullis journal hold --handle z3k7w1m9q2x8c4v6b5n0 --reason \"dispute 2026-114\"
  portcullis journal hold --release --handle z3k7w1m9q2x8c4v6b5n0 --reason \"settled\"")]
    Hold(HoldArgs),

    /// Show what has been kept long enough.
    #[command(after_help = "\
The gate forgets by itself, once a day and a little at a time: identifiers that were not seen for
identifiers_days, texts after texts_days, whole records after records_days ([journal] in the
configuration). Texts and records are forgotten by destroying the keys of their days.

Examples:
  portcullis journal retention
  portcullis journal retention --now      while the gate does not run, or does not keep up")]
    Retention {
        /// Forget it now.
        #[arg(long)]
        now: bool,
    },
}

/// Who is meant.
#[derive(Debug, Args)]
pub(crate) struct SubjectArgs {
    /// By an identifier, in any of its spellings; `-` reads it from standard input.
    #[arg(long, value_name = "IDENTIFIER", conflicts_with = "handle")]
    pub(crate) subject: Option<String>,
    /// By a pseudonym that stands in a record.
    #[arg(long, value_name = "HANDLE")]
    pub(crate) handle: Option<String>,
    /// In whose records the identifier stands.
    #[arg(long, default_value = crate::config::TENANT)]
    pub(crate) tenant: String,
}

impl SubjectArgs {
    /// Whether anybody is named.
    pub(crate) fn is_somebody(&self) -> bool {
        self.subject.is_some() || self.handle.is_some()
    }
}

/// Whom to hold, or to let go.
#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    pub(crate) who: SubjectArgs,
    /// Why; the record keeps it, so name nobody in it.
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: Option<String>,
    /// Let them go.
    #[arg(long)]
    pub(crate) release: bool,
}
