//! Who gets in, and what happens before the 101.

use std::sync::Arc;
use std::time::Duration;

use gateway::UpstreamSettings;
use guard::{Event, RefusedHandshake, Secret, UpstreamCredential};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;

use crate::scene::{End, PASSWORD, Scene, Setting};

/// Identity, user and password, and what comes of it.
type Attempt<'a> = (&'a str, Option<(&'a str, &'a [u8])>, u16, RefusedHandshake);

pub fn status(outcome: Result<End, Error>) -> u16 {
    match outcome {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("no answer: {other}"),
    }
}

pub async fn why(scene: &Scene) -> RefusedHandshake {
    scene
        .event(|event| match event {
            Event::Refused { why, .. } => Some(why.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn without_the_credential_nobody_gets_in_and_no_upstream_is_dialled() {
    let scene = Scene::new().await;
    let refused: [Attempt<'_>; 7] = [
        ("CP1", None, 401, RefusedHandshake::NoCredential),
        (
            "CP1",
            Some(("CP1", b"wrong password, as long")),
            401,
            RefusedHandshake::Unauthorized,
        ),
        (
            "NOBODY",
            Some(("NOBODY", PASSWORD)),
            401,
            RefusedHandshake::Unauthorized,
        ),
        (
            "DISABLED",
            Some(("DISABLED", PASSWORD)),
            401,
            RefusedHandshake::Unauthorized,
        ),
        (
            "CP1",
            Some(("CP2", PASSWORD)),
            401,
            RefusedHandshake::UserNotIdentity,
        ),
        (
            "cp1",
            Some(("cp1", PASSWORD)),
            401,
            RefusedHandshake::Unauthorized,
        ),
        (
            "CP1%252F",
            Some(("CP1", PASSWORD)),
            401,
            RefusedHandshake::BadIdentity,
        ),
    ];
    for (identity, basic, expected, reason) in refused {
        let outcome = scene.knock_as(identity, "ocpp1.6", basic).await;
        assert_eq!(status(outcome), expected, "{identity}");
        assert_eq!(why(&scene).await, reason, "{identity}");
    }
    let outcome = scene
        .knock_as("CP1/more", "ocpp1.6", Some(("CP1", PASSWORD)))
        .await;
    assert_eq!(status(outcome), 404);
    assert!(scene.csms.nobody_came());
}

#[tokio::test]
async fn exactly_one_subprotocol_goes_upstream() {
    let scene = Scene::new().await;
    let offer = "ocpp1.5, ocpp2.0.1, ocpp1.6";
    let knock = scene.knock_as("CP1", offer, Some(("CP1", PASSWORD)));
    let (station, csms) = tokio::join!(knock, scene.csms.accept());
    station.unwrap();
    let request = csms.request.unwrap();
    let sent: Vec<_> = request
        .headers()
        .get_all("Sec-WebSocket-Protocol")
        .iter()
        .collect();
    assert_eq!(sent, ["ocpp2.0.1"]);
    assert_eq!(request.uri().path(), "/csms/CP1");

    let outcome = scene
        .knock_as("CP2", "ocpp1.5", Some(("CP2", PASSWORD)))
        .await;
    assert_eq!(status(outcome), 400);
    assert_eq!(why(&scene).await, RefusedHandshake::NoVersion);
}

#[tokio::test]
async fn a_station_without_a_subprotocol_speaks_what_its_registration_says() {
    let scene = Scene::new().await;
    let knock = scene.knock_as("OLD", "", Some(("OLD", PASSWORD)));
    let (station, csms) = tokio::join!(knock, scene.csms.accept());
    station.unwrap();
    assert_eq!(
        csms.request.unwrap().headers()["Sec-WebSocket-Protocol"],
        "ocpp1.6"
    );
    let outcome = scene.knock_as("CP1", "", Some(("CP1", PASSWORD))).await;
    assert_eq!(status(outcome), 400);
}

#[tokio::test]
async fn the_parsed_identity_travels_on() {
    let scene = Scene::new().await;
    let knock = scene.knock_as("Wall%20box", "ocpp1.6", Some(("Wall box", PASSWORD)));
    let (station, csms) = tokio::join!(knock, scene.csms.accept());
    station.unwrap();
    assert_eq!(csms.request.unwrap().uri().path(), "/csms/Wall%20box");
}

#[tokio::test]
async fn the_csms_is_shown_what_the_route_says() {
    let basic = |password: &str| {
        use base64::Engine;
        let pair = format!("CP1:{password}");
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        )
    };
    let fixed = Secret::new(b"for all".to_vec());
    let table = [
        (
            UpstreamCredential::Forward,
            Some(basic(std::str::from_utf8(PASSWORD).unwrap())),
        ),
        (UpstreamCredential::None, None),
        (UpstreamCredential::Fixed(fixed), Some(basic("for all"))),
        (
            UpstreamCredential::PerStation,
            Some(basic("upstream secret")),
        ),
    ];
    for (credential, expected) in table {
        let scene = Scene::with(Setting {
            credential,
            ..Setting::default()
        })
        .await;
        let (_station, csms) = scene.session("CP1").await;
        let request = csms.request.unwrap();
        let shown = request
            .headers()
            .get("Authorization")
            .map(|value| value.to_str().unwrap());
        assert_eq!(shown, expected.as_deref());
    }
}

#[tokio::test]
async fn a_csms_that_refuses_redirects_or_hangs_is_a_503() {
    let mut setting = Setting::default();
    setting.settings.limits.upstream_deadline = Duration::from_millis(300);
    let scene = Scene::with(setting).await;
    let answers: [Option<&[u8]>; 4] = [
        Some(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        Some(b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n"),
        Some(b""),
        None,
    ];
    for answer in answers {
        let csms = async {
            let mut stream = scene.csms.accept_raw().await;
            let mut request = vec![0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            if let Some(answer) = answer {
                stream.write_all(answer).await.unwrap();
                return None;
            }
            Some(stream)
        };
        let (outcome, _held) = tokio::join!(scene.knock("CP1"), csms);
        assert_eq!(status(outcome), 503);
        assert!(matches!(why(&scene).await, RefusedHandshake::Upstream(_)));
    }
    assert!(scene.csms.nobody_came(), "the redirect was not followed");
}

#[tokio::test]
async fn a_csms_that_is_not_there_is_a_503() {
    let mut scene = Scene::new().await;
    // Another one's door in its place; its own is closed with that.
    scene.csms = Scene::new().await.csms;
    assert_eq!(status(scene.knock("CP1").await), 503);
}

#[tokio::test]
async fn a_head_that_dribbles_is_cut_off() {
    let mut setting = Setting::default();
    setting.settings.limits.head_deadline = Duration::from_millis(200);
    let scene = Scene::with(setting).await;
    let mut stream = tokio::net::TcpStream::connect(scene.gate.addresses()[0])
        .await
        .unwrap();
    stream
        .write_all(b"GET /ocpp/CP1 HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    assert_eq!(
        why(&scene).await,
        RefusedHandshake::Deadline("head_deadline")
    );
}

#[tokio::test]
async fn tls_in_both_certificates_and_profile_3() {
    let authority = crate::authority::Authority::new();
    let mut setting = Setting::default();
    setting.settings.listeners[0].tls = Some(authority.listener());
    let scene = Scene::with(setting).await;
    for algorithm in ["ECDSA", "RSA"] {
        let connector = authority.station(algorithm, None);
        let knock = scene.knock_tls("CP1", &connector, Some(("CP1", PASSWORD)));
        let (station, mut csms) = tokio::join!(knock, scene.csms.accept());
        let (mut station, shown) = station.unwrap();
        assert!(shown.contains(algorithm), "{shown}");
        assert_eq!(
            csms.request.as_ref().unwrap().headers()["X-Forwarded-Proto"],
            "https"
        );
        station.say(r#"[2,"1","Heartbeat",{}]"#).await;
        assert_eq!(csms.hear().await, r#"[2,"1","Heartbeat",{}]"#);
    }
    // Profile 3: the certificate names the station, and no other.
    let connector = authority.station("ECDSA", Some("CERT1"));
    let knock = scene.knock_tls("CERT1", &connector, None);
    let (station, csms) = tokio::join!(knock, scene.csms.accept());
    station.unwrap();
    assert_eq!(
        csms.request.unwrap().headers()["X-Client-Cert-Present"],
        "true"
    );
    let other = scene.knock_tls("CERT2", &connector, None).await;
    assert!(other.is_err(), "another station's certificate");
}

#[tokio::test]
async fn the_csms_is_reached_by_tls_with_a_certificate_of_ours_and_from_the_address_that_was_set() {
    let authority = crate::authority::Authority::new();
    let mut setting = Setting::default();
    let upstream = UpstreamSettings {
        ca: Some(authority.root()),
        identity: Some(authority.client("portcullis")),
        bind: vec!["127.0.0.7".parse().unwrap()],
        ..UpstreamSettings::default()
    };
    let main = guard::RouteId("main".into());
    setting.settings.upstreams.insert(main, upstream);
    setting.upstream_scheme = "wss";
    let scene = Scene::with(setting).await;
    let (station, csms) = tokio::join!(
        scene.knock("CP1"),
        scene.csms.accept_tls(authority.acceptor())
    );
    let (mut station, mut csms) = (station.unwrap(), csms);
    assert_eq!(csms.from.ip().to_string(), "127.0.0.7");
    assert_eq!(csms.certificate.as_deref(), Some("portcullis"));
    station.say(r#"[2,"1","Heartbeat",{}]"#).await;
    assert_eq!(csms.end.hear().await, r#"[2,"1","Heartbeat",{}]"#);
}

#[tokio::test]
async fn a_csms_with_somebody_elses_certificate_is_a_503() {
    let authority = crate::authority::Authority::new();
    let stranger = crate::authority::Authority::new();
    let mut setting = Setting::default();
    let upstream = UpstreamSettings {
        ca: Some(authority.root()),
        ..UpstreamSettings::default()
    };
    let main = guard::RouteId("main".into());
    setting.settings.upstreams.insert(main, upstream);
    setting.upstream_scheme = "wss";
    let scene = Scene::with(setting).await;
    let acceptor = stranger.acceptor();
    let csms = async {
        let stream = scene.csms.accept_raw().await;
        acceptor.accept(stream).await.map(drop)
    };
    let (outcome, handshake) = tokio::join!(scene.knock("CP1"), csms);
    assert_eq!(status(outcome), 503);
    assert!(
        handshake.is_err(),
        "the gate does not finish such a handshake"
    );
}

#[tokio::test]
async fn over_the_limit_of_connections_nobody_is_served() {
    let mut setting = Setting::default();
    setting.settings.limits.connections_max = 1;
    let scene = Scene::with(setting).await;
    let (_station, _csms) = scene.session("CP1").await;
    assert!(scene.knock("CP2").await.is_err());
    assert_eq!(
        why(&scene).await,
        RefusedHandshake::Limit("connections_max")
    );
}

/// A gate that starts beside the scene's, at these addresses.
fn start_beside(
    scene: &Scene,
    addresses: &[std::net::SocketAddr],
) -> Result<gateway::Gateway, gateway::StartError> {
    let mut settings = Setting::default().settings;
    let listener = settings.listeners[0].clone();
    settings.listeners = addresses
        .iter()
        .map(|address| gateway::ListenerSettings {
            address: *address,
            ..listener.clone()
        })
        .collect();
    let (events, _receiver) = gateway::event_queue(16, false);
    let shared = gateway::Shared::new(
        Arc::clone(&scene.book),
        Arc::default(),
        events,
        Arc::new(guard::VerifierKey::new([7; 32])),
    );
    gateway::Gateway::start(settings, shared)
}

#[tokio::test]
async fn a_second_gate_does_not_share_the_address_unseen() {
    let scene = Scene::new().await;
    let second = start_beside(&scene, scene.gate.addresses());
    assert!(matches!(second, Err(gateway::StartError::Listen { .. })));
}

#[tokio::test]
async fn both_families_may_listen_on_one_port() {
    let scene = Scene::new().await;
    // A port that was free a moment ago.
    let probe = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let addresses = [
        format!("0.0.0.0:{port}").parse().unwrap(),
        format!("[::]:{port}").parse().unwrap(),
    ];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert!(start_beside(&scene, &addresses).is_ok());
    }
}
