//! Who is there: a gate, a CSMS and stations, all on loopback. The station's and the CSMS's WebSocket
//! is tokio-tungstenite's, so every scene is also a test against an implementation we did not write.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use gateway::{EventReceiver, Gateway, ListenerSettings, Settings, Shared};
use gateway::{event_queue, event_queue_waited_for};
use guard::admission::{Exception, ExceptionKind, Exceptions, Stations};
use guard::{
    Book, Credential, Event, PasswordForm, Policy, Protocols, Route, RouteId, Secret,
    StationRecord, Tenant, UnixMillis, UpstreamCredential, Verifier, VerifierKey,
};
use ocpp::{StationId, Version};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};
use x509_parser::public_key::PublicKey;

/// Longer than anything here takes; a scene that needs it has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const PASSWORD: &[u8] = b"correct horse battery";

pub struct Scene {
    pub gate: Gateway,
    pub events: EventReceiver,
    pub csms: CsmsDoor,
    pub book: Arc<ArcSwap<Book>>,
    pub kept: gateway::Kept,
}

/// The CSMS's front door.
pub struct CsmsDoor {
    listener: TcpListener,
}

/// Any byte stream, so that a scene needs not care whether there is TLS.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// One end of a WebSocket: a station's, or the CSMS's end of a session.
pub struct End {
    pub socket: WebSocketStream<Box<dyn Io>>,
    /// The upgrade request, where this is the CSMS's end.
    pub request: Option<Request>,
}

/// What a scene may set.
pub struct Setting {
    pub settings: Settings,
    pub policy: Policy,
    pub credential: UpstreamCredential,
    pub upstream_scheme: &'static str,
    /// How long messages wait for their records, if they do.
    pub waits: Option<Duration>,
}

impl Default for Setting {
    fn default() -> Setting {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = Settings {
            listeners: vec![ListenerSettings {
                address: any,
                tls: None,
                proxy_protocol_from: Vec::new(),
            }],
            workers: 1,
            exceptions: clear_text(),
            ..Settings::default()
        };
        Setting {
            settings,
            policy: Policy::default(),
            credential: UpstreamCredential::Forward,
            upstream_scheme: "ws",
            waits: None,
        }
    }
}

