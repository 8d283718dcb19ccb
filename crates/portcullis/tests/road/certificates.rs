//! Security profile 3: the certificate, the path and the registration must agree.

use crate::scene::Scene;
use serde_json::json;
use sim::ConnectError;
use sim::ca::{Authority, Leaf};

#[tokio::test]
async fn a_certificate_lets_its_own_station_in() {
    let scene = Scene::new().await;
    let certificate = scene.authority.issue(&Leaf::client("CERT1")).unwrap();
    let station = scene.stranger("CERT1").certificate(&certificate);
    let (station, csms) = scene.session(&station).await;
    station.call("Heartbeat", json!({})).await.unwrap();
    csms.call("Reset", json!({ "type": "Soft" })).await.unwrap();
    let handshake = &scene.csms.handshakes()[0];
    assert_eq!(handshake.headers("x-client-cert-present"), ["true"]);
    assert_eq!(handshake.headers("x-client-cert-chain-verified"), ["true"]);
    assert_eq!(handshake.headers("x-client-cert-hash").len(), 1);
}

#[tokio::test]
async fn a_certificate_does_not_open_another_station_s_path() {
    let scene = Scene::new().await;
    let certificate = scene.authority.issue(&Leaf::client("CERT1")).unwrap();
    for other in ["CERT2", "NOBODY", "cert1", "CP1"] {
        let station = scene.stranger(other).certificate(&certificate);
        assert_eq!(scene.turned_away(&station).await, 401, "{other}");
    }
    assert!(scene.csms.handshakes().is_empty());
}

#[tokio::test]
async fn without_its_certificate_a_station_stays_outside() {
    let scene = Scene::new().await;
    assert_eq!(scene.turned_away(&scene.stranger("CERT1")).await, 401);
    assert_eq!(scene.turned_away(&scene.station("CERT1")).await, 401);
}

#[tokio::test]
async fn strange_and_expired_certificates_do_not_get_past_tls() {
    let scene = Scene::new().await;
    let strange = Authority::new("Nobody's CA")
        .unwrap()
        .issue(&Leaf::client("CERT1"))
        .unwrap();
    let expired = scene
        .authority
        .issue(&Leaf::client("CERT1").expired())
        .unwrap();
    for certificate in [strange, expired] {
        let knocking = scene
            .stranger("CERT1")
            .certificate(&certificate)
            .connect()
            .await;
        // With TLS 1.3 the refusal of a client's certificate may come with the first answer.
        assert!(
            matches!(
                knocking,
                Err(ConnectError::Tls(_) | ConnectError::Handshake(_))
            ),
            "{:?}",
            knocking.err()
        );
    }
    assert!(scene.csms.handshakes().is_empty());
}
