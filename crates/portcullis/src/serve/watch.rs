//! Looks at what the gate needs, again and again, and tells each change once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::config::{CertificateDates, Config, ExceptionSettings, RouteSettings};
use crate::health::conditions::Conditions;
use crate::health::{self, certificates, disk, exceptions, upstream};

/// What the rest of the program goes by; a reload puts another in its place.
pub(super) struct Looked {
    routes: Vec<RouteSettings>,
    exceptions: Vec<ExceptionSettings>,
    store: PathBuf,
    disk_free_min_mb: u64,
    every: Duration,
    dates: Vec<CertificateDates>,
    /// Over which time stations are sent away.
    pub(super) drain: Duration,
    /// What a farewell may take.
    pub(super) close_deadline: Duration,
}

impl Looked {
    pub(super) fn new(config: &Config, dates: Vec<CertificateDates>) -> Looked {
        Looked {
            routes: config.routes.clone(),
            exceptions: config.exceptions.clone(),
            store: config.store.value.clone(),
            disk_free_min_mb: config.disk_free_min_mb,
            every: config.look_every,
            dates,
            drain: config.drain,
            close_deadline: config.session.close_deadline,
        }
    }
}

/// Looks, tells, waits; as long as the process runs.
pub(super) async fn keep(looked: Arc<ArcSwap<Looked>>, conditions: Arc<Mutex<Conditions>>) {
    loop {
        let at = looked.load_full();
        let now = crate::unix_seconds();
        let mut findings = certificates::look(&at.dates, now);
        findings.extend(exceptions::look(&at.exceptions, now));
        findings.push(disk::look(&at.store, at.disk_free_min_mb));
        findings.extend(upstream::look(&at.routes).await);
        // What was looked at meanwhile may be watched no more.
        if Arc::ptr_eq(&at, &looked.load()) {
            health::tell(&conditions, findings);
            conditions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .complete();
            tokio::time::sleep(at.every).await;
        }
    }
}

/// How the subjects begin that are named after something in the configuration.
const NAMED: [&str; 4] = ["certificate ", "csms ", "exception ", "revocation list "];

/// The subjects of what a configuration names are forgotten: what is still there is looked at again.
pub(super) fn forget_what_is_named(conditions: &Mutex<Conditions>) {
    let mut conditions = conditions.lock().unwrap_or_else(PoisonError::into_inner);
    conditions.forget(|subject| NAMED.iter().any(|kind| subject.starts_with(kind)));
}
