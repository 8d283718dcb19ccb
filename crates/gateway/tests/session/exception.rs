//! Who comes in by exception (A01, A09, A24): with nothing to show, or in clear text, where everything
//! else about it fits; and beside it an honest station that notices nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guard::admission::{
    BootDemand, Exception, ExceptionFault, ExceptionKind, Exceptions, PathSecret, Stations,
};
use guard::{ConnectionKind, Event, RefusedHandshake, Tenant, UnixMillis};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error;

use crate::authority::Authority;
use crate::scene::{End, PASSWORD, PATIENCE, Scene, Setting};

const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015";

/// Stations `OPEN1` and `OPEN2` have nothing to show; what else is asked of them, the scene says.
pub fn exception(kind: ExceptionKind) -> Exception {
    Exception {
        kind,
        tenant: Tenant(Arc::from("cpo")),
        stations: Stations::Named(["OPEN*"].into_iter().collect()),
        until: UnixMillis(i64::MAX),
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        path_secret: None,
        tls_fingerprints: Vec::new(),
        boot: None,
        reason: "a scene on loopback".to_owned(),
    }
}

/// A gate by TLS with that exception.
struct Gate {
    scene: Scene,
    authority: Authority,
}

impl Gate {
    async fn new(exception: Exception) -> Gate {
        let authority = Authority::new();
        let mut setting = Setting::default();
        setting.settings.listeners[0].tls = Some(authority.listener());
        setting.settings.exceptions = Arc::new(Exceptions::new([exception]));
        Gate {
            scene: Scene::with(setting).await,
            authority,
        }
    }

    fn ecdsa(&self) -> TlsConnector {
        self.authority.station("ECDSA", None)
    }

    /// A station knocks with nothing to show, at that path behind `/ocpp/`.
    async fn knock(&self, path: &str, connector: &TlsConnector) -> Result<(End, End), u16> {
        let mut knock = std::pin::pin!(self.scene.knock_tls(path, connector, None));
        let (station, csms) = tokio::select! {
            refused = &mut knock => (refused, None),
            csms = self.scene.csms.accept() => (knock.await, Some(csms)),
        };
        match (station, csms) {
            (Ok((station, _)), Some(csms)) => Ok((station, csms)),
            (Err(Error::Http(response)), None) => {
                assert!(self.scene.csms.nobody_came(), "the CSMS hears of it");
                Err(response.status().as_u16())
            }
            (Ok(_), None) => panic!("a 101 before the CSMS agreed"),
            (other, _) => panic!("{:?}", other.err()),
        }
    }

    async fn why(&self) -> RefusedHandshake {
        let refusal = |event: &Event| match event {
            Event::Refused { why, .. } => Some(why.clone()),
            _ => None,
        };
        self.scene.event(refusal).await
    }

    async fn refuses(&self, path: &str, connector: &TlsConnector, fault: ExceptionFault) {
        assert_eq!(self.knock(path, connector).await.err(), Some(401), "{path}");
        assert_eq!(
            self.why().await,
            RefusedHandshake::Exception(fault),
            "{path}"
        );
    }

    /// A station with a password, by TLS.
    async fn honest(&self) -> (End, End) {
        let connector = self.ecdsa();
        let knock = self
            .scene
            .knock_tls("CP1", &connector, Some(("CP1", PASSWORD)));
        let (station, csms) = tokio::join!(knock, self.scene.csms.accept());
        (station.unwrap().0, csms)
    }
}

/// One message through the gate and its answer back.
pub async fn beats(station: &mut End, csms: &mut End, id: &str) {
    let call = format!("[2,\"{id}\",\"Heartbeat\",{{}}]");
    let answer = format!("[3,\"{id}\",{{\"currentTime\":\"2026-11-22T12:00:00Z\"}}]");
    station.say(&call).await;
    assert_eq!(csms.hear().await, call);
    csms.say(&answer).await;
    assert_eq!(station.hear().await, answer);
}

