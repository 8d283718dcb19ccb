//! Profile 3: whose certificate it is, and whether it still counts.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::HandshakeKind;
use serde_json::json;
use sim::tls::Transport;
use sim::{Csms, Station};

use crate::scene::client_tls;
use crate::street::{CERTIFIED, Street, turned_away};

/// The TLS of that station; who shares it shares the session tickets.
fn tls(street: &Street, name: &str) -> Arc<ClientConfig> {
    let pem = |file: &str| street.scene.path(&format!("ca/{file}"));
    client_tls(
        &pem("ca.pem"),
        &pem(&format!("station-{name}.pem")),
        &pem(&format!("station-{name}.key")),
    )
}

fn station(street: &Street, name: &str, tls: &Arc<ClientConfig>) -> Station {
    street.stranger(name).tls(Arc::clone(tls))
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_one_station_s_certificate_is_used_for_another_at_enforce() {
    let street = Street::with("").await;
    let [one, other] = CERTIFIED;
    let borrowed = station(&street, other, &tls(&street, one));
    assert_eq!(turned_away(&borrowed).await, 401);
    let nobody = street.attack("strange-certificate").await;
    assert!(nobody.held(), "{nobody}");
    street.nobody_arrived();
    let own = station(&street, one, &tls(&street, one));
    let (own, _) = street.talk(&own).await;
    own.call("Heartbeat", json!({})).await.unwrap();
    street.honest_notices_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_a_certificate_is_revoked_and_its_tls_session_resumed_at_enforce() {
    let street = Street::set(Csms::builder(), "", |config| {
        let listed = "client_ca = \"ca/ca.pem\"\nclient_crl = [\"ca/crl.pem\"]";
        config.replace("client_ca = \"ca/ca.pem\"", listed)
    })
    .await;
    let [taken_back, other] = CERTIFIED;
    let config = tls(&street, taken_back);
    let thief = station(&street, taken_back, &config);
    let (first, _) = street.talk(&thief).await;
    first.call("Heartbeat", json!({})).await.unwrap();
    first.close(Some(1000)).unwrap();
    first.expect_close().await.unwrap();

    let file = format!("ca/station-{taken_back}.pem");
    street.scene.run(&["ca", "revoke", &file]).is(0);
    street.gate.expect_line("new revocation lists are in force");
    // TLS itself would take the ticket of the first session for proof.
    let resumed = thief.stream().await.unwrap();
    let Transport::Tls(stream) = &resumed else {
        panic!("no TLS");
    };
    let kind = stream.get_ref().1.handshake_kind();
    assert_eq!(kind, Some(HandshakeKind::Resumed));
    drop(resumed);
    assert_eq!(turned_away(&thief).await, 401);
    street
        .gate
        .expect_line("its certificate: it has been revoked");
    assert_eq!(street.csms.sessions(taken_back).len(), 1, "only the first");
    let (honest, _) = street
        .talk(&station(&street, other, &tls(&street, other)))
        .await;
    honest.call("Heartbeat", json!({})).await.unwrap();
    street.honest_notices_nothing().await;
}
