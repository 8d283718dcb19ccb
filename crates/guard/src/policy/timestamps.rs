//! Points in time: a station's within a window around now (B03), a CSMS's clock close to ours (B16).

use std::num::NonZeroU32;
use std::time::Duration;

use ocpp::catalogue::ActionFacts;
use ocpp::{Action, ErrorCode, Fact, Meaning, Timestamp};

use super::case::{Case, Charge, Court};
use super::place::place;
use super::texts::Said;
use crate::{Control, Moment};

/// How far from now a point in time may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    /// A station's, ahead of us.
    pub future: Duration,
    /// A station's, behind us.
    pub past: Duration,
    /// A station's, behind us, while it tells what happened without a connection.
    pub late: Duration,
    /// How long after a session's begin it may do so without saying that it does.
    pub late_for: Duration,
    /// What a CSMS gives a station for its clock, either way.
    pub csms: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for TimeWindow {
    fn default() -> TimeWindow {
        TimeWindow {
            future: Duration::from_secs(600),
            past: DAY * 30,
            late: DAY * 365,
            late_for: Duration::from_secs(3600),
            csms: Duration::from_secs(60),
        }
    }
}

/// What a session knows of its station's clock: seconds since the process began, counted from one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StationClock {
    /// When the session's first message was judged.
    began: Option<NonZeroU32>,
    /// When the station was first told the time.
    given: Option<NonZeroU32>,
}

impl StationClock {
    #[inline]
    pub(crate) fn begin(&mut self, now: Moment) {
        if self.began.is_none() {
            self.began = seconds(now);
        }
    }

    /// An answer was passed on: after one of these the station knows what time it is.
    pub(crate) fn answered(&mut self, action: Option<Action<'_>>, now: Moment) {
        if self.given.is_none() && tells_time(action) {
            self.given = seconds(now);
        }
    }

    fn is_set(self, arrived: Moment) -> bool {
        self.given
            .is_some_and(|given| since(given, arrived) > SETTLES)
    }

    fn is_young(self, now: Moment, for_long: Duration) -> bool {
        self.began.is_none_or(|began| since(began, now) <= for_long)
    }
}

fn seconds(now: Moment) -> Option<NonZeroU32> {
    let seconds = u32::try_from(now.elapsed.as_secs()).unwrap_or(u32::MAX);
    NonZeroU32::new(seconds.saturating_add(1))
}

fn since(then: NonZeroU32, now: Moment) -> Duration {
    let then = Duration::from_secs(u64::from(then.get()) - 1);
    now.elapsed.saturating_sub(then)
}

/// What a station has said before it heard the time, or while it set its clock, may still come.
const SETTLES: Duration = Duration::from_secs(60);

/// Points in time of one message that are looked at; a message has one, seldom a few.
const TIMES_MAX: usize = 64;

/// Objections to one message at most, the same one in several places of a list counted each time.
const HITS_MAX: usize = 8;

/// Fields that say when something happened. Others may well lie in the future, or long ago.
const HAPPENED: [&str; 2] = ["timestamp", "generatedAt"];

/// A CALL or a SEND of a station.
pub(super) fn of_station(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    let happened = said.facts.iter().filter(|fact| {
        fact.field.meaning == Meaning::Timestamp && HAPPENED.contains(&fact.field.name)
    });
    let mut hits_left = HITS_MAX;
    for fact in happened.take(TIMES_MAX) {
        let time = Timestamp::parse(&ocpp::unescape(said.facts.text(fact)));
        if let Some((kind, what)) = against_station(court, said, time)
            && hits_left > 0
        {
            hits_left -= 1;
            object(court, said, fact, (kind, what), case);
        }
    }
}

fn against_station(
    court: &Court<'_>,
    said: &Said<'_>,
    time: Option<Timestamp>,
) -> Option<(&'static str, &'static str)> {
    let window = &court.policy.times;
    let Some(Timestamp(time)) = time else {
        return Some(UNREADABLE);
    };
    let ahead = time.saturating_sub(said.now.wall.0);
    if ahead >= -millis(window.past) && ahead <= millis(window.future) {
        return None;
    }
    let clock = court.state.clock;
    if is_unset(time) && !clock.is_set(said.arrived) {
        return None;
    }
    if ahead > 0 {
        return Some(("future", "a time further ahead than clocks differ"));
    }
    let is_late = said.facts.first(Meaning::Offline) == Some("true")
        || clock.is_young(said.now, window.late_for);
    let is_borne = is_late && ahead >= -millis(window.late);
    (!is_borne).then_some(("past", "a time longer ago than a station keeps things"))
}

/// A BootNotification's or a Heartbeat's answer sets the station's clock.
pub(super) fn of_csms(court: &Court<'_>, said: &Said<'_>, case: &mut Case) {
    if !TELL_TIME.contains(&court.action) {
        return;
    }
    let current = said
        .facts
        .iter()
        .find(|fact| fact.field.name == "currentTime");
    let Some(fact) = current else {
        return;
    };
    match Timestamp::parse(&ocpp::unescape(said.facts.text(fact))) {
        None => object(court, said, fact, UNREADABLE, case),
        Some(Timestamp(time)) => {
            let apart = time.saturating_sub(said.now.wall.0).saturating_abs();
            if apart > millis(court.policy.times.csms) {
                let what = "the CSMS's clock differs from the gate's";
                object(court, said, fact, ("csms-clock", what), case);
            }
        }
    }
}

const UNREADABLE: (&str, &str) = ("unreadable-time", "no RFC 3339 date-time");

/// The actions whose answers carry the time.
const TELL_TIME: [&str; 2] = ["BootNotification", "Heartbeat"];

fn tells_time(action: Option<Action<'_>>) -> bool {
    let name = |known: &ActionFacts| TELL_TIME.contains(&known.name);
    matches!(action, Some(Action::Known(known)) if name(known))
}

/// Whether that is what a clock shows that nobody has set: its station's power came back within the
/// first year of 1970 or of 2000.
fn is_unset(time: i64) -> bool {
    const YEAR_2000: i64 = 946_684_800_000;
    let year = millis(DAY * 366);
    (0..year).contains(&time) || (YEAR_2000..YEAR_2000 + year).contains(&time)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cold]
fn object(
    court: &Court<'_>,
    said: &Said<'_>,
    fact: &Fact,
    (kind, what): (&'static str, &'static str),
    case: &mut Case,
) {
    let path = place(said.frame, fact.start as usize);
    if case.has(Control::Timestamps, kind, &path) {
        return;
    }
    let charge = Charge {
        what: format!("{what}: {path}"),
        path,
        ..Charge::of(kind, ErrorCode::PropertyConstraintViolation, what)
    };
    case.object(court, Control::Timestamps, charge);
}
