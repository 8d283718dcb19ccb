//! Who gets in, who gives way, and what a flood can do to the crowd.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{Crowd, CrowdLimits, Full, Guest, Standing, Step, Tally};
use crate::attempts::Source;

const LIMITS: CrowdLimits = CrowdLimits {
    waiting_max: 100,
    handshakes_max: 8,
    handshakes_per_source_max: 4,
    grace: Duration::from_secs(4),
};

const ATTACKER: Source = Source::V4(0x0a00_0001);
const HONEST: Source = Source::V4(0xc000_0201);

fn second(second: u64) -> Duration {
    Duration::from_secs(second)
}

fn ready(crowd: &mut Crowd, source: Source, standing: Standing) -> Guest {
    let guest = crowd.arrive(source, standing).unwrap().guest;
    crowd.ready(guest);
    guest
}

fn steps(crowd: &mut Crowd, now: Duration) -> Vec<Step> {
    std::iter::from_fn(|| crowd.next(now)).collect()
}

#[test]
fn whoever_says_nothing_takes_no_place() {
    let mut crowd = Crowd::new(LIMITS);
    for _ in 0..99 {
        crowd.arrive(ATTACKER, Standing::Stranger).unwrap();
    }
    let honest = ready(&mut crowd, ATTACKER, Standing::Stranger);
    assert_eq!(steps(&mut crowd, second(0)), [Step::Enter(honest)]);
    assert_eq!((crowd.waiting(), crowd.handshakes()), (99, 1));
}

#[test]
fn sources_have_places_in_turn() {
    let limits = CrowdLimits {
        handshakes_max: 2,
        ..LIMITS
    };
    let mut crowd = Crowd::new(limits);
    let flood: Vec<Guest> = (0..50)
        .map(|_| ready(&mut crowd, ATTACKER, Standing::Stranger))
        .collect();
    let honest = ready(&mut crowd, HONEST, Standing::Stranger);
    let first = steps(&mut crowd, second(0));
    assert_eq!(first, [Step::Enter(flood[0]), Step::Enter(honest)]);
    // A known source has three of four places that become free.
    for _ in 0..50 {
        ready(&mut crowd, HONEST, Standing::Known);
    }
    let (mut known, mut last) = (0, honest);
    for _ in 0..40 {
        crowd.leave(last);
        let Some(Step::Enter(next)) = crowd.next(second(0)) else {
            panic!("a place is free");
        };
        known += usize::from(!flood.contains(&next));
        last = next;
    }
    assert_eq!(known, 30);
}

#[test]
fn a_source_is_held_to_its_cap_and_an_exempt_one_is_not() {
    let mut crowd = Crowd::new(LIMITS);
    for _ in 0..20 {
        ready(&mut crowd, ATTACKER, Standing::Stranger);
    }
    assert_eq!(steps(&mut crowd, second(0)).len(), 4);
    let balancer = Source::V4(7);
    for _ in 0..20 {
        ready(&mut crowd, balancer, Standing::Exempt);
    }
    assert_eq!(steps(&mut crowd, second(0)).len(), 4);
    assert_eq!(crowd.handshakes(), 8);
}

#[test]
fn dawdlers_give_way_after_the_grace_and_only_when_somebody_waits() {
    let mut crowd = Crowd::new(LIMITS);
    let slow: Vec<Guest> = (0..4)
        .map(|_| ready(&mut crowd, ATTACKER, Standing::Stranger))
        .collect();
    steps(&mut crowd, second(0));
    assert_eq!(steps(&mut crowd, second(60)), [], "nobody else wants in");
    // The first is past its words: what takes time now is ours.
    crowd.is_busy(slow[0]);
    crowd.listens(slow[1], second(59));
    let honest = ready(&mut crowd, ATTACKER, Standing::Stranger);
    assert_eq!(steps(&mut crowd, second(3)), [], "within the grace");
    let done = steps(&mut crowd, second(60));
    assert_eq!(done, [Step::Leave(slow[2]), Step::Enter(honest)]);
    // That it is told again changes nothing.
    crowd.leave(slow[2]);
    assert_eq!(crowd.handshakes(), 4);
}

#[test]
fn the_dawdler_of_the_source_with_the_most_places_goes_first() {
    let mut crowd = Crowd::new(LIMITS);
    let lone = ready(&mut crowd, HONEST, Standing::Stranger);
    let many: Vec<Guest> = (0..3)
        .map(|_| ready(&mut crowd, ATTACKER, Standing::Stranger))
        .collect();
    for number in 0..4 {
        ready(&mut crowd, Source::V4(number), Standing::Stranger);
    }
    assert_eq!(steps(&mut crowd, second(0)).len(), 8);
    let next = ready(&mut crowd, Source::V6(1), Standing::Stranger);
    let done = steps(&mut crowd, second(5));
    assert_eq!(done, [Step::Leave(many[0]), Step::Enter(next)]);
    assert!(!done.contains(&Step::Leave(lone)));
}

#[test]
fn the_heaviest_source_makes_room() {
    let mut crowd = Crowd::new(LIMITS);
    let honest = crowd.arrive(HONEST, Standing::Stranger).unwrap().guest;
    let flood: Vec<Guest> = (0..99)
        .map(|_| crowd.arrive(ATTACKER, Standing::Stranger).unwrap().guest)
        .collect();
    // One of its own: the one that has been silent longest.
    let more = crowd.arrive(ATTACKER, Standing::Stranger).unwrap();
    assert_eq!(more.gave_way, Some(flood[0]));
    let newcomer = crowd.arrive(Source::V4(9), Standing::Stranger).unwrap();
    assert_eq!(newcomer.gave_way, Some(flood[1]));
    crowd.ready(honest);
    assert_eq!(crowd.waiting(), 100);
}

