//! A06, A04: somebody guesses. It is slowed and turned away; those who share its address are not.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guard::attempts::AttemptLimit;
use guard::{
    Book, Credential, Event, PasswordForm, RefusedHandshake, StationRecord, Verifier, VerifierKey,
};
use ocpp::{StationId, Version};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Error;

use crate::door::status;
use crate::scene::{End, PASSWORD, Scene, Setting};

const WRONG: &[u8] = b"wrong password, as long";
/// Shorter than a machine would make it.
const CHOSEN: &[u8] = b"opensesame";

/// A gate that holds nobody back for long.
fn quick() -> Setting {
    let mut setting = Setting::default();
    setting.settings.attempts.delay_max = Duration::from_millis(1);
    setting
}

/// A connection from another address of this machine.
pub async fn connect_from(scene: &Scene, address: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((address, 0))).unwrap();
    socket.connect(scene.gate.addresses()[0]).await.unwrap()
}

async fn knock_from(
    scene: &Scene,
    address: [u8; 4],
    identity: &str,
    password: &[u8],
) -> Result<End, Error> {
    let stream = connect_from(scene, address).await;
    let basic = Some((identity, password));
    scene
        .upgrade(Box::new(stream), identity, "ocpp1.6", basic)
        .await
}

/// Guesses at one identity; what each guess is answered with.
async fn guess(scene: &Scene, from: [u8; 4], identity: &str, times: usize) -> Vec<u16> {
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(status(knock_from(scene, from, identity, WRONG).await));
    }
    answers
}

/// Tries one password at many identities.
async fn spray(scene: &Scene, from: [u8; 4], times: usize) -> Vec<u16> {
    let mut answers = Vec::new();
    for number in 0..times {
        let identity = format!("SPRAYED-{number}");
        answers.push(status(knock_from(scene, from, &identity, WRONG).await));
    }
    answers
}

/// Registers more stations.
fn register<'n>(scene: &Scene, names: impl IntoIterator<Item = &'n str>, verifier: &Verifier) {
    let book = scene.book.load();
    let tenant = &book.routes().next().unwrap().tenant;
    let more = names.into_iter().map(|name| {
        Arc::new(StationRecord::new(
            StationId::parse(name, Version::V16).unwrap(),
            tenant.clone(),
            Credential::Password(verifier.clone()),
        ))
    });
    let stations = book.stations().iter().cloned().chain(more);
    let book = Book::new(book.routes().cloned(), stations).unwrap();
    scene.book.store(Arc::new(book));
}

const NAT: [u8; 4] = [127, 0, 0, 1];
const ELSEWHERE: [u8; 4] = [127, 0, 0, 9];

#[tokio::test]
async fn a06_guessing_at_a_station_is_turned_away_and_the_station_is_not() {
    let scene = Scene::with(quick()).await;
    drop(scene.session("CP1").await);
    let answers = guess(&scene, NAT, "CP1", 40).await;
    assert_eq!(answers[..5], [401; 5]);
    assert_eq!(answers[5..], [429; 35]);
    scene
        .event(|event| match event {
            Event::Refused { why, .. } => {
                (*why == RefusedHandshake::TooManyAttempts(AttemptLimit::Pair)).then_some(())
            }
            _ => None,
        })
        .await;
    assert_eq!(scene.gate.counters().snapshot().throttled, 35);
    // The station itself, from the same address, and from one where it never was.
    drop(scene.session("CP1").await);
    let (knock, _csms) = tokio::join!(
        knock_from(&scene, ELSEWHERE, "CP1", PASSWORD),
        scene.csms.accept()
    );
    assert_eq!(status(knock), 101);
}

#[tokio::test]
async fn a06_spraying_is_slowed_and_a_newcomer_behind_the_same_address_comes_in() {
    let scene = Scene::with(quick()).await;
    let answers = spray(&scene, NAT, 60).await;
    assert_eq!(answers[..30], [401; 30]);
    assert_eq!(answers[30..], [429; 30]);
    // It was never here before, and even mistypes its password at first.
    assert_eq!(guess(&scene, NAT, "CP2", 4).await, [429; 4]);
    let asked = Instant::now();
    drop(scene.session("CP2").await);
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "nobody held it back"
    );
}

