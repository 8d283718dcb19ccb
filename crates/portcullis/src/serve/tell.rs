//! Counts and logs what happens, as long as the gate runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway::{Clock, EventReceiver, Pace};

use super::clock_watch::ClockWatch;
use crate::health;
use crate::health::conditions::Conditions;
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

/// Tells until the process ends.
pub(super) async fn tell(
    ways: Ways,
    mut teller: Teller,
    conditions: Arc<Mutex<Conditions>>,
    clock: Clock,
    mut onlooker: Onlooker,
) {
    let Ways { events, recorder } = ways;
    let (mut looked, mut pace) = (Duration::ZERO, Pace::default());
    let mut clock_watch = ClockWatch::new(clock);
    loop {
        // Nothing may happen for long, and that is news, too.
        let batch = tokio::time::timeout(TELL_EVERY, events.batch()).await;
        let batch = batch.unwrap_or_default();
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
            let seen = clock_watch.look();
            if let (Some(recorder), Some(by)) = (&recorder, seen.set) {
                recorder.done("clock-set", GATE, by);
            }
            let mut findings = teller.look(now, events.dropped());
            findings.extend(seen.finding);
            health::tell(&conditions, findings);
        }
        events.stay_away(pause).await;
    }
}
