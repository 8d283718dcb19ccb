//! Profile 3 means this station (A12, A13): a certificate is held against dates, revocation list,
//! identity and CPO on every connection, whatever TLS remembers of an earlier one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use guard::admission::{
    CertificateFault, CertificateRules, OnStaleList, RevocationRules, Revocations,
};
use guard::{Book, Event, RefusedHandshake, Route};
use rustls::HandshakeKind;
use rustls::client::{Resumption, Tls12Resumption};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error;

use crate::authority::{Authority, Certificate, now};
use crate::scene::{PATIENCE, Scene, Setting};

const DAY: i64 = 86_400;

/// A gate that asks for certificates, and the rules it holds them against.
struct Gate {
    scene: Scene,
    authority: Authority,
    rules: Arc<ArcSwap<CertificateRules>>,
}

impl Gate {
    async fn new() -> Gate {
        let authority = Authority::new();
        let mut setting = Setting::default();
        let listener = authority.listener();
        let rules = Arc::clone(&listener.certificate_rules);
        setting.settings.listeners[0].tls = Some(listener);
        let scene = Scene::with(setting).await;
        Gate {
            scene,
            authority,
            rules,
        }
    }

    /// From now on these are revoked; the next list is due then.
    fn revoke(&self, revoked: &[&Certificate], next_update: i64, stale: OnStaleList) {
        let file = self.authority.revocation_list(revoked, next_update);
        let root = self.authority.root();
        let lists = gateway::read_revocation_lists(file.as_bytes(), &root).unwrap();
        self.rules.store(Arc::new(CertificateRules {
            organization: None,
            revocation: Some(RevocationRules {
                revocations: Revocations::of(lists),
                grace: Duration::from_secs(3600),
                stale,
            }),
        }));
    }

    /// From now on the route is that organisation's.
    fn route_is_of(&self, organization: &str) {
        let book = self.scene.book.load();
        let routes = book.routes().cloned().map(|route| Route {
            organization: Some(organization.to_owned()),
            ..route
        });
        let stations = book.stations().iter().cloned();
        let book = Book::new(routes, stations).unwrap();
        self.scene.book.store(Arc::new(book));
    }

    /// A station knocks: was its TLS session a resumed one, and is it let in?
    async fn knock(&self, identity: &str, connector: &TlsConnector) -> (bool, bool) {
        let address = self.scene.gate.addresses()[0];
        let stream = TcpStream::connect(address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        let mut upgrade =
            std::pin::pin!(
                self.scene
                    .upgrade(Box::new(stream), identity, "ocpp1.6", None)
            );
        let answer = tokio::select! {
            answer = &mut upgrade => answer,
            _csms = self.scene.csms.accept() => upgrade.await,
        };
        match answer {
            Ok(_) => (resumed, true),
            Err(Error::Http(response)) => {
                assert_eq!(response.status(), 401);
                assert!(
                    self.scene.csms.nobody_came(),
                    "no upstream for whoever is refused"
                );
                (resumed, false)
            }
            Err(other) => panic!("no answer: {other}"),
        }
    }

    async fn why(&self) -> RefusedHandshake {
        let refused = |event: &Event| match event {
            Event::Refused { why, .. } => Some(why.clone()),
            _ => None,
        };
        self.scene.event(refused).await
    }
}

/// Every way in which a TLS session is resumed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Ticket13,
    Ticket12,
    /// TLS 1.2 by the number of a session that the gate remembers.
    Number12,
}

const WAYS: [Way; 3] = [Way::Ticket13, Way::Ticket12, Way::Number12];

fn station(authority: &Authority, way: Way, shown: &Certificate) -> TlsConnector {
    let mut config = authority.client_config(way != Way::Ticket13, shown);
    if way == Way::Number12 {
        let sessions = Resumption::in_memory_sessions(8);
        config.resumption = sessions.tls12_resumption(Tls12Resumption::SessionIdOnly);
    }
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn a13_revoked_after_the_first_connection_is_refused_on_a_resumed_one() {
    for way in WAYS {
        let gate = Gate::new().await;
        let certificate = gate.authority.certificate("CERT1", |_| {});
        let honest = gate.authority.certificate("CERT2", |_| {});
        gate.revoke(&[], now() + DAY, OnStaleList::Refuse);
        let connector = station(&gate.authority, way, &certificate);
        let beside = station(&gate.authority, way, &honest);
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (false, true),
            "{way:?}"
        );
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (true, true),
            "{way:?}"
        );
        assert_eq!(gate.knock("CERT2", &beside).await, (false, true), "{way:?}");

        gate.revoke(&[&certificate], now() + DAY, OnStaleList::Refuse);
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (true, false),
            "{way:?}"
        );
        let revoked = RefusedHandshake::Certificate(CertificateFault::Revoked);
        assert_eq!(gate.why().await, revoked);
        // The honest station beside it resumes as before, and a new session helps nobody.
        assert_eq!(gate.knock("CERT2", &beside).await, (true, true), "{way:?}");
        let anew = station(&gate.authority, way, &certificate);
        assert_eq!(gate.knock("CERT1", &anew).await, (false, false), "{way:?}");
        assert_eq!(gate.why().await, revoked);
    }
}