#[test]
fn where_everybody_is_ready_the_last_of_the_heaviest_goes() {
    let mut crowd = Crowd::new(LIMITS);
    let flood: Vec<Guest> = (0..100)
        .map(|_| ready(&mut crowd, ATTACKER, Standing::Stranger))
        .collect();
    assert_eq!(crowd.arrive(ATTACKER, Standing::Stranger), Err(Full));
    let newcomer = crowd.arrive(HONEST, Standing::Stranger).unwrap();
    assert_eq!(newcomer.gave_way, flood.last().copied());
}

#[test]
fn a_known_source_weighs_a_quarter() {
    let mut crowd = Crowd::new(LIMITS);
    for _ in 0..60 {
        ready(&mut crowd, HONEST, Standing::Known);
    }
    let strangers: Vec<Guest> = (0..40)
        .map(|_| ready(&mut crowd, ATTACKER, Standing::Stranger))
        .collect();
    let gave_way = crowd.arrive(HONEST, Standing::Known).unwrap().gave_way;
    assert_eq!(gave_way, strangers.last().copied());
    // Yet a known source cannot shut strangers out.
    let mut crowd = Crowd::new(LIMITS);
    for _ in 0..100 {
        ready(&mut crowd, HONEST, Standing::Known);
    }
    assert!(crowd.arrive(ATTACKER, Standing::Stranger).is_ok());
}

#[test]
fn who_comes_through_a_load_balancer_counts_by_its_own_address() {
    let mut crowd = Crowd::new(LIMITS);
    let balancer = Source::V4(7);
    for _ in 0..20 {
        let guest = crowd.arrive(balancer, Standing::Exempt).unwrap().guest;
        crowd.speaks_for(guest, ATTACKER, Standing::Stranger);
        crowd.ready(guest);
    }
    assert_eq!(steps(&mut crowd, second(0)).len(), 4);
}

#[test]
fn a_tally_holds_no_more_than_there_are() {
    let mut tally = Tally::default();
    assert!(tally.add(HONEST, 2) && tally.add(HONEST, 2));
    assert!(!tally.add(HONEST, 2));
    assert!(tally.add(ATTACKER, 2));
    assert!(!tally.add(Source::V4(9), 0));
    assert_eq!(tally.sources(), 2);
    for source in [HONEST, HONEST, ATTACKER, ATTACKER] {
        tally.remove(source);
    }
    assert_eq!(tally.sources(), 0);
}

#[derive(Clone, Debug)]
enum Act {
    Arrive(u8, u8),
    Ready(usize),
    Listen(usize),
    Busy(usize),
    Leave(usize),
    Wait(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (any::<u8>(), any::<u8>()).prop_map(|(from, standing)| Act::Arrive(from % 6, standing % 3)),
        5 => any::<usize>().prop_map(Act::Ready),
        1 => any::<usize>().prop_map(Act::Listen),
        1 => any::<usize>().prop_map(Act::Busy),
        3 => any::<usize>().prop_map(Act::Leave),
        1 => any::<u8>().prop_map(|seconds| Act::Wait(seconds % 8)),
    ];
    proptest::collection::vec(act, 0..300)
}

proptest! {
    /// Whatever happens: the bounds hold, nobody enters twice, whoever waits is let in as soon as
    /// there is room, and nothing is left behind when all have gone.
    #[test]
    fn bounds_hold_and_nobody_is_forgotten(acts in acts()) {
        let limits = CrowdLimits { waiting_max: 20, handshakes_max: 5, handshakes_per_source_max: 3, ..LIMITS };
        let mut crowd = Crowd::new(limits);
        let (mut here, mut entered): (Vec<Guest>, BTreeSet<Guest>) = Default::default();
        let mut now = Duration::ZERO;
        for act in acts {
            let some = |at: usize| here.get(at % here.len().max(1)).copied();
            match act {
                Act::Arrive(from, standing) => {
                    let standing = [Standing::Stranger, Standing::Known, Standing::Exempt][usize::from(standing)];
                    if let Ok(arrival) = crowd.arrive(Source::V4(from.into()), standing) {
                        here.push(arrival.guest);
                        here.retain(|guest| Some(*guest) != arrival.gave_way);
                    }
                }
                Act::Ready(at) => { some(at).inspect(|guest| crowd.ready(*guest)); }
                Act::Listen(at) => { some(at).inspect(|guest| crowd.listens(*guest, now)); }
                Act::Busy(at) => { some(at).inspect(|guest| crowd.is_busy(*guest)); }
                Act::Leave(at) => if let Some(guest) = some(at) {
                    crowd.leave(guest);
                    here.retain(|other| *other != guest);
                },
                Act::Wait(seconds) => now += second(seconds.into()),
            }
            while let Some(step) = crowd.next(now) {
                match step {
                    Step::Enter(guest) => prop_assert!(here.contains(&guest) && entered.insert(guest)),
                    Step::Leave(guest) => here.retain(|other| *other != guest),
                }
            }
            prop_assert!(crowd.waiting() <= 20 && crowd.handshakes() <= 5);
            prop_assert_eq!(crowd.waiting() + crowd.handshakes(), here.len());
        }
        for guest in here {
            crowd.leave(guest);
        }
        prop_assert!(!crowd.is_pressed());
        prop_assert_eq!((crowd.guests.len(), crowd.sources.len()), (0, 0));
        prop_assert_eq!((crowd.burdens.len(), crowd.listening.len()), (0, 0));
    }
}
