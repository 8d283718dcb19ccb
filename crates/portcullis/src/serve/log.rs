//! The log: on standard error, for people or for machines.

use std::fmt;
use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::config::{Log, LogLevel};

/// Begins to log. A second call in one process changes nothing.
pub(super) fn begin(log: &Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_timer(Utc)
        .with_target(false)
        // A log that cannot be written must not be what ends the program that writes it.
        .log_internal_errors(false);
    let _ = match log.json {
        true => builder.json().flatten_event(true).try_init(),
        false => builder
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
    };
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
