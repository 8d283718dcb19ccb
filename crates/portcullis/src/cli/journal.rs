//! `portcullis journal …`: what there is to say about the record.

use std::path::PathBuf;

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
    /// Look for records: by station, time, action, verdict, pseudonym or identifier.
    #[command(after_help = "\
What is found is shown newest first, and no more than --limit of it. A verdict is `forwarded`, `joined`,
`refused` or `disconnected`; `refused` finds handshakes and sessions that were refused as well. A record,
as --format json has it, has none where a message was forwarded. Times are as 2026-11-22,
2026-11-22T08:15:00Z, or so long ago: 90m, 12h, 3d.

Records hold pseudonyms. Whoever looks for an identifier says what for, and the record keeps the purpose,
so name nobody in it; `--id -` reads the identifier from standard input, where no other process sees it.

Examples:
  portcullis journal search --station CP-0001 --since 1h
  portcullis journal search --verdict refused --since 2026-11-22 --exchanges
  portcullis journal search --handle z3k7w1m9q2x8c4v6b5n0 --action StopTransaction
  portcullis journal search --id 04E91C5A123F80 --purpose \"invoice 2026-114\"
  portcullis journal search --action BootNotification --limit 5 --format json")]
    Search(SearchArgs),
    /// Show one record by its number, and the request or answer that belongs to it.
    #[command(after_help = "\
Examples:
  portcullis journal show 4711
  portcullis journal show 4711 --format json")]
    Show {
        /// Its number; records count from 0 and never stop.
        number: u64,
    },
    /// Show the last records, and those that come.
    #[command(after_help = "\
Examples:
  portcullis journal tail
  portcullis journal tail --follow --station CP-0001
  portcullis journal tail --follow --format json | jq .action")]
    Tail(TailArgs),
    /// Write records to a file, for other tools: they stay pseudonymous.
    #[command(after_help = "\
trace is Open OCPP Trace 1.1, a line of JSON for each message, which simulators and debuggers of others
read; what is no message (connections, refusals, gaps) has no place in it and is counted. csv is for
spreadsheets: what one would take for a formula has a ' before it. jsonl is the records as they are.
An export is itself recorded, with its purpose.

Examples:
  portcullis journal export --to day.jsonl --since 2026-11-22 --until 2026-11-23 --purpose \"ticket 88\"
  portcullis journal export --as csv --to refused.csv --verdict refused --purpose \"audit 2026\"")]
    Export(ExportArgs),
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

    /// Say whom pseudonyms stand for, for a purpose that the record keeps.
    #[command(after_help = "\
One person alone sees ten originals in 24 hours. For more, the request waits until another person, who
is another user of this machine, has agreed to it; then whoever asked asks again, by its case. The record
keeps who asked, who agreed, for how many and what for. With sudo, who asks is the user behind it.

Examples:
  portcullis journal reveal z3k7w1m9q2x8c4v6b5n0 --purpose \"invoice 2026-114\"
  portcullis journal reveal - --purpose \"recall of cards\" < handles.txt
  portcullis journal reveal --case 5f0c93d1e2a4b687")]
    Reveal(RevealArgs),

    /// Agree to another person's request for many originals.
    #[command(after_help = "\
Example:
  portcullis journal agree 5f0c93d1e2a4b687")]
    Agree {
        /// The case number that the request waits under.
        case: String,
    },

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
    /// Check the whole record: every entry against the tree, the tree against what was signed.
    #[command(after_help = "\
Names the first thing that is wrong, and what was done: an edit, a drop, a truncation, a fork, or a
roll-back. The gate may run meanwhile. Exit code 4: something is wrong.

Without a witness's checkpoint it is held against what this disk says was signed, and whoever changes
the disk may have put an earlier state of all of it back.

Examples:
  ssh witness portcullis witness show /var/lib/witness > seen
  portcullis journal verify --witnessed seen --witness \"$(cat witness.pub)\"")]
    Verify {
        /// The last checkpoint that a witness has signed, as the witness shows it.
        #[arg(long, value_name = "FILE")]
        witnessed: Option<PathBuf>,
        /// The witness's public key: its signature is checked as well.
        #[arg(long, value_name = "KEY", requires = "witnessed")]
        witness: Option<String>,
    },
    /// Show the record's public key, by which its checkpoints are checked.
    PublicKey,
    /// Write what a witness needs to sign the latest checkpoint, to standard output.
    #[command(after_help = "\
