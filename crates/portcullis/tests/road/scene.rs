//! Who is there: a gate with TLS, a CSMS behind it, registered stations.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway::{
    EventReceiver, Gateway, ListenerSettings, PemIdentity, Settings, Shared, TlsSettings,
    UpstreamSettings, event_queue,
};
use guard::{
    Book, Controls, Credential, Event, Mode, PasswordForm, Policy, Route, RouteId, Secret,
    StationRecord, Tenant, UpstreamCredential, Verifier, VerifierKey,
};
use ocpp::{StationId, Version};
use sim::ca::{Authority, Identity, Leaf};
use sim::{ConnectError, Conversation, Csms, CsmsBuilder, Station};
use tokio::time::timeout;

/// Longer than anything here takes; a scene that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// What every station with a password has as its own.
pub(crate) const PASSWORD: &[u8] = b"correct horse battery";
/// Registered stations that show a password, whatever they speak.
pub(crate) const WITH_PASSWORD: [&str; 3] = ["CP1", "CP2", "CP3"];
/// Registered stations that show a certificate with their identity as its name.
pub(crate) const WITH_CERTIFICATE: [&str; 2] = ["CERT1", "CERT2"];

/// A gate on loopback, and both sides of it.
pub(crate) struct Scene {
    pub(crate) csms: Csms,
    pub(crate) authority: Authority,
    gate: Gateway,
    policy: Arc<ArcSwap<Policy>>,
    events: EventReceiver,
}

impl Scene {
    pub(crate) async fn new() -> Scene {
        Scene::before(Csms::builder()).await
    }

    /// With a CSMS of one's own making.
    pub(crate) async fn before(csms: CsmsBuilder) -> Scene {
        let csms = csms.start("127.0.0.1:0").await.unwrap();
        let upstream = csms.url().to_owned();
        Scene::leading_to(csms, upstream, UpstreamSettings::default())
    }

    /// With a route that leads to that URL, whoever is there.
    pub(crate) fn leading_to(csms: Csms, upstream: String, settings: UpstreamSettings) -> Scene {
        let authority = Authority::new("Scene CA").unwrap();
        let shown = authority.issue(&Leaf::server(&[])).unwrap();
        let tls = TlsSettings {
            identities: vec![pem(&shown)],
            client_ca: Some(authority.certificate_pem().into_bytes()),
            certificate_rules: Arc::default(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = Settings {
            listeners: vec![ListenerSettings {
                address,
                tls: Some(tls),
                proxy_protocol_from: Vec::new(),
            }],
            upstreams: HashMap::from([(route_id(), settings)]),
            workers: 1,
            ..Settings::default()
        };
        let key = Arc::new(VerifierKey::new([7; 32]));
        let policy = Arc::new(ArcSwap::from_pointee(Policy::default()));
        let (sender, events) = event_queue(10_000, true);
        let shared = Shared::new(
            Arc::new(ArcSwap::from_pointee(book(upstream, &key))),
            Arc::clone(&policy),
            sender,
            key,
        );
        let gate = Gateway::start(settings, shared).unwrap();
        Scene {
            csms,
            authority,
            gate,
            policy,
            events,
        }
    }

    /// The schema is enforced from now on; by default it is observed.
    pub(crate) fn enforce_schema(&self) {
        let controls = Controls {
            schema: Mode::Enforce,
            ..Controls::default()
        };
        self.policy.store(Arc::new(Policy {
            controls,
            ..Policy::default()
        }));
    }

    /// Where stations knock, without the identity.
    pub(crate) fn url(&self) -> String {
        format!("wss://localhost:{}/ocpp", self.gate.addresses()[0].port())
    }

    /// A station that trusts the gate, speaks 1.6 and shows nothing.
    pub(crate) fn stranger(&self, identity: &str) -> Station {
        let station = Station::new(self.url(), identity).version(Version::V16);
        station.trust(self.authority.certificate())
    }

    /// A registered station with its password.
    pub(crate) fn station(&self, identity: &str) -> Station {
        self.stranger(identity).password(PASSWORD)
    }

    /// Both ends of a session of that station.
    pub(crate) async fn session(&self, station: &Station) -> (Conversation, Conversation) {
        let ours = station.connect().await.expect("the station is let in");
        let theirs = self
            .csms
            .station(ours.identity())
            .await
            .expect("the CSMS has it");
        (ours, theirs)
    }

    /// The HTTP status with which that station is turned away.
    pub(crate) async fn turned_away(&self, station: &Station) -> u16 {
        match station.connect().await {
            Err(ConnectError::Refused { status, .. }) => status,
            Err(other) => panic!("turned away without a status: {other}"),
            Ok(_) => panic!("the station was let in"),
        }
    }

    /// Waits until an event is told that `wanted` picks; earlier ones are passed over.
    pub(crate) async fn event<T>(&self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let looking = async {
            loop {
                let batch = self.events.batch().await;
                if let Some(found) = batch.iter().find_map(|(event, _)| wanted(event)) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, looking).await.expect("the event in time")
    }
}

pub(crate) fn pem(identity: &Identity) -> PemIdentity {
    PemIdentity {
        chain: identity.certificate_pem().as_bytes().to_vec(),
        key: Secret::new(identity.key_pem().as_bytes().to_vec()),
    }
}

fn route_id() -> RouteId {
    RouteId(Arc::from("main"))
}

fn book(upstream: String, key: &VerifierKey) -> Book {
    let tenant = Tenant(Arc::from("cpo"));
    let route = Route {
        id: route_id(),
        path: "/ocpp/{identity}".to_owned(),
        tenant: tenant.clone(),
        upstream,
        credential: UpstreamCredential::Forward,
        organization: None,
    };
    let station = |name: &str, credential: Credential| {
        let id = StationId::parse(name, Version::V16).unwrap();
        StationRecord::new(id, tenant.clone(), credential)
    };
    let password = || {
        let form = PasswordForm::Octets;
        Credential::Password(Verifier::fast(PASSWORD, form, key, [1; 16]).unwrap())
    };
    let stations = WITH_PASSWORD
        .map(|name| station(name, password()))
        .into_iter();
    let certified = WITH_CERTIFICATE.map(|name| station(name, Credential::CertificateName));
    Book::new([route], stations.chain(certified)).unwrap()
}
