//! Refusals of peers that have not said who they are, told in bulk: a flood at the door must not
//! become a flood of events.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use guard::{Event, Moment, RefusedHandshake};

/// Told one by one within a second; beyond it they are counted, and told together.
const TOLD_MAX: u32 = 32;
const WINDOW: Duration = Duration::from_secs(1);

/// What was not told one by one.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway(Mutex<Tallies>);

#[derive(Debug, Default)]
struct Tallies {
    window: Duration,
    told: u32,
    /// One for each kind of refusal, of which there are few.
    kept: Vec<Tally>,
}

#[derive(Debug)]
struct Tally {
    why: RefusedHandshake,
    times: u32,
    last: SocketAddr,
}

impl TurnedAway {
    /// The event of one refusal, where it may still be told by itself.
    pub(crate) fn note(
        &self,
        at: Moment,
        peer: SocketAddr,
        why: RefusedHandshake,
    ) -> Option<Event> {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tallies.told < TOLD_MAX {
            tallies.told += 1;
            return Some(Event::Refused {
                at,
                peer,
                station: None,
                why,
            });
        }
        let same = tallies.kept.iter_mut().find(|tally| same(&tally.why, &why));
        match same {
            Some(tally) => {
                tally.times = tally.times.saturating_add(1);
                tally.last = peer;
            }
            None => tallies.kept.push(Tally {
                why,
                times: 1,
                last: peer,
            }),
        }
        None
    }

    /// What was kept back, once its second is over.
    pub(crate) fn take(&self, at: Moment) -> Vec<Event> {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.elapsed < tallies.window + WINDOW {
            return Vec::new();
        }
        tallies.window = at.elapsed;
        tallies.told = 0;
        let kept = std::mem::take(&mut tallies.kept);
        let event = |Tally { why, times, last }| Event::TurnedAway {
            at,
            why,
            times,
            last,
        };
        kept.into_iter().map(event).collect()
    }
}

/// One kind: by limit or deadline where it names one, whatever else it says.
fn same(one: &RefusedHandshake, other: &RefusedHandshake) -> bool {
    use RefusedHandshake::{Deadline, Limit};
    match (one, other) {
        (Deadline(one), Deadline(other)) | (Limit(one), Limit(other)) => one == other,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_part_and_counted_whole() {
        let away = TurnedAway::default();
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        let at = |millis| Moment::default().plus(Duration::from_millis(millis));
        assert!(away.take(at(1000)).is_empty());
        let mut told = 0;
        for number in 0..1000_u32 {
            let why = match number % 4 {
                0 => RefusedHandshake::Limit("waiting_max"),
                1 => RefusedHandshake::Deadline("tls_deadline"),
                _ => RefusedHandshake::Tls(format!("error {number}")),
            };
            told += u32::from(away.note(at(1000), peer, why).is_some());
        }
        assert_eq!(told, TOLD_MAX);
        assert!(away.take(at(1900)).is_empty(), "the second is not over");
        let kept = away.take(at(2000));
        let times = kept.iter().map(|event| match event {
            Event::TurnedAway { times, .. } => *times,
            other => panic!("{other:?}"),
        });
        assert_eq!(kept.len(), 3);
        assert_eq!(times.sum::<u32>(), 1000 - TOLD_MAX);
        let again = RefusedHandshake::Limit("waiting_max");
        assert!(away.note(at(2001), peer, again).is_some());
    }
}
