//! Looks at what the gate needs, again and again, and tells each change once.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::{error, info, warn};

use crate::config::{CertificateDates, Config};
use crate::health::conditions::Conditions;
use crate::health::{Finding, Level, certificates, disk, upstream};

/// Looks, tells, waits; as long as the process runs.
pub(super) async fn keep(
    config: Config,
    dates: Vec<CertificateDates>,
    conditions: Arc<Mutex<Conditions>>,
) {
    loop {
        let mut findings = certificates::look(&dates, crate::unix_seconds());
        findings.push(disk::look(&config.store.value, config.disk_free_min_mb));
        findings.extend(upstream::look(&config.routes).await);
        tell(&conditions, findings);
        conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .complete();
        tokio::time::sleep(config.look_every).await;
    }
}

/// Takes findings in, and tells those whose level has changed.
pub(super) fn tell(conditions: &Mutex<Conditions>, findings: Vec<Finding>) {
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
    } in news
    {
        match level {
            Level::Ok => info!(subject, "well again: {what}"),
            Level::Warn => warn!(subject, remedy, "{what}"),
            Level::Fail => error!(subject, remedy, "{what}"),
        }
    }
}