#[tokio::test]
async fn a13_expired_after_the_first_connection_is_refused_on_a_resumed_one() {
    for way in [Way::Ticket13, Way::Ticket12] {
        let gate = Gate::new().await;
        let certificate = gate.authority.certificate("CERT1", |params| {
            params.not_after = (SystemTime::now() + Duration::from_secs(4)).into();
        });
        let connector = station(&gate.authority, way, &certificate);
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (false, true),
            "{way:?}"
        );
        let until_refused = async {
            loop {
                let (resumed, admitted) = gate.knock("CERT1", &connector).await;
                assert!(resumed, "{way:?}: a new handshake proves nothing here");
                if !admitted {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, until_refused).await.unwrap();
        let expired = RefusedHandshake::Certificate(CertificateFault::Expired);
        assert_eq!(gate.why().await, expired, "{way:?}");
    }
}

#[tokio::test]
async fn a13_an_overdue_list_keeps_out_or_lets_in_as_the_setting_says() {
    let gate = Gate::new().await;
    let certificate = gate.authority.certificate("CERT1", |_| {});
    let connector = station(&gate.authority, Way::Ticket13, &certificate);
    let within_grace = now() - 1800;
    gate.revoke(&[], within_grace, OnStaleList::Refuse);
    assert!(gate.knock("CERT1", &connector).await.1);
    let out_of_grace = now() - DAY;
    gate.revoke(&[], out_of_grace, OnStaleList::Refuse);
    assert!(!gate.knock("CERT1", &connector).await.1);
    let overdue = RefusedHandshake::Certificate(CertificateFault::ListOverdue);
    assert_eq!(gate.why().await, overdue);
    gate.revoke(&[], out_of_grace, OnStaleList::Allow);
    assert!(gate.knock("CERT1", &connector).await.1);
    gate.revoke(&[&certificate], out_of_grace, OnStaleList::Allow);
    assert!(!gate.knock("CERT1", &connector).await.1);
    let revoked = RefusedHandshake::Certificate(CertificateFault::Revoked);
    assert_eq!(gate.why().await, revoked);
}

#[tokio::test]
async fn a12_the_certificate_is_this_stations_and_this_cpos_on_a_resumed_session_too() {
    for way in WAYS {
        let gate = Gate::new().await;
        let certificate = gate.authority.certificate("CERT1", |_| {});
        let connector = station(&gate.authority, way, &certificate);
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (false, true),
            "{way:?}"
        );
        // The session was the station's own: it does not carry to another identity.
        assert_eq!(
            gate.knock("CERT2", &connector).await,
            (true, false),
            "{way:?}"
        );
        assert_eq!(gate.why().await, RefusedHandshake::Unauthorized);

        let ours = |organization: &str| CertificateRules {
            organization: Some(organization.to_owned()),
            revocation: None,
        };
        gate.rules.store(Arc::new(ours("Scene Charging")));
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (true, true),
            "{way:?}"
        );
        gate.rules.store(Arc::new(ours("Another CPO")));
        assert_eq!(
            gate.knock("CERT1", &connector).await,
            (true, false),
            "{way:?}"
        );
        let foreign = RefusedHandshake::Certificate(CertificateFault::Organization);
        assert_eq!(gate.why().await, foreign);
        // A route's own organisation counts in place of the listener's.
        for (of_route, let_in) in [("Scene Charging", true), ("A third CPO", false)] {
            gate.route_is_of(of_route);
            assert_eq!(
                gate.knock("CERT1", &connector).await,
                (true, let_in),
                "{way:?}"
            );
        }
        assert_eq!(gate.why().await, foreign);
    }
}

#[tokio::test]
async fn a13_whoever_is_on_the_way_in_when_the_client_ca_is_replaced_does_not_stay() {
    let authority = Authority::new();
    let mut setting = Setting::default();
    setting.settings.listeners[0].tls = Some(authority.listener());
    let mut settings = setting.settings.clone();
    let scene = Scene::with(setting).await;
    let certificate = authority.certificate("CERT1", |_| {});
    let connector = station(&authority, Way::Ticket13, &certificate);
    let stream = TcpStream::connect(scene.gate.addresses()[0]).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = connector.connect(name, stream).await.unwrap();

    let other = Authority::new().listener();
    let tls = settings.listeners[0].tls.as_mut().unwrap();
    tls.client_ca = other.client_ca;
    let renewal = scene.gate.renewal(settings).unwrap();
    assert!(renewal.mistrusted().is_empty(), "it has no session yet");
    scene.gate.renew(renewal);

    let knock = scene.upgrade(Box::new(stream), "CERT1", "ocpp2.0.1", None);
    let (end, mut csms) = tokio::join!(knock, scene.csms.accept());
    assert_eq!(end.unwrap().closed().await, Some(1001));
    assert_eq!(csms.closed().await, Some(1001));
}

#[tokio::test]
async fn a13_a_session_ends_when_its_certificate_is_taken_back_and_the_one_beside_it_stays() {
    let gate = Gate::new().await;
    gate.revoke(&[], now() + DAY, OnStaleList::Refuse);
    let mut sessions = Vec::new();
    let mut certificates = Vec::new();
    for name in ["CERT1", "CERT2"] {
        let certificate = gate.authority.certificate(name, |_| {});
        let connector = station(&gate.authority, Way::Ticket13, &certificate);
        let knock = gate.scene.knock_tls(name, &connector, None);
        let (end, csms) = tokio::join!(knock, gate.scene.csms.accept());
        sessions.push((end.unwrap().0, csms));
        certificates.push(certificate);
    }
    assert_eq!(gate.scene.gate.end_revoked(), 0);
    gate.revoke(&[&certificates[0]], now() + DAY, OnStaleList::Refuse);
    assert_eq!(gate.scene.gate.end_revoked(), 1);
    let [(taken_back, its_csms), (honest, csms)] = &mut sessions[..] else {
        panic!("two sessions");
    };
    assert_eq!(taken_back.closed().await, Some(1001));
    assert_eq!(its_csms.closed().await, Some(1001));
    honest.say(r#"[2,"1","Heartbeat",{}]"#).await;
    assert_eq!(csms.hear().await, r#"[2,"1","Heartbeat",{}]"#);
}
