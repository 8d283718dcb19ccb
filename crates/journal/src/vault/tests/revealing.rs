//! Originals: with a purpose, and many of them with two people.

use super::*;
use crate::vault::reveal::{REVEALED_ALONE_MAX, Revealed};

fn several(scene: &mut Scene, count: usize) -> Vec<Handle> {
    (0..count)
        .map(|number| scene.token(&format!("token {number}")))
        .collect()
}

#[test]
fn a_few_are_shown_for_a_purpose_that_is_recorded_first() {
    let mut scene = Scene::new();
    let mut handles = several(&mut scene, 2);
    handles.push(Handle::from_random([1; 12]));
    let now = scene.now;
    let unsaid = scene.vault.reveal(&handles, "  ", "anna", now);
    assert!(matches!(unsaid, Err(VaultError::NoPurpose)));
    let shown = scene.vault.reveal(&handles, "ticket 88", "anna", now);
    let Ok(Revealed::Originals(shown)) = shown else {
        panic!("two are few");
    };
    let texts: Vec<_> = shown
        .iter()
        .map(|(_, original)| original.as_ref().map(|original| original.text.as_str()))
        .collect();
    assert_eq!(texts, [Some("token 0"), Some("token 1"), None]);
    let acts = scene.vault.acts().unwrap();
    let [act] = &acts[..] else { panic!("{acts:?}") };
    assert_eq!((act.what.as_str(), act.by.as_str()), ("original", "anna"));
    assert!(
        act.details.ends_with("3 originals; purpose: ticket 88"),
        "{act:?}"
    );
}

#[test]
fn many_want_two_people() {
    let mut scene = Scene::new();
    let handles = several(&mut scene, REVEALED_ALONE_MAX + 1);
    let now = scene.now;
    let asked = scene.vault.reveal(&handles, "audit", "anna", now).unwrap();
    let Revealed::Waits(case) = asked else {
        panic!("eleven are many");
    };
    let early = scene.vault.reveal_case(&case, "anna", now);
    assert!(matches!(early, Err(VaultError::NotAgreed)));
    let herself = scene.vault.approve(&case, "anna", now);
    assert!(matches!(herself, Err(VaultError::SamePerson)));
    let agreed = scene.vault.approve(&case, "ben", now).unwrap();
    assert_eq!(agreed, (handles.len(), "audit".to_owned()));
    let another = scene.vault.reveal_case(&case, "ben", now);
    assert!(matches!(another, Err(VaultError::AnotherPerson)));
    let late = UnixMillis(now.0 + DAY);
    let stale = scene.vault.reveal_case(&case, "anna", late);
    assert!(matches!(stale, Err(VaultError::NoCase)));
    let shown = scene.vault.reveal_case(&case, "anna", now).unwrap();
    assert!(shown.len() == handles.len() && shown.iter().all(|(_, original)| original.is_some()));
    let acts = scene.vault.acts().unwrap();
    let what: Vec<_> = acts.iter().map(|act| act.what.as_str()).collect();
    assert_eq!(what, ["original-asked", "original-agreed", "original"]);
}

#[test]
fn many_requests_for_a_few_are_many() {
    let mut scene = Scene::new();
    let handles = several(&mut scene, REVEALED_ALONE_MAX);
    let now = scene.now;
    for handle in &handles {
        let shown = scene.vault.reveal(&[*handle], "ticket", "anna", now);
        assert!(matches!(shown, Ok(Revealed::Originals(_))));
    }
    let more = scene.vault.reveal(&handles[..1], "ticket", "anna", now);
    assert!(matches!(more, Ok(Revealed::Waits(_))));
    let another = scene.vault.reveal(&handles[..1], "ticket", "ben", now);
    assert!(matches!(another, Ok(Revealed::Originals(_))));
    let tomorrow = UnixMillis(now.0 + DAY);
    let again = scene
        .vault
        .reveal(&handles[..1], "ticket", "anna", tomorrow);
    assert!(matches!(again, Ok(Revealed::Originals(_))));
}