#[tokio::test]
async fn a01_a_secret_in_the_path_lets_a_station_in_that_can_show_nothing() {
    let gate = Gate::new(Exception {
        path_secret: Some(PathSecret::of(SECRET)),
        ..exception(ExceptionKind::TlsOpen)
    })
    .await;
    let (mut honest, mut its_csms) = gate.honest().await;
    let connector = gate.ecdsa();
    let wrong = SECRET.replace('9', "8");
    for path in [
        "OPEN1",
        &format!("{wrong}/OPEN1"),
        &format!("{SECRET}x/OPEN1"),
    ] {
        gate.refuses(path, &connector, ExceptionFault::PathSecret)
            .await;
    }
    // Unknown or registered with a password: the secret makes nobody known.
    for path in [format!("{SECRET}/NOBODY"), format!("{SECRET}/CP2")] {
        assert_eq!(
            gate.knock(&path, &connector).await.err(),
            Some(401),
            "{path}"
        );
        assert_eq!(gate.why().await, RefusedHandshake::Unauthorized, "{path}");
    }
    let path = format!("{SECRET}/OPEN1");
    let (mut station, mut csms) = gate.knock(&path, &connector).await.unwrap();
    let request = csms.request.take().unwrap();
    assert_eq!(request.uri().path(), "/csms/OPEN1");
    assert!(!format!("{request:?}").contains(SECRET), "{request:?}");
    beats(&mut station, &mut csms, "1").await;
    beats(&mut honest, &mut its_csms, "2").await;
    let sessions = gate.scene.gate.sessions();
    let session = sessions.iter().find(|one| one.station.as_str() == "OPEN1");
    let session = session.unwrap();
    assert_eq!(session.kind, ConnectionKind::TlsOpen);
    assert!(!format!("{session:?}").contains(SECRET), "{session:?}");
}

#[tokio::test]
async fn a01_another_tls_library_is_another_station() {
    let open = Gate::new(exception(ExceptionKind::TlsOpen)).await;
    let connector = open.ecdsa();
    let (mut station, mut csms) = open.knock("OPEN1", &connector).await.unwrap();
    // The session is there once it relays: the 101 is a moment ahead of it.
    beats(&mut station, &mut csms, "1").await;
    let seen = open.scene.gate.sessions()[0].tls.unwrap();
    let gate = Gate::new(Exception {
        tls_fingerprints: vec![seen],
        ..exception(ExceptionKind::TlsOpen)
    })
    .await;
    let (mut honest, mut its_csms) = gate.honest().await;
    let other = gate.authority.station("RSA", None);
    assert_eq!(gate.knock("OPEN1", &other).await.err(), Some(401));
    // The one it came with is told, for the operator who knows that it is the station's own new one.
    match gate.why().await {
        RefusedHandshake::Exception(ExceptionFault::TlsFingerprint(Some(its))) => {
            assert_ne!(its, seen);
        }
        why => panic!("{why:?}"),
    }
    let connector = gate.ecdsa();
    for time in ["first", "resumed"] {
        let (mut station, mut csms) = gate.knock("OPEN1", &connector).await.expect(time);
        beats(&mut station, &mut csms, time).await;
        station.socket.close(None).await.unwrap();
        csms.passed_until_closed().await;
        while gate.scene.gate.sessions().len() > 1 {
            tokio::task::yield_now().await;
        }
    }
    beats(&mut honest, &mut its_csms, "2").await;
}

#[tokio::test]
async fn a01_another_network_is_another_station() {
    let gate = Gate::new(Exception {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        ..exception(ExceptionKind::TlsOpen)
    })
    .await;
    let (mut honest, mut its_csms) = gate.honest().await;
    gate.refuses("OPEN1", &gate.ecdsa(), ExceptionFault::Network)
        .await;
    beats(&mut honest, &mut its_csms, "1").await;
}

