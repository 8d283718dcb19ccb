//! D03: a station is given another credential through the gate, and is not locked out by it; nor is
//! anybody else let in.

use std::sync::Arc;
use std::time::Duration;

use gateway::{LessonReceiver, lesson_queue};
use guard::{
    Book, ChangeEvent, ChangeStep, Credential, Event, FingerprintKey, Lesson, OnWeakPassword,
    PasswordRules, RefusedHandshake, StationRecord, UpstreamCredential,
};
use ocpp::Version;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::attempts::connect_from;
use crate::authority::{Authority, Certificate};
use crate::door::status;
use crate::scene::{End, PASSWORD, Scene, Setting};

/// What the CSMS writes, and the octets that it stands for.
const DIGITS: &str = "9f27ad01c4586ee3b1c02a77d4a9e65310fb42cd";
const WRONG: &[u8] = b"wrong password, as long";

fn octets() -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&DIGITS[at..at + 2], 16).unwrap();
    (0..DIGITS.len()).step_by(2).map(pair).collect()
}

/// A scene whose gate takes part in changes.
async fn gate(mut setting: Setting) -> (Scene, LessonReceiver) {
    let (sender, lessons) = lesson_queue(64);
    let rules = PasswordRules::new(FingerprintKey::new([9; 32]), "");
    setting.settings.passwords.rules = Some(Arc::new(rules));
    setting.settings.passwords.lessons = Some(sender);
    setting.settings.attempts.delay_max = Duration::from_millis(1);
    // Ends that a scene still holds answer no farewell.
    setting.settings.session.close_deadline = Duration::from_millis(50);
    setting.settings.limits.probe_deadline = Duration::from_millis(300);
    (Scene::with(setting).await, lessons)
}

/// CP1 comes with a password; both ends if it is let in.
async fn come(scene: &Scene, password: &[u8]) -> Option<(End, End)> {
    let basic = Some(("CP1", password));
    let knocking = scene.knock_as("CP1", "ocpp1.6", basic);
    let mut knocking = std::pin::pin!(knocking);
    tokio::select! {
        refused = &mut knocking => {
            assert_eq!(status(refused), 401);
            assert!(scene.csms.nobody_came());
            None
        }
        csms = scene.csms.accept() => Some((knocking.await.unwrap(), csms)),
    }
}

/// It comes and goes.
async fn comes(scene: &Scene, password: &[u8]) -> bool {
    come(scene, password).await.is_some()
}

async fn told(scene: &Scene, wanted: ChangeEvent) {
    let is_wanted = |event: &Event| match event {
        Event::CredentialChange { step, .. } => (*step == wanted).then_some(()),
        _ => None,
    };
    scene.event(is_wanted).await;
}

/// The CSMS gives the station the new password, byte for byte.
async fn offer(csms: &mut End, station: &mut End, value: &str) {
    let call =
        format!(r#"[2,"k","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{value}"}}]"#);
    csms.say(&call).await;
    assert_eq!(station.hear().await, call);
}

async fn answer(csms: &mut End, station: &mut End, answer: &str) {
    station.say(answer).await;
    assert_eq!(csms.hear().await, answer);
}

const ACCEPTED: &str = r#"[3,"k",{"status":"Accepted"}]"#;

#[tokio::test]
async fn d03_the_change_passes_and_the_station_comes_back_with_the_new_password() {
    let (scene, lessons) = gate(Setting::default()).await;
    let (_honest, _) = scene.session("CP2").await;
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, DIGITS).await;
    answer(&mut csms, &mut station, ACCEPTED).await;
    told(&scene, ChangeEvent::Accepted).await;
    drop(station);
    assert!(comes(&scene, PASSWORD).await, "it has not restarted yet");
    let (_station, csms) = come(&scene, &octets())
        .await
        .expect("the octets of the digits");
    let shown = csms.request.unwrap().headers()["authorization"].clone();
    let pair = [b"CP1:".as_slice(), &octets()].concat();
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair);
    assert_eq!(
        shown.to_str().unwrap(),
        format!("Basic {encoded}"),
        "passed on by itself"
    );
    told(&scene, ChangeEvent::Proved).await;
    assert!(
        !comes(&scene, PASSWORD).await,
        "the old one is over at once"
    );
    assert!(
        comes(&scene, DIGITS.as_bytes()).await,
        "some stations send the digits"
    );
    let mut steps = lessons.take();
    steps.retain(|lesson| !matches!(lesson, Lesson::Password { .. }));
    let [
        Lesson::Change {
            step: ChangeStep::Offered(_),
            ..
        },
        Lesson::Change {
            step: ChangeStep::Accepted(_),
            ..
        },
        Lesson::Proved {
            password: Some(shown),
            ..
        },
    ] = &steps[..]
    else {
        panic!("{steps:?}");
    };
    assert_eq!(shown.expose(), octets());
}