/// Clear text is let be: most scenes are about something else.
pub fn clear_text() -> Arc<Exceptions> {
    Arc::new(Exceptions::new([Exception {
        kind: ExceptionKind::PlainBasic,
        tenant: Tenant(Arc::from("cpo")),
        stations: Stations::Named(["*"].into_iter().collect()),
        until: UnixMillis(i64::MAX),
        networks: Vec::new(),
        path_secret: None,
        tls_fingerprints: Vec::new(),
        boot: None,
        reason: "a scene on loopback".to_owned(),
    }]))
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::with(Setting::default()).await
    }

    pub async fn with(setting: Setting) -> Scene {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream = match setting.upstream_scheme {
            "wss" => format!("wss://localhost:{port}/csms"),
            scheme => format!("{scheme}://127.0.0.1:{port}/csms"),
        };
        let key = Arc::new(VerifierKey::new([7; 32]));
        let book = Arc::new(ArcSwap::from_pointee(book(
            &upstream,
            setting.credential,
            &key,
        )));
        let (sender, events) = match setting.waits {
            None => event_queue(10_000, true),
            Some(patience) => event_queue_waited_for(10_000, patience),
        };
        let shared = Shared::new(
            Arc::clone(&book),
            Arc::new(ArcSwap::from_pointee(setting.policy)),
            sender,
            key,
        );
        let kept = shared.kept.clone();
        let gate = Gateway::start(setting.settings, shared).unwrap();
        Scene {
            gate,
            events,
            csms: CsmsDoor { listener },
            book,
            kept,
        }
    }

    /// A station knocks with its own password and OCPP 1.6.
    pub async fn knock(&self, identity: &str) -> Result<End, tungstenite::Error> {
        self.knock_as(identity, "ocpp1.6", Some((identity, PASSWORD)))
            .await
    }

    pub async fn knock_as(
        &self,
        identity: &str,
        subprotocols: &str,
        basic: Option<(&str, &[u8])>,
    ) -> Result<End, tungstenite::Error> {
        let stream = TcpStream::connect(self.gate.addresses()[0]).await?;
        // What a scene has sent has then arrived.
        stream.set_nodelay(true)?;
        self.upgrade(Box::new(stream), identity, subprotocols, basic)
            .await
    }

    /// A station knocks by TLS; also the signature algorithm of the certificate it was shown.
    pub async fn knock_tls(
        &self,
        identity: &str,
        connector: &TlsConnector,
        basic: Option<(&str, &[u8])>,
    ) -> Result<(End, String), tungstenite::Error> {
        let stream = TcpStream::connect(self.gate.addresses()[0]).await?;
        let stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        let (_, shown) = x509_parser::parse_x509_certificate(&shown).unwrap();
        let rsa = matches!(shown.public_key().parsed(), Ok(PublicKey::RSA(_)));
        let end = self
            .upgrade(Box::new(stream), identity, "ocpp1.6", basic)
            .await?;
        Ok((end, if rsa { "RSA" } else { "ECDSA" }.to_owned()))
    }

    /// A station knocks on a stream that is open already.
    pub async fn upgrade(
        &self,
        stream: Box<dyn Io>,
        identity: &str,
        subprotocols: &str,
        basic: Option<(&str, &[u8])>,
    ) -> Result<End, tungstenite::Error> {
        let address = self.gate.addresses()[0];
        let mut request = format!("ws://{address}/ocpp/{identity}").into_client_request()?;
        let headers = request.headers_mut();
        if !subprotocols.is_empty() {
            headers.insert("Sec-WebSocket-Protocol", subprotocols.parse().unwrap());
        }
        if let Some((user, password)) = basic {
            let pair = [user.as_bytes(), b":", password].concat();
            let value = format!("Basic {}", STANDARD.encode(pair));
            headers.insert("Authorization", value.parse().unwrap());
        }
        let connecting = tokio_tungstenite::client_async(request, stream);
        let (socket, _) = timeout(PATIENCE, connecting)
            .await
            .expect("an answer in time")?;
        Ok(End {
            socket,
            request: None,
        })
    }

    /// A station and the CSMS's end of its session.
    pub async fn session(&self, identity: &str) -> (End, End) {
        let (station, csms) = tokio::join!(self.knock(identity), self.csms.accept());
        (station.expect("the station is let in"), csms)
    }

    /// Waits until that many messages have had to wait.
    pub async fn queued(&self, count: u64) {
        let waiting = async {
            while self.gate.counters().snapshot().queued < count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("in time");
    }

    /// Waits until an event is told that `wanted` picks.
    pub async fn event<T>(&self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
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

/// A session's end at a CSMS by TLS, and what TLS knows of the gate.
pub struct SecureEnd {
    pub end: End,
    pub from: SocketAddr,
    /// The common name of the certificate it showed.
    pub certificate: Option<String>,
}

impl CsmsDoor {
    pub async fn accept(&self) -> End {
        let stream = self.accept_raw().await;
        self.shake_hands(Box::new(stream)).await
    }

    pub async fn accept_tls(&self, acceptor: TlsAcceptor) -> SecureEnd {
        let stream = self.accept_raw().await;
        let from = stream.peer_addr().unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates();
        let certificate = shown.map(|chain| {
            let (_, leaf) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
            let name = leaf.subject().iter_common_name().next().unwrap().as_str();
            name.unwrap().to_owned()
        });
        let end = self.shake_hands(Box::new(stream)).await;
        SecureEnd {
            end,
            from,
            certificate,
        }
    }

    pub async fn shake_hands(&self, stream: Box<dyn Io>) -> End {
        let mut seen = None;
        #[expect(clippy::result_large_err, reason = "tungstenite's signature")]
        let choose = |request: &Request, mut response: Response| {
            seen = Some(request.clone());
            let chosen = request
                .headers()
                .get("Sec-WebSocket-Protocol")
                .unwrap()
                .clone();
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", chosen);
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, choose)
            .await
            .unwrap();
        End {
            socket,
            request: seen,
        }
    }

    /// A connection without a handshake, as it comes.
    pub async fn accept_raw(&self) -> TcpStream {
        timeout(PATIENCE, self.listener.accept())
            .await
            .unwrap()
            .unwrap()
            .0
    }

    /// Nobody has knocked.
    pub fn nobody_came(&self) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        self.listener.poll_accept(&mut context).is_pending()
    }
}

impl End {
    pub async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next text; pings are answered and passed over.
    pub async fn hear(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// The close code; `None` when the socket ended without a close frame.
    pub async fn closed(&mut self) -> Option<u16> {
        match self.next().await {
            Some(Message::Close(frame)) => {
                // tungstenite's answer to a goodbye leaves with the next call.
                let _ = self.socket.flush().await;
                Some(frame.map_or(1005, |CloseFrame { code, .. }| code.into()))
            }
            None => None,
            other => panic!("expected a close, got {other:?}"),
        }
    }

    /// Takes texts until the goodbye.
    pub async fn passed_until_closed(&mut self) {
        while let Some(Message::Text(_)) = self.next().await {}
        let _ = self.socket.flush().await;
    }

    /// Takes bytes off the socket, behind tungstenite's back: no ping is seen, so none is answered.
    pub async fn read_only(&mut self) {
        let mut taken = vec![0; 16 << 10];
        let reading = self.socket.get_mut().read(&mut taken);
        let count = timeout(PATIENCE, reading).await.expect("something in time");
        assert!(count.unwrap() > 0, "the socket is open");
    }

    async fn next(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("something in time")
            {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }
}

fn book(upstream: &str, credential: UpstreamCredential, key: &VerifierKey) -> Book {
    let tenant = Tenant(Arc::from("cpo"));
    let route = Route {
        id: RouteId(Arc::from("main")),
        path: "/ocpp/{identity}".to_owned(),
        tenant: tenant.clone(),
        upstream: upstream.to_owned(),
        credential,
        organization: None,
    };
    let credential = |name: &str| match name {
        "CERT1" | "CERT2" => Credential::CertificateName,
        "OPEN1" | "OPEN2" => Credential::ByException,
        _ => Credential::Password(
            Verifier::fast(PASSWORD, PasswordForm::Octets, key, [1; 16]).unwrap(),
        ),
    };
    let station = |name: &str| StationRecord {
        enabled: name != "DISABLED",
        protocols: Protocols {
            unnamed: (name == "OLD").then_some(Version::V16),
            ..Protocols::default()
        },
        upstream_password: Some(Secret::new(b"upstream secret".to_vec())),
        ..StationRecord::new(
            StationId::parse(name, Version::V16).unwrap(),
            tenant.clone(),
            credential(name),
        )
    };
    let names = [
        "CP1", "CP2", "OLD", "DISABLED", "Wall box", "CERT1", "CERT2", "OPEN1", "OPEN2",
    ];
    Book::new([route], names.map(station)).unwrap()
}