#[tokio::test]
async fn a06_five_hundred_stations_notice_nothing_of_the_attacker_in_their_midst() {
    let scene = Scene::with(quick()).await;
    let key = VerifierKey::new([7; 32]);
    let made = Verifier::fast(PASSWORD, PasswordForm::Octets, &key, [1; 16]).unwrap();
    let names: Vec<String> = (0..500).map(|number| format!("HOME-{number}")).collect();
    register(&scene, names.iter().map(String::as_str), &made);
    for name in &names {
        drop(scene.session(name).await);
    }
    let (checked, turned_away) = (Cell::new(0_u64), Cell::new(0_u64));
    let begun = Instant::now();
    let attacker = async |start: usize| {
        for number in start.. {
            let name = &names[number % names.len()];
            match status(knock_from(&scene, NAT, name, WRONG).await) {
                401 => checked.set(checked.get() + 1),
                429 => turned_away.set(turned_away.get() + 1),
                other => panic!("an attacker hears {other}"),
            }
        }
    };
    let honest = async {
        // Everybody comes again, one after another, in the middle of it.
        for name in &names {
            drop(scene.session(name).await);
        }
        while turned_away.get() < 100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = honest => {}
        _ = async { tokio::join!(attacker(0), attacker(100), attacker(250), attacker(400)) } => {}
    }
    assert!(checked.get() <= 30 + begun.elapsed().as_secs() / 5 + 1);
}

#[tokio::test]
async fn a06_passwords_that_people_chose_are_not_even_looked_at_over_the_limit() {
    let mut setting = quick();
    // Chosen passwords are checked one after another: seconds pass, and forgive.
    setting.settings.attempts.source_refill = Duration::from_secs(600);
    setting.settings.attempts.source_failures_max = 10;
    let scene = Scene::with(setting).await;
    let chosen = Verifier::slow(CHOSEN, PasswordForm::Octets, [9; 16]).unwrap();
    register(&scene, ["PERSON"], &chosen);
    // Known at home; a stranger behind the attacked address.
    let (knock, _csms) = tokio::join!(
        knock_from(&scene, ELSEWHERE, "PERSON", CHOSEN),
        scene.csms.accept()
    );
    drop(knock.unwrap());
    for from in [NAT, ELSEWHERE] {
        spray(&scene, from, 12).await;
    }
    let guessed = knock_from(&scene, NAT, "PERSON", CHOSEN).await;
    assert_eq!(status(guessed), 429, "right, and yet nobody looked");
    let (knock, _csms) = tokio::join!(
        knock_from(&scene, ELSEWHERE, "PERSON", CHOSEN),
        scene.csms.accept()
    );
    assert_eq!(status(knock), 101);
}

#[tokio::test]
async fn a06_refusals_over_the_limit_come_late() {
    let mut setting = Setting::default();
    setting.settings.attempts.source_failures_max = 1;
    setting.settings.attempts.delay_max = Duration::from_millis(700);
    let scene = Scene::with(setting).await;
    spray(&scene, NAT, 1).await;
    for at_least in [500, 700] {
        let asked = Instant::now();
        assert_eq!(guess(&scene, NAT, "CP2", 1).await, [429]);
        assert!(asked.elapsed() >= Duration::from_millis(at_least));
    }
}

#[tokio::test]
async fn a04_limits_tell_nothing_about_who_is_registered() {
    let scene = Scene::with(quick()).await;
    let registered = guess(&scene, [127, 0, 0, 2], "CP1", 12).await;
    let unknown = guess(&scene, [127, 0, 0, 3], "NOBODY", 12).await;
    let disabled = guess(&scene, [127, 0, 0, 4], "DISABLED", 12).await;
    assert_eq!(registered, unknown);
    assert_eq!(registered, disabled);
}

#[tokio::test]
async fn a04_a_canary_is_told_and_its_visitor_hears_nothing_of_it() {
    let mut setting = quick();
    let canaries = ["TRAP-1", "CP2"].map(|name| StationId::parse(name, Version::V16).unwrap());
    setting.settings.canaries = canaries.into();
    let scene = Scene::with(setting).await;
    // Registered by mistake: not even the right password opens it.
    for (identity, password) in [("TRAP-1", WRONG), ("CP2", PASSWORD)] {
        let visit = knock_from(&scene, NAT, identity, password).await;
        let nobody = knock_from(&scene, NAT, "NOBODY", WRONG).await;
        assert_eq!(said(visit), said(nobody));
        let (station, peer) = scene
            .event(|event| match event {
                Event::Refused {
                    station,
                    why: RefusedHandshake::Canary,
                    peer,
                    ..
                } => Some((station.clone().unwrap(), *peer)),
                _ => None,
            })
            .await;
        assert_eq!(station.as_str(), identity);
        assert_eq!(peer.ip(), std::net::IpAddr::from(NAT));
    }
    assert!(scene.csms.nobody_came());
}

/// Everything that a refusal says.
fn said(outcome: Result<End, Error>) -> String {
    match outcome {
        Err(Error::Http(response)) => format!("{response:?}"),
        other => panic!("no refusal: {:?}", other.map(drop)),
    }
}