Example, every minute, from a timer:
  portcullis journal ask-witness \\
    | ssh witness portcullis witness sign /var/lib/witness \\
    | portcullis journal witnessed --witness \"$(cat witness.pub)\"")]
    AskWitness {
        /// How many records the witness has seen; by default, as many as the checkpoint has that it has
        /// signed last.
        #[arg(long, value_name = "RECORDS")]
        seen: Option<u64>,
    },
    /// Keep a checkpoint that a witness has signed.
    Witnessed {
        /// The witness's public key.
        #[arg(long, value_name = "KEY")]
        witness: String,
        /// The signed checkpoint; standard input without it.
        file: Option<PathBuf>,
    },
    /// Write records with their proofs, for somebody who has neither the record nor this program.
    #[command(after_help = "\
The bundle holds a page that checks itself in a browser and a script that needs nothing but Python.
Persons, tokens and vehicles stay pseudonyms in it. Who made it, of which records and what for is itself
recorded.

Example:
  portcullis journal evidence 4711 4713-4720 --into dispute-17 --purpose \"dispute 17\"")]
    Evidence {
        /// Numbers of records, or ranges of them.
        #[arg(required = true, value_name = "NUMBER", value_parser = numbers)]
        numbers: Vec<(u64, u64)>,
        /// A directory that is not there yet.
        #[arg(long, value_name = "DIRECTORY")]
        into: PathBuf,
        /// What for; the record keeps it, so name nobody in it.
        #[arg(long, value_name = "WHY")]
        purpose: String,
        /// The public key of the witness whose signature belongs in the bundle.
        #[arg(long, value_name = "KEY")]
        witness: Option<String>,
    },
}

/// `17`, or `17-20`.
fn numbers(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("a number, or two of them as in 17-20".to_owned()),
    }
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

/// Whose originals, and what for.
#[derive(Debug, Args)]
pub(crate) struct RevealArgs {
    /// Pseudonyms as they stand in records; `-` reads them from standard input, one a line.
    #[arg(
        value_name = "HANDLE",
        required_unless_present = "case",
        conflicts_with = "case"
    )]
    pub(crate) handles: Vec<String>,
    /// What for, such as a ticket's number; name nobody in it.
    #[arg(long, value_name = "WHAT FOR", required_unless_present = "case")]
    pub(crate) purpose: Option<String>,
    /// A request that another person has agreed to.
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<String>,
}

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct RecordFilter {
    /// Of this station, as it is recorded: a private one by its pseudonym.
    #[arg(long, value_name = "IDENTITY")]
    pub(crate) station: Option<String>,
    /// Of this tenant's stations.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Not before.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Before.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// Calls of this action, and their answers.
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// With this verdict.
    #[arg(long)]
    pub(crate) verdict: Option<String>,
    /// That hold this pseudonym; may be given several times.
    #[arg(long = "handle", value_name = "HANDLE")]
    pub(crate) handles: Vec<String>,
    /// That hold a pseudonym of this identifier, in any of its spellings; `-` reads it from standard
    /// input.
    #[arg(long, value_name = "IDENTIFIER", requires = "purpose")]
    pub(crate) id: Option<String>,
    /// What for; the record keeps it.
    #[arg(long, value_name = "WHY")]
    pub(crate) purpose: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) filter: RecordFilter,
    /// So many at most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Oldest first.
    #[arg(long)]
    pub(crate) oldest_first: bool,
    /// Calls with their answers and how long these took; oldest first.
    #[arg(long)]
    pub(crate) exchanges: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// So many of those that are there.
    #[arg(long, short = 'n', default_value_t = 20)]
    pub(crate) lines: u64,
    /// Wait for more.
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Of this station alone.
    #[arg(long, value_name = "IDENTITY")]
    pub(crate) station: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) filter: RecordFilter,
    /// In which form.
    #[arg(long = "as", value_enum, default_value_t = ExportForm::Trace)]
    pub(crate) form: ExportForm,
    /// Into this file, which must not be there yet; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: String,
}

/// How records leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportForm {
    /// Open OCPP Trace, JSON lines.
    Trace,
    /// For spreadsheets.
    Csv,
    /// The records as they are, JSON lines.
    Jsonl,
}
