//! The guard's words, and those that need a calendar.

use guard::admission::Exception;
pub(crate) use guard::words::{
    change, closing, connection, ending, kind, outcome, refusal, refused, side, why,
};

/// The last day of an exception, by UTC.
pub(crate) fn last_day(exception: &Exception) -> String {
    let last = jiff::Timestamp::from_millisecond(exception.until.0.saturating_sub(1));
    last.map_or_else(
        |_| "a day beyond the calendar".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}