#[tokio::test]
async fn a24_the_last_day_refuses_newcomers_and_leaves_who_is_there() {
    let soon = SystemTime::now() + Duration::from_secs(8);
    let since = soon.duration_since(UNIX_EPOCH).unwrap();
    let gate = Gate::new(Exception {
        until: UnixMillis(i64::try_from(since.as_millis()).unwrap()),
        ..exception(ExceptionKind::TlsOpen)
    })
    .await;
    let connector = gate.ecdsa();
    let (mut station, mut csms) = gate.knock("OPEN1", &connector).await.unwrap();
    let (mut honest, mut its_csms) = gate.honest().await;
    let refused = async {
        // The gate's clock and this one's are not set by each other: each that is let in leaves again.
        let left = soon.duration_since(SystemTime::now()).unwrap_or_default();
        tokio::time::sleep(left).await;
        while let Ok((mut newcomer, mut its_csms)) = gate.knock("OPEN2", &connector).await {
            newcomer.socket.close(None).await.unwrap();
            its_csms.passed_until_closed().await;
            while gate.scene.gate.sessions().len() > 2 {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, refused)
        .await
        .expect("its last day ends");
    assert!(SystemTime::now() >= soon);
    let expired = RefusedHandshake::Exception(ExceptionFault::Expired);
    assert_eq!(gate.why().await, expired);
    beats(&mut station, &mut csms, "1").await;
    beats(&mut honest, &mut its_csms, "2").await;
}

#[tokio::test]
async fn a01_what_a_station_says_it_is_comes_before_all_else() {
    let gate = Gate::new(Exception {
        boot: Some(BootDemand {
            maker: Some("Maker AG".to_owned()),
            model: Some("Wall Box*".to_owned()),
            serial: None,
        }),
        ..exception(ExceptionKind::TlsOpen)
    })
    .await;
    let (mut honest, mut its_csms) = gate.honest().await;
    let connector = gate.ecdsa();
    let boot = |maker: &str| {
        format!(
            "[2,\"b\",\"BootNotification\",{{\"chargePointVendor\":\"{maker}\",\"chargePointModel\":\"Wall Box 22\"}}]"
        )
    };
    // Somebody who knows the identity alone: nothing of it arrives, and a wrong Boot ends it.
    let (mut impostor, mut csms) = gate.knock("OPEN1", &connector).await.unwrap();
    impostor.say("[2,\"1\",\"Heartbeat\",{}]").await;
    let refused = impostor.hear().await;
    assert!(
        refused.starts_with("[4,\"1\",\"SecurityError\""),
        "{refused}"
    );
    csms.say("[2,\"2\",\"Reset\",{\"type\":\"Hard\"}]").await;
    let refused = csms.hear().await;
    assert!(
        refused.starts_with("[4,\"2\",\"SecurityError\""),
        "{refused}"
    );
    impostor.say(&boot("Other")).await;
    assert_eq!(impostor.closed().await, Some(1008));
    assert_eq!(csms.closed().await, Some(1001), "and nothing before it");
    while gate.scene.gate.sessions().len() > 1 {
        tokio::task::yield_now().await;
    }
    let (mut station, mut csms) = gate.knock("OPEN1", &connector).await.unwrap();
    station.say(&boot("Maker AG")).await;
    assert_eq!(csms.hear().await, boot("Maker AG"));
    let accepted = "[3,\"b\",{\"currentTime\":\"2026-11-22T12:00:00Z\",\"interval\":300,\"status\":\"Accepted\"}]";
    csms.say(accepted).await;
    assert_eq!(station.hear().await, accepted);
    beats(&mut station, &mut csms, "3").await;
    beats(&mut honest, &mut its_csms, "4").await;
}

#[tokio::test]
async fn a09_clear_text_is_for_those_who_have_an_exception() {
    let mut setting = Setting::default();
    let only = |name: &str| Stations::Named([name].into_iter().collect());
    setting.settings.exceptions = Arc::new(Exceptions::new([
        Exception {
            stations: only("CP1"),
            ..exception(ExceptionKind::PlainBasic)
        },
        Exception {
            stations: only("OPEN1"),
            ..exception(ExceptionKind::Plain)
        },
    ]));
    let scene = Scene::with(setting).await;
    let refusal = |event: &Event| match event {
        Event::Refused { why, .. } => Some(why.clone()),
        _ => None,
    };
    // A right password, and an open station of another name: nothing that a stranger could tell apart.
    let fault = RefusedHandshake::Exception(ExceptionFault::NotThere);
    for (identity, basic, why) in [
        ("CP2", Some(("CP2", PASSWORD)), fault.clone()),
        (
            "CP2",
            Some(("CP2", &b"wrong"[..])),
            RefusedHandshake::Unauthorized,
        ),
        ("OPEN2", None, fault),
        ("NOBODY", None, RefusedHandshake::Unauthorized),
        ("CP1", None, RefusedHandshake::Unauthorized),
    ] {
        match scene.knock_as(identity, "ocpp1.6", basic).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 401, "{identity}"),
            other => panic!("{identity}: {:?}", other.err()),
        }
        assert_eq!(scene.event(refusal).await, why, "{identity}");
        assert!(scene.csms.nobody_came());
    }
    let (mut honest, mut its_csms) = scene.session("CP1").await;
    let knock = scene.knock_as("OPEN1", "ocpp1.6", None);
    let (station, mut csms) = tokio::join!(knock, scene.csms.accept());
    beats(&mut station.unwrap(), &mut csms, "1").await;
    beats(&mut honest, &mut its_csms, "2").await;
    let kinds: Vec<ConnectionKind> = scene.gate.sessions().iter().map(|one| one.kind).collect();
    assert!(kinds.contains(&ConnectionKind::Plain) && kinds.contains(&ConnectionKind::PlainBasic));
}
