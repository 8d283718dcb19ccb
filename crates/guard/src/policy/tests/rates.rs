//! B12: too much of one kind.

use super::scopes::{scene as named, stations};
use super::*;
use crate::rates::{Over, Rate};
use crate::{Relaxed, Scope, Scopes};

const FEW: Rate = Rate {
    burst: 2,
    per_minute: 60,
};

fn scene(mode: Mode, over: Over) -> Scene {
    Scene::with(Version::V201, |policy| {
        policy.controls.rate = mode;
        policy.rates.heartbeat = FEW;
        policy.rates.billing = FEW;
        policy.rates.command = FEW;
        policy.rates.over = over;
    })
}

/// So many of one action at once; what became of the last.
fn many(scene: &mut Scene, from: Side, action: &str, times: usize) -> Told {
    let mut told = forwarded();
    for number in 0..times {
        let id = format!("{action}{number}-{}", scene.now.elapsed.as_secs());
        told = scene.call(from, &id, action, "{}");
        scene.answer(from.other(), &id);
    }
    told
}

#[test]
fn b12_too_much_is_observed_by_default_and_refused_when_enforced() {
    let mut scene = scene(Mode::Observe, Over::Refuse);
    assert_eq!(many(&mut scene, Station, "Heartbeat", 2), forwarded());
    let told = many(&mut scene, Station, "Heartbeat", 3);
    assert_eq!(told, observed(Control::Rate));
    assert_eq!(scene.state.slowed_for(Station, scene.now), Duration::ZERO);

    scene.policy.controls.rate = Mode::Enforce;
    scene.wait(1);
    let told = many(&mut scene, Station, "Heartbeat", 2);
    let own = r#"[4,"Heartbeat1-1","GenericError","more Heartbeats than are borne",{}]"#;
    assert_eq!(told, refused(Control::Rate, Some((Station, own))));
    // Everything else goes on, and so does this in time.
    assert_eq!(
        many(&mut scene, Station, "StatusNotification", 5),
        forwarded()
    );
    scene.wait(1);
    assert_eq!(many(&mut scene, Station, "Heartbeat", 1), forwarded());

    scene.policy.controls.rate = Mode::Off;
    assert_eq!(many(&mut scene, Station, "Heartbeat", 9), forwarded());
}

#[test]
fn b12_the_csms_has_a_bucket_too() {
    let mut scene = scene(Mode::Enforce, Over::Refuse);
    assert_eq!(many(&mut scene, Csms, "Reset", 2), forwarded());
    let own = r#"[4,"ClearCache0-0","GenericError","more commands than are borne",{}]"#;
    let told = many(&mut scene, Csms, "ClearCache", 1);
    assert_eq!(told, refused(Control::Rate, Some((Csms, own))));
}

#[test]
fn b12_messages_of_a_transaction_are_slowed_and_never_refused() {
    let mut scene = scene(Mode::Enforce, Over::Refuse);
    // The fleet's own switch is not meant for them.
    let told = many(&mut scene, Station, "TransactionEvent", 3);
    assert_eq!(told, observed(Control::Rate));
    assert_eq!(scene.state.slowed_for(Station, scene.now), Duration::ZERO);
    // A scope is.
    let scope = Scope {
        who: stations(&["CP1"]),
        modes: vec![(Control::Rate, Mode::Enforce)],
    };
    let mut named = named("CP1");
    named.policy = scene.policy.clone();
    named.policy.scopes = Scopes::new(vec![scope], Vec::new(), Relaxed::default());
    let told = many(&mut named, Station, "StopTransaction", 3);
    assert_eq!(told.outcome, Outcome::Forwarded);
    assert_eq!(told.findings, [(Control::Rate, Mode::Enforce)]);
    assert_eq!(
        named.state.slowed_for(Station, named.now),
        Duration::from_secs(1)
    );
    assert_eq!(named.state.slowed_for(Csms, named.now), Duration::ZERO);
}

#[test]
fn b12_slowing_refuses_nobody() {
    let mut scene = scene(Mode::Enforce, Over::Slow);
    let told = many(&mut scene, Station, "Heartbeat", 4);
    assert_eq!(told.outcome, Outcome::Forwarded);
    assert_eq!(
        scene.state.slowed_for(Station, scene.now),
        Duration::from_secs(2)
    );
}
