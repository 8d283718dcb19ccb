//! A07: a station comes with a password that an attacker would try early.

use std::sync::Arc;

use gateway::{LessonReceiver, lesson_queue};
use guard::{
    Book, Event, FingerprintKey, Lesson, OnWeakPassword, PasswordRules, PasswordTraits,
    RefusedHandshake, StationRecord, Weakness, Weaknesses,
};

use crate::door::{status, why};
use crate::scene::{PASSWORD, Scene, Setting};

const HONEST: &[u8] = b"Kestrel-over-the-harbour-7";

fn rules() -> PasswordRules {
    PasswordRules::new(FingerprintKey::new([9; 32]), "opensesame\n")
}

async fn gate(weak: OnWeakPassword) -> (Scene, LessonReceiver) {
    let mut setting = Setting::default();
    let (sender, lessons) = lesson_queue(16);
    setting.settings.passwords.rules = Some(Arc::new(rules()));
    setting.settings.passwords.weak = weak;
    setting.settings.passwords.lessons = Some(sender);
    (Scene::with(setting).await, lessons)
}

/// Says what is known of some stations' passwords.
fn know(scene: &Scene, known: &[(&str, PasswordTraits)]) {
    let book = scene.book.load();
    let stations = book.stations().iter().map(|record| {
        let known = known.iter().find(|(name, _)| *name == record.id.as_str());
        StationRecord {
            password: known.map(|(_, traits)| *traits),
            ..StationRecord::clone(record)
        }
    });
    let book = Book::new(book.routes().cloned(), stations.collect::<Vec<_>>()).unwrap();
    scene.book.store(Arc::new(book));
}

async fn told(scene: &Scene) -> (String, Weaknesses) {
    scene
        .event(|event| match event {
            Event::WeakPassword {
                station,
                weaknesses,
                ..
            } => Some((station.to_string(), *weaknesses)),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a07_a_shared_password_comes_in_and_is_told_and_the_honest_station_is_not() {
    let (scene, lessons) = gate(OnWeakPassword::Tell).await;
    let shared = rules().traits(PASSWORD, &[]);
    let own = rules().traits(HONEST, &[]);
    know(&scene, &[("CP1", shared), ("OLD", shared), ("CP2", own)]);
    let (_honest, _) = scene.session("CP2").await;
    let (_weak, _) = scene.session("CP1").await;
    let wanted = Weaknesses::default().with(Weakness::Shared);
    assert_eq!(
        told(&scene).await,
        ("CP1".to_owned(), wanted),
        "and the first one told"
    );
    assert!(lessons.take().is_empty(), "both passwords are known");
}

#[tokio::test]
async fn a07_where_weak_is_refused_it_never_reaches_the_csms() {
    let (scene, _lessons) = gate(OnWeakPassword::Refuse).await;
    let shared = rules().traits(PASSWORD, &[]);
    let accepted = PasswordTraits {
        accepted: true,
        ..shared
    };
    let own = rules().traits(HONEST, &[]);
    know(&scene, &[("CP1", shared), ("OLD", accepted), ("CP2", own)]);
    assert_eq!(status(scene.knock("CP1").await), 401);
    let wanted = Weaknesses::default().with(Weakness::Shared);
    assert_eq!(why(&scene).await, RefusedHandshake::WeakPassword(wanted));
    assert!(scene.csms.nobody_came());
    drop(scene.session("CP2").await);
    drop(scene.session("OLD").await);
}

#[tokio::test]
async fn a07_a_password_that_nobody_has_looked_at_is_learnt_from_the_station() {
    let (scene, lessons) = gate(OnWeakPassword::Tell).await;
    assert_eq!(
        status(
            scene
                .knock_as("CP1", "ocpp1.6", Some(("CP1", HONEST)))
                .await
        ),
        401
    );
    assert!(
        lessons.take().is_empty(),
        "a wrong password teaches nothing"
    );
    let (_station, _) = scene.session("CP1").await;
    let taught = lessons.take();
    let [
        Lesson::Password {
            station, traits, ..
        },
    ] = &taught[..]
    else {
        panic!("{taught:?}");
    };
    assert_eq!(station.as_str(), "CP1");
    assert_eq!(*traits, rules().traits(PASSWORD, &[]));
}
