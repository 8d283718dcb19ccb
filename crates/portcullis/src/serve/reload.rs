//! SIGHUP: the rules of the file come into force at once, for every session, and the revocation lists
//! are read anew. A file that is wrong changes nothing, and says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use guard::Policy;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

use super::revocation_watch::Reread;
use crate::config::Config;

/// Waits for SIGHUP, again and again. The handler is in place when this returns.
pub(super) fn on_hangup(
    path: PathBuf,
    policy: Arc<ArcSwap<Policy>>,
    lists: Reread,
) -> std::io::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            reload(&path, &policy);
            lists.ask();
        }
    })
}

fn reload(path: &Path, policy: &ArcSwap<Policy>) {
    match Config::load(path) {
        Ok(config) => {
            let changed = *policy.load_full() != config.policy;
            policy.store(Arc::new(config.policy));
            info!(
                changed,
                "[controls] and [messages] of {} are in force, and the revocation lists are read anew; all else is read at the next start",
                config.name
            );
        }
        Err(problems) => {
            for problem in problems {
                let place = match (&problem.file, problem.line) {
                    (Some(file), Some(line)) => format!("{file}:{line}"),
                    (file, _) => file.clone().unwrap_or_default(),
                };
                error!(
                    place,
                    remedy = problem.remedy,
                    "not reloaded: {}",
                    problem.what
                );
            }
        }
    }
}