/// What is told of a change until the station has said that it takes it.
async fn steps(scene: &Scene) -> Vec<ChangeEvent> {
    let mut steps = Vec::new();
    let collect = |event: &Event| match event {
        Event::CredentialChange { step, .. } => {
            steps.push(*step);
            (*step == ChangeEvent::Accepted).then_some(())
        }
        _ => None,
    };
    scene.event(collect).await;
    steps
}

#[tokio::test]
async fn d03_a_weak_password_is_told_when_the_change_passes_and_not_when_it_locks_out() {
    const STRONG: &str = DIGITS;
    for weak in [OnWeakPassword::Tell, OnWeakPassword::Refuse] {
        let mut setting = Setting::default();
        setting.settings.passwords.weak = weak;
        let (scene, _lessons) = gate(setting).await;
        change_record(&scene, |record| StationRecord {
            serial: Some("SN-4711-0815-2342".into()),
            password: None,
            ..record.clone()
        });
        let is_refused = weak == OnWeakPassword::Refuse;
        // Made from the identity, and from the serial number.
        for value in ["cp1cp1cp1cp1cp1cp1", "sn-4711-0815-2342!", STRONG] {
            let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
            offer(&mut csms, &mut station, value).await;
            answer(&mut csms, &mut station, ACCEPTED).await;
            let mut wanted = vec![ChangeEvent::Offered, ChangeEvent::Accepted];
            if value != STRONG {
                wanted.insert(1, ChangeEvent::Weak { is_refused });
            }
            assert_eq!(steps(&scene).await, wanted, "{value}");
        }
    }
}

#[tokio::test]
async fn d03_the_answer_is_lost_and_either_password_comes_in() {
    let (scene, _lessons) = gate(Setting::default()).await;
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, DIGITS).await;
    drop(station);
    assert!(comes(&scene, PASSWORD).await);
    assert!(
        comes(&scene, PASSWORD).await,
        "the old one proves nothing about the new"
    );
    assert!(comes(&scene, &octets()).await);
    assert!(!comes(&scene, PASSWORD).await);
}

#[tokio::test]
async fn d03_the_station_refuses_and_only_the_old_password_comes_in() {
    for refusal in [
        r#"[3,"k",{"status":"Rejected"}]"#,
        r#"[3,"k",{"status":"NotSupported"}]"#,
        r#"[4,"k","InternalError","",{}]"#,
    ] {
        let (scene, _lessons) = gate(Setting::default()).await;
        let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
        offer(&mut csms, &mut station, DIGITS).await;
        answer(&mut csms, &mut station, refusal).await;
        told(&scene, ChangeEvent::Refused).await;
        drop(station);
        assert!(!comes(&scene, &octets()).await, "{refusal}");
        assert!(comes(&scene, PASSWORD).await, "{refusal}");
    }
}

#[tokio::test]
async fn d03_guesses_during_a_change_count_as_ever_and_the_station_comes_in() {
    let (scene, _lessons) = gate(Setting::default()).await;
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, DIGITS).await;
    drop(station);
    let mut heard = Vec::new();
    for _ in 0..7 {
        let stream = connect_from(&scene, [127, 0, 0, 9]).await;
        let basic = Some(("CP1", WRONG));
        heard.push(status(
            scene
                .upgrade(Box::new(stream), "CP1", "ocpp1.6", basic)
                .await,
        ));
    }
    assert_eq!(heard, [401, 401, 401, 401, 401, 429, 429]);
    assert!(comes(&scene, &octets()).await);
    drop(scene.session("CP2").await);
}

