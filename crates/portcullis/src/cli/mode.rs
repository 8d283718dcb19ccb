//! `portcullis mode …`: the way back, and for whom.

use clap::{Args, Subcommand};

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
