//! A station and the CSMS talk to each other with nobody between them.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set has failed")]

use std::net::IpAddr;
use std::time::Duration;

use ocpp::Version;
use serde_json::json;
use sim::ca::{Authority, KeyKind, Leaf};
use sim::wire::RawFrame;
use sim::{Admission, CallFailed, ConnectError, Csms, Ended, Envelope, Reply, Station};
use tokio::time::timeout;

const A_WHILE: Duration = Duration::from_millis(50);

async fn open_csms() -> Csms {
    Csms::builder().start("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn calls_are_answered_in_every_version() {
    let csms = open_csms().await;
    for version in Version::ALL {
        let name = format!("CP-{version}");
        let station = Station::new(csms.url(), &name)
            .version(version)
            .connect()
            .await
            .unwrap();
        assert_eq!(station.version(), Some(version));

        let boot = station.call("BootNotification", json!({})).await.unwrap();
        assert_eq!(boot["status"], "Accepted");
        let seen = csms.station(&name).await.unwrap();
        assert_eq!(seen.version(), Some(version));
        seen.expect_call("BootNotification").await.unwrap();

        let reset = seen.call("Reset", json!({ "type": "Soft" })).await.unwrap();
        assert_eq!(reset, json!({ "status": "Accepted" }));
        station.expect_call("Reset").await.unwrap();
        assert_eq!(station.received(), seen.sent());
        assert_eq!(seen.received(), station.sent());
    }
    let offered: Vec<_> = csms.handshakes().iter().map(|h| h.offers()).collect();
    assert_eq!(offered, [["ocpp1.6"], ["ocpp2.0.1"], ["ocpp2.1"]]);
}

#[tokio::test]
async fn password_certificate_and_headers_arrive_over_tls() {
    let authority = Authority::new("sim test CA").unwrap();
    let certificate = authority
        .issue(&Leaf::client("CP001").organisation("A CPO"))
        .unwrap();
    for key in [KeyKind::Ecdsa, KeyKind::Rsa] {
        let server = authority
            .issue(&Leaf::server(&["csms.example"]).key(key))
            .unwrap();
        let csms = Csms::builder()
            .tls(&server, Some(authority.certificate()))
            .unwrap()
            .start("127.0.0.1:0")
            .await
            .unwrap();
        let station = Station::new(csms.url(), "CP 001/ä")
            .version(Version::V16)
            .trust(authority.certificate())
            .certificate(&certificate)
            .password(b"\xff\x00 not UTF-8".to_vec())
            .header("X-Forwarded-For", "10.0.0.1")
            .header("X-Forwarded-For", "10.0.0.2")
            .bind(IpAddr::from([127, 0, 0, 2]))
            .connect()
            .await
            .unwrap();
        station.call("Heartbeat", json!({})).await.unwrap();

        let handshake = csms.expect_handshakes(1).await.unwrap().remove(0);
        assert_eq!(handshake.identity(), "CP 001/ä");
        assert_eq!(handshake.path, "/ocpp/CP%20001%2F%C3%A4");
        assert_eq!(handshake.peer.ip(), IpAddr::from([127, 0, 0, 2]));
        assert_eq!(
            handshake.headers("x-forwarded-for"),
            ["10.0.0.1", "10.0.0.2"]
        );
        let shown = certificate.chain().unwrap()[0].to_vec();
        assert_eq!(handshake.certificate, Some(shown));
        assert!(
            handshake
                .header("authorization")
                .unwrap()
                .starts_with("Basic ")
        );
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_or_trust_stays_outside() {
    let authority = Authority::new("sim test CA").unwrap();
    let server = authority.issue(&Leaf::server(&[])).unwrap();
    let csms = Csms::builder()
        .tls(&server, Some(authority.certificate()))
        .unwrap()
        .start("127.0.0.1:0")
        .await
        .unwrap();
    let stranger = Station::new(csms.url(), "CP001").connect().await;
    assert!(matches!(stranger, Err(ConnectError::Tls(_))));
    let expired = authority.issue(&Leaf::client("CP001").expired()).unwrap();
    for station in [
        Station::new(csms.url(), "CP001").trust(authority.certificate()),
        Station::new(csms.url(), "CP001")
            .trust(authority.certificate())
            .certificate(&expired),
    ] {
        assert!(station.connect().await.is_err());
    }
    assert!(csms.handshakes().is_empty());
}

#[tokio::test]
async fn refusals_and_redirects_are_told_apart() {
    let csms = open_csms().await;
    let station = Station::new(csms.url(), "CP001").version(Version::V16);
    for status in [401, 404, 503] {
        csms.admit(move |_| Admission::Refuse(status));
        let refused = station.connect().await.err().unwrap();
        assert_eq!(refused.status(), Some(status));
    }
    csms.admit(|_| Admission::Redirect("ws://elsewhere/".to_owned()));
    let redirected = station.connect().await.err().unwrap();
    let ConnectError::Refused {
        status: 302,
        location: Some(location),
        ..
    } = redirected
    else {
        panic!("{redirected}");
    };
    assert_eq!(location, "ws://elsewhere/");

    csms.admit(|_| Admission::AcceptThenClose(1008));
    let closed = station.connect().await.unwrap().expect_close().await;
    assert_eq!(closed, Ok(Ended::Closed(Some(1008), String::new())));
    csms.admit(|_| Admission::AcceptThenDrop);
    let dropped = station.connect().await.unwrap().expect_close().await;
    assert!(matches!(dropped, Ok(Ended::Lost(_))), "{dropped:?}");
}

#[tokio::test]
async fn a_held_csms_answers_once_released() {
    let csms = open_csms().await;
    csms.hold();
    let station = Station::new(csms.url(), "CP001").version(Version::V21);
    let mut connecting = tokio::spawn(async move { station.connect().await });
    assert!(timeout(A_WHILE, &mut connecting).await.is_err());
    assert!(csms.handshakes().is_empty());
    csms.release();
    connecting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_csms_can_misbehave_in_its_answers() {
    let csms = Csms::builder()
        .on("Heartbeat", |_| Reply::Nothing)
        .on("Authorize", |asked| {
            Reply::All(vec![
                Reply::Text(r#"[3,"nobody-asked",{}]"#.to_owned()),
                Reply::Error("SecurityError".to_owned(), asked.station.to_owned()),
            ])
        })
        .on("MeterValues", |_| {
            Reply::After(A_WHILE, Box::new(Reply::Result(json!({ "late": true }))))
        })
        .start("127.0.0.1:0")
        .await
        .unwrap();
    let station = Station::new(csms.url(), "CP001").connect().await.unwrap();
    assert_eq!(station.version(), None);
    let silence = station.call_within("Heartbeat", json!({}), A_WHILE).await;
    assert_eq!(silence, Err(CallFailed::Silence));
    let refused = station.call("Authorize", json!({})).await;
    let expected = CallFailed::Error {
        code: "SecurityError".to_owned(),
        description: "CP001".to_owned(),
    };
    assert_eq!(refused, Err(expected));
    station.expect_answer("nobody-asked").await.unwrap();
    let late = station.call("MeterValues", json!({})).await.unwrap();
    assert_eq!(late, json!({ "late": true }));
    let unknown = station.call("MakeCoffee", json!({})).await;
    assert!(matches!(unknown, Err(CallFailed::Error { .. })));
}

#[tokio::test]
async fn a_station_can_send_what_no_library_would() {
    let csms = open_csms().await;
    let station = Station::new(csms.url(), "CP001").connect().await.unwrap();
    let seen = csms.station("CP001").await.unwrap();

    station
        .send_raw(RawFrame::text(r#"[2,"raw","Heart"#).unfinished().bytes())
        .unwrap();
    station
        .send_raw(RawFrame::new(0, r#"beat",{}]"#).bytes())
        .unwrap();
    seen.expect_call("Heartbeat").await.unwrap();
    let answer = station.expect_answer("raw").await.unwrap();
    assert!(matches!(answer, Envelope::Result { .. }));

    station.send_binary([1, 2, 3]).unwrap();
    station.send_text("not JSON").unwrap();
    assert_eq!(seen.expect_text().await.unwrap(), "not JSON");
    assert!(
        seen.record()
            .iter()
            .any(|entry| entry.payload.text().is_none())
    );
    station.expect_silence(A_WHILE).await.unwrap();

    station
        .send_raw(RawFrame::text("x").unmasked().bytes())
        .unwrap();
    assert!(matches!(seen.expect_close().await, Ok(Ended::Lost(_))));
    let gone = seen.expect_call("Heartbeat").await.unwrap_err();
    assert!(gone.saw.contains("not JSON"), "{gone}");
}

#[tokio::test]
async fn death_goodbye_and_frost_look_different_from_the_other_end() {
    let csms = open_csms().await;
    let station = Station::new(csms.url(), "CP001");

    let abrupt = station.connect().await.unwrap();
    let first = csms.station("CP001").await.unwrap();
    abrupt.die().unwrap();
    assert!(matches!(first.expect_close().await, Ok(Ended::Lost(_))));

    let polite = station.connect().await.unwrap();
    let second = csms.station("CP001").await.unwrap();
    polite.close(Some(1001)).unwrap();
    let goodbye = Ended::Closed(Some(1001), String::new());
    assert_eq!(second.expect_close().await, Ok(goodbye.clone()));
    assert_eq!(polite.expect_close().await, Ok(goodbye));

    let frozen = station.connect().await.unwrap();
    let third = csms.station("CP001").await.unwrap();
    frozen.freeze().unwrap();
    let silence = third.call_within("Reset", json!({}), A_WHILE).await;
    assert_eq!(silence, Err(CallFailed::Silence));
    assert_eq!(third.ended(), None);
    drop(frozen);
    assert!(matches!(third.expect_close().await, Ok(Ended::Lost(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_stations_fit_in_one_csms() {
    let csms = Csms::builder()
        .recording(0)
        .start("127.0.0.1:0")
        .await
        .unwrap();
    let mut stations = Vec::new();
    for number in 0..1_000 {
        let station = Station::new(csms.url(), format!("CP{number}"))
            .version(Version::V201)
            .recording(0);
        stations.push(station.connect().await.unwrap());
    }
    for station in &stations {
        station.call("Heartbeat", json!({})).await.unwrap();
    }
    assert_eq!(csms.live(), 1_000);
    assert_eq!(csms.connected().len(), 1_000);
}
