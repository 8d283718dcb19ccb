//! Who is turned away at the door and with what, and what the CSMS is told of those who are not.

use std::task::{Context, Waker};

use crate::scene::Scene;
use gateway::UpstreamSettings;
use guard::{Event, RefusedHandshake};
use ocpp::Version;
use serde_json::json;
use sim::{Admission, Csms};
use tokio::net::TcpListener;

#[tokio::test]
async fn unknown_identities_and_wrong_passwords_look_the_same() {
    let scene = Scene::new().await;
    let wrong = scene.stranger("CP1").password("wrong horse battery");
    let unknown = scene.station("NOBODY");
    let nothing = scene.stranger("CP1");
    let other_user = scene.station("CP1").user("CP2");
    let other_case = scene.station("cp1");
    for station in [&wrong, &unknown, &nothing, &other_user, &other_case] {
        assert_eq!(scene.turned_away(station).await, 401);
    }
    let said = |error| match error {
        sim::ConnectError::Refused { body, .. } => body,
        other => panic!("{other}"),
    };
    let wrong = wrong.connect().await.map(drop).map_err(said);
    assert_eq!(wrong, unknown.connect().await.map(drop).map_err(said));
    assert!(scene.csms.handshakes().is_empty());
}

#[tokio::test]
async fn paths_that_no_route_has_are_not_found() {
    let scene = Scene::new().await;
    for path in [
        "/",
        "/CP1",
        "/OCPP/CP1",
        "/ocpp/CP1/more",
        "//ocpp/CP1",
        "/ocpp/../ocpp/CP1",
    ] {
        let status = scene.turned_away(&scene.station("CP1").path(path)).await;
        assert_eq!(status, 404, "{path}");
    }
}

#[tokio::test]
async fn identities_that_are_none_are_turned_away() {
    let scene = Scene::new().await;
    for path in [
        "/ocpp/CP1%2Fx",
        "/ocpp/CP1%00",
        "/ocpp/%43P1%2",
        "/ocpp/CP1%0A",
        "/ocpp/%FF",
        "/ocpp/",
    ] {
        let status = scene.turned_away(&scene.station("CP1").path(path)).await;
        assert!(matches!(status, 400 | 401 | 404), "{path}: {status}");
    }
    assert!(scene.csms.handshakes().is_empty());
}

#[tokio::test]
async fn an_escaped_identity_and_a_trailing_slash_are_the_same_station() {
    let scene = Scene::new().await;
    for path in ["/ocpp/CP1/", "/ocpp/%43P%31"] {
        let (station, csms) = scene.session(&scene.station("CP1").path(path)).await;
        assert_eq!(csms.identity(), "CP1");
        assert_eq!(
            scene.csms.handshakes().last().unwrap().path,
            "/ocpp/CP1",
            "{path}"
        );
        station.close(Some(1000)).unwrap();
        csms.expect_close().await.unwrap();
    }
}

#[tokio::test]
async fn without_a_version_we_know_there_is_no_session() {
    let scene = Scene::new().await;
    for offer in [&["ocpp1.5"][..], &["OCPP1.6"], &[]] {
        let status = scene
            .turned_away(&scene.station("CP1").subprotocols(offer))
            .await;
        assert_eq!(status, 400, "{offer:?}");
    }
    assert!(scene.csms.handshakes().is_empty());
}

#[tokio::test]
async fn exactly_one_subprotocol_goes_upstream_and_comes_back() {
    let scene = Scene::new().await;
    let offer = ["soap", "ocpp2.0.1", "ocpp1.6", "ocpp2.1"];
    let (station, csms) = scene
        .session(&scene.station("CP1").subprotocols(&offer))
        .await;
    assert_eq!(scene.csms.handshakes()[0].offers(), ["ocpp2.0.1"]);
    assert_eq!(station.version(), Some(Version::V201));
    assert_eq!(csms.version(), Some(Version::V201));
}

