//! What is found, put beside what was told last; what is new of it is logged.

use std::sync::{Mutex, PoisonError};

use tracing::{error, info, warn};

use super::conditions::Conditions;
use super::{Finding, Level};

/// Takes findings in, and tells those whose level has changed.
pub(crate) fn tell(conditions: &Mutex<Conditions>, findings: Vec<Finding>) {
    let mut conditions = conditions.lock().unwrap_or_else(PoisonError::into_inner);
    let news: Vec<Finding> = findings
        .into_iter()
        .filter_map(|finding| conditions.observe(finding))
        .collect();
    drop(conditions);
    for Finding {
        subject,
        level,
        what,
        remedy,
        ..
    } in news
    {
        match level {
            Level::Ok => info!(subject, "well again: {what}"),
            Level::Warn => warn!(subject, remedy, "{what}"),
            Level::Fail => error!(subject, remedy, "{what}"),
        }
    }
}