#[tokio::test]
async fn d03_after_the_time_limit_an_unanswered_change_is_over() {
    let mut setting = Setting::default();
    setting.settings.passwords.change_time = Duration::ZERO;
    let (scene, _lessons) = gate(setting).await;
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, DIGITS).await;
    drop(station);
    // The clock's next millisecond is enough.
    assert!(comes(&scene, PASSWORD).await);
    assert!(!comes(&scene, &octets()).await);
    assert!(comes(&scene, PASSWORD).await);
}

#[tokio::test]
async fn d03_a_password_of_its_own_towards_the_csms_goes_along() {
    let setting = Setting {
        credential: UpstreamCredential::PerStation,
        ..Setting::default()
    };
    let (scene, _lessons) = gate(setting).await;
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, "Kestrel-over-the-harbour-7").await;
    drop(station);
    let (_station, csms) = come(&scene, b"Kestrel-over-the-harbour-7").await.unwrap();
    let shown = csms.request.unwrap().headers()["authorization"].clone();
    let encoded = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        "CP1:Kestrel-over-the-harbour-7",
    );
    assert_eq!(shown.to_str().unwrap(), format!("Basic {encoded}"));
}

#[tokio::test]
async fn d03_whoever_came_with_the_old_password_does_not_keep_the_station_out() {
    let (scene, _lessons) = gate(Setting::default()).await;
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, DIGITS).await;
    answer(&mut csms, &mut station, ACCEPTED).await;
    told(&scene, ChangeEvent::Accepted).await;
    drop(station);
    // Somebody who knows the old one is faster, and lives.
    let (mut thief, _csms) = come(&scene, PASSWORD).await.unwrap();
    let octets = octets();
    let (came, _) = tokio::join!(come(&scene, &octets), thief.closed());
    assert!(came.is_some());
    assert!(!comes(&scene, PASSWORD).await);
}

