//! The log: on standard error, for people or for machines.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use journal::vault::recognise::without_certain_identifiers;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::config::{Log, LogLevel};

/// Changes what is told while the program runs.
#[derive(Clone, Default)]
pub(super) struct LevelHandle(Option<reload::Handle<LevelFilter, Registry>>);

impl LevelHandle {
    /// From now on this is told.
    pub(super) fn set(&self, level: LogLevel) {
        if let Some(handle) = &self.0 {
            // It fails only when the log has ended with the program.
            let _ = handle.reload(filter(level));
        }
    }
}

/// Begins to log. A second call in one process changes nothing.
pub(super) fn begin(log: &Log) -> LevelHandle {
    let (level, handle) = reload::Layer::new(filter(log.level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Guarded(io::stderr()))
        .with_timer(Utc)
        .with_target(false)
        // A log that cannot be written must not be what ends the program that writes it.
        .log_internal_errors(false);
    let lines = match log.json {
        true => lines.json().flatten_event(true).boxed(),
        false => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    let begun = tracing_subscriber::registry().with(level).with(lines);
    LevelHandle(begun.try_init().is_ok().then_some(handle))
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}

/// Nothing leaves by the log that must not: a password in a URL, a key, an address. Lines are made of
/// what we know, so this finds nothing; it is there for the day on which an error of a library, or of
/// ours, repeats what a peer has said.
struct Guarded<W>(W);

impl<W: Write> Write for Guarded<W> {
    /// A line comes whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line) {
            Ok(text) => self
                .0
                .write_all(without_certain_identifiers(text).as_bytes())?,
            Err(_) => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// RFC 3339 in UTC, to the millisecond: what OCPP speaks too.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        write!(
            out,
            "{}",
            jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_told_does_not_leave_by_the_log() {
        let mut out = Guarded(Vec::new());
        let line = "2026-11-22T15:42:34.123Z  WARN CP-4111111111111111 cannot reach \
                    wss://gate:s3cret@csms.example: mail anna@example.org\n";
        out.write_all(line.as_bytes()).unwrap();
        let told = String::from_utf8(out.0).unwrap();
        assert_eq!(
            told,
            "2026-11-22T15:42:34.123Z  WARN CP-4111111111111111 cannot reach \
             wss://[user information]@csms.example: mail [e-mail address]\n"
        );
    }
}
