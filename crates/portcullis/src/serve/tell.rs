//! Counts and logs what happens, as long as the gate runs.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use gateway::{Clock, EventReceiver, Pace};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::clock_watch::ClockWatch;
use crate::health::conditions::Conditions;
use crate::health::{self, Finding};
use crate::recorder::{GATE, Recorder};
use crate::tell::{Onlooker, Teller};

/// How often the teller is asked what the events of late say about the state of things.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Where events come from, and where they go when they are told.
pub(super) struct Ways {
    pub(super) events: Arc<EventReceiver>,
    /// Whoever makes records of them, if anybody does.
    pub(super) recorder: Option<Recorder>,
}

/// Whoever tells, until the gate has closed.
pub(super) struct Telling {
    closing: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Telling {
    /// Begins to tell, on a thread of its own: on the runtime that all others share each visit to the
    /// queue woke two threads, which at 2,000 calls a second was some 4 % of the gate.
    pub(super) fn begin(
        ways: Ways,
        teller: Teller,
        conditions: Arc<Mutex<Conditions>>,
        clock: Clock,
        onlooker: Onlooker,
    ) -> std::io::Result<Telling> {
        let (closing, closed) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("teller".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(tell(ways, teller, conditions, clock, onlooker, closed));
        })?;
        Ok(Telling { closing, thread })
    }

    /// Tells what is still in the queue, and ends. To be asked when all sessions are over.
    pub(super) async fn close(self) {
        drop(self.closing);
        // A panic of the thread has been told by the panic itself.
        let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
    }
}

async fn tell(
    ways: Ways,
    mut teller: Teller,
    conditions: Arc<Mutex<Conditions>>,
    clock: Clock,
    mut onlooker: Onlooker,
    mut closed: oneshot::Receiver<()>,
) {
    let Ways { events, recorder } = ways;
    let (mut looked, mut pace) = (Duration::ZERO, Pace::default());
    let mut clock_watch = ClockWatch::new(clock);
    let mut is_over = false;
    loop {
        // Nothing may happen for long, and that is news, too.
        let batch = match is_over {
            true => events.take(),
            false => tokio::select! {
                batch = tokio::time::timeout(TELL_EVERY, events.batch()) => batch.unwrap_or_default(),
                _ = &mut closed => {
                    is_over = true;
                    events.take()
                }
            },
        };
        let pause = pace.after(batch.len());
        for (event, _) in batch.iter() {
            onlooker(event);
            teller.tell(event);
        }
        match &recorder {
            Some(recorder) if !batch.is_empty() => recorder.take(batch),
            _ => events.give_back(batch),
        }
        let now = clock.now();
        if now.elapsed >= looked + TELL_EVERY {
            looked = now.elapsed;
            let mut findings = teller.look(now, events.dropped());
            findings.extend(look_at_clock(&mut clock_watch, recorder.as_ref()));
            health::tell(&conditions, findings);
        }
        if is_over {
            return;
        }
        is_over = tokio::select! {
            () = events.stay_away(pause) => false,
            _ = &mut closed => true,
        };
    }
}

/// A clock that was set is recorded, and stays to be looked at.
fn look_at_clock(watch: &mut ClockWatch, recorder: Option<&Recorder>) -> Option<Finding> {
    let seen = watch.look();
    if let (Some(recorder), Some(by)) = (recorder, seen.set) {
        recorder.done("clock-set", GATE, by);
    }
    seen.finding
}