#[tokio::test]
async fn d03_a_station_that_is_told_to_go_back_to_the_old_password_is_not_locked_out() {
    let mut setting = Setting::default();
    setting.settings.passwords.change_time = Duration::ZERO;
    let (scene, _lessons) = gate(setting).await;
    let rules = PasswordRules::new(FingerprintKey::new([9; 32]), "");
    change_record(&scene, |record| StationRecord {
        password: Some(rules.traits(PASSWORD, &["CP1"])),
        ..record.clone()
    });
    let (mut station, mut csms) = come(&scene, PASSWORD).await.unwrap();
    offer(&mut csms, &mut station, DIGITS).await;
    answer(&mut csms, &mut station, ACCEPTED).await;
    let old = String::from_utf8(PASSWORD.to_vec()).unwrap();
    let back =
        format!(r#"[2,"b","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{old}"}}]"#);
    csms.say(&back).await;
    assert_eq!(station.hear().await, back);
    answer(&mut csms, &mut station, &ACCEPTED.replace('k', "b")).await;
    let mut accepted = 0;
    let second_word = |event: &Event| {
        if let Event::CredentialChange { step, .. } = event {
            accepted += usize::from(*step == ChangeEvent::Accepted);
        }
        (accepted == 2).then_some(())
    };
    scene.event(second_word).await;
    drop(station);
    assert!(comes(&scene, PASSWORD).await);
    assert!(comes(&scene, PASSWORD).await);
    assert!(!comes(&scene, &octets()).await);
}

/// CP1 comes with a certificate; both ends if it is let in.
async fn come_certified(
    scene: &Scene,
    authority: &Authority,
    certificate: &Certificate,
) -> Option<(End, End)> {
    let config = authority.client_config(false, certificate);
    let stream = TcpStream::connect(scene.gate.addresses()[0]).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    let mut knocking = std::pin::pin!(scene.upgrade(Box::new(stream), "CP1", "ocpp2.0.1", None));
    tokio::select! {
        refused = &mut knocking => {
            assert_eq!(status(refused), 401);
            None
        }
        csms = scene.csms.accept() => Some((knocking.await.unwrap(), csms)),
    }
}

/// The CSMS gives the station a certificate.
async fn sign(csms: &mut End, station: &mut End, id: &str, certificate: &Certificate) {
    let chain = String::from_utf8(certificate.chain().to_vec()).unwrap();
    let chain = chain.replace('\n', "\\n");
    let call = format!(r#"[2,"{id}","CertificateSigned",{{"certificateChain":"{chain}"}}]"#);
    csms.say(&call).await;
    assert_eq!(station.hear().await, call);
    answer(csms, station, &ACCEPTED.replace('k', id)).await;
}

#[tokio::test]
async fn d03_a_renewed_certificate_takes_the_old_ones_place_and_a_foreign_one_does_not() {
    let authority = Authority::new();
    let mut setting = Setting::default();
    setting.settings.listeners[0].tls = Some(authority.listener());
    let (scene, _lessons) = gate(setting).await;
    let of = |name: &str| authority.certificate(name, |_| {});
    let (old, new, foreign) = (of("CP1"), of("CP1"), of("CP2"));
    let der = CertificateDer::from_pem_slice(old.chain()).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let fingerprint: [u8; 32] = digest.as_ref().try_into().unwrap();
    register(&scene, Credential::Certificate(fingerprint));

    let (mut station, mut csms) = come_certified(&scene, &authority, &old).await.unwrap();
    sign(&mut csms, &mut station, "a", &foreign).await;
    told(&scene, ChangeEvent::Foreign).await;
    assert!(come_certified(&scene, &authority, &foreign).await.is_none());
    sign(&mut csms, &mut station, "b", &new).await;
    drop(station);
    assert!(come_certified(&scene, &authority, &old).await.is_some());
    assert!(come_certified(&scene, &authority, &new).await.is_some());
    assert!(come_certified(&scene, &authority, &old).await.is_none());
    let refused = |event: &Event| match event {
        Event::Refused { why, .. } => Some(why.clone()),
        _ => None,
    };
    assert_eq!(scene.event(refused).await, RefusedHandshake::Unauthorized);
}

/// CP1 has to show that from now on.
fn register(scene: &Scene, credential: Credential) {
    change_record(scene, |record| StationRecord {
        credential: credential.clone(),
        ..record.clone()
    });
}

/// The register says something else of CP1.
fn change_record(scene: &Scene, change: impl Fn(&StationRecord) -> StationRecord) {
    let book = scene.book.load();
    let stations = book
        .stations()
        .iter()
        .map(|record| match record.id.as_str() {
            "CP1" => Arc::new(change(record)),
            _ => Arc::clone(record),
        });
    let book = Book::new(book.routes().cloned(), stations.collect::<Vec<_>>()).unwrap();
    scene.book.store(Arc::new(book));
}

#[tokio::test]
async fn d03_a_network_profile_of_2_1_carries_a_password() {
    let (scene, _lessons) = gate(Setting::default()).await;
    let knock = scene.knock_as("CP1", Version::V21.subprotocol(), Some(("CP1", PASSWORD)));
    let (station, mut csms) = tokio::join!(knock, scene.csms.accept());
    let mut station = station.unwrap();
    let call = r#"[2,"k","SetNetworkProfile",{"configurationSlot":1,"connectionData":{"basicAuthPassword":"Kestrel-over-the-harbour-7","ocppTransport":"JSON","ocppCsmsUrl":"wss://csms.example","messageTimeout":30,"securityProfile":2,"ocppInterface":"Wired0"}}]"#;
    csms.say(call).await;
    assert_eq!(station.hear().await, call);
    answer(&mut csms, &mut station, ACCEPTED).await;
    drop(station);
    assert!(comes(&scene, PASSWORD).await);
    assert!(comes(&scene, b"Kestrel-over-the-harbour-7").await);
    assert!(!comes(&scene, PASSWORD).await);
}
