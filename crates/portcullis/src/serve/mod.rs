//! `portcullis serve`: everything wired together, and kept running until somebody says stop. The
//! demo opens the gate by the same function.
//!
//! ```text
//! portcullis.toml ─▶ Settings ─▶ Gateway (threads of its own) ─▶ events ─▶ log, /metrics
//! store ─▶ Book, read anew when it changes                    conditions ─▶ log, /readyz
//! ```

mod admin_door;
mod around;
mod clock_watch;
mod keeper;
mod learning;
mod log;
mod memory_keeper;
mod opened;
pub(crate) mod orders;
mod ready;
mod refused;
mod revocation_watch;
mod stop;
mod tell;
pub(crate) mod upgrade;
mod watch;

use std::path::Path;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use self::opened::Opened;
pub(crate) use self::ready::Ready;
pub(crate) use self::refused::{RefusedDesk, RefusedFigures};
pub(crate) use self::stop::Stops;
use self::upgrade::{Inherited, Predecessor, Started};
use crate::Failure;
use crate::config::Config;
use crate::output::Output;
use crate::tell::Onlooker;

/// The relay has threads of its own; these are for the log, the admin listener and the watches.
const THREADS: usize = 2;

pub(crate) fn run(path: &Path, output: &mut Output) -> Result<(), Failure> {
    let started = Started::now()?;
    match Predecessor::find()? {
        None => serve(path, output, &started, None, Inherited::default()),
        Some((predecessor, inherited)) => {
            let served = serve(path, output, &started, Some(&predecessor), inherited);
            if let Err(failure) = &served {
                predecessor.give_up(failure);
            }
            served
        }
    }
}

fn serve(
    path: &Path,
    output: &mut Output,
    started: &Started,
    predecessor: Option<&Predecessor>,
    inherited: Inherited,
) -> Result<(), Failure> {
    let config = Config::load(path)?;
    let level = log::begin(&config.log);
    let mut ready = Ready::of(config)?;
    ready.level = level;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Whoever is told that the gate is open may tell it to stop in the next moment.
        let mut stops = Stops::listen()?;
        let mut renewals = signal(SignalKind::user_defined2())?;
        let mut opened = ready.prepare(path, None, inherited)?;
        match predecessor {
            None => {
                opened.begin()?;
                output.result(&opened.told, || opened.told.in_words())?;
            }
            // Standard output is the old process's, whose reader may be gone.
            Some(predecessor) => opened.succeed(predecessor)?,
        }
        let _ = sd_notify::notify(&[NotifyState::Ready]);
        loop {
            let waiting = tokio::select! {
                () = stops.next() => break,
                _ = renewals.recv() => None,
                waiting = opened.upgrades.recv() => waiting,
            };
            if opened.upgrade(started, waiting).await {
                break;
            }
        }
        opened.drain(&mut stops).await;
        Ok(())
    })
}

/// Opens the gate; `path` is where the configuration is read anew.
pub(crate) async fn open(
    path: &Path,
    ready: Ready,
    onlooker: Option<Onlooker>,
) -> Result<Opened, Failure> {
    let mut opened = ready.prepare(path, onlooker, Inherited::default())?;
    opened.begin()?;
    Ok(opened)
}