#[tokio::test]
async fn headers_that_speak_for_a_station_are_ours_to_set() {
    let scene = Scene::new().await;
    let forged = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Proto", "gopher"),
        ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Client-Cert-Present", "true"),
        ("X-Client-Cert-Chain-Verified", "true"),
        ("X-Client-Cert-Hash", "0000"),
        ("X-Client-Cert", "forged"),
        ("X-Real-IP", "203.0.113.7"),
        ("Cookie", "session=forged"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
    ];
    let station = forged
        .iter()
        .fold(scene.station("CP1"), |station, (name, value)| {
            station.header(name, value)
        });
    let (_station, _csms) = scene.session(&station).await;
    let handshake = &scene.csms.handshakes()[0];
    for (name, value) in forged {
        let values = handshake.headers(&name.to_lowercase());
        assert!(
            !values.iter().any(|seen| seen.contains(value)),
            "{name} arrived as {values:?}"
        );
        assert!(values.len() <= 1, "{name} arrived as {values:?}");
    }
    assert_eq!(handshake.headers("x-forwarded-proto"), ["https"]);
    assert_eq!(handshake.headers("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(handshake.headers("authorization").len(), 1);
}

#[tokio::test]
async fn nobody_is_called_before_the_station_has_proved_itself() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ocpp", upstream.local_addr().unwrap());
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = Scene::leading_to(csms, url, UpstreamSettings::default());
    for station in [
        scene.stranger("CP1"),
        scene.stranger("CP1").password("wrong"),
        scene.station("NOBODY"),
    ] {
        assert_eq!(scene.turned_away(&station).await, 401);
    }
    let mut context = Context::from_waker(Waker::noop());
    assert!(
        upstream.poll_accept(&mut context).is_pending(),
        "somebody was called"
    );
}

#[tokio::test]
async fn a_csms_that_is_not_there_is_told_as_unavailable() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ocpp", gone.local_addr().unwrap());
    drop(gone);
    let csms = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = Scene::leading_to(csms, url, UpstreamSettings::default());
    assert_eq!(scene.turned_away(&scene.station("CP1")).await, 503);
    scene.event(upstream_failed).await;
}

#[tokio::test]
async fn whatever_a_csms_refuses_with_is_told_as_unavailable() {
    let scene = Scene::new().await;
    for status in [400, 401, 403, 404, 429, 500, 503] {
        scene.csms.admit(move |_| Admission::Refuse(status));
        assert_eq!(
            scene.turned_away(&scene.station("CP1")).await,
            503,
            "upstream said {status}"
        );
        scene.event(upstream_failed).await;
    }
    scene.csms.admit(|_| Admission::Accept);
    scene.session(&scene.station("CP1")).await;
}

#[tokio::test]
async fn a_csms_that_sends_us_elsewhere_is_not_followed() {
    let elsewhere = Csms::builder().start("127.0.0.1:0").await.unwrap();
    let scene = Scene::new().await;
    let to = format!("{}/CP1", elsewhere.url());
    scene.csms.admit(move |_| Admission::Redirect(to.clone()));
    assert_eq!(scene.turned_away(&scene.station("CP1")).await, 503);
    assert!(elsewhere.handshakes().is_empty());
}

#[tokio::test]
async fn a_csms_that_answers_in_another_version_has_not_agreed() {
    let scene = Scene::new().await;
    for name in ["ocpp2.0.1", "soap"] {
        scene
            .csms
            .admit(move |_| Admission::AcceptAs(name.to_owned()));
        assert_eq!(
            scene.turned_away(&scene.station("CP1")).await,
            503,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a02_a_good_password_on_a_second_connection_does_not_take_the_place_of_a_living_station() {
    let scene = Scene::new().await;
    let (station, upstream) = scene.session(&scene.station("CP1")).await;
    assert_eq!(scene.turned_away(&scene.station("CP1")).await, 503);
    station.call("Heartbeat", json!({})).await.unwrap();
    assert_eq!(upstream.received(), station.sent());
    assert_eq!(scene.csms.handshakes().len(), 1);
}

#[tokio::test]
async fn two_stations_do_not_hear_one_another() {
    let scene = Scene::new().await;
    let (one, one_upstream) = scene.session(&scene.station("CP1")).await;
    let (two, two_upstream) = scene.session(&scene.station("CP2")).await;
    let calls =
        [&one, &two].map(|station: &sim::Conversation| station.call("Heartbeat", json!({})));
    let [first, second] = calls;
    let (first, second) = tokio::join!(first, second);
    first.and(second).unwrap();
    assert_eq!(one_upstream.received(), one.sent());
    assert_eq!(two_upstream.received(), two.sent());
    assert_eq!(one.received().len(), 1);
    assert_eq!(two.received().len(), 1);
}

fn upstream_failed(event: &Event) -> Option<()> {
    matches!(
        event,
        Event::Refused {
            why: RefusedHandshake::Upstream(_),
            ..
        }
    )
    .then_some(())
}
